"""The page of the calibration: whether its models may be used, and which of them to look at."""

from __future__ import annotations

import math
from pathlib import Path

from acceleray.report import fits, fits_figure, quality
from acceleray.report.calibration import doubts, factors, figures, narrative
from acceleray.report.calibration.data import gather
from acceleray.report.page import render, save
from acceleray.report.rows import Reads
from acceleray.settings import Settings

_SECTIONS = (
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
)


def write(read: Reads, settings: Settings, path: Path) -> Path:
    """Write the report of one calibration run to `path`, replacing an older file in one step, and return it.

    `read` is as `acceleray.report.rows.Reads` says.

    Raises:
        PortfolioError: the run calibrated nothing.
    """
    return save(page(read, settings), path)


def page(read: Reads, settings: Settings) -> str:
    """Return the page about the run whose rows `read` gives.

    Raises:
        PortfolioError: the run calibrated nothing.
    """
    report = gather(read, settings)
    return render(
        "calibration.html.j2",
        report=report,
        sections=_SECTIONS,
        summary=narrative.summary(report),
        figures=figures.draw_all(report),
        fits_figure=fits_figure.scatter(report.fits),
        narrative=narrative,
        drift_limit=math.exp(report.drift.limit),
        limits={
            "instruments": fits.SHOWN_INSTRUMENTS,
            "doubts": doubts.SHOWN_DOUBTS,
            "betas": factors.SHOWN_INSTRUMENTS,
            "gaps": quality.SHOWN_GAPS,
        },
    )
