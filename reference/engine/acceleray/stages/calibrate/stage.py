"""Calibrate: one GJR-GARCH(1,1)-t per instrument, on the schedule and at the as-of date, and their gate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from acceleray.engines.handoff.arrays import Panel, panel
from acceleray.errors import PortfolioError
from acceleray.quant.garch import GjrFit, variance_path
from acceleray.quant.spans import held, modelled
from acceleray.quant.stale_prices import LONGEST_STANDSTILL_D, after_standstills
from acceleray.runtime.risk_days import outside_market
from acceleray.runtime.run import Run
from acceleray.stages.calibrate.fits import fit_table
from acceleray.stages.calibrate.gate import Evidence, Gate, judge
from acceleray.stages.calibrate.proxies import causes, told, with_proxies
from acceleray.stages.calibrate.schedule import fit_schedule, scheduled
from acceleray.stages.calibrate.stand_ins import unusable_names
from acceleray.tables import CALIBRATION, CALIBRATION_GATE, RETURNS

__all__ = ["Calibration", "Gate", "calibrate"]


@dataclass(frozen=True)
class Calibration:
    """Returns up to the as-of date, one fit for each of their instruments in the same order, and the gate.

    Attributes:
        returns: what a position earns on each risk day: zero where its market was closed, NaN before its
            listing; with the risk days that each return spans.
        fits: one an instrument.
        gate: the verdict on the fits, proxies not counted.
        longest_span_d: a return over more risk days is no part of a model.
        proxy_of: whose moves an instrument without a model takes, by name; the mean of its group where it is
            not named, or of all.
        apart: instruments that trade at weekends where others do not, and exchange rates, by name.
        groups: instruments of each group.
        levels: levels of arithmetic returns, by instrument: `market_data.arithmetic`.
    """

    returns: Panel
    fits: tuple[GjrFit, ...]
    gate: Gate
    longest_span_d: int = 5
    proxy_of: Mapping[str, str] = field(default_factory=dict)
    apart: tuple[str, ...] = ()
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    levels: Mapping[str, float] = field(default_factory=dict)

    @property
    def members(self) -> NDArray[np.bool_]:
        """Return which of the usable instruments say how much all move together (see `comovement`)."""
        names = np.array(self.returns.instruments)[self.usable]
        own = [self.fits[position].status == "calibrated" for position in self.usable]
        return np.array(own, dtype=np.bool_) & ~np.isin(names, self.apart)

    @property
    def arithmetic(self) -> NDArray[np.bool_]:
        """Return whose returns are changes over a fixed level, of shape (instruments,)."""
        return np.array([name in self.levels for name in self.returns.instruments], dtype=bool)

    @property
    def usable(self) -> NDArray[np.int64]:
        """Return the positions of the instruments with a model or a proxy."""
        return np.flatnonzero([fit.modelled for fit in self.fits])

    @property
    def proxied(self) -> NDArray[np.int64]:
        """Return the positions of the instruments that move by proxy."""
        return np.flatnonzero([fit.status == "proxied" for fit in self.fits])

    @property
    def held(self) -> NDArray[np.bool_]:
        """Return which instruments hardly move, as cash does."""
        return np.array([fit.status == "held" for fit in self.fits])

    @property
    def seen(self) -> NDArray[np.float64]:
        """Return the returns that a model may see, of shape (days, instruments); see `spans.modelled`."""
        return modelled(self.returns.values, self.returns.spans, self.longest_span_d)


def calibrate(run: Run) -> Calibration:
    """Fit every instrument on schedule and at the as-of date; commit history, calibration and gate.

    An instrument that cannot be calibrated keeps a row with the reason. A gate that failed is returned, not
    raised: a simulation must check it.

    Raises:
        PortfolioError: not one instrument could be calibrated.
    """
    settings, market_data = run.settings, run.settings.market_data
    rows = run.arrow(RETURNS, ("date", "instrument_id", "return_1d", "span_d"), f"date <= DATE'{run.as_of}'")
    received, spanned = panel(rows, "return_1d"), panel(rows, "span_d")
    # No row is a closed market, for longer than rows are kept.
    span_d = np.where(np.isfinite(spanned.values), spanned.values, 0.0)
    returns = replace(received, values=held(received.values), span_d=span_d)
    seen = modelled(returns.values, span_d, market_data.longest_span_d)
    fits, before = fit_schedule(run, replace(returns, values=seen))
    drift = volatility_drift(seen[-settings.calibration.window_d :], fits, before, market_data.stale_price_d)
    found = Evidence(returns.instruments, fits, drift, causes(returns, fits, settings.calibration.window_d))
    gate = judge(found, settings.calibration, run.project.own_gate_rules("calibration"))
    calibration = Calibration(
        returns,
        tuple(fits),
        gate,
        market_data.longest_span_d,
        market_data.proxies,
        tuple(outside_market(run)),
        market_data.groups,
        market_data.arithmetic,
    )
    calibration = with_proxies(calibration, settings, found.causes)
    previous = None
    if before:
        previous = returns.day(scheduled(settings.calibration, len(returns.dates))[-2] - 1)
    run.commit(CALIBRATION, _rows(calibration, settings.simulation.residual_window_d, drift, previous))
    run.commit(CALIBRATION_GATE, gate.table())
    run.notices.add(*unusable_names(calibration))
    for line in told(calibration):
        run.reporter.say(f"    {line}")
    if not calibration.usable.size:
        reasons = "; ".join(sorted({fit.reason for fit in calibration.fits})[:3])
        raise PortfolioError(f"No instrument could be calibrated: {reasons}.")
    without = np.array([not fit.modelled for fit in calibration.fits])
    if (alone := np.flatnonzero(returns.trading(market_data.stale_after_d) & without)).size:
        # Left out of the scenarios, they would be at no risk.
        named = f"{returns.instruments[alone[0]]} ({calibration.fits[alone[0]].reason})"
        others, them = (f" and {alone.size - 1} more", "them") if alone.size > 1 else ("", "it")
        raise PortfolioError(
            f"The book holds {named}{others} without a model and without a proxy; provide a longer history,"
            f" or leave {them} out."
        )
    return calibration


def volatility_drift(
    values: NDArray[np.float64],
    fits: list[GjrFit],
    before: list[GjrFit],
    standstill_d: int = LONGEST_STANDSTILL_D,
) -> NDArray[np.float64]:
    """Return the log of each fit's volatility forecast over that of the fit before, on the same returns.

    The effect of a change of parameters on tomorrow's risk counts: a change of alpha that beta makes
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
