"""Where a table begins and ends in a file that has a title above it and a disclaimer below."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence

from acceleray.stages.ingest.reading.grid import clean

SEPARATORS = (",", ";", "\t", "|")
Test = Callable[[Sequence[str]], bool]
# A cell that is meant to be a number, whatever its marks are.
_NUMBER = re.compile(r"[^A-Za-z]*\d([eE][+-]?\d+)?[^A-Za-z]*")


def cells_of(line: str, separator: str) -> list[str]:
    """Return the cells of one line of text, none where it is not CSV by itself."""
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return []


def header_in(lines: Sequence[str], separators: Sequence[str], is_header: Test) -> tuple[int, str] | None:
    """Return the position of the header among a file's first lines, and the separator of its cells."""
    for at, line in enumerate(lines):
        for separator in separators:
            if is_header([clean(cell) for cell in cells_of(line, separator)]):
                return at, separator
    return None


def widest(lines: Sequence[str], separators: Sequence[str]) -> list[str]:
    """Return the cells of the first line with the most of them, for a message about a file without header."""
    rows = [cells_of(line, separator) for separator in separators for line in lines]
    filled = [[cell for cell in map(clean, row) if cell] for row in rows]
    return max(filled, key=len, default=[])


def end_of(rows: Sequence[Sequence[str]], width: int, amounts: Sequence[int]) -> int | None:
    """Return how many of the rows are up to the end of the table, None if none of them is of it.

    The last row with a number where amounts are is of the table, and so are rows of its width right below
    it: one of those whose number cannot be read is a row that is wrong, and no disclaimer.
    """
    last = next(
        (at for at in range(len(rows) - 1, -1, -1) if _fits(rows[at], width) and _has(rows[at], amounts)),
        None,
    )
    if last is None:
        return None
    end = last + 1
    while end < len(rows) and _fits(rows[end], width):
        end += 1
    return end


def with_cut_off(lines: Sequence[str], end: int, separator: str, portfolio: int | None) -> int:
    """Return the end of a table with a row behind it that was cut off: it is refused then, and not left out.

    Args:
        lines: of the file, the table's and those below it.
        end: how many of them are of the table.
        separator: of cells.
        portfolio: the column of portfolios; None: nothing tells a row from a disclaimer.
    """
    if portfolio is None or end >= len(lines):
        return end
    known = {
        clean(row[portfolio]) for line in lines[:end] if len(row := cells_of(line, separator)) > portfolio
    }
    below = cells_of(lines[end], separator)
    if len(below) < 2 or len(below) <= portfolio or clean(below[portfolio]) not in known:
        return end
    begin, end = end, end + 1
    # A cell with a line break in it goes on.
    while end < len(lines) and "".join(lines[begin:end]).count('"') % 2:
        end += 1
    return end


def _fits(row: Sequence[str], width: int) -> bool:
    if len(row) < width or any(map(clean, row[width:])):
        return False
    return sum(bool(clean(cell)) for cell in row) >= 2


def _has(row: Sequence[str], amounts: Sequence[int]) -> bool:
    return any(_NUMBER.fullmatch(clean(row[at])) for at in amounts)
