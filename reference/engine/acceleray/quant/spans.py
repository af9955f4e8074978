"""Returns of one instrument from risk day to risk day, over whatever lies between its prices.

A return is P[t] / P[s] - 1, s being the last day before t with a price, and is dated on the day it is known.
So no move is lost because a day is missing: a weekend belongs to Monday, a closed market earns zero and on
reopening its whole move.

A price that may be zero or negative, as that of oil was on 2020-04-20, has no such ratio. Its return is
arithmetic, (P[t] - P[s]) / L with a level L that never changes: a position loses the whole change, and
returns add up over time where others compound.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


def change(
    before: NDArray[np.float64], after: NDArray[np.float64], level: float | None = None
) -> NDArray[np.float64]:
    """Return simple returns between prices of one shape, or arithmetic ones where there is a level."""
    return np.asarray(after / before - 1.0 if level is None else (after - before) / level)


@dataclass(frozen=True)
class Spans:
    """Risk days of one instrument, ascending; arrays are of shape (rows,).

    Attributes:
        day: position in the risk calendar.
        price: last known price.
        simple: return since the risk day before, NaN on the first.
        span_d: risk days that the return spans; 0 on a day without a price, on which it is zero.
    """

    day: NDArray[np.int64]
    price: NDArray[np.float64]
    simple: NDArray[np.float64]
    span_d: NDArray[np.int64]


def spans(
    risk_days: NDArray[np.datetime64],
    dates: NDArray[np.datetime64],
    prices: NDArray[np.float64],
    longest_closed_d: int,
    level: float | None = None,
) -> Spans:
    """Return the rows of an instrument, from the first risk day with a known price on.

    After `longest_closed_d` risk days without a price there are no more rows until there is one again:
    whether it comes back is not known then, so no row depends on it.

    Args:
        risk_days: ascending.
        dates: of the instrument's prices, ascending; prices are finite, and above zero without a level.
        prices: of shape (dates,).
        longest_closed_d: risk days.
        level: that of arithmetic returns.
    """
    known = np.searchsorted(dates, risk_days, side="right") - 1
    day = np.flatnonzero(known >= 0)
    at = known[day]
    if not day.size:
        return Spans(day, np.empty(0), np.empty(0), day)
    new = np.concatenate(([True], at[1:] != at[:-1]))
    last_new = np.maximum.accumulate(np.where(new, np.arange(day.size), 0))
    price = prices[at]
    simple = np.concatenate(([np.nan], np.where(new[1:], change(price[:-1], price[1:], level), 0.0)))
    since = np.concatenate(([1], np.arange(1, day.size) - last_new[:-1]))
    span_d = np.where(new, since, 0)
    kept = new | (np.arange(day.size) - last_new <= longest_closed_d)
    return Spans(day[kept], price[kept], simple[kept], span_d[kept])


def forward(
    risk_days: NDArray[np.datetime64],
    dates: NDArray[np.datetime64],
    prices: NDArray[np.float64],
    horizon_d: int,
    level: float | None = None,
) -> NDArray[np.float64]:
    """Return each risk day's return over the next `horizon_d` risk days, of shape (risk_days,).

    NaN before the first price and where the end is not yet known. An instrument whose price has ended keeps
    its last one, so that targets hold what its holder was left with.
    """
    known = np.searchsorted(dates, risk_days, side="right") - 1
    price = np.where(known >= 0, prices[known], np.nan)
    found = np.full(risk_days.size, np.nan)
    if horizon_d < risk_days.size:
        found[:-horizon_d] = change(price[:-horizon_d], price[horizon_d:], level)
    return found


def last_prices(
    dates: NDArray[np.datetime64], prices: NDArray[np.float64], risk_days: NDArray[np.datetime64]
) -> NDArray[np.float64]:
    """Return the last known price on each risk day, of shape (risk_days, instruments), NaN before the first.

    `dates` ascend; `prices` are of shape (dates, instruments), NaN where there is none.
    """
    rows = np.arange(len(prices))[:, None]
    last = np.maximum.accumulate(np.where(np.isfinite(prices), rows, -1), axis=0)
    at = np.searchsorted(dates, risk_days, side="right") - 1
    known = np.where((at >= 0)[:, None], last[at], -1)
    return np.where(known >= 0, np.take_along_axis(prices, np.maximum(known, 0), axis=0), np.nan)


def held(returns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what a position earns each day, of shape (days, instruments): zero for NaN after the first
    return.

    NaN stays before it, where the instrument was not listed.
    """
    listed = np.maximum.accumulate(np.isfinite(returns), axis=0)
    return np.where(listed & ~np.isfinite(returns), 0.0, returns)


def outside(
    returns: NDArray[np.float64], span_d: NDArray[np.float64], longest_span_d: int
) -> NDArray[np.float64]:
    """Return what a day that the model does not see did, as a return of one day; NaN on all other days.

    Zero where the market was closed. A return over more than `longest_span_d` risk days is divided by the
    root of its span, because variance grows with time: it is not lost to joint draws of days, and no draw
    takes for one day what many did. Arguments as in `modelled`.
    """
    scaled = returns / np.sqrt(np.maximum(span_d, 1.0))
    closed = np.where(span_d == 0, 0.0, np.nan)
    return np.where(span_d > longest_span_d, scaled, closed)


def modelled(
    returns: NDArray[np.float64], span_d: NDArray[np.float64], longest_span_d: int
) -> NDArray[np.float64]:
    """Return what a volatility model may see: NaN where the market was closed or had been for long.

    Args:
        returns: of shape (days, instruments), NaN where there is none.
        span_d: risk days that each spans, of the same shape, 0 where the market was closed.
        longest_span_d: a return over more risk days than this is no return of one day.
    """
    return np.where((span_d >= 1) & (span_d <= longest_span_d), returns, np.nan)
