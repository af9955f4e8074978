"""Coverage of forecasts over windows of several days: how often losses exceeded them, by luck or not."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlog1py, xlogy
from scipy.stats import beta, chi2

INTERVAL = 0.95
"""Confidence of the interval for the rate of exceptions."""
REJECTED_BELOW = 0.05
"""p-value below which a rate of exceptions is not put down to luck."""


@dataclass(frozen=True)
class Coverage:
    """Exceptions in windows, and what they say about their rate, which should be `1 - confidence`.

    windows and exceptions count those of all offsets; expected is for as many windows. kupiec_p and the
    limits of the rate are those of one offset's number of windows with the average number of exceptions.
    """

    windows: int
    exceptions: int
    expected: float
    offsets: int
    kupiec_p: float
    rate_low: float
    rate_high: float

    @property
    def rejected(self) -> bool:
        """Return whether so far from the expected number is no luck, at 5 %."""
        return self.kupiec_p < REJECTED_BELOW


def origins(first: int, last: int, horizon_d: int, offsets: int) -> NDArray[np.int64]:
    """Return the rows from ``first`` to ``last - 1`` on which a window of ``horizon_d`` days begins.

    Windows of one offset follow each other and never overlap; ``offsets`` of them are spread evenly over the
    horizon. Raises ValueError for more offsets than days in a window.
    """
    if not 1 <= offsets <= horizon_d:
        raise ValueError(f"windows of {horizon_d} days have 1 to {horizon_d} offsets, not {offsets}")
    begins = [number * horizon_d // offsets for number in range(offsets)]
    rows = np.arange(first, last)
    return rows[np.isin((rows - first) % horizon_d, begins)]


def coverage(exceptions: NDArray[np.bool_], confidence: float, offsets: int = 1) -> Coverage:
    """Return what exceptions of shape (windows,) say, from ``offsets`` sets of windows that overlap.

    Within a set the windows do not overlap, so its exceptions are independent if the model is right: Kupiec
    1995, and the exact interval of Clopper & Pearson 1934. The average over the sets varies no more than one
    of them, so with several both are cautious. Raises ValueError without any window.
    """
    if exceptions.size == 0:
        raise ValueError("there must be at least one window")
    windows, count = int(exceptions.size), int(np.sum(exceptions))
    trials, hits, rate = windows / offsets, count / offsets, 1.0 - confidence
    statistic = 2.0 * (_likelihood(hits, trials, hits / trials) - _likelihood(hits, trials, rate))
    outside = (1.0 - INTERVAL) / 2.0
    low = float(beta.ppf(outside, hits, trials - hits + 1.0)) if hits > 0.0 else 0.0
    high = float(beta.ppf(1.0 - outside, hits + 1.0, trials - hits)) if hits < trials else 1.0
    return Coverage(
        windows, count, windows * rate, offsets, float(chi2.sf(max(statistic, 0.0), 1)), low, high
    )


def _likelihood(hits: float, trials: float, probability: float) -> float:
    return float(xlogy(hits, probability) + xlog1py(trials - hits, -probability))
