"""Labelled examples for models: features and targets that were known at the as-of date."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from portfolio.engines.arrays import column
from portfolio.run import Run
from portfolio.tables import FEATURES

# The order of the columns is the order a model knows; it comes from the table contract alone.
FEATURE_NAMES = tuple(
    name
    for name in FEATURES.column_names
    if name not in {"source", "instrument_id", "date", "forward_return", "target"}
)


@dataclass(frozen=True)
class Examples:
    """Labelled rows, sorted by instrument and date.

    Attributes:
        features: (rows, features) ranks in the order of FEATURE_NAMES, NaN where not known.
        target: (rows,) rank of the forward return among the instruments of the day, -0.5 to 0.5.
        forward_return: (rows,) simple return over the horizon, as a fraction.
        date: (rows,) position in `dates`.
        instrument: (rows,) position in `instruments`.
        dates: sorted unique dates of the rows.
        instruments: sorted names.
    """

    features: NDArray[np.float64]
    target: NDArray[np.float64]
    forward_return: NDArray[np.float64]
    date: NDArray[np.int64]
    instrument: NDArray[np.int64]
    dates: NDArray[np.datetime64]
    instruments: tuple[str, ...]

    def within(self, dates: slice) -> NDArray[np.bool_]:
        """Return which rows lie in a slice of the unique dates."""
        return (self.date >= dates.start) & (self.date < dates.stop)

    def matrix(self, values: NDArray[np.float64], rows: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return values of the chosen rows (as many as `rows` has True) as (dates with a row, instruments).

        NaN where an instrument has no row on a date; dates are those of the chosen rows, in order.
        """
        dates, position = np.unique(self.date[rows], return_inverse=True)
        matrix = np.full((dates.size, len(self.instruments)), np.nan)
        matrix[position, self.instrument[rows]] = values
        return matrix


def load_examples(run: Run) -> Examples:
    """Return all rows whose target was known at the as-of date.

    The target of day t looks `features.horizon_d` trading days ahead, so the last such days are left out even
    if the table, written with later prices, knows them.
    """
    wanted = ("date", "instrument_id", *FEATURE_NAMES, "forward_return", "target")
    rows = run.arrow(FEATURES, wanted, f"date <= DATE'{run.as_of}'")
    every = np.unique(column(rows, "date"))
    known = every[: -run.settings.features.horizon_d]
    target, date = column(rows, "target"), column(rows, "date")
    keep = np.isfinite(target) & np.isin(date, known)
    dates, position = np.unique(date[keep], return_inverse=True)
    instruments, place = np.unique(column(rows, "instrument_id").astype(str), return_inverse=True)
    return Examples(
        features=np.column_stack([column(rows, name)[keep] for name in FEATURE_NAMES]),
        target=target[keep],
        forward_return=column(rows, "forward_return")[keep],
        date=position,
        instrument=place[keep],
        dates=dates,
        instruments=tuple(str(name) for name in instruments),
    )
