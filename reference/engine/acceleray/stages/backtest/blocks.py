"""The forecasts of one block of days, by every model, each from the days before it only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

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
        forecasts: (windows, models, 3, days) of the first portfolio; empty where it is no headline.
        calibrated: (portfolios, windows, 3, days) of the calibrated model.
    """

    losses: NDArray[np.float64]
    covered: NDArray[np.float64]
    forecasts: NDArray[np.float64]
    calibrated: NDArray[np.float64]

    def each(self) -> list[BlockForecasts]:
        """Return the portfolios one by one."""
        return [
            BlockForecasts(
                self.losses[place : place + 1],
                self.covered[place : place + 1],
                self.forecasts if place == 0 else self.forecasts[:0],
                self.calibrated[place : place + 1],
            )
            for place in range(len(self.losses))
        ]

    @classmethod
    def together(cls, parts: Sequence[BlockForecasts]) -> BlockForecasts:
        """Return portfolios of one block together, the headline first."""
        return cls(
            np.concatenate([each.losses for each in parts]),
            np.concatenate([each.covered for each in parts]),
            parts[0].forecasts,
            np.concatenate([each.calibrated for each in parts]),
        )


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
    compared: bool = True,
) -> BlockForecasts:
    """Return what models forecast for each day of a block, and what happened: four for the first portfolio.

    `returns` and `span_d` (days, instruments) may reach beyond the block; a forecast uses the days before it
    only. All models that replay past losses look back at the same days: each of `windows`, in days, or as
    many as there are. Instruments `apart` (instruments,) say nothing about how the others move together, and
    returns of `arithmetic` ones may be below -1. `drift` is that of the calibrated model, as today's risk is
    simulated with it. Without `positions` it is the reference portfolio alone; if not `compared`, the first
    portfolio has the calibrated model only.
    """
    known = returns[: block.last]
    usable = np.array([fit.modelled for fit in block.fits])
    held = (positions or Positions.reference(len(usable))).known(usable)
    found = _nothing(len(held.whole), len(windows), block.last - block.first)
    tested = held.tested
    if not tested.size:
        return found
    seen, unseen = seen_before(block, returns, span_d, standstill_d, longest_span_d)
    members = members_of(block, apart)
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
        found.forecasts[:, -1] = found.calibrated[0]
    if tested[0] == 0 and compared:
        series = held.earned(0, known)[0]
        # Days before anything that it holds was listed say nothing.
        begun = 0 if held.equal[0] else int(np.flatnonzero(series)[0])
        found.forecasts[:, :-1] = _compared(series[begun:], block.first - begun, windows, risk)
    return found


def forecast_some(
    task: tuple[Block, tuple[int, ...]],
    returns: NDArray[np.float64],
    span_d: NDArray[np.float64],
    positions: Positions,
    **terms: Any,
) -> list[BlockForecasts]:
    """Return the same of some portfolios, by their places, one by one; the first of all is the headline."""
    block, places = task
    headline = 0 in places
    found = forecast_block(block, returns, span_d, positions.at(places), compared=headline, **terms).each()
    return found if headline else [replace(found[0], forecasts=found[0].forecasts[:0]), *found[1:]]


def seen_before(
    block: Block,
    returns: NDArray[np.float64],
    span_d: NDArray[np.float64],
    standstill_d: int,
    longest_span_d: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the returns up to the end of a block that its models see, and those they do not (see `spans`).

    Instruments left out of the fits, for a standstill before the block, are left out here too.
    """
    known, spanned = returns[: block.last], span_d[: block.last]
    seen = modelled(known, spanned, longest_span_d)
    cash = [fit.status == "held" for fit in block.fits]
    begun = np.isfinite(after_standstills(seen[: block.first], standstill_d, cash)).argmax(axis=0)
    left_out = np.arange(len(known))[:, None] < begun
    unseen = outside(known, spanned, longest_span_d)
    return np.where(left_out, np.nan, seen), np.where(left_out, np.nan, unseen)


def members_of(block: Block, apart: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    """Return the instruments that determine co-movement: those with a fit, and not apart."""
    own = np.array([fit.status == "calibrated" for fit in block.fits])
    return own if apart is None else own & ~apart


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
