"""Text files: CSV with any separator, in any encoding."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from itertools import chain, islice

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from acceleray.counts import counted
from acceleray.errors import PortfolioError
from acceleray.stages.ingest.reading.encoding import encoding_of
from acceleray.stages.ingest.reading.grid import BLANK, Grid, clean
from acceleray.stages.ingest.reading.separator import NAMES, declared, separator_of

# Cells held as Python text at a time; beyond that they are packed as Arrow, about a tenth of the size.
_CHUNK = 1_000_000
_ROWS = 10_000
_LOOK = 200
# What a download leaves behind that ended at a log-in or an error, and what some exports call .xls.
_PAGE = re.compile(r"\s*<(!doctype|html|head|body|table|\?xml)\b", re.IGNORECASE)


def text_grid(raw: bytes, origin: str, name: str, separator: str | None = None, above: int = 0) -> Grid:
    """Return the table of a text file; lines of nothing but blanks and separators are left out.

    Args:
        raw: its bytes, from the header on.
        origin: how messages name it.
        name: of the file without folder and endings.
        separator: of its cells; None: its first lines decide.
        above: lines above the header that `raw` does not have.

    Raises:
        PortfolioError: the file is empty or no text, a line is not CSV, or has more or fewer cells than the
            header.
    """
    encoding = encoding_of(raw, origin)
    stream = io.TextIOWrapper(io.BytesIO(raw), encoding=encoding, newline="")
    head = list(islice(stream, _LOOK))
    if head:
        head[0] = head[0].lstrip("\ufeff\u200b\u2060")
    skipped = above
    said = declared(head[0]) if head and separator is None else None
    if said:
        head, skipped = head[1:], 1
    separator = separator or said or separator_of(head)
    rows = _rows(chain(head, stream), separator, skipped, origin)
    line, first = next(rows, (0, []))
    header = [clean(cell) for cell in first]
    named = len(header)
    below = next(rows, None)
    used = _used(below[1][:named]) if below else 0
    while len(header) > used and not header[-1]:
        header.pop()
    rows = chain([below] if below else [], rows)
    if not any(header):
        raise PortfolioError(f"{origin} is empty; it needs a header with date and instruments, and prices.")
    if head and _PAGE.match(head[0]):
        raise PortfolioError(f"{origin} is a web page (HTML or XML) and no table; export it as CSV or .xlsx.")
    if "\0" in "".join(header):
        raise PortfolioError(f"{origin} is not text; save it as CSV in UTF-8.")
    quick = None
    if (encoding, line, named) == ("utf-8", above + 1, len(header)):
        quick = _plain_lines(raw, separator, named, above)
    lines, columns = quick or _packed(rows, (len(header), named), line, origin)
    how = [] if encoding == "utf-8" else [encoding.upper()]
    how += [NAMES.get(separator, f"separator {separator!r}")] if separator != "," else []
    return Grid(origin, name, tuple(header), columns, lines, how=tuple(how))


def _used(cells: list[str]) -> int:
    """Return how many cells there are up to the last one with anything in it."""
    return max((at for at, cell in enumerate(cells, 1) if clean(cell)), default=0)


def _rows(lines: Iterator[str], separator: str, skipped: int, origin: str) -> Iterator[tuple[int, list[str]]]:
    """Yield line number and cells of every line that is not blank, the header included."""
    reader = csv.reader(lines, delimiter=separator, strict=True)
    try:
        for cells in reader:
            if cells and (cells[0][:1].isalnum() or any(map(clean, cells))):
                yield reader.line_num + skipped, cells
    except csv.Error as error:
        raise PortfolioError(f"Line {reader.line_num + skipped} of {origin} is not CSV: {error}.") from None


def _plain_lines(
    raw: bytes, separator: str, width: int, above: int
) -> tuple[np.ndarray, tuple[pa.ChunkedArray, ...]] | None:
    """Return what `_packed` does, ten times as fast, of a file in which each line is a row.

    None where that is not so: then the other way reads it, or says which line is wrong.
    """
    mark = separator.encode()
    ends = (mark + b'"', b'"' + mark, b'\n"', b'"\n', b'"\r\n')
    if len(mark) > 1 or raw.count(b"\r") != raw.count(b"\r\n"):
        return None
    # Quotes are at both ends of a cell and nowhere else.
    at_ends = sum(map(raw.count, ends)) + raw.startswith(b'"') + raw.endswith(b'"')
    if raw.count(b'"') != at_ends or at_ends % 2:
        return None
    names = [f"c{at}" for at in range(width)]
    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(raw),
            pyarrow.csv.ReadOptions(skip_rows=1, column_names=names, block_size=1 << 24),
            pyarrow.csv.ParseOptions(delimiter=separator, ignore_empty_lines=False),
            pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowException:
        return None
    if table.num_rows + 1 != raw.count(b"\n") + (not raw.endswith(b"\n")):
        return None
    if pc.any(pc.equal(pc.utf8_trim(table.column(0), BLANK), "")).as_py():
        return None
    return np.arange(2, table.num_rows + 2) + above, tuple(table.columns)


def _packed(
    rows: Iterator[tuple[int, list[str]]], widths: tuple[int, int], header_line: int, origin: str
) -> tuple[np.ndarray, tuple[pa.ChunkedArray, ...]]:
    width, named = widths
    numbers: list[int] = []
    chunks: list[list[pa.Array]] = [[] for _ in range(width)]
    held: list[list[str]] = []

    def pack() -> None:
        for at, texts in enumerate(zip(*held, strict=True)):
            chunks[at].append(pa.array(texts, pa.string()))
        held.clear()

    for line, cells in rows:
        if len(cells) != width:
            # Separators at the end of a line that the header does not have, and nothing between them.
            if len(cells) < width or any(map(clean, cells[width:])):
                if width < len(cells) <= named:
                    raise PortfolioError(
                        f"Line {line} of {origin} has a cell in column {width + 1}, which has no name; "
                        "name it or remove it."
                    )
                raise _ragged(origin, line, len(cells), header_line, width)
            cells = cells[:width]
        numbers.append(line)
        held.append(cells)
        if len(held) >= _ROWS or len(held) * width >= _CHUNK:
            pack()
    pack()
    columns = tuple(pa.chunked_array(parts, pa.string()) for parts in chunks)
    return np.array(numbers, np.int64), columns


def _ragged(origin: str, line: int, cells: int, header_line: int, width: int) -> PortfolioError:
    return PortfolioError(
        f"Line {line} of {origin} has {counted(cells, 'cell')}, its header in line {header_line} has "
        f"{width}; correct that line (a number with a comma needs quotes, a title above the header must go)."
    )
