"""The reports: one run in one self-contained HTML file, a page of its own for each kind of workload."""

from __future__ import annotations

from pathlib import Path

from portfolio.report import calibration, end_to_end, stress
from portfolio.report.page import save
from portfolio.report.rows import Read
from portfolio.settings import Settings

__all__ = ["Read", "write", "write_calibration", "write_stress"]


def write(read: Read, settings: Settings, path: Path) -> Path:
    """Write the report of one end-to-end run to `path` and return it.

    An older file there is replaced in one step. `read` returns the rows of the current run for a declared
    table, or of the run's source where the table is kept by source. It may be handed a declaration with fewer
    columns than the table has: only those are used, and a reader that returns more does no harm. Rows may
    come in any order.

    Raises:
        PortfolioError: the run has no reference portfolio or no risk measures.
    """
    return save(end_to_end.page(read, settings), path)


def write_calibration(read: Read, settings: Settings, path: Path) -> Path:
    """Write the report of one calibration run to `path` and return it; `read` and `path` as in `write`.

    Raises:
        PortfolioError: the run calibrated nothing.
    """
    return save(calibration.page(read, settings), path)


def write_stress(read: Read, settings: Settings, path: Path) -> Path:
    """Write the report of one stress test to `path` and return it; `read` and `path` as in `write`.

    Raises:
        PortfolioError: the run has no reference portfolio, or neither stress scenarios nor risk measures.
    """
    return save(stress.page(read, settings), path)
