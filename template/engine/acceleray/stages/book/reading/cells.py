"""Cells of a table of holdings as text, as numbers and as days; all of a column at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from acceleray.errors import PortfolioError
from acceleray.stages.ingest.reading.figures import Figures, decimal_of
from acceleray.stages.ingest.reading.grid import BLANK, EMPTY, Column, Grid, as_text, is_text
from acceleray.stages.ingest.reading.number_text import PLAIN, Decimal, plain
from acceleray.stages.ingest.reading.row_days import RowDays, row_days

# Cells that say that there is no name. NA, NAN and ND are tickers, and NA is a country.
_NOTHING = ("-", "--", "---", "\u2013", "\u2014", "n/a", "#n/a", "<na>", "(null)", "null", "none")
_PER_CENT = r"%$"
_TIME = r"[T ]+[0-9]{1,2}:[0-9]{2}.*$"
# As accountants write negative numbers, and as SAP does.
_IN_BRACKETS, _SIGN_LAST = r"^\((.*)\)$", r"^([0-9.,]+)-$"


@dataclass(frozen=True)
class Numbers:
    """A column of numbers: values (NaN where there is none), which cells cannot be read, and all as text."""

    values: NDArray[np.float64]
    bad: NDArray[np.bool_]
    texts: pa.ChunkedArray


def raw_texts(grid: Grid, at: int) -> Column:
    """Return a column as text, as received; '' for NULL."""
    column = grid.columns[at]
    kind = column.type
    if pa.types.is_temporal(kind) or pa.types.is_boolean(kind):
        return column.cast(pa.string()).fill_null("")
    if pa.types.is_floating(kind):
        # Excel keeps an account number as a double; as text it has no exponent.
        whole = pc.and_(pc.equal(pc.floor(column), column), pc.less(pc.abs(column), 2.0**53))
        digits = pc.if_else(whole, column, 0.0).cast(pa.int64()).cast(pa.string())
        return pc.if_else(whole, digits, column.cast(pa.string())).fill_null("")
    return as_text(grid, at)


def names(grid: Grid, at: int) -> pa.Array:
    """Return a column of names without blanks around them; '' where there is none."""
    found = pc.utf8_trim(raw_texts(grid, at), BLANK)
    nothing = pc.is_in(pc.utf8_lower(found), pa.array(_NOTHING))
    return _whole(pc.if_else(nothing, "", found))


def numbers_of(
    columns: Sequence[tuple[Grid, int]], declared: str, setting: str
) -> tuple[list[Numbers], list[bool]]:
    """Return the numbers of columns that share a decimal mark, and which columns are written in per cent.

    Raises:
        PortfolioError: the marks contradict each other or can be read in two ways, or only some cells of a
            column have a per cent sign.
    """
    cleared = [_cleared(grid, at) for grid, at in columns]
    figures = [
        Figures(grid, f"'{grid.header[at]}'", texts)
        for (grid, at), (texts, _) in zip(columns, cleared, strict=True)
        if is_text(grid.columns[at].type)
    ]
    decimal = decimal_of(figures, declared, setting)
    return [_numbers(texts, decimal) for texts, _ in cleared], [per_cent for _, per_cent in cleared]


def days_of(columns: Sequence[tuple[Grid, int]]) -> list[NDArray[np.datetime64]]:
    """Return the days of columns of dates, which are written alike; NaT where a cell is empty.

    Raises:
        PortfolioError: a date cannot be read, or in one way as well as in another.
    """
    found, parts, filled = [], [], []
    for grid, at in columns:
        column = grid.columns[at]
        kept = column.is_valid() if pa.types.is_temporal(column.type) else pc.not_equal(names(grid, at), "")
        mask = _whole(kept).to_numpy(zero_copy_only=False)
        some = (column.filter(pa.array(mask)),)
        part = Grid(grid.origin, grid.name, ("as_of",), some, grid.lines[mask], grid.word)
        parts.append((part, 0))
        filled.append(mask)
    read = _read_days([part for part in parts if len(part[0].lines)]) if any(map(np.any, filled)) else None
    days = iter(read.days if read else ())
    for mask in filled:
        whole = np.full(mask.size, np.datetime64("NaT", "D"))
        if mask.any():
            whole[mask] = next(days)
        found.append(whole)
    return found


def _read_days(parts: Sequence[tuple[Grid, int]]) -> RowDays:
    """Return the days of dates; a time of day, at which positions were taken, is no part of them."""
    try:
        read = row_days(parts)
        if not read.left_out:
            return read
    except PortfolioError:
        pass
    return row_days([(replace(grid, columns=(_without_time(grid.columns[at]),)), 0) for grid, at in parts])


def _without_time(column: Column) -> Column:
    kind = column.type
    if pa.types.is_timestamp(kind):
        column = pc.local_timestamp(column) if kind.tz else column
        return pc.floor_temporal(column, unit="day")
    return pc.replace_substring_regex(column, _TIME, "") if is_text(kind) else column


def _cleared(grid: Grid, at: int) -> tuple[pa.ChunkedArray, bool]:
    """Return numbers without per cent signs and brackets around them, and whether they had per cent signs."""
    texts = raw_texts(grid, at)
    if not is_text(grid.columns[at].type):
        return texts, False
    texts = pc.utf8_trim(texts, BLANK)
    signs = pc.match_substring_regex(texts, _PER_CENT)
    per_cent = bool(pc.any(signs).as_py())
    if per_cent:
        empty = pc.is_in(pc.utf8_lower(texts), pa.array(EMPTY))
        neither = pc.index(pc.or_(signs, empty), False).as_py()
        if neither >= 0:
            raise PortfolioError(
                f"{grid.place(neither)} has '{texts[neither].as_py()}' in column '{grid.header[at]}', and "
                "other rows have a per cent sign; use one format."
            )
        texts = pc.utf8_trim(pc.replace_substring_regex(texts, _PER_CENT, ""), BLANK)
    for pattern in (_IN_BRACKETS, _SIGN_LAST):
        if pc.any(pc.match_substring_regex(texts, pattern)).as_py():
            texts = pc.replace_substring_regex(texts, pattern, r"-\1")
    return texts, per_cent


def _numbers(texts: pa.ChunkedArray, decimal: Decimal | None) -> Numbers:
    read = pc.utf8_trim(_whole(plain(texts, decimal)), BLANK)
    empty = pc.is_in(pc.utf8_lower(read), pa.array(EMPTY))
    number = pc.match_substring_regex(read, PLAIN)
    values = pc.if_else(number, read, None).cast(pa.float64()).to_numpy(zero_copy_only=False)
    blank = empty.to_numpy(zero_copy_only=False)
    return Numbers(values, ~np.isfinite(values) & ~blank, texts)


def _whole(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
