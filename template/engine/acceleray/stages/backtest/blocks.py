"""The forecasts of one block of days, by every model, each from the days before it only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.forecasts import (
    Measure,
    ewma_normal,
    ewma_residuals,
    means_of,
    past_losses,
)
from acceleray.quant.garch import GjrFit
from acceleray.quant.past import Past
from acceleray.quant.replay import Replay
from acceleray.quant.risk import gaussian_expected_shortfall, gaussian_value_at_risk
from acceleray.quant.sliding_tails import forecasts_over_windows, sliding
from acceleray.quant.spans import modelled, outside
from acceleray.quant.stale_prices import LONGEST_STANDSTILL_D, after_standstills
from acceleray.settings import Risk
from acceleray.settings.section import Drift
from acceleray.stages.backtest.exposures import replayed
from acceleray.stages.backtest.positions import Positions

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
    """Realised losses and forecasts as shares of NAV, NaN on days on which a portfolio is not tested.

    The three of a forecast are value at risk, and value at risk and expected shortfall at the level of the
    latter.

    Attributes:
        losses: (portfolios, days).
        covered: (portfolios, days), share of gross weight behind a loss.
        forecasts: (windows, models, 3, days) of the first portfolio.
        calibrated: (portfolios, windows, 3, days) of the calibrated model.
    """

    losses: NDArray[np.float64]
    covered: NDArray[np.float64]
    forecasts: NDArray[np.float64]
    calibrated: NDArray[np.float64]


def forecast_block(
    block: Block,
    returns: NDArray[np.float64],
    span_d: NDArray[np.float64],
    positions: Positions | None = None,
    *,
    windows: Sequence[int],
    risk: Risk,
    seed: int,
    standstill_d: int = LONGEST_STANDSTILL_D,
    longest_span_d: int = 1,
    apart: NDArray[np.bool_] | None = None,
    drift: Drift = "fitted",
    arithmetic: NDArray[np.bool_] | None = None,
) -> BlockForecasts:
    """Return what models forecast for each day of a block, and what happened: four for the first portfolio.

    `returns` and `span_d` (days, instruments) may reach beyond the block; a forecast uses the days before it
    only. All models that replay past losses look back at the same days: each of `windows`, in days, or as
    many as there are. Instruments `apart` (instruments,) say nothing about how the others move together, and
    returns of `arithmetic` ones may be below -1. `drift` is that of the calibrated model, as today's risk is
    simulated with it. Without `positions` it is the reference portfolio alone.
    """
    known, spanned = returns[: block.last], span_d[: block.last]
    usable = np.array([fit.modelled for fit in block.fits])
    cash = [fit.status == "held" for fit in block.fits]
    held = (positions or Positions.reference(len(usable))).known(usable)
    found = _nothing(len(held.whole), len(windows), block.last - block.first)
    tested = held.tested
    if not tested.size:
        return found
    # What was left out of the fits, for a standstill before the block, is left out of the residuals too.
    seen = modelled(known, spanned, longest_span_d)
    begun = np.isfinite(after_standstills(seen[: block.first], standstill_d, cash)).argmax(axis=0)
    left_out = np.arange(len(known))[:, None] < begun
    seen, unseen = (
        np.where(left_out, np.nan, values) for values in (seen, outside(known, spanned, longest_span_d))
    )
    members = np.array([fit.status == "calibrated" for fit in block.fits])
    members &= True if apart is None else ~apart
    columns, longest = np.flatnonzero(usable), max(windows)
    past = Past.of(seen, columns, block.first, block.last, block.fits, longest, seed, unseen, members)
    adding = None if arithmetic is None else arithmetic[columns]
    replay = Replay(past, means_of(block.fits, columns, drift), longest, adding)
    lines, weights = held.lines.among(columns), held.scaled[tested][:, held.lines.known(columns)]
    levels = (risk.var_confidence, risk.es_confidence)
    for days, place, losses in replayed(replay, lines, weights):
        forecast = forecasts_over_windows(losses, replay.known[days], windows, *levels)
        found.calibrated[tested[place], :, :, days] = forecast
    for place in tested.tolist():
        earned, covered = held.earned(place, known[block.first :])
        enough = covered >= held.least_covered
        found.losses[place] = np.where(enough, -earned, np.nan)
        found.covered[place] = covered
    if tested[0] == 0:
        series = held.earned(0, known)[0]
        # Days before anything that it holds was listed say nothing.
        begun = 0 if held.equal[0] else int(np.flatnonzero(series)[0])
        found.forecasts[:, :-1] = _compared(series[begun:], block.first - begun, windows, risk)
        found.forecasts[:, -1] = found.calibrated[0]
    return found


def _compared(
    series: NDArray[np.float64], start: int, windows: Sequence[int], risk: Risk
) -> NDArray[np.float64]:
    """Return forecasts (windows, models, 3, days) of the models that see one series of returns (days,)."""
    levels = (risk.var_confidence, risk.es_confidence)
    gaussian = _three(gaussian_value_at_risk, gaussian_expected_shortfall, risk.es_confidence)
    normal = ewma_normal(series, start, confidence=risk.var_confidence, measure=gaussian)
    days, longest = np.arange(start, series.size), max(windows)
    residuals, sigma = ewma_residuals(series, start)
    plain = sliding(past_losses(series, start), days, longest)
    # The first day of all has no volatility.
    filtered = sliding(residuals, days - 1, longest)
    forecasts = [
        forecasts_over_windows(plain, np.minimum(days, longest), windows, *levels),
        np.broadcast_to(normal, (len(windows), *normal.shape)),
        forecasts_over_windows(filtered, np.minimum(days - 1, longest), windows, *levels, sigma),
    ]
    return np.stack(forecasts, axis=1)


def _nothing(portfolios: int, windows: int, days: int) -> BlockForecasts:
    return BlockForecasts(
        losses=np.full((portfolios, days), np.nan),
        covered=np.zeros((portfolios, days)),
        forecasts=np.full((windows, len(MODELS), 3, days), np.nan),
        calibrated=np.full((portfolios, windows, 3, days), np.nan),
    )


def _three(var: Measure, shortfall: Measure, es_confidence: float) -> Measure:
    def measure(losses: NDArray[np.float64], confidence: float) -> NDArray[np.float64]:
        return np.stack(
            [var(losses, confidence), var(losses, es_confidence), shortfall(losses, es_confidence)]
        )

    return measure
