"""Columns of a table in the order of its key, without every column in memory twice."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

# Columns that are read and sorted together where there are many rows.
_AT_A_TIME, _MANY_ROWS = 4, 1_000_000


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
    order = pc.sort_indices(rows, [(name, "ascending") for name in key])
    return rows.select(columns).take(order).combine_chunks()
