"""Parameters through time: every scheduled fit of every instrument."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from portfolio.report.fits import TRADING_DAYS_A_YEAR
from portfolio.report.formats import printable
from portfolio.report.rows import Read, dates, floats, narrowed
from portfolio.tables import CALIBRATION_HISTORY

# More rows or columns than this are no map but a blur.
SHOWN_INSTRUMENTS = 40
SHOWN_DATES = 80


@dataclass(frozen=True)
class History:
    """The fits that are shown, three matrices of shape (instruments shown, dates shown), NaN without a value.

    Rows begin with the instrument whose persistence moved most. `tried` is true where there was a fit, sound
    or not. The counts are of all fits, shown or not.
    """

    instruments: tuple[str, ...]
    dates: NDArray[np.datetime64]
    persistence: NDArray[np.float64]
    nu: NDArray[np.float64]
    volatility_pct: NDArray[np.float64]
    tried: NDArray[np.bool_]
    all_instruments: int
    all_dates: int
    all_fits: int
    without_model: int

    @property
    def first(self) -> date | None:
        """Return the day of the first fit shown."""
        return self.dates[0].item() if self.dates.size else None


def gather(read: Read) -> History:
    """Return what moved most of what was fitted, on the most recent days."""
    columns = ("fitted_on", "instrument_id", "status", "persistence", "nu", "next_sigma")
    rows = read(narrowed(CALIBRATION_HISTORY, *columns))
    days, column = np.unique(dates(rows, "fitted_on"), return_inverse=True)
    ids, row = _codes(rows["instrument_id"])
    sound = np.asarray(pc.equal(rows["status"], "calibrated").to_numpy(zero_copy_only=False), dtype=bool)

    def matrix(values: NDArray[np.float64]) -> NDArray[np.float64]:
        found = np.full((len(ids), len(days)), np.nan)
        found[row, column] = np.where(sound, values, np.nan)
        return found

    persistence = matrix(floats(rows, "persistence"))
    tried = np.zeros(persistence.shape, dtype=bool)
    tried[row, column] = True
    moved = _spread(persistence)
    # The largest movement first; names decide between equals, so that the page is the same every time.
    order = np.lexsort((np.asarray(ids, dtype=str), -moved))[:SHOWN_INSTRUMENTS]
    recent = slice(max(0, len(days) - SHOWN_DATES), None)
    volatility = 100 * np.sqrt(TRADING_DAYS_A_YEAR) * matrix(floats(rows, "next_sigma"))
    return History(
        instruments=tuple(printable(ids[place]) for place in order),
        dates=days[recent],
        persistence=persistence[order, recent],
        nu=matrix(floats(rows, "nu"))[order, recent],
        volatility_pct=volatility[order, recent],
        tried=tried[order, recent],
        all_instruments=len(ids),
        all_dates=len(days),
        all_fits=rows.num_rows,
        without_model=int((~sound).sum()),
    )


def _spread(values: NDArray[np.float64]) -> NDArray[np.float64]:
    known = np.isfinite(values)
    high = np.where(known, values, -np.inf).max(axis=1, initial=-np.inf)
    low = np.where(known, values, np.inf).min(axis=1, initial=np.inf)
    return np.where(known.any(axis=1), high - low, 0.0)


def _codes(column: pa.ChunkedArray) -> tuple[list[str], NDArray[np.int64]]:
    ids = sorted(pc.unique(column).to_pylist())
    places = pc.index_in(column, value_set=pa.array(ids, pa.string()))
    return ids, np.asarray(places.to_numpy(zero_copy_only=False), dtype=np.int64)
