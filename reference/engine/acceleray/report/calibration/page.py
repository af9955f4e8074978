"""The page of the calibration: whether its models may be used, and which of them to look at."""

from __future__ import annotations

import math
from typing import Any

from acceleray.report import fits, fits_figure, quality
from acceleray.report.calibration import doubts, factors, figures, narrative
from acceleray.report.calibration.data import gather
from acceleray.report.page import Page
from acceleray.report.rows import Reads
from acceleray.settings import Settings


def _fill(read: Reads, settings: Settings) -> dict[str, Any]:
    """Return what the template names.

    Raises:
        PortfolioError: the run calibrated nothing.
    """
    report = gather(read, settings)
    return {
        "report": report,
        "summary": narrative.summary(report),
        "figures": figures.draw_all(report),
        "fits_figure": fits_figure.scatter(report.fits),
        "narrative": narrative,
        "drift_limit": math.exp(report.drift.limit),
        "limits": {
            "instruments": fits.SHOWN_INSTRUMENTS,
            "doubts": doubts.SHOWN_DOUBTS,
            "betas": factors.SHOWN_INSTRUMENTS,
            "gaps": quality.SHOWN_GAPS,
        },
    }


PAGE = Page(
    template="calibration.html.j2",
    sections=(
        ("gate", "Gate"),
        ("fits", "Fits"),
        ("worst", "Worst fits"),
        ("drift", "Drift"),
        ("history", "Through time"),
        ("parameters", "Parameters"),
        ("factors", "Factors"),
        ("dependence", "Dependence"),
        ("quality", "Data quality"),
        ("assumptions", "Assumptions and limits"),
        ("lineage", "Lineage"),
    ),
    fill=_fill,
    calibrated=True,
)
