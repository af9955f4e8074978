"""The page of the end-to-end pipeline: risk of the book, and whether the model behind it holds."""

from __future__ import annotations

from functools import partial
from typing import Any

from acceleray.report import (
    backtest_figures,
    backtest_narrative,
    change,
    fits,
    fits_figure,
    quality,
    risk_narrative,
)
from acceleray.report import limits as desk_limits
from acceleray.report.end_to_end import figures, narrative
from acceleray.report.end_to_end.data import gather
from acceleray.report.model_document.writing import documents_of
from acceleray.report.page import Page
from acceleray.report.rows import Reads
from acceleray.settings import Settings


def _fill(read: Reads, settings: Settings) -> dict[str, Any]:
    """Return what the template names.

    Raises:
        PortfolioError: the run has no portfolios or no risk measures.
    """
    report = gather(read, settings)
    return {
        "report": report,
        "summary": narrative.summary(report),
        "verdict": backtest_narrative.verdict(report.backtest),
        "figures": figures.draw_all(report),
        "fits_figure": fits_figure.scatter(report.fits),
        "history": backtest_figures.history(report.backtest),
        "exceptions": backtest_figures.exceptions_by_year(report.backtest),
        "narrative": narrative,
        "unpriced_pct_nav": report.book.reference.unpriced_pct_nav if report.book.reference else None,
        "backtest_narrative": backtest_narrative,
        "risk_narrative": risk_narrative,
        "utilisation": desk_limits.gather(read),
        "change": change.gather(read),
        "signed": change.signed,
        "limits": {"instruments": fits.SHOWN_INSTRUMENTS, "gaps": quality.SHOWN_GAPS},
    }


PAGE = Page(
    template="end_to_end.html.j2",
    sections=(
        ("headline", "Headline"),
        ("limits", "Limits"),
        ("change", "Change"),
        ("distribution", "Distribution"),
        ("backtest", "Backtest"),
        ("contributions", "Contributions"),
        ("book", "Book"),
        ("calibration", "Calibration"),
        ("signal", "Signal model"),
        ("quality", "Data quality"),
        ("assumptions", "Assumptions and limits"),
        ("lineage", "Lineage"),
    ),
    fill=_fill,
    calibrated=True,
    desk=True,
    documents=partial(documents_of, kinds=("risk", "signal")),
)
