"""The page of the signals: which of them survive, and at which bar each of the others fell."""

from __future__ import annotations

from typing import Any

from acceleray.report import quality
from acceleray.report.page import Page
from acceleray.report.rows import Read
from acceleray.report.signals import figures, narrative
from acceleray.report.signals.data import gather
from acceleray.settings import Settings


def _fill(read: Read, settings: Settings) -> dict[str, Any]:
    """Return what the template names.

    Raises:
        PortfolioError: the run ranked no signals.
    """
    report = gather(read, settings)
    return {
        "report": report,
        "summary": narrative.summary(report),
        "figures": figures.draw_all(report),
        "narrative": narrative,
        "limits": {"gaps": quality.SHOWN_GAPS, "decays": figures.SHOWN_DECAYS},
    }


PAGE = Page(
    template="signals.html.j2",
    sections=(
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
    ),
    fill=_fill,
)
