"""The page of a search: what was found, what it is worth, and what to do with it."""

from __future__ import annotations

from pathlib import Path

from acceleray.advice import TRAINERS
from acceleray.report.page import render, save
from acceleray.report.rows import Read
from acceleray.report.tuning import figures, narrative
from acceleray.report.tuning.data import PARAMETERS, gather
from acceleray.settings import Settings

SHOWN_TRIALS = 15
_SECTIONS = (
    ("parameters", "Parameters"),
    ("holdout", "Validation and holdout"),
    ("luck", "Skill or luck"),
    ("trials", "Trials"),
    ("coordinates", "Where the good ones are"),
    ("importance", "What mattered"),
    ("leakage", "Leakage"),
    ("assumptions", "Assumptions and limits"),
    ("lineage", "Lineage"),
)


def write(read: Read, settings: Settings, path: Path) -> Path:
    """Write the report of one search to `path`, replacing an older file in one step, and return it.

    `read` is as `acceleray.report.rows.Read` says.

    Raises:
        PortfolioError: the run has no search to report on.
    """
    return save(page(read, settings), path)


def page(read: Read, settings: Settings) -> str:
    """Return the page about the run whose rows `read` gives.

    Raises:
        PortfolioError: the run has no search to report on.
    """
    report = gather(read, settings)
    return render(
        "tuning.html.j2",
        report=report,
        trainers=TRAINERS,
        sections=_SECTIONS,
        summary=narrative.summary(report),
        figures=figures.draw_all(report),
        labels=figures.LABELS,
        parameters=PARAMETERS,
        badge=narrative.BADGES[report.finding],
        shown=SHOWN_TRIALS,
        narrative=narrative,
    )
