"""The page of the training: whether the model may be used, what it was worth, and how it was made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from portfolio.quant.bins import TOLERANCE
from portfolio.report.page import render, save
from portfolio.report.rows import Read
from portfolio.report.training import figures, words
from portfolio.report.training.data import gather
from portfolio.settings import Settings

_SECTIONS = (
    ("decision", "Decision"),
    ("folds", "Out of sample"),
    ("importance", "What it looks at"),
    ("processes", "One process or several"),
    ("champions", "Champions"),
    ("assumptions", "Assumptions and limits"),
    ("lineage", "Lineage"),
)


def write(read: Read, settings: Settings, path: Path, decisions: Sequence[Mapping[str, Any]] = ()) -> Path:
    """Write the report of one training run to `path`, replacing an older file in one step, and return it.

    `read` is as `portfolio.report.rows.Read` says; `decisions` are all that were ever made about models of
    the same prices, those of this run if none are given.

    Raises:
        PortfolioError: the run trained nothing.
    """
    return save(page(read, settings, decisions), path)


def page(read: Read, settings: Settings, decisions: Sequence[Mapping[str, Any]] = ()) -> str:
    """Return the page about the run whose rows `read` gives.

    Raises:
        PortfolioError: the run trained nothing.
    """
    report = gather(read, settings, decisions)
    return render(
        "training.html.j2",
        report=report,
        sections=_SECTIONS,
        summary=words.summary(report),
        badge=words.badge(report),
        processes=words.processes(report),
        resumed=words.resumed(report),
        compared=words.compared(report),
        figures=figures.draw_all(report),
        tolerance=TOLERANCE,
    )
