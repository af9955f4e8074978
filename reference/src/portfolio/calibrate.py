"""Calibrate: one GJR-GARCH(1,1)-t per instrument, each fit a task of its own.

Fits are independent and uneven (long and short histories, easy and hard optimisations): the case for Ray
tasks. Spark brings the returns and commits the parameters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from portfolio.engines.arrays import Panel, panel
from portfolio.errors import PortfolioError
from portfolio.quant.garch import GjrFit, GjrParameters, fit_gjr_garch_t, rejected
from portfolio.quant.standstill import after_standstills
from portfolio.run import Run
from portfolio.tables import CALIBRATION, RETURNS

PARAMETERS = ("mu", "omega", "alpha", "gamma", "beta", "nu")


@dataclass(frozen=True)
class Calibration:
    """Returns up to the as-of date and one fit for each of their instruments, in the same order."""

    returns: Panel
    fits: tuple[GjrFit, ...]

    @property
    def usable(self) -> NDArray[np.int64]:
        """Return the positions of the instruments with a calibrated model."""
        return np.flatnonzero([fit.status == "calibrated" for fit in self.fits])


def calibrate(run: Run) -> Calibration:
    """Fit every instrument on its returns up to the as-of date and commit one row for each.

    An instrument that cannot be calibrated keeps a row with the reason.

    Raises:
        PortfolioError: not one instrument could be calibrated.
    """
    settings = run.settings
    rows = run.arrow(RETURNS, ("date", "instrument_id", "return_1d"), f"date <= DATE'{run.as_of}'")
    returns = panel(rows, "return_1d")
    columns = range(len(returns.instruments))
    fits = run.fan_out.map(
        fit_instrument,
        columns,
        (returns.values,),
        run.reporter.counter(len(columns), "instruments fitted"),
        minimum=settings.calibration.minimum_history_d,
        stale_after=settings.market_data.stale_after_d,
    )
    calibration = Calibration(returns, tuple(fits))
    run.commit(CALIBRATION, _rows(calibration, settings.simulation.residual_window_d))
    if not calibration.usable.size:
        reasons = "; ".join(sorted({fit.reason for fit in calibration.fits})[:3])
        raise PortfolioError(f"No instrument could be calibrated: {reasons}.")
    return calibration


def fit_instrument(instrument: int, values: NDArray[np.float64], minimum: int, stale_after: int) -> GjrFit:
    """Return the fit of one column of a (days, instruments) matrix of returns with gaps.

    History before a standstill of the price is left out. A series whose last return is more than
    `stale_after` days back is rejected: its volatility today is unknown.
    """
    series = after_standstills(values[:, instrument : instrument + 1])[:, 0]
    known = np.flatnonzero(np.isfinite(series))
    silent = len(series) if not known.size else len(series) - 1 - int(known[-1])
    if silent > stale_after:
        return rejected(f"no return on the last {silent} trading days", known.size)
    return fit_gjr_garch_t(series[known], minimum)


def _rows(calibration: Calibration, window: int) -> pa.Table:
    fits = calibration.fits
    recent = np.isfinite(calibration.returns.values[-window:])
    columns: dict[str, list[object]] = {
        "instrument_id": list(calibration.returns.instruments),
        "filled_share": list(1.0 - recent.mean(axis=0)),
    }
    plain = ("status", "reason", "observations", "log_likelihood", "converged", "at_bound")
    for name in (*plain, "initial_variance", "next_sigma"):
        columns[name] = [getattr(fit, name) for fit in fits]
    for name in (*PARAMETERS, "persistence", "half_life_d"):
        columns[name] = [_finite(fit.parameters, name) for fit in fits]
    for name in PARAMETERS:
        columns[f"{name}_se"] = [_finite(fit.standard_errors, name) for fit in fits]
    return pa.table(columns)


def _finite(parameters: GjrParameters | None, name: str) -> float | None:
    value = math.nan if parameters is None else float(getattr(parameters, name))
    return value if math.isfinite(value) else None
