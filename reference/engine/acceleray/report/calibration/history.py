"""Parameters through time: every scheduled fit of every instrument."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from acceleray.report.fits import TRADING_DAYS_A_YEAR
from acceleray.report.formats import printable
from acceleray.report.rows import Reads, dates, floats, narrowed
from acceleray.tables import CALIBRATION_HISTORY

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


def gather(read: Reads) -> History:
    """Return what moved most of what was fitted, on the most recent days.

    Spark sums up all fits; no more of them are read than are shown.
    """
    every = read(
        narrowed(CALIBRATION_HISTORY, "instrument_id", "status", "persistence"),
        per=("instrument_id", "status"),
    )
    days = np.sort(dates(read(narrowed(CALIBRATION_HISTORY, "fitted_on"), per=("fitted_on",)), "fitted_on"))
    moved = _spread(every)
    # The largest movement first; names decide between equals, so that the page is the same every time.
    ids = sorted(moved, key=lambda name: (-moved[name], name))[:SHOWN_INSTRUMENTS]
    recent = days[-SHOWN_DATES:]
    columns = ("fitted_on", "instrument_id", "status", "persistence", "nu", "next_sigma")
    rows = read(
        narrowed(CALIBRATION_HISTORY, *columns), instrument_id=ids, fitted_on=[day.item() for day in recent]
    )
    column = np.searchsorted(recent, dates(rows, "fitted_on"))
    row = _places(rows["instrument_id"], ids)
    sound = _sound(rows)

    def matrix(name: str) -> NDArray[np.float64]:
        found = np.full((len(ids), len(recent)), np.nan)
        found[row, column] = np.where(sound, floats(rows, name), np.nan)
        return found

    tried = np.zeros((len(ids), len(recent)), dtype=bool)
    tried[row, column] = True
    return History(
        instruments=tuple(printable(name) for name in ids),
        dates=recent,
        persistence=matrix("persistence"),
        nu=matrix("nu"),
        volatility_pct=100 * np.sqrt(TRADING_DAYS_A_YEAR) * matrix("next_sigma"),
        tried=tried,
        all_instruments=len(moved),
        all_dates=len(days),
        all_fits=int(floats(every, "rows").sum()),
        without_model=int(floats(every, "rows")[~_sound(every)].sum()),
    )


def _spread(every: pa.Table) -> dict[str, float]:
    """Return how far the persistence of each instrument moved, zero for one without a sound fit."""
    moved = dict.fromkeys(every["instrument_id"].to_pylist(), 0.0)
    for row in every.filter(pc.equal(every["status"], "calibrated")).to_pylist():
        if row["persistence_max"] is not None:
            moved[row["instrument_id"]] = row["persistence_max"] - row["persistence_min"]
    return moved


def _sound(rows: pa.Table) -> NDArray[np.bool_]:
    equal = pc.equal(rows["status"], "calibrated")
    return np.asarray(equal.to_numpy(zero_copy_only=False), dtype=bool)


def _places(column: pa.ChunkedArray, ids: list[str]) -> NDArray[np.int64]:
    places = pc.index_in(column, value_set=pa.array(ids, pa.string()))
    return np.asarray(places.to_numpy(zero_copy_only=False), dtype=np.int64)
