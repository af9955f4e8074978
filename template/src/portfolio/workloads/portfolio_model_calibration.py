"""Calibrate every instrument, on schedule and today; tie them together; judge whether to simulate."""

from __future__ import annotations

import numpy as np

from acceleray.errors import PortfolioError
from acceleray.report.calibration.page import PAGE
from acceleray.runtime.evidence import record
from acceleray.runtime.run import Run
from acceleray.runtime.workload import Conclusion, Workload
from acceleray.stages.calibrate.dependence import Dependence, build_dependence
from acceleray.stages.calibrate.factor_model import build_factor_model
from acceleray.stages.calibrate.stage import Calibration, calibrate
from acceleray.stages.features.stage import build_returns
from acceleray.stages.ingest.factors import ingest_factors
from acceleray.stages.ingest.stage import ingest


def run(run: Run) -> Conclusion:
    """Run every stage; a calibration that does not pass its gate still has its report.

    Raises:
        PortfolioError: the gate failed, after everything is committed and the report is written.
    """
    with run.stage("ingest", "Ingest prices and factors (Spark)"):
        loaded = ingest(run)
        run.identify(loaded.load_id, loaded.as_of, (ingest_factors(run),))
    with run.stage("features", "Build returns (Spark)"):
        build_returns(run)
    with run.stage("calibrate", "Calibrate GJR-GARCH-t on schedule (Ray)"):
        calibration = calibrate(run)
    with run.stage("dependence", "Estimate betas and correlation (Ray)"):
        build_factor_model(run, calibration)
        dependence = build_dependence(run, calibration)
        record(run)
    return conclude(run, calibration, dependence)


def conclude(run: Run, calibration: Calibration, dependence: Dependence) -> Conclusion:
    """Write the report; say how many instruments have a model.

    Raises:
        PortfolioError: the gate failed.
    """
    report = run.report(PAGE)
    gate = calibration.gate
    if not gate.passed:
        raise PortfolioError(f"The calibration did not pass its gate: {gate.reason}. Report: {report}")
    return Conclusion(_headline(calibration, dependence), f"passed: {gate.reason}", report, "Gate")


def _headline(calibration: Calibration, dependence: Dependence) -> tuple[tuple[str, str], ...]:
    fits = [calibration.fits[place] for place in calibration.usable]
    half_lives = [fit.parameters.half_life_d for fit in fits if fit.parameters is not None]
    bound = sum(bool(fit.at_bound) for fit in fits)
    return (
        ("Instruments with a model", f"{len(fits)} of {len(calibration.fits)}, {bound} with one at a bound"),
        ("Half-life of a volatility shock", f"{np.median(half_lives):.0f} days (median)"),
        (
            "Correlation",
            f"shrunk by {dependence.shrinkage:.3f}, least eigenvalue {dependence.smallest_eigenvalue:.3f}",
        ),
        ("Tails of the t copula", f"{dependence.copula_nu:.1f} degrees of freedom"),
    )


WORKLOAD = Workload(
    name="portfolio_model_calibration",
    title="Calibrate every instrument, on schedule and today",
    engine="ray",
    run=run,
)
