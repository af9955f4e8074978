"""The forecasts of one block of days, by every model, each from the days before it only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.forecasts import (
    Measure,
    calibrated_losses,
    ewma_filtered_losses,
    ewma_normal,
    forecast_at_both,
    historical_losses,
    over_windows,
)
from acceleray.quant.garch import GjrFit
from acceleray.quant.risk import gaussian_expected_shortfall, gaussian_value_at_risk
from acceleray.quant.spans import modelled, outside
from acceleray.quant.stale_prices import LONGEST_STANDSTILL_D, after_standstills
from acceleray.settings import Risk
from acceleray.settings.section import Drift

MODELS = (
    "historical_simulation",
    "ewma_normal",
    "filtered_historical_ewma",
    "filtered_historical_calibrated",
)
# Has no window of losses to replay: its forecasts are the same at any.
WITHOUT_WINDOW = ("ewma_normal",)


@dataclass(frozen=True)
class Block:
    """Days `first` to `last - 1` that share one calibration, and its fits, one an instrument."""

    first: int
    last: int
    fits: tuple[GjrFit, ...]


@dataclass(frozen=True)
class BlockForecasts:
    """Realised losses (days,) and forecasts (windows, models, 3, days), as shares of NAV.

    The three are value at risk, and value at risk and expected shortfall at the level of the latter.
    """

    losses: NDArray[np.float64]
    forecasts: NDArray[np.float64]


def forecast_block(
    block: Block,
    returns: NDArray[np.float64],
    span_d: NDArray[np.float64],
    windows: Sequence[int],
    risk: Risk,
    seed: int,
    standstill_d: int = LONGEST_STANDSTILL_D,
    longest_span_d: int = 1,
    apart: NDArray[np.bool_] | None = None,
    drift: Drift = "fitted",
    arithmetic: NDArray[np.bool_] | None = None,
) -> BlockForecasts:
    """Return what four models forecast for each day of a block, and what happened.

    `returns` and `span_d` (days, instruments) may reach beyond the block; a forecast uses the days before it
    only. All models that replay past losses look back at the same days: each of `windows`, in days, or as
    many as there are. Instruments `apart` (instruments,) say nothing about how the others move together, and
    returns of `arithmetic` ones may be below -1. `drift` is that of the calibrated model, as today's risk is
    simulated with it.
    """
    known, spanned = returns[: block.last], span_d[: block.last]
    held = np.array([fit.modelled for fit in block.fits])
    cash = [fit.status == "held" for fit in block.fits]
    weights = held / held.sum()
    series = portfolio_returns(known, weights)
    # What was left out of the fits, for a standstill before the block, is left out of the residuals too.
    seen = modelled(known, spanned, longest_span_d)
    begun = np.isfinite(after_standstills(seen[: block.first], standstill_d, cash)).argmax(axis=0)
    left_out = np.arange(len(known))[:, None] < begun
    seen, unseen = (
        np.where(left_out, np.nan, values) for values in (seen, outside(known, spanned, longest_span_d))
    )
    simulated = partial(forecast_at_both, es_confidence=risk.es_confidence)
    gaussian = _three(gaussian_value_at_risk, gaussian_expected_shortfall, risk.es_confidence)
    start, level = block.first, risk.var_confidence
    normal = ewma_normal(series, start, confidence=level, measure=gaussian)
    members = np.array([fit.status == "calibrated" for fit in block.fits])
    members &= True if apart is None else ~apart
    longest = max(windows)
    replayed = calibrated_losses(
        seen, weights, start, block.last, block.fits, longest, seed, unseen, members, drift, arithmetic
    )
    forecasts = [
        over_windows(historical_losses(series, start), windows, level, simulated),
        np.broadcast_to(normal, (len(windows), *normal.shape)),
        over_windows(ewma_filtered_losses(series, start), windows, level, simulated),
        over_windows(replayed, windows, level, simulated),
    ]
    return BlockForecasts(-series[block.first :], np.stack(forecasts, axis=1))


def portfolio_returns(returns: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the portfolio's return each day, weights scaled up over the instruments that have one.

    One has a return from its listing on, zero on days on which its market is closed. A day on which none of
    them has a return counts as unchanged.
    """
    present = np.isfinite(returns)
    invested = np.sum(present * weights, axis=1)
    earned = np.sum(np.where(present, returns, 0.0) * weights, axis=1)
    return np.asarray(np.divide(earned, invested, out=np.zeros(len(returns)), where=invested > 0))


def _three(var: Measure, shortfall: Measure, es_confidence: float) -> Measure:
    def measure(losses: NDArray[np.float64], confidence: float) -> NDArray[np.float64]:
        return np.stack(
            [var(losses, confidence), var(losses, es_confidence), shortfall(losses, es_confidence)]
        )

    return measure
