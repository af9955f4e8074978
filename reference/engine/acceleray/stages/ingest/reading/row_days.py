"""The day of each row, from columns of text, dates or timestamps; what is refused is named by its line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from acceleray.errors import PortfolioError
from acceleray.stages.ingest.reading.closes import live_prices
from acceleray.stages.ingest.reading.dates import decide_days
from acceleray.stages.ingest.reading.grid import Column, Grid, as_text, clean
from acceleray.stages.ingest.reading.instants import exchange_days

_NONE = np.datetime64("NaT", "D")


@dataclass(frozen=True)
class RowDays:
    """The day of each row of each grid, how dates are written, and lines that are left out, in words."""

    days: tuple[NDArray[np.datetime64], ...]
    wording: str
    left_out: str = ""


def row_days(dated: Sequence[tuple[Grid, int]]) -> RowDays:
    """Return the days of all grids, each given with its column of dates; NaT where a row is left out.

    All text is decided together: files of one folder come from one program.

    Raises:
        PortfolioError: a date cannot be read, or in one way as well as in another.
    """
    found: list[NDArray[np.datetime64]] = []
    texts: dict[str, int] = {}
    coded: list[tuple[int, pa.Array, NDArray[np.int64]]] = []
    wordings: dict[str, None] = {}
    for number, (grid, at) in enumerate(dated):
        column = grid.columns[at]
        if pa.types.is_temporal(column.type):
            days, wording = _of_type(grid, column)
            wordings[wording] = None
            found.append(days)
            continue
        encoded = as_text(grid, at).combine_chunks().dictionary_encode()
        places = [texts.setdefault(text, len(texts)) for text in encoded.dictionary.to_pylist()]
        coded.append((number, encoded.indices, np.array(places, np.int64)))
        found.append(np.empty(0, "datetime64[D]"))
    left_out = ""
    if texts:
        decided = decide_days(list(texts))
        if decided.odd is not None:
            raise _refusal(dated, list(texts)[decided.odd], decided.why)
        days = np.array([_NONE if day is None else np.datetime64(day, "D") for day in decided.days])
        wordings[decided.wording] = None
        for number, indices, mine in coded:
            found[number] = days[mine[indices.to_numpy(zero_copy_only=False)]]
        if decided.left_out:
            left_out = _left_out(dated, [list(texts)[at] for at in decided.left_out])
    return RowDays(tuple(found), " and ".join(wordings), left_out)


def _refusal(dated: Sequence[tuple[Grid, int]], text: str, why: str) -> PortfolioError:
    grid, row = _first(dated, text)
    return PortfolioError(f"{grid.place(row)} has '{clean(text)}' for a date; {why}.")


def _first(dated: Sequence[tuple[Grid, int]], text: str) -> tuple[Grid, int]:
    for grid, at in dated:
        if not pa.types.is_temporal(grid.columns[at].type):
            row = pc.index(as_text(grid, at), text).as_py()
            if row >= 0:
                return grid, row
    raise AssertionError(text)


def _left_out(dated: Sequence[tuple[Grid, int]], texts: Sequence[str]) -> str:
    grid, row = _first(dated, texts[0])
    more = f" and {len(texts) - 1} more" if len(texts) > 1 else ""
    where = f"{grid.word.lower()} {grid.lines[row]} left out{more}"
    return f"{where}: '{clean(texts[0])}' is a live price, not a close"


def _of_type(grid: Grid, column: Column) -> tuple[NDArray[np.datetime64], str]:
    kind = column.type
    if column.null_count:
        raise PortfolioError(
            f"{grid.place(pc.index(column.is_null(), True).as_py())} has no date; fill it in."
        )
    if pa.types.is_date(kind):
        return column.cast(pa.date32()).to_numpy().astype("datetime64[D]"), "dates"
    if not pa.types.is_timestamp(kind):
        raise PortfolioError(f"The dates of {grid.origin} are of type {kind}; make them dates.")
    local = pc.local_timestamp(column) if kind.tz else column
    stamps = local.cast(pa.timestamp("us"), safe=False).to_numpy()
    days = stamps.astype("datetime64[D]")
    late = stamps != days
    if not late.any():
        return days, f"midnights in {kind.tz}" if kind.tz else "dates"
    if kind.tz:
        instants = column.cast(pa.timestamp("us", "UTC"), safe=False).to_numpy()
        codes, distinct = pd.factorize(instants)
        read = exchange_days(list(distinct))
        if read.days is not None:
            return np.array(read.days, "datetime64[D]")[codes], read.words
    if kind.tz not in ("UTC", "Etc/UTC"):
        distinct = pd.unique(stamps)
        own = distinct.astype("datetime64[D]")
        times = (distinct - own).astype("timedelta64[us]")
        if live_prices(own.tolist(), times.tolist()) == ():
            return days, "times of closes"
    row = int(np.argmax(late if 2 * late.sum() <= late.size else np.ones(late.size, bool)))
    stamp = pd.Timestamp(stamps[row])
    raise PortfolioError(
        f"{grid.place(row)} has '{stamp}' for a date, a time of day from which no exchange's day follows; "
        "keep one close per day, as a date."
    )
