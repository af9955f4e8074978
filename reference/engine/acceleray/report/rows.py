"""Small helpers to take Arrow tables apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from acceleray.tables import Table

# Gives the rows that the current run may show of one declared table.
Read = Callable[[Table], pa.Table]
# The same, and given names of columns some of those rows, `read(TABLE, portfolio_id=["A", "B"])`, or one row
# for all that are alike, `read(TABLE, per=["instrument_id"])`; `acceleray.runtime.run.Run.rows` says which.
Reads = Callable[..., pa.Table]


def narrowed(table: Table, *names: str) -> Table:
    """Return the declaration with only some of its columns, so that a reader need not fetch the rest."""
    return replace(table, columns=tuple(column for column in table.columns if column.name in names))


def where(table: pa.Table, **values: object) -> pa.Table:
    """Return the rows in which every named column has the given value; floats match to 1e-9."""
    for name, value in values.items():
        column = table[name]
        if isinstance(value, float):
            table = table.filter(pc.less(pc.abs(pc.subtract(column, value)), 1e-9))
        else:
            table = table.filter(pc.equal(column, pa.scalar(value, type=column.type)))
    return table


def floats(table: pa.Table, name: str) -> NDArray[np.float64]:
    """Return one column as an array of shape (rows,), NaN where it is empty."""
    return np.asarray(table[name].cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)


def dates(table: pa.Table, name: str) -> NDArray[np.datetime64]:
    """Return one date column as an array of shape (rows,) of whole days."""
    return np.asarray(table[name].to_numpy(zero_copy_only=False), dtype="datetime64[D]")


def first(table: pa.Table) -> dict[str, Any] | None:
    """Return the first row as a dictionary, or None if there is none."""
    return table.slice(0, 1).to_pylist()[0] if table.num_rows else None
