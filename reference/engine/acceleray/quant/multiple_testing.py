"""Many tests at once: how much evidence is left of each when the best of many is bound to look good.

All functions take p-values of shape (tests,) and return adjusted ones of the same shape: a test survives a
level if its adjusted value is at most that level. NaN marks a test that could not be made and does not count.
ValueError for a p-value outside 0 to 1.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray


def benjamini_hochberg(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the false-discovery rate at which each test survives (Benjamini & Hochberg 1995, eq. 1).

    Of all tests with a value of at most q, a share of q is expected to be luck at most, if tests are
    independent or depend on each other positively.
    """
    return _adjusted(p_values, lambda ordered: _step_up(ordered, 1.0))


def benjamini_yekutieli(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the same under any dependence between tests (Benjamini & Yekutieli 2001, theorem 1.3).

    The price is a factor of 1 + 1/2 + ... + 1/tests.
    """

    def under_any(ordered: NDArray[np.float64]) -> NDArray[np.float64]:
        return _step_up(ordered, float(np.sum(1.0 / np.arange(1, ordered.size + 1))))

    return _adjusted(p_values, under_any)


def bonferroni(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the level at which each test survives if not even one false discovery is wanted."""
    return _adjusted(p_values, lambda ordered: ordered * float(ordered.size))


def holm(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the same as ``bonferroni`` in steps, which rejects at least as much (Holm 1979)."""
    return _adjusted(
        p_values, lambda ordered: np.maximum.accumulate(ordered * np.arange(ordered.size, 0, -1))
    )


def _step_up(ordered: NDArray[np.float64], price: float) -> NDArray[np.float64]:
    share = np.arange(1, ordered.size + 1) / float(ordered.size)
    return np.asarray(np.minimum.accumulate((ordered / (share / price))[::-1])[::-1])


def _adjusted(
    p_values: NDArray[np.float64], adjust: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Return what ``adjust`` makes of the p-values in ascending order, at most one, in the order given."""
    p_values = np.asarray(p_values, dtype=np.float64)
    made = np.flatnonzero(np.isfinite(p_values))
    if ((p_values[made] < 0.0) | (p_values[made] > 1.0)).any():
        raise ValueError("a p-value lies between 0 and 1")
    adjusted = np.full(p_values.shape, np.nan)
    order = made[np.argsort(p_values[made])]
    adjusted[order] = np.minimum(adjust(p_values[order]), 1.0)
    return adjusted
