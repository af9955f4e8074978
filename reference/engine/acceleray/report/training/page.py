"""The page of the training: whether the model may be used, what it was worth, and how it was made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from acceleray.quant.bins import TOLERANCE
from acceleray.report.model_document.writing import documents_of
from acceleray.report.page import Page
from acceleray.report.rows import Read
from acceleray.report.training import figures, narrative
from acceleray.report.training.data import gather
from acceleray.settings import Settings


def _fill(read: Read, settings: Settings, decisions: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """Return what the template names.

    `decisions` are all decisions on models of the run's price source, as
    `acceleray.governance.champion.decisions` gives them; those of this run if none are given.

    Raises:
        PortfolioError: the run trained nothing.
    """
    report = gather(read, settings, decisions)
    return {
        "report": report,
        "summary": narrative.summary(report),
        "badge": narrative.badge(report),
        "processes": narrative.processes(report),
        "resumed": narrative.resumed(report),
        "compared": narrative.compared(report),
        "interval": narrative.interval(report),
        "targets": narrative.TARGETS,
        "figures": figures.draw_all(report),
        "tolerance": TOLERANCE,
    }


PAGE = Page(
    template="training.html.j2",
    sections=(
        ("decision", "Decision"),
        ("folds", "Out of sample"),
        ("importance", "What it looks at"),
        ("processes", "One process or several"),
        ("champions", "Champions"),
        ("assumptions", "Assumptions and limits"),
        ("lineage", "Lineage"),
    ),
    fill=_fill,
    documents=partial(documents_of, kinds=("signal",)),
)
