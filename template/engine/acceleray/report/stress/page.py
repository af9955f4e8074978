"""The page of the stress test: what would hurt, how plausible it is, and whether the model may be used."""

from __future__ import annotations

from pathlib import Path

from acceleray.report import backtest_figures, backtest_narrative, risk_narrative
from acceleray.report.page import render, save
from acceleray.report.rows import Read
from acceleray.report.stress import figures, narrative, scenarios
from acceleray.report.stress.data import gather
from acceleray.settings import Settings

_SECTIONS = (
    ("scenarios", "Scenarios"),
    ("mapping", "From published numbers to shocks"),
    ("simulation", "Monte Carlo"),
    ("contributions", "Contributions"),
    ("reverse", "Reverse stress"),
    ("backtest", "Backtest gate"),
    ("assumptions", "Assumptions and limits"),
    ("lineage", "Lineage"),
)


def write(read: Read, settings: Settings, path: Path) -> Path:
    """Write the report of one stress test to `path`, replacing an older file in one step, and return it.

    `read` is as `acceleray.report.rows.Read` says.

    Raises:
        PortfolioError: the run has no reference portfolio, or neither stress scenarios nor risk measures.
    """
    return save(page(read, settings), path)


def page(read: Read, settings: Settings) -> str:
    """Return the page about the run whose rows `read` gives.

    Raises:
        PortfolioError: the run has no reference portfolio, or neither stress scenarios nor risk measures.
    """
    report = gather(read, settings)
    return render(
        "stress.html.j2",
        report=report,
        sections=_SECTIONS,
        summary=narrative.summary(report),
        badge=narrative.badge(report),
        figures=figures.draw_all(report),
        history=backtest_figures.history(report.backtest),
        exceptions=backtest_figures.exceptions_by_year(report.backtest),
        narrative=narrative,
        kinds=scenarios.KINDS,
        backtest_narrative=backtest_narrative,
        risk_narrative=risk_narrative,
    )
