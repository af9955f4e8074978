"""The page of the training: whether the model may be used, what it was worth, and how it was made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from acceleray.quant.bins import TOLERANCE
from acceleray.report.page import render, save
from acceleray.report.rows import Read
from acceleray.report.training import figures, narrative
from acceleray.report.training.data import gather
from acceleray.settings import Settings

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

    `read` is as `acceleray.report.rows.Read` says; `decisions` are all that were ever made about models of
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
        summary=narrative.summary(report),
        badge=narrative.badge(report),
        processes=narrative.processes(report),
        resumed=narrative.resumed(report),
        compared=narrative.compared(report),
        figures=figures.draw_all(report),
        tolerance=TOLERANCE,
    )
