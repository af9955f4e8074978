"""Statistics over rolling windows of prices or returns: what features are made of.

A statistic takes windows of shape (rows, length), each ending on its row's own day, and returns one number a
row, NaN where it is not defined. It is given no other days, so it cannot look ahead.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Windows = NDArray[np.float64]
# Windows copied at a time: enough to keep NumPy busy, few enough to stay in the processor's cache.
_ROWS = 128


def rolling(
    statistic: Callable[..., NDArray[np.float64]], length: int, *series: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return a statistic of the last `length` values of each series, on each day, of shape (days,).

    All series are of shape (days,). NaN on the first length - 1 days, which have no full window.
    """
    days = series[0].size
    found = np.full(days, np.nan)
    if days < length:
        return found
    views = [np.lib.stride_tricks.sliding_window_view(each, length) for each in series]
    for start in range(0, days - length + 1, _ROWS):
        part = statistic(*(view[start : start + _ROWS] for view in views))
        found[start + length - 1 : start + length - 1 + part.size] = part
    return found


def change(prices: Windows, skipped: int = 0) -> NDArray[np.float64]:
    """Return the price `skipped` days before the last over the first of each window, less one."""
    return prices[:, prices.shape[1] - 1 - skipped] / prices[:, 0] - 1.0


def drawdown(prices: Windows) -> NDArray[np.float64]:
    """Return the last price over the highest of each window, less one: zero or below."""
    return prices[:, -1] / prices.max(axis=1) - 1.0


def largest(returns: Windows) -> NDArray[np.float64]:
    """Return the largest return of each window."""
    return np.asarray(returns.max(axis=1))


def deviation(returns: Windows) -> NDArray[np.float64]:
    """Return the sample standard deviation of each window."""
    centred = _centred(returns)
    return np.sqrt(_dot(centred, centred) / (returns.shape[1] - 1))


def downside_deviation(returns: Windows) -> NDArray[np.float64]:
    """Return the root of the mean of min(return, 0) squared (Sortino & van der Meer 1991, target zero)."""
    losses = np.minimum(returns, 0.0)
    return np.sqrt(_dot(losses, losses) / returns.shape[1])


def skewness(returns: Windows) -> NDArray[np.float64]:
    """Return the third central moment over the 3/2 power of the second, without correction for bias."""
    centred = _centred(returns)
    squares = centred * centred
    second, third = squares.mean(axis=1), _dot(squares, centred) / returns.shape[1]
    return _over(third, second * np.sqrt(second))


def slope(returns: Windows, market: Windows) -> NDArray[np.float64]:
    """Return the least-squares slope, with intercept, of returns on the market's."""
    moves = _centred(market)
    return _over(_dot(moves, returns), _dot(moves, moves))


def downside_slope(returns: Windows, market: Windows) -> NDArray[np.float64]:
    """Return the slope over the days of each window on which the market's return is below zero.

    Ang, Chen & Xing 2006, with zero for a cutoff, which they use besides the mean.
    """
    falls = np.minimum(market, 0.0)
    falling = (falls < 0.0).astype(np.float64)
    count = falling.sum(axis=1)
    mean = falls.sum(axis=1) / np.maximum(count, 1.0)
    # Zero on all other days, so that they do not count.
    moves = falls - falling * mean[:, np.newaxis]
    return _over(_dot(moves, returns), _dot(moves, moves))


def residual_momentum(returns: Windows, market: Windows, skipped: int) -> NDArray[np.float64]:
    """Return the sum of return - slope * market over their sample standard deviation.

    The slope is that of the whole window; sum and deviation leave out its last `skipped` days. Blitz, Huij &
    Martens 2011 with one factor instead of three, and the intercept left in: residuals of a regression with
    intercept sum to zero over its window, so that those of the first eleven months of twelve would be nothing
    but the last month's with the sign turned. Their window of three years has no such trouble, and would cost
    two more years of every history.
    """
    kept = slice(0, returns.shape[1] - skipped)
    own = returns[:, kept] - slope(returns, market)[:, np.newaxis] * market[:, kept]
    return _over(own.sum(axis=1), deviation(own))


def residual_deviation(returns: Windows, market: Windows) -> NDArray[np.float64]:
    """Return the standard deviation of residuals on the market, with length - 2 degrees of freedom.

    Ang, Hodrick, Xing & Zhang 2006 with one factor instead of three; the regression is of the same window.
    """
    moves, own = _centred(market), _centred(returns)
    beta = _over(_dot(moves, own), _dot(moves, moves))
    residuals = own - beta[:, np.newaxis] * moves
    return np.sqrt(_dot(residuals, residuals) / (returns.shape[1] - 2))


def _centred(windows: Windows) -> Windows:
    return np.asarray(windows - windows.mean(axis=1, keepdims=True))


def _dot(left: Windows, right: Windows) -> NDArray[np.float64]:
    return np.asarray(np.einsum("ij,ij->i", left, right))


def _over(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a ratio, NaN where the denominator is not above zero: nothing moved."""
    found = np.full(above.shape, math.nan)
    return np.divide(above, below, out=found, where=below > 0.0)
