"""Columns of a table in the order of its key, without every column in memory twice."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

# Columns that are read and sorted together where there are many rows.
_AT_A_TIME, _MANY_ROWS = 4, 1_000_000
# Of the numbers by which rows are sorted.
_LARGEST = 2**62


def in_order(
    read: Callable[[tuple[str, ...]], pa.Table], key: tuple[str, ...], columns: tuple[str, ...]
) -> pa.Table:
    """Return columns sorted by the key.

    ``read`` returns the columns that it is asked for, the same rows at each call and in any order. Of many
    rows it is asked for a few columns at a time.
    """
    rows, left = _sorted(read, key, columns[:_AT_A_TIME]), columns[_AT_A_TIME:]
    size = _AT_A_TIME if rows.num_rows > _MANY_ROWS else max(len(left), 1)
    for first in range(0, len(left), size):
        more = _sorted(read, key, left[first : first + size])
        for name in more.column_names:
            rows = rows.append_column(more.schema.field(name), more.column(name))
    return rows


def _sorted(
    read: Callable[[tuple[str, ...]], pa.Table], key: tuple[str, ...], columns: tuple[str, ...]
) -> pa.Table:
    rows = read(tuple(dict.fromkeys((*key, *columns))))
    return rows.select(columns).take(_places(rows, key)).combine_chunks()


def _places(rows: pa.Table, key: tuple[str, ...]) -> pa.Array:
    """Return the places of rows in the order of the key.

    One number for each row is sorted, where there is one that orders rows as the key does: of millions of
    rows that takes a quarter of the time of comparing texts and dates.
    """
    number, span = np.zeros(rows.num_rows, dtype=np.int64), 1
    for name in key:
        ranked = _ranks(rows.column(name))
        if ranked is None:
            return pc.sort_indices(rows, [(each, "ascending") for each in key])
        ranks, count = ranked
        if span > _LARGEST // count:
            return pc.sort_indices(rows, [(each, "ascending") for each in key])
        number, span = number * count + ranks, span * count
    return pa.array(np.argsort(number, kind="stable"))


def _ranks(values: pa.ChunkedArray) -> tuple[NDArray[np.int64], int] | None:
    """Return numbers that ascend with texts or days, and how many there may be; None for other values."""
    if not len(values) or values.null_count:
        return None
    if pa.types.is_string(values.type):
        coded = values.combine_chunks().dictionary_encode()
        order = np.argsort(np.array(coded.dictionary.to_pylist(), dtype=np.str_), kind="stable")
        ranks = np.empty(order.size, dtype=np.int64)
        ranks[order] = np.arange(order.size)
        return ranks[coded.indices.to_numpy()], order.size
    if pa.types.is_date32(values.type):
        days = values.cast(pa.int32()).to_numpy().astype(np.int64)
        first = int(days.min())
        return days - first, int(days.max()) - first + 1
    return None
