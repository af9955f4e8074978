"""Everything the calibration page shows, gathered from tables into one frozen object."""

from __future__ import annotations

from dataclasses import dataclass

from acceleray.errors import PortfolioError
from acceleray.report import fits, gate, heading, lineage, quality
from acceleray.report.calibration import dependence, doubts, factors, history
from acceleray.report.rows import Reads, first, narrowed
from acceleray.settings import Settings
from acceleray.tables import CALIBRATION, RUNS


@dataclass(frozen=True)
class Report:
    """One calibration, ready to be drawn and written."""

    heading: heading.Heading
    settings: Settings
    gate: gate.Gate
    fits: fits.Fits
    worst: tuple[doubts.Doubt, ...]
    drift: doubts.Drift
    history: history.History
    factors: factors.Factors
    dependence: dependence.Dependence
    quality: quality.Quality
    lineage: lineage.Lineage


def gather(read: Reads, settings: Settings) -> Report:
    """Return everything the page shows about the run whose rows `read` gives.

    Raises:
        PortfolioError: the run calibrated nothing, so there is nothing to say.
    """
    row = first(read(narrowed(CALIBRATION, "run_id", "as_of", "instrument_id")).sort_by("instrument_id"))
    if row is None:
        raise PortfolioError(
            "This run has no calibration to report on; run `portfolio run portfolio_model_calibration` first."
        )
    run = first(read(RUNS)) or {}
    prices = quality.gather(read)
    found = fits.gather(read)
    command = lineage.command(CALIBRATION, row["run_id"], instrument_id=row["instrument_id"])
    return Report(
        heading=heading.gather(row, run, settings, prices.source),
        settings=settings,
        gate=gate.gather(read),
        fits=found,
        worst=doubts.worst(found),
        drift=doubts.drift(found, settings.calibration.drifted_above),
        history=history.gather(read),
        factors=factors.gather(read),
        dependence=dependence.gather(read),
        quality=prices,
        lineage=lineage.gather(read, run, row["run_id"], settings, command, prices.load_id),
    )
