"""Statistics over rolling windows of prices or returns: what features are made of.

A statistic takes windows of shape (rows, length), each ending on its row's own day, and returns one number a
row, NaN where it is not defined. It is given no other days, so it cannot look ahead.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property

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
    views = [windows(each, length) for each in series]
    for start in range(0, days - length + 1, _ROWS):
        part = statistic(*(view[start : start + _ROWS] for view in views))
        found[start + length - 1 : start + length - 1 + part.size] = part
    return found


def windows(series: NDArray[np.float64], length: int) -> Windows:
    """Return all windows of a length of a series, of shape (days - length + 1, length), without a copy."""
    own = np.ascontiguousarray(series, dtype=np.float64)
    shape = (max(0, own.size - length + 1), length)
    # The checks of the NumPy version take longer than many a statistic.
    return np.ndarray(shape, np.float64, own, strides=(own.itemsize, own.itemsize))


def on_days(
    statistic: Callable[..., NDArray[np.float64]], days: NDArray[np.int64], windows: Sequence[Windows]
) -> NDArray[np.float64]:
    """Return a statistic of windows with bits that depend on each window and its day alone, shape (rows,).

    A product of matrices may round a row by where it stands among how many. So a statistic that may use one
    is always given 128 rows, of 128 calendar days, and every day has its row; a day without a window is
    given that of another.

    Args:
        statistic: of windows of shape (128, length).
        days: calendar day of each row, as a number, each once.
        windows: of each series, of shape (rows, length).
    """
    found = np.full(days.size, np.nan)
    block, slot = np.divmod(days, _ROWS)
    for one in np.unique(block):
        rows = np.flatnonzero(block == one)
        filled = np.full(_ROWS, rows[0])
        filled[slot[rows]] = rows
        found[rows] = statistic(*(each[filled] for each in windows))[slot[rows]]
    return found


class Market:
    """Windows of the market's returns, and what several statistics need of them, computed once."""

    def __init__(self, windows: Windows) -> None:
        """Keep windows of shape (rows, length)."""
        self.windows = windows

    @cached_property
    def moves(self) -> Windows:
        """Return returns less the mean of their window."""
        return _centred(self.windows)

    @cached_property
    def squares(self) -> NDArray[np.float64]:
        """Return the sum of the squared moves of each window."""
        return _dot(self.moves, self.moves)

    @cached_property
    def falls(self) -> Windows:
        """Return returns below zero less their mean, and zero on all other days: those do not count."""
        falls = np.minimum(self.windows, 0.0)
        falling = (falls < 0.0).astype(np.float64)
        count = falling.sum(axis=1)
        mean = falls.sum(axis=1) / np.maximum(count, 1.0)
        return np.asarray(falls - falling * mean[:, np.newaxis])

    @cached_property
    def squared_falls(self) -> NDArray[np.float64]:
        """Return the sum of the squared falls of each window."""
        return _dot(self.falls, self.falls)


def _market(market: Windows | Market) -> Market:
    return market if isinstance(market, Market) else Market(market)


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


def slope(returns: Windows, market: Windows | Market) -> NDArray[np.float64]:
    """Return the least-squares slope, with intercept, of returns on the market's."""
    market = _market(market)
    return _over(_dot(market.moves, returns), market.squares)


def downside_slope(returns: Windows, market: Windows | Market) -> NDArray[np.float64]:
    """Return the slope over the days of each window on which the market's return is below zero.

    Ang, Chen & Xing 2006, with zero for a cutoff, which they use besides the mean.
    """
    market = _market(market)
    return _over(_dot(market.falls, returns), market.squared_falls)


def residual_momentum(returns: Windows, market: Windows | Market, skipped: int) -> NDArray[np.float64]:
    """Return the sum of return - slope * market over their sample standard deviation.

    The slope is that of the whole window; sum and deviation leave out its last `skipped` days. Blitz, Huij &
    Martens 2011 with one factor instead of three, and the intercept left in: residuals of a regression with
    intercept sum to zero over its window, so that those of the first eleven months of twelve would be nothing
    but the last month's with the sign turned. Their window of three years has no such trouble, and would cost
    two more years of every history.
    """
    market = _market(market)
    kept = slice(0, returns.shape[1] - skipped)
    own = returns[:, kept] - slope(returns, market)[:, np.newaxis] * market.windows[:, kept]
    return _over(own.sum(axis=1), deviation(own))


def residual_deviation(returns: Windows, market: Windows | Market) -> NDArray[np.float64]:
    """Return the standard deviation of residuals on the market, with length - 2 degrees of freedom.

    Ang, Hodrick, Xing & Zhang 2006 with one factor instead of three; the regression is of the same window.
    """
    market = _market(market)
    own = _centred(returns)
    beta = _over(_dot(market.moves, own), market.squares)
    residuals = own - beta[:, np.newaxis] * market.moves
    return np.sqrt(_dot(residuals, residuals) / (returns.shape[1] - 2))


def _centred(windows: Windows) -> Windows:
    return np.asarray(windows - np.add.reduce(windows, axis=1, keepdims=True) / windows.shape[1])


def _dot(left: Windows, right: Windows) -> NDArray[np.float64]:
    return np.asarray(np.einsum("ij,ij->i", left, right))


def _over(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a ratio, NaN where the denominator is not above zero: nothing moved."""
    found = np.full(above.shape, math.nan)
    return np.divide(above, below, out=found, where=below > 0.0)
