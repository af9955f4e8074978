"""Excel files: each sheet with anything in it is a table."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import python_calamine

from acceleray.errors import PortfolioError
from acceleray.stages.ingest.reading.grid import EMPTY, Grid, clean

Rows: TypeAlias = Sequence[tuple[int, Sequence[object]]]
"""Rows of a sheet that are not empty: number and cells."""


def excel_grids(raw: bytes, origin: str, name: str) -> list[Grid]:
    """Return the table of each sheet that is not empty; cells as text, dates as ISO.

    Raises:
        PortfolioError: the file is damaged or locked, or no sheet has anything in it.
    """
    return [sheet_grid(rows, title, name) for title, rows in sheet_rows(raw, origin)]


def sheet_rows(raw: bytes, origin: str) -> list[tuple[str, Rows]]:
    """Return how messages name each sheet that is not empty, and its rows.

    Raises:
        PortfolioError: the file is damaged or locked, or no sheet has anything in it.
    """
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(raw))
        sheets = [(title, book.get_sheet_by_name(title).to_python()) for title in book.sheet_names]
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise PortfolioError(
            f"{origin} is not a readable Excel file ({error}); save it as .xlsx again."
        ) from None
    found: list[tuple[str, Rows]] = []
    for title, rows in sheets:
        filled = [
            (line, row) for line, row in enumerate(rows, 1) if any(clean(cell_text(cell)) for cell in row)
        ]
        if filled:
            found.append((f"{origin}, sheet {title}", filled))
    if not found:
        raise PortfolioError(f"{origin} is empty; it needs a header and rows below it.")
    return found


def sheet_grid(rows: Rows, origin: str, name: str) -> Grid:
    """Return the table of rows of which the first is the header."""
    header = [clean(cell_text(cell)) for cell in rows[0][1]]
    used = max(at for _, cells in rows for at, cell in enumerate(cells) if clean(cell_text(cell))) + 1
    columns = [_column([cells[at] for _, cells in rows[1:]]) for at in range(used)]
    lines = np.array([line for line, _ in rows[1:]], np.int64)
    return Grid(origin, name, tuple(header[:used]), tuple(columns), lines, "Row", ("Excel",))


def _column(cells: Sequence[object]) -> pa.ChunkedArray:
    """Return a column of numbers as numbers, in which no mark is to be understood, and any other as text."""
    texts = [cell for cell in cells if not isinstance(cell, float)]
    if len(texts) < len(cells) and all(
        isinstance(cell, str) and clean(cell).lower() in EMPTY for cell in texts
    ):
        numbers = [cell if isinstance(cell, float) else None for cell in cells]
        return pa.chunked_array([pa.array(numbers, pa.float64())])
    return pa.chunked_array([pa.array([cell_text(cell) for cell in cells], pa.string())])


def cell_text(cell: object) -> str:
    """Return a cell as text; Excel keeps numbers as doubles, and whole ones have no point in it."""
    if isinstance(cell, bool):
        return str(cell)
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 2**53 else repr(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    return str(cell if not isinstance(cell, timedelta) else "")
