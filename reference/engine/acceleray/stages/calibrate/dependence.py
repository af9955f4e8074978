"""How calibrated instruments move together: a shrunk rank correlation and a t copula of their residuals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from acceleray.quant.correlation import CopulaFit, ShrunkCorrelation
from acceleray.runtime.run import Run
from acceleray.stages.calibrate.joint import estimate
from acceleray.stages.calibrate.residuals import standardised
from acceleray.stages.calibrate.stage import Calibration
from acceleray.tables import CORRELATIONS, DEPENDENCE

METHOD = "normal scores, Ledoit-Wolf toward the identity"


@dataclass(frozen=True)
class Dependence:
    """Dependence between instruments, in the order of `calibration.usable`.

    ``correlation`` (instruments, instruments) is positive definite: its smallest eigenvalue says so.
    ``shrinkage`` is the weight of the identity in it, ``copula_nu`` the degrees of freedom of the t copula.
    """

    correlation: NDArray[np.float64]
    shrinkage: float
    smallest_eigenvalue: float
    copula_nu: float


def build_dependence(run: Run, calibration: Calibration) -> Dependence:
    """Estimate the dependence between usable instruments; commit gold.correlations and gold.dependence."""
    settings = run.settings
    window_d, residual_window_d = settings.calibration.window_d, settings.simulation.residual_window_d
    residuals, _ = standardised(
        calibration, window_d, residual_window_d, settings.seed, settings.market_data.stale_price_d
    )
    # One task with one CPU: sums of matrix products are then grouped alike on a laptop and on a large driver.
    shrunk, copula = next(run.fan_out.map(estimate, [residuals.shape], (residuals,)))
    names = [calibration.returns.instruments[position] for position in calibration.usable]
    run.commit(CORRELATIONS, _pairs(names, shrunk))
    run.commit(DEPENDENCE, _summary(residuals, shrunk, copula))
    return Dependence(shrunk.correlation, shrunk.shrinkage, shrunk.smallest_eigenvalue, copula.nu)


def _pairs(names: list[str], shrunk: ShrunkCorrelation) -> pa.Table:
    one, other = np.triu_indices(len(names), 1)
    listed = pa.array(names, pa.string())
    return pa.table(
        {
            "instrument_id": listed.take(pa.array(one)),
            "other_instrument_id": listed.take(pa.array(other)),
            "correlation": shrunk.correlation[one, other],
            "sample_correlation": shrunk.sample[one, other],
        }
    )


def _summary(residuals: NDArray[np.float64], shrunk: ShrunkCorrelation, copula: CopulaFit) -> pa.Table:
    days, instruments = residuals.shape
    row = {
        "method": METHOD,
        "days": days,
        "instruments": instruments,
        "shrinkage": shrunk.shrinkage,
        "smallest_eigenvalue": shrunk.smallest_eigenvalue,
        "sample_smallest_eigenvalue": shrunk.sample_smallest_eigenvalue,
        "copula_nu": copula.nu,
        "copula_nu_at_bound": copula.at_bound,
    }
    return pa.Table.from_pylist([row])
