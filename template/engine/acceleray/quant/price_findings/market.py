"""Market moves by day, small enough to be sent to every task."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

BINS_PER_UNIT = 500
"""Bins of log returns are 0.2 % wide: fine against a jump, and few enough to be counted by day."""

LARGEST_BIN = 500
"""Log returns beyond 1 in size share the outer bins; only their order counts."""

UNCHANGED = 10_000
"""The bin of prices that repeat exactly; it counts as a return of zero."""

FEWEST_STEPS = 20
"""Steps between prices that tell a frequency; a month of days, or five months of weeks."""

WEEKLY_D = 4.0
"""Median of the days between two prices from which a series is weekly: holidays never make it four."""

MONTHLY_D = 20.0
"""The same for monthly."""

FEWEST_OTHERS = 2
"""With fewer others that have a return on a day nothing is known of the market on it."""

MOST_SHARED = 3.0
"""A move up to so many times the market's, in its direction, is taken as shared: a beta of three."""


def frequency_of(days: NDArray[np.datetime64]) -> str:
    """Return `daily`, `weekly` or `monthly` by the median step between ascending days; daily if too few."""
    if days.size <= FEWEST_STEPS:
        return "daily"
    step = float(np.median(np.diff(days).astype(np.int64)))
    return "monthly" if step >= MONTHLY_D else "weekly" if step >= WEEKLY_D else "daily"


@dataclass(frozen=True)
class Market:
    """Median log returns by day, and who had a price.

    Attributes:
        days: every day with an accepted price, shape (days,), ascending.
        listed: instruments with a return on it, shape (days,).
        unchanged: share of them whose price repeats exactly, shape (days,); NaN without any.
        middle: median log return, shape (days,), 0 where it is not known.
        without_lowest: the same after taking the lowest return away: the median of the others, as an
            instrument that fell most sees it, shape (days,).
        without_highest: the same as an instrument that rose most sees it, shape (days,).
    """

    days: NDArray[np.datetime64]
    listed: NDArray[np.int64]
    unchanged: NDArray[np.float64]
    middle: NDArray[np.float64]
    without_lowest: NDArray[np.float64]
    without_highest: NDArray[np.float64]

    @property
    def step_d(self) -> float:
        """Return the median of the calendar days between two days with prices; 1 with fewer than two."""
        return float(np.median(np.diff(self.days).astype(np.int64))) if self.days.size > 1 else 1.0

    @cached_property
    def frequency(self) -> str:
        """Return `daily`, `weekly` or `monthly`, by the days of all instruments."""
        return frequency_of(self.days)

    @property
    def unit(self) -> str:
        """Return what one step of the days is: day, week or month."""
        return {"daily": "day", "weekly": "week", "monthly": "month"}[self.frequency]

    @cached_property
    def _sums(self) -> NDArray[np.float64]:
        return np.concatenate(([0.0], np.cumsum(self.middle)))

    def moved(
        self, start: NDArray[np.datetime64], end: NDArray[np.datetime64], rose: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Return the others' median log return after each `start` up to each `end`, shape of `end`.

        `rose` says which way the instrument itself went, so that its own return is taken out of the last day.
        """
        until = np.searchsorted(self.days, end)
        since = np.searchsorted(self.days, start, side="right")
        own_day = np.where(rose, self.without_highest[until], self.without_lowest[until])
        return np.asarray(self._sums[until] - self._sums[np.minimum(since, until)] + own_day)


def binned(log_returns: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the bin of each log return, `UNCHANGED` for exact zeros."""
    bins = np.clip(np.rint(log_returns * BINS_PER_UNIT), -LARGEST_BIN, LARGEST_BIN).astype(np.int64)
    return np.where(log_returns == 0.0, UNCHANGED, bins)


def market_of(days: NDArray[np.datetime64], bins: NDArray[np.int64], counts: NDArray[np.int64]) -> Market:
    """Return the market from how many instruments had which return on which day.

    Args:
        days: shape (rows,), in any order; every day with a price is there at least once.
        bins: as `binned` gives them, shape (rows,).
        counts: instruments, shape (rows,); 0 on a day on which prices begin.
    """
    grid, at = np.unique(days, return_inverse=True)
    listed = np.bincount(at, weights=counts, minlength=grid.size).astype(np.int64)
    still = np.bincount(at, weights=np.where(bins == UNCHANGED, counts, 0), minlength=grid.size)
    values = np.where(bins == UNCHANGED, 0, bins)
    order = np.lexsort((values, at))
    at, values, counts = at[order], values[order], counts[order]
    reached = np.cumsum(counts)
    before = np.concatenate(([0], np.cumsum(listed)))[:-1]

    def ranked(rank: NDArray[np.int64]) -> NDArray[np.float64]:
        wanted = before + np.clip(rank, 0, np.maximum(listed - 1, 0))
        place = np.minimum(np.searchsorted(reached, wanted, side="right"), max(values.size - 1, 0))
        return np.asarray(values[place] / BINS_PER_UNIT)

    def median(skipped: int, size: NDArray[np.int64], fewest: int) -> NDArray[np.float64]:
        middle = 0.5 * (ranked(skipped + (size - 1) // 2) + ranked(skipped + size // 2))
        return np.where(size >= fewest, middle, 0.0)

    share = np.divide(still, listed, out=np.full(grid.size, np.nan), where=listed > 0)
    return Market(
        grid,
        listed,
        share,
        median(0, listed, FEWEST_OTHERS + 1),
        median(1, listed - 1, FEWEST_OTHERS),
        median(0, listed - 1, FEWEST_OTHERS),
    )


def excess(moves: NDArray[np.float64], market: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what a market with a beta of up to `MOST_SHARED` leaves of log returns, same shape and sign."""
    shared = np.where(np.sign(market) == np.sign(moves), MOST_SHARED * np.abs(market), 0.0)
    return np.asarray(np.sign(moves) * np.maximum(np.abs(moves) - shared, 0.0))
