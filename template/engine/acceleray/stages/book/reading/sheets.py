"""From a path to tables of holdings: each file's rows from its header to its last row, and what they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from acceleray.errors import PortfolioError
from acceleray.stages.book.reading.columns import Kind, Roles, is_header, roles_of
from acceleray.stages.book.reading.extent import SEPARATORS, cells_of, end_of, header_in, widest, with_cut_off
from acceleray.stages.book.reading.mapping import BOOK_FILE, TableMap
from acceleray.stages.ingest.reading.encoding import encoding_of
from acceleray.stages.ingest.reading.grid import Grid, clean
from acceleray.stages.ingest.reading.opening import Content, Subject, contents_at
from acceleray.stages.ingest.reading.separator import declared
from acceleray.stages.ingest.reading.sheets import Rows, cell_text, sheet_grid, sheet_rows
from acceleray.stages.ingest.reading.text_file import text_grid
from acceleray.stages.ingest.reading.typed import parquet_grid

# Lines in which the header must be, and lines below the table that are looked at first.
_HEAD, _TAIL = 200, 400
_PART = 65_536


@dataclass(frozen=True)
class Sheet:
    """One table of holdings: its cells, what its columns are, and lines above and below, in words."""

    grid: Grid
    roles: Roles
    left_out: str = ""


def sheets_at(path: Path, kind: Kind, how: TableMap, about: Subject) -> list[Sheet]:
    """Return the tables of one kind in a file, or in all files of a folder.

    Raises:
        PortfolioError: there is nothing to read, or a file has not the columns that are needed.
    """
    found: list[Sheet] = []
    for content in contents_at(path, about):
        if content.kind == "text":
            found.append(_of_text(content, kind, how))
        elif content.kind == "parquet":
            found.append(sheet_of(parquet_grid(content.raw, content.origin, content.name), kind, how))
        else:
            found.append(_of_excel(content, kind, how))
    return found


def sheet_of(grid: Grid, kind: Kind, how: TableMap) -> Sheet:
    """Return a table that begins and ends where its file or Delta table does."""
    return Sheet(grid, roles_of(kind, grid.header, how.columns, grid.origin))


def sheet_of_table(rows: pa.Table, name: str, kind: Kind, how: TableMap) -> Sheet:
    """Return a table that was read by Spark; its rows have no line numbers."""
    header = tuple(clean(column) for column in rows.column_names)
    columns = tuple(rows.columns)
    lines = pa.array(range(1, len(rows) + 1), pa.int64()).to_numpy()
    return sheet_of(Grid(f"table {name}", name.split(".")[-1], header, columns, lines, "Row"), kind, how)


def _of_text(content: Content, kind: Kind, how: TableMap) -> Sheet:
    raw, origin = _utf8(content), content.origin
    head = [line.decode("utf-8", "replace") for line in raw[: 4 * _PART].splitlines()[:_HEAD]]
    said = declared(head[0]) if head else None
    separators = (said,) if said else SEPARATORS
    if how.header_line:
        above = how.header_line - 1
        if above >= len(head):
            raise PortfolioError(
                f"{origin} has no line {how.header_line}; correct header_line in {BOOK_FILE}."
            )
        separator = max(separators, key=lambda one: len(cells_of(head[above], one)))
    else:
        found = header_in(head, separators, lambda cells: is_header(kind, cells, how.columns))
        if found is None:
            raise _no_header(origin, kind, how.columns, widest(head, separators))
        above, separator = found
    header = [clean(cell) for cell in cells_of(head[above], separator)]
    roles = roles_of(kind, header, how.columns, origin)
    start = _after(raw, above)
    end, below = _end(raw, start, above, separator, header, roles, how)
    grid = text_grid(raw[start:end], origin, content.name, separator, above)
    return Sheet(grid, roles, _left_out(0 if said and above == 1 else above, below, "line"))


def _utf8(content: Content) -> bytes:
    """Return the text in UTF-8 and with line feeds, whatever it is in the file."""
    encoding = encoding_of(content.raw, content.origin)
    raw = content.raw
    if encoding != "utf-8":
        raw = raw.decode(encoding).encode("utf-8")
    while raw.startswith(b"\xef\xbb\xbf"):
        raw = raw[3:]
    if b"\r" in raw:
        raw = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return raw


def _after(raw: bytes, lines: int) -> int:
    """Return where the text begins that is behind so many lines."""
    at = 0
    for _ in range(lines):
        at = raw.find(b"\n", at) + 1
    return at


def _end(
    raw: bytes,
    start: int,
    above: int,
    separator: str,
    header: Sequence[str],
    roles: Roles,
    how: TableMap,
) -> tuple[int, tuple[int, int] | None]:
    """Return where the last row of the table ends, and the first and last line below it that has anything."""
    if how.last_line:
        end = _after(raw[start:], how.last_line - above) or len(raw) - start
        return start + end, None
    width = len(header)
    while width and not header[width - 1]:
        width -= 1
    amounts = tuple(roles.amounts.values()) or tuple(range(width))
    body = _after(raw[start:], 1) + start
    size = _PART
    while True:
        first = max(body, len(raw) - size)
        if first > body:
            first = raw.find(b"\n", first) + 1 or first
        lines = raw[first:].decode("utf-8", "replace").split("\n")
        kept = end_of([cells_of(line, separator) for line in lines], width, amounts)
        if kept is not None or first == body:
            break
        size *= 16
    if kept is None:
        return len(raw), None
    kept = with_cut_off(lines, kept, separator, roles.at.get("portfolio_id"))
    rest = [
        at
        for at, line in enumerate(lines[kept:], kept)
        if clean(line.replace(separator, "").replace('"', ""))
    ]
    if not rest:
        return len(raw), None
    before = raw[:first].count(b"\n") + 1
    end = first + sum(len(line.encode()) + 1 for line in lines[:kept])
    return end, (before + rest[0], before + rest[-1])


def _of_excel(content: Content, kind: Kind, how: TableMap) -> Sheet:
    sheets = sheet_rows(content.raw, content.origin)
    if how.sheet:
        sheets = [(origin, rows) for origin, rows in sheets if origin.endswith(f", sheet {how.sheet}")]
        if not sheets:
            raise PortfolioError(
                f"{content.origin} has no sheet '{how.sheet}'; correct {kind.name}.sheet in {BOOK_FILE}."
            )
    found = [one for origin, rows in sheets if (one := _of_rows(content.name, origin, rows, kind, how))]
    if len(found) > 1:
        raise PortfolioError(
            f"{found[0].grid.origin} and {found[1].grid.origin} both have {kind.name}; set {kind.name}.sheet "
            f"in {BOOK_FILE} to the one to take."
        )
    if not found:
        cells = [clean(cell_text(cell)) for cell in max(sheets[0][1], key=lambda row: _filled(row[1]))[1]]
        raise _no_header(content.origin, kind, how.columns, [cell for cell in cells if cell])
    return found[0]


def _filled(cells: Sequence[object]) -> int:
    return sum(bool(clean(cell_text(cell))) for cell in cells)


def _of_rows(name: str, origin: str, rows: Rows, kind: Kind, how: TableMap) -> Sheet | None:
    """Return the table of a sheet, None where it has no header of such a table."""
    texts = [[clean(cell_text(cell)) for cell in cells] for _, cells in rows[:_HEAD]]
    if how.header_line:
        begins = [at for at, (line, _) in enumerate(rows) if line == how.header_line]
    else:
        begins = [at for at, cells in enumerate(texts) if is_header(kind, cells, how.columns)]
    if not begins:
        return None
    begin = begins[0]
    header = [clean(cell_text(cell)) for cell in rows[begin][1]]
    roles = roles_of(kind, header, how.columns, origin)
    below = rows[begin + 1 :]
    if how.last_line:
        kept: int | None = sum(line <= how.last_line for line, _ in below)
    else:
        cells = [[cell_text(cell) for cell in row] for _, row in below]
        width = max(len(row) for row in [*cells, header])
        amounts = tuple(roles.amounts.values()) or range(width)
        kept = end_of([row + [""] * (width - len(row)) for row in cells], width, amounts)
    kept = len(below) if kept is None else kept
    grid = sheet_grid([rows[begin], *below[:kept]], origin, name)
    roles = replace(roles, others=tuple(at for at in roles.others if at < len(grid.columns)))
    rest = (below[kept][0], below[-1][0]) if kept < len(below) else None
    return Sheet(grid, roles, _left_out(rows[begin][0] - 1 if begin else 0, rest, "row"))


def _no_header(origin: str, kind: Kind, own: Mapping[str, str], cells: Sequence[str]) -> PortfolioError:
    if not cells:
        return PortfolioError(f"{origin} is empty; it needs a header with {kind.wanted}.")
    try:
        roles_of(kind, cells, own, origin)
    except PortfolioError as refusal:
        return refusal
    return PortfolioError(f"{origin} has no header; set {kind.name}.header_line in {BOOK_FILE}.")


def _left_out(above: int, below: tuple[int, int] | None, word: str) -> str:
    parts = [_lines(word, 1, above)] if above else []
    parts += [_lines(word, *below)] if below else []
    return " and ".join(parts)


def _lines(word: str, first: int, last: int) -> str:
    return f"{word} {first}" if first == last else f"{word}s {first} to {last}"
