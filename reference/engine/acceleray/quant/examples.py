"""Labelled examples as arrays, one row for each instrument and date."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Examples:
    """Labelled rows, sorted by instrument and date.

    Attributes:
        features: (rows, features) ranks in the order of the names of the features, NaN where not known; in
            single precision, which XGBoost makes of them anyway, where nothing else is done with millions.
        target: (rows,) rank of the forward return among the instruments of the day, -0.5 to 0.5.
        forward_return: (rows,) simple return over the horizon, as a fraction.
        date: (rows,) position in `dates`.
        instrument: (rows,) position in `instruments`.
        dates: sorted unique dates of the rows.
        instruments: sorted names.
        newest: features (some rows, features) of the last rows in double precision; None where not asked for.
    """

    features: NDArray[np.float64] | NDArray[np.float32]
    target: NDArray[np.float64]
    forward_return: NDArray[np.float64]
    date: NDArray[np.int64]
    instrument: NDArray[np.int64]
    dates: NDArray[np.datetime64]
    instruments: tuple[str, ...]
    newest: NDArray[np.float64] | None = None

    def within(self, dates: slice) -> NDArray[np.bool_]:
        """Return which rows lie in a slice of the unique dates."""
        return (self.date >= dates.start) & (self.date < dates.stop)

    def matrix(self, values: NDArray[np.floating], rows: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return values of the chosen rows (as many as `rows` has True) as (dates with a row, instruments).

        NaN where an instrument has no row on a date; dates are those of the chosen rows, in order.
        """
        dates, position = np.unique(self.date[rows], return_inverse=True)
        matrix = np.full((dates.size, len(self.instruments)), np.nan)
        matrix[position, self.instrument[rows]] = values
        return matrix
