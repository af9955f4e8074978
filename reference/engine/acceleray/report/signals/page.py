"""The page of the signals: which of them survive, and at which bar each of the others fell."""

from __future__ import annotations

from pathlib import Path

from acceleray.report import quality
from acceleray.report.page import render, save
from acceleray.report.rows import Read
from acceleray.report.signals import figures, narrative
from acceleray.report.signals.data import gather
from acceleray.settings import Settings

_SECTIONS = (
    ("order", "The order"),
    ("luck", "What luck would show"),
    ("intervals", "Intervals"),
    ("decay", "Decay"),
    ("years", "Through the years"),
    ("alike", "Signals that are alike"),
    ("columns", "What the columns mean"),
    ("quality", "Data quality"),
    ("assumptions", "Assumptions and limits"),
    ("lineage", "Lineage"),
)


def write(read: Read, settings: Settings, path: Path) -> Path:
    """Write the report of one prioritization to `path`, replacing an older file in one step, and return it.

    `read` is as `acceleray.report.rows.Read` says.

    Raises:
        PortfolioError: the run ranked no signals.
    """
    return save(page(read, settings), path)


def page(read: Read, settings: Settings) -> str:
    """Return the page about the run whose rows `read` gives.

    Raises:
        PortfolioError: the run ranked no signals.
    """
    report = gather(read, settings)
    return render(
        "signals.html.j2",
        report=report,
        sections=_SECTIONS,
        summary=narrative.summary(report),
        figures=figures.draw_all(report),
        narrative=narrative,
        limits={"gaps": quality.SHOWN_GAPS, "decays": figures.SHOWN_DECAYS},
    )
