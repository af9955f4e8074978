"""The page of the stress test: what would hurt, how plausible it is, and whether the model may be used."""

from __future__ import annotations

from pathlib import Path

from portfolio.report import backtest_figures, backtest_words, risk_words
from portfolio.report.page import render, save
from portfolio.report.rows import Read
from portfolio.report.stress import figures, scenarios, words
from portfolio.report.stress.data import gather
from portfolio.settings import Settings

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

    `read` is as `portfolio.report.rows.Read` says.

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
        summary=words.summary(report),
        badge=words.badge(report),
        figures=figures.draw_all(report),
        history=backtest_figures.history(report.backtest),
        exceptions=backtest_figures.exceptions_by_year(report.backtest),
        words=words,
        kinds=scenarios.KINDS,
        backtest_words=backtest_words,
        risk_words=risk_words,
    )
