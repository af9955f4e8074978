"""Prices that hardly move: cash, a money-market fund, a pegged rate. They need no volatility model.

A GARCH model of accruals or of a rounded constant finds nothing to explain, and a Student-t density can be
made infinite on equal returns. Such an instrument is held with its own tiny volatility.
"""

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.garch import GjrFit, GjrParameters
from acceleray.quant.spans import change

CASH_LIKE_SIGMA = 5e-4
"""Standard deviation of daily returns up to which a price counts as cash: 0.8 % a year, where the calmest
short bond funds begin."""
SMALLEST_SIGMA = 1e-9
"""Volatility of a price that never moved: a billionth of it a day."""
NU_OF_NEARLY_NORMAL = 500.0
"""Degrees of freedom at which Student's t is as good as normal."""


def cash_like(returns: NDArray[np.float64]) -> bool:
    """Return whether a series of simple returns, of shape (days,), moves no more than cash does."""
    return returns.size > 0 and float(np.std(returns)) <= CASH_LIKE_SIGMA


def cash_like_so_far(prices: NDArray[np.float64], level: float | None = None) -> NDArray[np.bool_]:
    """Return for each price, of shape (days,), whether returns up to it moved no more than cash does.

    Only the past decides, so no day is judged by later ones. `level` is that of arithmetic returns.
    """
    if prices.size < 2:
        return np.ones(prices.size, dtype=bool)
    returns = change(prices[:-1], prices[1:], level)
    count = np.arange(1, returns.size + 1)
    mean = np.cumsum(returns) / count
    variance = np.cumsum(returns * returns) / count - mean * mean
    return np.concatenate(([True], variance <= CASH_LIKE_SIGMA**2))


def of_constant_variance(
    status: Literal["held", "proxied"], reason: str, observations: int, mu: float, sigma: float, nu: float
) -> GjrFit:
    """Return a model without dynamics: every day has mean `mu` and volatility `sigma`, and shocks like
    `nu`."""
    # A price that never moved has no volatility; this one is zero for every book, and divides.
    sigma = max(sigma, SMALLEST_SIGMA)
    return GjrFit(
        status=status,
        reason=reason,
        observations=observations,
        parameters=GjrParameters(mu, sigma**2, 0.0, 0.0, 0.0, nu),
        standard_errors=None,
        log_likelihood=math.nan,
        converged=False,
        at_bound="",
        initial_variance=sigma**2,
        next_sigma=sigma,
    )
