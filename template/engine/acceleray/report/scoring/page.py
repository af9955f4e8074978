"""The page of batch scoring: rows in and out, who scored them, and what every portfolio risks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from acceleray.report.page import Page
from acceleray.report.rows import Reads
from acceleray.report.scoring import figures, instruments, narrative, portfolios
from acceleray.report.scoring.data import gather
from acceleray.settings import Settings


def _fill(read: Reads, settings: Settings, decisions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what the template names.

    `decisions` are all decisions on models of the run's price source, as
    `acceleray.governance.champion.decisions` gives them.

    Raises:
        PortfolioError: the run scored no portfolio.
    """
    report = gather(read, settings, decisions)
    return {
        "report": report,
        "summary": narrative.summary(report),
        "badge": narrative.badge(report),
        "figures": figures.draw_all(report),
        "narrative": narrative,
        "limits": {
            "scores": instruments.SHOWN_SCORES,
            "quarantined": instruments.SHOWN_QUARANTINED,
            "portfolios": portfolios.TOP_PORTFOLIOS,
            "without": instruments.SHOWN_WITHOUT,
        },
    }


PAGE = Page(
    template="scoring.html.j2",
    sections=(
        ("rows", "Rows"),
        ("champion", "The champion"),
        ("scores", "Scores"),
        ("risk", "Risk of portfolios"),
        ("riskiest", "The riskiest"),
        ("exposures", "Exposures"),
        ("unpriced", "Not priced"),
        ("assumptions", "Assumptions and limits"),
        ("lineage", "Lineage"),
    ),
    fill=_fill,
    calibrated=True,
)
