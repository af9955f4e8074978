"""Two files of the same table, row by row and bit for bit; the first difference, with its key."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from acceleray.counts import counted
from acceleray.tables.contract import Table

TOLERANCE = 1e-10
"""Tolerance for numbers on another processor type: relative, and absolute below one."""
# Digests of numbers: where last bits may differ, they do.
_DIGESTS = ("content_sha256", "made_from")


@dataclass(frozen=True)
class Compared:
    """Result of comparing a table.

    Attributes:
        table: the declaration.
        rows: as archived.
        difference: in words, with the first key; empty where all rows are equal.
    """

    table: Table
    rows: int
    difference: str = ""


def compare(table: Table, then: Path, now: Path | None, exact: bool = True) -> Compared:
    """Return how rows of a table compare; volatile columns, which say when and by whom, do not count.

    Args:
        table: the declaration.
        then: the archived rows, by key.
        now: the same of the reproduced run; None if it did not write the table.
        exact: bit for bit, or to `TOLERANCE`.
    """
    kept = pq.ParquetFile(then)
    rows = kept.metadata.num_rows
    if now is None:
        return Compared(table, rows, "was not written" if rows else "")
    made = pq.ParquetFile(now)
    if made.metadata.num_rows != rows:
        return Compared(table, rows, _of_rows(table, kept, made))
    names = [column for column in table.compared_names if column != "run_id"]
    if not exact:
        names = [name for name in names if name not in _DIGESTS]
    number, first = 0, ""
    for group in range(kept.num_row_groups):
        one, other = kept.read_row_group(group), made.read_row_group(group)
        unequal = {name: _unequal(one[name], other[name], exact) for name in names}
        rows_unequal = np.any(list(unequal.values()), axis=0) if unequal else np.zeros(len(one), dtype=bool)
        if not first and rows_unequal.any():
            place = int(np.argmax(rows_unequal))
            name = next(name for name in names if unequal[name][place])
            was, now_is = _at(one, name, place), _at(other, name, place)
            first = f"at {_key(table, one, place)}: {name} was {was}, is {now_is}"
        number += int(rows_unequal.sum())
    return Compared(table, rows, f"{number} of {counted(rows, 'row')}, first {first}" if number else "")


def _unequal(one: pa.ChunkedArray, other: pa.ChunkedArray, exact: bool) -> NDArray[np.bool_]:
    """Return which values differ, shape (rows,); NULL equals NULL, and exactly NaN of the same bits."""
    missing, also = one.is_null().to_numpy(), other.is_null().to_numpy()
    if pa.types.is_floating(one.type):
        left, right = (column.fill_null(0.0).to_numpy() for column in (one, other))
        if exact:
            differs = left.view(np.int64) != right.view(np.int64)
        else:
            differs = ~np.isclose(left, right, TOLERANCE, TOLERANCE, equal_nan=True)
    else:
        differs = pc.fill_null(pc.not_equal(one, other), False).to_numpy().astype(bool)
    return np.asarray((missing != also) | (~missing & ~also & differs), dtype=np.bool_)


def _of_rows(table: Table, kept: pq.ParquetFile, made: pq.ParquetFile) -> str:
    """Return in words how many rows there are and the first key that only one of them has."""
    names = [name for name in table.key if name != "run_id"]
    then, now = (file.read(names).to_pylist() for file in (kept, made))
    had, has = ({tuple(row.values()) for row in rows} for rows in (then, now))
    said = f"{counted(len(now), 'row')}, archived {len(then)}"
    for row in (*then, *now):
        key = tuple(row.values())
        if (key in had) != (key in has):
            which = "new" if key in has else "missing"
            return f"{said}, first {which} {' '.join(f'{name}={value}' for name, value in row.items())}"
    return said


def _key(table: Table, rows: pa.Table, place: int) -> str:
    return " ".join(f"{name}={_at(rows, name, place)}" for name in table.key if name != "run_id")


def _at(rows: pa.Table, name: str, place: int) -> Any:
    return rows[name][place].as_py()
