"""A table of a file as it lies there: names of columns, cells below them, and where each row came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from acceleray.errors import PortfolioError

# Marks that no one sees: byte order marks, zero-width spaces and joiners, marks of direction.
_HIDDEN = "\ufeff\u200b\u200c\u200d\u200e\u200f\u2060"
_SPACES = "\u00a0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
BLANK = " \t\r\n\v\f\x1c\x1d\x1e\x1f\x85" + _SPACES + _HIDDEN
"""Characters that are nothing at the ends of a cell."""

_EMPTY = (
    "#n/a", "#n/v", "#nv", "#null!", "n/a", "n.a.", "na", "nan", "nat", "nd", "n.d.", "nil", "none", "null",
    "-", "--", "---", ".", "..", "\u2013", "\u2014", "<na>", "(null)",
)  # fmt: skip
EMPTY = ("", *_EMPTY, "#n/a n/a", "#n/a n.a.", "#n/a field not applicable", "#n/a invalid security")
"""Cells, in small letters and without blanks around them, that say that there is no price."""

Column: TypeAlias = pa.ChunkedArray


@dataclass(frozen=True)
class Grid:
    """One table of one file, before any meaning.

    Attributes:
        origin: how messages name it, such as `prices.zip, a.csv`.
        name: of the file without folder and endings; a file of one instrument is about this one.
        header: names of the columns as they are there, cleaned; a text file has one row of them here.
        columns: cells below the header, one column each, text or typed, all of one length.
        lines: the line (of a text file) or row of each.
        word: `Line` or `Row`; empty where rows have no numbers.
        how: how it was read, where that is worth saying, such as `UTF-16` or `semicolons`.
    """

    origin: str
    name: str
    header: tuple[str, ...]
    columns: tuple[Column, ...]
    lines: NDArray[np.int64]
    word: str = "Line"
    how: tuple[str, ...] = ()

    def place(self, row: int) -> str:
        """Return the beginning of a message about a row."""
        return f"{self.word} {self.lines[row]} of {self.origin}" if self.word else f"A row of {self.origin}"

    def texts(self, row: int) -> list[str]:
        """Return the cells of a row as text, cleaned."""
        return [clean(text_of(column[row].as_py())) for column in self.columns]

    def below(self, rows: int) -> Grid:
        """Return the grid without its first rows."""
        return Grid(
            self.origin,
            self.name,
            self.header,
            tuple(column.slice(rows) for column in self.columns),
            self.lines[rows:],
            self.word,
            self.how,
        )


def clean(text: str) -> str:
    """Return text without blanks and hidden marks at its ends."""
    return text.strip(BLANK)


def text_of(value: object) -> str:
    """Return a value of a cell as text, '' for None."""
    return "" if value is None else str(value)


def as_text(grid: Grid, at: int) -> Column:
    """Return a column as text: numbers as the shortest text that reads back to the same one, '' for NULL.

    Raises:
        PortfolioError: the column has a type that no price or name has.
    """
    column = grid.columns[at]
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if is_text(kind):
        column = column.cast(pa.string())
    elif pa.types.is_null(kind) or is_number(kind):
        column = pc.cast(column, pa.string())
    else:
        raise PortfolioError(f"Column {grid.header[at]} of {grid.origin} contains {kind}, not prices.")
    return column.fill_null("") if column.null_count else column


def is_text(kind: pa.DataType) -> bool:
    """Return whether a column of this type contains text."""
    if pa.types.is_dictionary(kind):
        return is_text(kind.value_type)
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def is_number(kind: pa.DataType) -> bool:
    """Return whether a column of this type contains numbers."""
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)


def filled(column: Column) -> Column:
    """Return for each text whether there is anything in it."""
    return pc.invert(pc.is_in(pc.utf8_lower(pc.utf8_trim(column, BLANK)), pa.array(EMPTY)))
