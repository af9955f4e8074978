"""Alternative targets for scores besides the raw return: adjusted for risk or the market.

A signal may rank raw returns because it ranks volatility, or beta in a rising market. Held against a return
over its own volatility, and against what beta leaves of it, such a signal has nothing left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.rolling import deviation, rolling, slope

VOLATILITY_D, BETA_D = 63, 252
"""Returns that volatility and beta are estimated from: a quarter and a year, as in the features."""

RAW, VOLATILITY_SCALED, RESIDUAL = "rank", "volatility_scaled", "residual"


@dataclass(frozen=True)
class OtherTargets:
    """Targets of the same rows as the examples; NaN where volatility or beta is not known yet.

    Attributes:
        volatility_scaled: (rows,) forward return over the standard deviation of the last 63 daily returns.
        residual: (rows,) forward return less beta times the mean forward return of the day's instruments.
    """

    volatility_scaled: NDArray[np.float64]
    residual: NDArray[np.float64]


def volatility_and_beta(
    returns: NDArray[np.float64], market: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return volatility and beta, each of shape (days, instruments), from returns up to each day.

    Args:
        returns: (days, instruments) daily, NaN where an instrument did not trade; such days are left out.
        market: (days,) of the market.
    """
    volatility, beta = np.full(returns.shape, np.nan), np.full(returns.shape, np.nan)
    for place, own in enumerate(returns.T):
        traded = np.isfinite(own)
        volatility[traded, place] = rolling(deviation, VOLATILITY_D, own[traded])
        beta[traded, place] = rolling(slope, BETA_D, own[traded], market[traded])
    return volatility, beta


def other_targets(
    forward: NDArray[np.float64],
    date: NDArray[np.int64],
    volatility: NDArray[np.float64],
    beta: NDArray[np.float64],
) -> OtherTargets:
    """Return the other targets of rows.

    Args:
        forward: (rows,) simple return over the horizon.
        date: (rows,) position of each row's date.
        volatility: (rows,) daily, known on the day.
        beta: (rows,) known on the day.
    """
    known = np.isfinite(forward)
    count = np.bincount(date[known])
    market = np.bincount(date[known], weights=forward[known]) / np.maximum(count, 1)
    market = np.append(market, np.zeros(max(0, int(date.max(initial=-1)) + 1 - market.size)))
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = np.where(volatility > 0.0, forward / volatility, np.nan)
    return OtherTargets(scaled, forward - beta * market[date])
