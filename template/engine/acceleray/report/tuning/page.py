"""The page of a search: what was found, what it is worth, and what to do with it."""

from __future__ import annotations

from typing import Any

from acceleray.advice import TRAINERS
from acceleray.report.page import Page
from acceleray.report.rows import Read
from acceleray.report.tuning import figures, narrative
from acceleray.report.tuning.data import PARAMETERS, gather
from acceleray.settings import Settings

SHOWN_TRIALS = 15


def _fill(read: Read, settings: Settings) -> dict[str, Any]:
    """Return what the template names.

    Raises:
        PortfolioError: the run has no search to report on.
    """
    report = gather(read, settings)
    return {
        "report": report,
        "trainers": TRAINERS,
        "summary": narrative.summary(report),
        "figures": figures.draw_all(report),
        "labels": figures.LABELS,
        "parameters": PARAMETERS,
        "badge": narrative.BADGES[report.finding],
        "shown": SHOWN_TRIALS,
        "narrative": narrative,
    }


PAGE = Page(
    template="tuning.html.j2",
    sections=(
        ("parameters", "Parameters"),
        ("holdout", "Validation and holdout"),
        ("luck", "Skill or luck"),
        ("trials", "Trials"),
        ("coordinates", "Where the good ones are"),
        ("importance", "What mattered"),
        ("leakage", "Leakage"),
        ("assumptions", "Assumptions and limits"),
        ("lineage", "Lineage"),
    ),
    fill=_fill,
)
