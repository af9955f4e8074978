"""Risk days in parts: each part's rows are made by themselves, wherever and in whatever order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from acceleray.quant.day_prices import DayPrices

# Rows of a part: what a task holds at once is some tens of megabytes.
PART_ROWS = 100_000


@dataclass(frozen=True)
class Part:
    """Consecutive risk days, by their positions.

    Attributes:
        known_from: first day whose prices rows of the part may depend on.
        first: first day of the part.
        stop: day after its last.
    """

    known_from: int
    first: int
    stop: int


def parts(wanted: NDArray[np.bool_], known_from: NDArray[np.int64], instruments: int) -> tuple[Part, ...]:
    """Return the parts that cover the wanted risk days and no other.

    Args:
        wanted: of shape (days,).
        known_from: first day that rows of each day depend on, of shape (days,).
        instruments: how many there are: a part has at most about `PART_ROWS` rows, and at least a day.
    """
    length = max(1, PART_ROWS // max(1, instruments))
    found = []
    for first, stop in runs(wanted):
        count = -(-(stop - first) // length)
        edges = np.linspace(first, stop, count + 1).round().astype(int).tolist()
        found += [Part(int(known_from[low:high].min()), low, high) for low, high in pairwise(edges)]
    return tuple(found)


def runs(wanted: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return first position and position after the last of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], wanted, [False])).astype(np.int8)))
    return [(int(low), int(high)) for low, high in zip(edges[::2], edges[1::2], strict=True)]


def long_rows(
    prices: DayPrices,
    part: Part,
    kept: NDArray[np.bool_],
    columns: Mapping[str, NDArray[Any]],
) -> pa.Table:
    """Return rows with date and instrument, NULL for NaN, by date and instrument.

    Args:
        prices: their risk days and instruments.
        part: which days.
        kept: which rows there are, of shape (days of the part, instruments).
        columns: values of each row, in that order.
    """
    day, place = np.nonzero(kept)
    names = pa.array(prices.instruments, pa.string())
    known = {
        "instrument_id": names.take(pa.array(place)),
        "date": pa.array(prices.days[part.first : part.stop][day].astype("datetime64[D]")),
    }
    return pa.table(known | {name: pa.array(each, from_pandas=True) for name, each in columns.items()})
