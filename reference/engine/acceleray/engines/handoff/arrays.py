"""Rows of a table as arrays: from long form to a matrix of dates by instruments, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from acceleray.tables.contract import Table


@dataclass(frozen=True)
class Panel:
    """Values of shape (dates, instruments), NaN where there is none; dates and instruments ascending.

    `span_d`, of returns, is of the same shape: the risk days that each spans, 0 where a market was closed.
    """

    dates: NDArray[np.datetime64]
    instruments: tuple[str, ...]
    values: NDArray[np.float64]
    span_d: NDArray[np.float64] | None = None

    @property
    def spans(self) -> NDArray[np.float64]:
        """Return `span_d`, or one day for each value where it is not known."""
        return np.isfinite(self.values).astype(np.float64) if self.span_d is None else self.span_d

    def trading(self, within_d: int) -> NDArray[np.bool_]:
        """Return which instruments had a value that is no closed day on the last day or `within_d` before
        it."""
        return np.asarray((self.spans[-within_d - 1 :] > 0).any(axis=0))

    def day(self, row: int) -> date:
        """Return the date of one row."""
        return as_date(self.dates[row])


def panel(rows: pa.Table, value: str) -> Panel:
    """Return one column of long rows (date, instrument_id, value) as a matrix."""
    dates, row = np.unique(column(rows, "date"), return_inverse=True)
    instruments, place = numbered(rows, "instrument_id")
    values = np.full((dates.size, len(instruments)), np.nan)
    values[row, place] = column(rows, value)
    return Panel(dates, instruments, values)


def numbered(rows: pa.Table, name: str) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Return the different texts of a column, sorted, and for each row the place of its own among them.

    Only different texts are sorted and become objects of Python: of millions of rows there are few.
    """
    coded = rows.column(name).combine_chunks().dictionary_encode()
    names, order = np.unique(np.array(coded.dictionary.to_pylist(), dtype=np.str_), return_inverse=True)
    return tuple(names.tolist()), order.astype(np.int64)[coded.indices.to_numpy()]


def column(rows: pa.Table, name: str) -> NDArray[Any]:
    """Return a column as a NumPy array; NULL in a column of numbers becomes NaN."""
    return np.asarray(rows.column(name).to_numpy())


def as_date(value: np.datetime64) -> date:
    """Return a NumPy day as a Python date."""
    return date.fromisoformat(str(value.astype("datetime64[D]")))


def without_nan(rows: pa.Table) -> pa.Table:
    """Return rows with NULL for NaN: NaN means "no value" in NumPy; in a table that is NULL."""
    for index, name in enumerate(rows.column_names):
        values = rows.column(index)
        if pa.types.is_floating(values.type):
            valid = pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)
            rows = rows.set_column(index, name, valid)
    return rows


def with_constants(rows: pa.Table, table: Table, constants: Mapping[str, Any]) -> pa.Table:
    """Return rows with a column for each constant that the table declares and the rows do not have.

    Raises:
        RuntimeError: a declared column is still missing.
    """
    for field in table.arrow_schema:
        if field.name in constants and field.name not in rows.column_names:
            value = pa.scalar(constants[field.name], field.type)
            rows = rows.append_column(field, pa.repeat(value, rows.num_rows))
    missing = set(table.column_names) - set(rows.column_names)
    if missing:
        raise RuntimeError(f"{table.label} is missing {sorted(missing)}")
    return rows
