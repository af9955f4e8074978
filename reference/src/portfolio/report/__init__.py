"""The report: one run in one self-contained HTML file."""

from __future__ import annotations

import os
from pathlib import Path

from portfolio.report.data import gather
from portfolio.report.page import render
from portfolio.report.rows import Read
from portfolio.settings import Settings

__all__ = ["Read", "write"]


def write(read: Read, settings: Settings, path: Path) -> Path:
    """Write the report of one run to `path` and return it; an older file there is replaced in one step.

    `read` returns the rows of the current run for a declared table, or of the run's source where the table
    is kept by source. It may be handed a declaration with fewer columns than the table has: only those are
    used, and a reader that returns more does no harm. Rows may come in any order.

    Raises:
        PortfolioError: the run has no reference portfolio or no risk measures.
    """
    page = render(gather(read, settings))
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(page, encoding="utf-8", newline="\n")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return path
