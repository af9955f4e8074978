"""Text files: CSV with any separator, in any encoding."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import chain, islice

import numpy as np
import pyarrow as pa

from acceleray.errors import PortfolioError
from acceleray.stages.ingest.reading.encoding import encoding_of
from acceleray.stages.ingest.reading.grid import Grid, clean
from acceleray.stages.ingest.reading.separator import NAMES, declared, separator_of

# Cells held as Python text at a time; beyond that they are packed as Arrow, about a tenth of the size.
_CHUNK = 1_000_000
_LOOK = 200


def text_grid(raw: bytes, origin: str, name: str) -> Grid:
    """Return the table of a text file; lines of nothing but blanks and separators are left out.

    Raises:
        PortfolioError: the file is empty or no text, a line is not CSV, or has more or fewer cells than the
            header.
    """
    encoding = encoding_of(raw, origin)
    stream = io.TextIOWrapper(io.BytesIO(raw), encoding=encoding, newline="")
    head = list(islice(stream, _LOOK))
    if head:
        head[0] = head[0].lstrip("\ufeff\u200b\u2060")
    skipped = 0
    separator = declared(head[0]) if head else None
    if separator:
        head, skipped = head[1:], 1
    separator = separator or separator_of(head)
    rows = _rows(chain(head, stream), separator, skipped, origin)
    line, first = next(rows, (0, []))
    header = [clean(cell) for cell in first]
    while header and not header[-1]:
        header.pop()
    if not header:
        raise PortfolioError(f"{origin} is empty; it needs a header with date and instruments, and prices.")
    if "\0" in "".join(header):
        raise PortfolioError(f"{origin} is not text; save it as CSV in UTF-8.")
    lines, columns = _packed(rows, header, line, origin)
    how = [] if encoding == "utf-8" else [encoding.upper()]
    how += [NAMES.get(separator, f"separator {separator!r}")] if separator != "," else []
    return Grid(origin, name, tuple(header), columns, lines, how=tuple(how))


def _rows(lines: Iterator[str], separator: str, skipped: int, origin: str) -> Iterator[tuple[int, list[str]]]:
    """Yield line number and cells of every line that is not blank, the header included."""
    reader = csv.reader(lines, delimiter=separator, strict=True)
    try:
        for cells in reader:
            if any(map(clean, cells)):
                yield reader.line_num + skipped, cells
    except csv.Error as error:
        raise PortfolioError(f"Line {reader.line_num + skipped} of {origin} is not CSV: {error}.") from None


def _packed(
    rows: Iterator[tuple[int, list[str]]], header: list[str], header_line: int, origin: str
) -> tuple[np.ndarray, tuple[pa.ChunkedArray, ...]]:
    width = len(header)
    numbers: list[int] = []
    chunks: list[list[pa.Array]] = [[] for _ in header]
    held: list[list[str]] = []

    def pack() -> None:
        for at, texts in enumerate(zip(*held, strict=True)):
            chunks[at].append(pa.array(texts, pa.string()))
        held.clear()

    for line, cells in rows:
        if len(cells) != width:
            # Separators at the end of a line that the header does not have, and nothing between them.
            if len(cells) < width or any(map(clean, cells[width:])):
                raise _ragged(origin, line, len(cells), header_line, width)
            cells = cells[:width]
        numbers.append(line)
        held.append(cells)
        if len(held) * width >= _CHUNK:
            pack()
    pack()
    columns = tuple(pa.chunked_array(parts, pa.string()) for parts in chunks)
    return np.array(numbers, np.int64), columns


def _ragged(origin: str, line: int, cells: int, header_line: int, width: int) -> PortfolioError:
    return PortfolioError(
        f"Line {line} of {origin} has {cells} cells, its header in line {header_line} has {width}; correct that line "
        "(a number with a comma needs quotes, a title above the header must go)."
    )
