"""The page of the stress test: what would hurt, how plausible it is, and whether the model may be used."""

from __future__ import annotations

from functools import partial
from typing import Any

from acceleray.report import backtest_figures, backtest_narrative, change, limits, risk_narrative
from acceleray.report.model_document.writing import documents_of
from acceleray.report.page import Page
from acceleray.report.rows import Reads
from acceleray.report.stress import figures, narrative, scenarios
from acceleray.report.stress.data import gather
from acceleray.settings import Settings


def _fill(read: Reads, settings: Settings) -> dict[str, Any]:
    """Return what the template names.

    Raises:
        PortfolioError: the run has no portfolios, or neither stress scenarios nor risk measures.
    """
    report = gather(read, settings)
    return {
        "report": report,
        "summary": narrative.summary(report),
        "badge": narrative.badge(report),
        "figures": figures.draw_all(report),
        "history": backtest_figures.history(report.backtest),
        "exceptions": backtest_figures.exceptions_by_year(report.backtest),
        "narrative": narrative,
        "kinds": scenarios.KINDS,
        "utilisation": limits.gather(read),
        "change": change.gather(read),
        "signed": change.signed,
        "backtest_narrative": backtest_narrative,
        "risk_narrative": risk_narrative,
    }


PAGE = Page(
    template="stress.html.j2",
    sections=(
        ("limits", "Limits"),
        ("change", "Change"),
        ("scenarios", "Scenarios"),
        ("mapping", "From published numbers to shocks"),
        ("simulation", "Simulated losses"),
        ("contributions", "Contributions"),
        ("reverse", "Reverse stress"),
        ("backtest", "Backtest gate"),
        ("assumptions", "Assumptions and limits"),
        ("lineage", "Lineage"),
    ),
    fill=_fill,
    calibrated=True,
    desk=True,
    documents=partial(documents_of, kinds=("risk",)),
)
