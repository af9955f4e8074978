"""Calibrate: one GJR-GARCH(1,1)-t per instrument, on the schedule and at the as-of date, and their gate."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from acceleray.engines.handoff.arrays import Panel, panel
from acceleray.errors import PortfolioError
from acceleray.quant.garch import GjrFit, variance_path
from acceleray.quant.stale_prices import LONGEST_STANDSTILL_D, after_standstills
from acceleray.runtime.run import Run
from acceleray.stages.calibrate.fits import fit_table
from acceleray.stages.calibrate.gate import Evidence, Gate, judge
from acceleray.stages.calibrate.schedule import fit_schedule, scheduled
from acceleray.tables import CALIBRATION, CALIBRATION_GATE, RETURNS

__all__ = ["Calibration", "Gate", "calibrate"]


@dataclass(frozen=True)
class Calibration:
    """Returns up to the as-of date, one fit for each of their instruments in the same order, and the gate."""

    returns: Panel
    fits: tuple[GjrFit, ...]
    gate: Gate

    @property
    def usable(self) -> NDArray[np.int64]:
        """Return the positions of the instruments with a calibrated model."""
        return np.flatnonzero([fit.status == "calibrated" for fit in self.fits])


def calibrate(run: Run) -> Calibration:
    """Fit every instrument on schedule and at the as-of date; commit history, calibration and gate.

    An instrument that cannot be calibrated keeps a row with the reason. A gate that failed is returned, not
    raised: whoever wants to simulate must ask it.

    Raises:
        PortfolioError: not one instrument could be calibrated.
    """
    settings = run.settings
    rows = run.arrow(RETURNS, ("date", "instrument_id", "return_1d"), f"date <= DATE'{run.as_of}'")
    returns = panel(rows, "return_1d")
    fits, before = fit_schedule(run, returns)
    drift = volatility_drift(
        returns.values[-settings.calibration.window_d :], fits, before, settings.market_data.stale_price_d
    )
    found = Evidence(returns.instruments, fits, drift)
    gate = judge(found, settings.calibration, run.project.own_gate_rules("calibration"))
    calibration = Calibration(returns, tuple(fits), gate)
    previous = None
    if before:
        previous = returns.day(scheduled(settings.calibration, len(returns.dates))[-2] - 1)
    run.commit(CALIBRATION, _rows(calibration, settings.simulation.residual_window_d, drift, previous))
    run.commit(CALIBRATION_GATE, gate.table())
    if not calibration.usable.size:
        reasons = "; ".join(sorted({fit.reason for fit in calibration.fits})[:3])
        raise PortfolioError(f"No instrument could be calibrated: {reasons}.")
    return calibration


def volatility_drift(
    values: NDArray[np.float64],
    fits: list[GjrFit],
    before: list[GjrFit],
    standstill_d: int = LONGEST_STANDSTILL_D,
) -> NDArray[np.float64]:
    """Return the log of each fit's volatility forecast over that of the fit before, on the same returns.

    What a change of parameters does to the risk of tomorrow is what counts: a change of alpha that beta makes
    up for is none. `values` (days, instruments) are the simple returns the fits have seen; the result is of
    shape (instruments,), NaN where there is nothing to compare.
    """
    drift = np.full(len(fits), np.nan)
    series = after_standstills(values, standstill_d)
    for place, (new, old) in enumerate(zip(fits, before, strict=False)):
        if new.parameters is not None and old.parameters is not None:
            known = series[np.isfinite(series[:, place]), place]
            forecast = variance_path(known, old.parameters, old.initial_variance)[-1]
            drift[place] = np.log(new.next_sigma) - 0.5 * np.log(forecast)
    return drift


def _rows(
    calibration: Calibration, window: int, drift: NDArray[np.float64], previous: date | None
) -> pa.Table:
    recent = np.isfinite(calibration.returns.values[-window:])
    compared = np.isfinite(drift)
    rows = fit_table(calibration.fits)
    rows = rows.append_column("instrument_id", pa.array(calibration.returns.instruments))
    rows = rows.append_column("filled_share", pa.array(1.0 - recent.mean(axis=0)))
    rows = rows.append_column(
        "previous_fitted_on", pa.array([previous if found else None for found in compared], pa.date32())
    )
    return rows.append_column("volatility_drift", pa.array(drift, mask=~compared))
