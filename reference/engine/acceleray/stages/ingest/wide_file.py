"""Reading a wide CSV file: a date column and one column for each thing that is measured."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from acceleray.errors import PortfolioError


@dataclass(frozen=True)
class Kind:
    """How messages speak of a file.

    Attributes:
        setting: the setting that names the file.
        content: what its cells hold.
        columns: what its columns are.
        each: one of its columns, with an article.
    """

    setting: str
    content: str
    columns: str
    each: str


@dataclass(frozen=True)
class WideFile:
    """An open wide file: names of all columns, the place of the date among them, and the lines below.

    Every line is its number in the file and as many cells, as text, as there are columns. Lines are read when
    they are asked for, once.
    """

    path: Path
    columns: tuple[str, ...]
    date_at: int
    lines: Iterator[tuple[int, list[str]]]


def open_wide(path: Path, kind: Kind) -> WideFile:
    """Return a file with its header read and checked; lines of nothing but blanks and commas are left out.

    Raises:
        PortfolioError: there is no such file, it is not UTF-8 text, or its header is not usable; while lines
            are read: a line is not CSV or has more or fewer cells than the header.
    """
    lines = _lines(path, kind)
    _, first = next(lines, (0, []))
    header = [cell.strip() for cell in first]
    date_at = _refuse_header(path, header, kind)
    return WideFile(path, tuple(header), date_at, _same_width(path, lines, len(header)))


def _lines(path: Path, kind: Kind) -> Iterator[tuple[int, list[str]]]:
    """Yield line number and cells of every line that is not blank, the header included.

    A spreadsheet leaves lines of nothing but commas behind; they are blank too.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            try:
                for cells in reader:
                    if any(cell.strip() for cell in cells):
                        yield reader.line_num, cells
            except csv.Error as error:
                raise PortfolioError(f"Line {reader.line_num} of {path} is not CSV: {error}.") from None
    except FileNotFoundError:
        raise PortfolioError(
            f"There is no file {path}; set {kind.setting} to a CSV of {kind.content}."
        ) from None
    except IsADirectoryError:
        raise PortfolioError(f"{path} is a folder; set {kind.setting} to one CSV file.") from None
    except OSError as error:
        raise PortfolioError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise PortfolioError(f"{path} is not UTF-8 text; save it as CSV in UTF-8.") from None


def _refuse_header(path: Path, header: list[str], kind: Kind) -> int:
    """Return the position of the date column."""
    if not header:
        raise PortfolioError(
            f"{path} is empty; it needs a header with date and {kind.columns}, and {kind.content}."
        )
    dates = [at for at, name in enumerate(header) if name.lower() == "date"]
    if not dates:
        hint = "; separate cells by commas" if len(header) == 1 and re.search(r"[;\t|]", header[0]) else ""
        raise PortfolioError(f"{path} has no column named date in its first line{hint}.")
    if len(dates) > 1:
        raise PortfolioError(f"{path} has {len(dates)} columns named date; keep one.")
    if len(header) == 1:
        raise PortfolioError(f"{path} has a date column and nothing else; it needs one column {kind.each}.")
    if "" in header:
        raise PortfolioError(f"Column {header.index('') + 1} of {path} has no name; name it or remove it.")
    repeated = [name for name, count in Counter(header).items() if count > 1]
    if repeated:
        raise PortfolioError(f"{path} has more than one column named '{repeated[0]}'; keep one.")
    return dates[0]


def _same_width(
    path: Path, lines: Iterator[tuple[int, list[str]]], width: int
) -> Iterator[tuple[int, list[str]]]:
    for line, cells in lines:
        if len(cells) != width:
            raise PortfolioError(
                f"Line {line} of {path} has {len(cells)} cells, its header {width}; correct that line."
            )
        yield line, cells
