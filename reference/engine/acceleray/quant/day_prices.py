"""Prices of many instruments on the risk calendar, and what follows day by day: returns, and the market's.

Arrays are of shape (days, instruments). A price counts on the first risk day that knows it, so that one of a
weekend belongs to Monday; NaN where a risk day brings none. What is said of a part of the days is said of
all: no number depends on where the part begins, as long as it reaches back to the price before.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.spans import change

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class DayPrices:
    """The prices that are new on each risk day.

    Attributes:
        days: the risk calendar, ascending, of shape (days,).
        instruments: ascending.
        prices: of shape (days, instruments), NaN where there is no new one.
    """

    days: NDArray[np.datetime64]
    instruments: tuple[str, ...]
    prices: Matrix

    def of(self, wanted: NDArray[np.bool_]) -> DayPrices:
        """Return those of some instruments, a mask of shape (instruments,)."""
        names = tuple(name for name, there in zip(self.instruments, wanted, strict=True) if there)
        return DayPrices(self.days, names, self.prices[:, wanted])


@dataclass(frozen=True)
class DayReturns:
    """Values of each instrument on each risk day.

    Attributes:
        price: last one known, NaN before the first.
        simple: return since the risk day before: over whatever lies between two prices on the day it is
            known, zero on a day without a price, NaN on the first and where the instrument has no row.
        span_d: risk days that the return spans, 0 on a day without a price; nothing where `simple` is NaN.
    """

    price: Matrix
    simple: Matrix
    span_d: NDArray[np.int64]


def day_prices(
    risk_days: NDArray[np.datetime64],
    dates: NDArray[np.datetime64],
    instruments: NDArray[np.int64],
    names: tuple[str, ...],
    prices: Matrix,
) -> DayPrices:
    """Return prices on the risk calendar; those after its last day are known to no day.

    Args:
        risk_days: ascending.
        dates: of the prices, in any order, of shape (prices,).
        instruments: position of each price's instrument in `names`.
        names: ascending.
        prices: of shape (prices,), each date and instrument once.
    """
    day = np.searchsorted(risk_days, dates, side="left")
    known = day < risk_days.size
    found = np.full((risk_days.size, len(names)), np.nan)
    exact = np.zeros(known.size, dtype=np.bool_)
    exact[known] = risk_days[day[known]] == dates[known]
    # Of several prices since the risk day before the last one counts, and none is later than the day itself.
    early = np.flatnonzero(known & ~exact)
    early = early[np.argsort(dates[early], kind="stable")][::-1]
    _, last = np.unique(day[early] * len(names) + instruments[early], return_index=True)
    for rows in (early[last], np.flatnonzero(exact)):
        found[day[rows], instruments[rows]] = prices[rows]
    return DayPrices(risk_days, names, found)


def day_returns(prices: Matrix, longest_closed_d: int, levels: NDArray[np.float64]) -> DayReturns:
    """Return what follows from new prices of consecutive risk days.

    See `quant.spans` for what a return spans.

    Args:
        prices: of shape (days, instruments).
        longest_closed_d: risk days without a price after which an instrument has no rows.
        levels: of arithmetic returns, of shape (instruments,), NaN where returns are simple.
    """
    days = np.arange(len(prices))[:, np.newaxis]
    new = np.isfinite(prices)
    last = np.maximum.accumulate(np.where(new, days, -1), axis=0)
    before = np.vstack([np.full((1, prices.shape[1]), -1), last[:-1]])
    price = _at(prices, last)
    level = np.broadcast_to(levels, prices.shape)
    earlier = _at(prices, before)
    with np.errstate(divide="ignore", invalid="ignore"):
        # A price that may be zero has a level.
        simple = np.where(np.isfinite(level), (price - earlier) / level, change(earlier, price))
    closed = ~new & (last >= 0) & (days - last <= longest_closed_d)
    simple = np.where(new, simple, np.where(closed, 0.0, np.nan))
    return DayReturns(price, simple, np.where(new, days - before, 0))


def market(returns: Matrix) -> NDArray[np.float64]:
    """Return the equal-weight mean of the returns of each day, of shape (days,), NaN on a day without one.

    Sums of doubles depend on their order: sorted, they have the same bits whatever the order of instruments.
    """
    count = np.isfinite(returns).sum(axis=1)
    if not returns.shape[1]:
        return np.full(len(returns), np.nan)
    sums = np.add.accumulate(np.sort(returns, axis=1), axis=1)
    total = np.take_along_axis(sums, np.maximum(count - 1, 0)[:, np.newaxis], axis=1)[:, 0]
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def ahead(price: Matrix, horizon_d: int) -> Matrix:
    """Return each day's return over the next `horizon_d` risk days from last known prices, NaN at the end.

    An instrument whose price has ended keeps its last one, so that targets hold what its holder was left
    with.
    """
    found = np.full(price.shape, np.nan)
    if horizon_d < len(price):
        found[:-horizon_d] = change(price[:-horizon_d], price[horizon_d:])
    return found


def _at(prices: Matrix, rows: NDArray[np.int64]) -> Matrix:
    found = np.take_along_axis(prices, np.maximum(rows, 0), axis=0)
    return np.where(rows >= 0, found, np.nan)
