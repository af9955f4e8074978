"""The page of batch scoring: rows in and out, who scored them, and what every portfolio risks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from acceleray.report.page import render, save
from acceleray.report.rows import Reads
from acceleray.report.scoring import figures, instruments, narrative, portfolios
from acceleray.report.scoring.data import gather
from acceleray.settings import Settings

_SECTIONS = (
    ("rows", "Rows"),
    ("champion", "The champion"),
    ("scores", "Scores"),
    ("risk", "Risk of portfolios"),
    ("riskiest", "The riskiest"),
    ("exposures", "Exposures"),
    ("unpriced", "Not priced"),
    ("assumptions", "Assumptions and limits"),
    ("lineage", "Lineage"),
)


def write(read: Reads, settings: Settings, path: Path, decisions: Sequence[Mapping[str, Any]]) -> Path:
    """Write the report of one batch to `path`, replacing an older file in one step, and return it.

    `read` is as `acceleray.report.rows.Reads` says; `decisions` are all decisions on models of the run's
    price source, as `acceleray.governance.champion.decisions` gives them.

    Raises:
        PortfolioError: the run scored no portfolio.
    """
    return save(page(read, settings, decisions), path)


def page(read: Reads, settings: Settings, decisions: Sequence[Mapping[str, Any]]) -> str:
    """Return the page about the run whose rows `read` gives.

    Raises:
        PortfolioError: the run scored no portfolio.
    """
    report = gather(read, settings, decisions)
    return render(
        "scoring.html.j2",
        report=report,
        sections=_SECTIONS,
        summary=narrative.summary(report),
        badge=narrative.badge(report),
        figures=figures.draw_all(report),
        narrative=narrative,
        limits={
            "scores": instruments.SHOWN_SCORES,
            "quarantined": instruments.SHOWN_QUARANTINED,
            "portfolios": portfolios.TOP_PORTFOLIOS,
            "without": instruments.SHOWN_WITHOUT,
        },
    )
