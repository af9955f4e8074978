"""The tasks of the fan-out: pure functions of signals and prices, each on one signal or one batch."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.bootstrap import resampled_mean, stationary_days
from acceleray.quant.evaluation import (
    newey_west_p,
    newey_west_t,
    overlap_lags,
    quantile_spread,
    rank_information_coefficient,
)
from acceleray.quant.signals import (
    annualised_ratio,
    beyond,
    decay_half_life,
    forward_returns,
    marginal_rank_ic,
    rank_ic_ahead,
)
from acceleray.quant.turnover import long_short_weights, trading_cost, turnover


@dataclass(frozen=True)
class Terms:
    """Parameters of signal measures: horizons and days ahead, groups of the spread, and cost of trading."""

    horizons_d: tuple[int, ...]
    ahead_d: tuple[int, ...]
    quantiles: int
    cost_bp: float


@dataclass(frozen=True)
class Measured:
    """One signal at one horizon, on its own; `daily` has its rank IC on each date, of shape (dates,).

    Numbers are NaN where there are too few days. The spread is signed as measured; the net information
    ratio is that of the book held in the signal's own direction.
    """

    horizon_d: int
    daily: NDArray[np.float64]
    days: int
    rank_ic: float
    icir: float
    t: float
    p_value: float
    direction: int
    spread: float
    turnover: float
    net_information_ratio: float


@dataclass(frozen=True)
class Examined:
    """One signal: at each horizon, and its rank IC with the one-day return so many days ahead."""

    horizons: tuple[Measured, ...]
    ahead: NDArray[np.float64]
    half_life_d: float


def examine(
    position: int, signals: NDArray[np.float32], prices: NDArray[np.float64], terms: Terms
) -> Examined:
    """Return all that can be said of one signal without looking at others."""
    scores = signals[position].astype(np.float64)
    ahead = rank_ic_ahead(scores, prices, terms.ahead_d)
    horizons = tuple(_measured(scores, prices, horizon_d, terms) for horizon_d in terms.horizons_d)
    return Examined(horizons, ahead, decay_half_life(terms.ahead_d, ahead))


def correlate(
    position: int, signals: NDArray[np.float32], prices: NDArray[np.float64], terms: Terms
) -> list[float]:
    """Return the mean rank correlation of one signal with each signal after it."""
    scores = signals[position].astype(np.float64)
    # Every so many days are enough: ranks over months hardly move from one day to the next.
    step = min(terms.horizons_d)
    return [
        mean_of(rank_information_coefficient(scores[::step], other[::step].astype(np.float64)))
        for other in signals[position + 1 :]
    ]


def marginal(
    task: tuple[int, int, tuple[int, ...]], signals: NDArray[np.float32], prices: NDArray[np.float64]
) -> tuple[float, float]:
    """Return the mean rank IC, and its t, of what a signal adds to others.

    The task is the signal's position, the horizon, and the positions of the signals before it.
    """
    position, horizon_d, before = task
    targets = forward_returns(prices, horizon_d)
    others = signals[list(before)].astype(np.float64)
    daily = marginal_rank_ic(beyond(signals[position].astype(np.float64), others, targets), targets)
    known = daily[np.isfinite(daily)]
    if known.size and not known.any():
        # A copy: nothing is left of it on any day, so there is nothing to divide by either.
        return 0.0, 0.0
    return mean_of(daily), tested(daily, horizon_d)[1]


def resample(
    task: tuple[int, int, int],
    daily: dict[int, NDArray[np.float64]],
    seed: int,
    block_d: int,
) -> NDArray[np.float64]:
    """Return mean rank ICs on drawn days, of shape (replications, signals).

    The task is the horizon, the first replication and the one after the last. All signals are drawn the same
    days, so that they stay as dependent as they are. Days depend on seed, horizon and replication alone.
    """
    horizon_d, first, stop = task
    values = daily[horizon_d]
    # Shorter blocks would cut apart days whose returns overlap, and the interval would be too narrow.
    length = max(block_d, 3 * horizon_d)
    drawn = []
    for replication in range(first, stop):
        days = stationary_days(seed, horizon_d * 2**32 + replication, values.shape[0], length)
        drawn.append(resampled_mean(values, days))
    return np.array(drawn)


def tested(daily: NDArray[np.float64], horizon_d: int) -> tuple[int, float, float]:
    """Return days with a rank IC, the t-statistic of their mean, and its two-sided p-value."""
    days = int(np.isfinite(daily).sum())
    lags = overlap_lags(days, horizon_d)
    t = newey_west_t(daily, lags)
    return days, t, newey_west_p(t, days, lags, horizon_d)


def mean_of(values: NDArray[np.float64]) -> float:
    """Return the mean of the finite values, NaN where there is none."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else math.nan


def _measured(
    scores: NDArray[np.float64], prices: NDArray[np.float64], horizon_d: int, terms: Terms
) -> Measured:
    targets = forward_returns(prices, horizon_d)
    daily = rank_information_coefficient(scores, targets)
    days, t, p_value = tested(daily, horizon_d)
    rank_ic = mean_of(daily)
    direction = -1 if rank_ic < 0.0 else 1
    spread = quantile_spread(scores, targets, terms.quantiles)
    replaced = turnover(long_short_weights(scores, terms.quantiles), horizon_d)
    net = direction * mean_of(spread) - trading_cost(replaced, terms.cost_bp)
    return Measured(
        horizon_d=horizon_d,
        daily=daily,
        days=days,
        rank_ic=rank_ic,
        icir=annualised_ratio(rank_ic, _deviation(daily), horizon_d),
        t=t,
        p_value=p_value,
        direction=direction,
        spread=mean_of(spread),
        turnover=replaced,
        net_information_ratio=annualised_ratio(net, _deviation(spread), horizon_d),
    )


def _deviation(values: NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    return float(known.std(ddof=1)) if known.size > 1 else math.nan
