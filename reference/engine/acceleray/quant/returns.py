"""Simple returns from prices, and compounding of simple returns."""

import numpy as np
from numpy.typing import NDArray


def simple_returns(prices: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return simple returns ``p[t] / p[t-1] - 1`` as decimal fractions, of the same shape as the prices.

    Prices are of shape (days, instruments), in any currency, NaN where missing.
    The first row is NaN, and so is every return next to a missing price: a gap is never bridged.
    Raises ValueError for a price that is zero, negative or infinite.
    """
    prices = np.asarray(prices, dtype=np.float64)
    if prices.ndim != 2:
        raise ValueError(f"prices must be of shape (days, instruments), not {prices.shape}")
    if bool(np.any(prices <= 0)) or bool(np.any(np.isinf(prices))):
        raise ValueError("every price must be positive and finite, or NaN where it is missing")
    returns = np.full(prices.shape, np.nan)
    returns[1:] = prices[1:] / prices[:-1] - 1.0
    return returns


def compound(returns: NDArray[np.float64], axis: int = 0) -> NDArray[np.float64]:
    """Return the compounded simple return ``prod(1 + r) - 1`` along an axis, as a decimal fraction.

    A missing return makes the compounded return missing: the value over the gap is not known.
    """
    return np.asarray(np.prod(1.0 + np.asarray(returns, dtype=np.float64), axis=axis) - 1.0)
