"""How far back the numbers of a risk day reach: the first day whose prices they depend on.

A window counts an instrument's own prices, so a gap makes it reach further back than its length in days. And
it contains returns of the market, each of which spans what lies between two prices of some instrument. Days
are positions in the risk calendar; `new` is of shape (days, instruments), True where a day brings a price.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Days = NDArray[np.int64]


def returns_reach(new: Mask, longest_closed_d: int) -> Days:
    """Return the first day that each day's returns depend on, of shape (days,).

    That is the price before, of whichever instrument has a return on the day: also of one whose market is
    closed, until `longest_closed_d` risk days after its last price.
    """
    days = np.arange(len(new))[:, np.newaxis]
    last = np.maximum.accumulate(np.where(new, days, -1), axis=0)
    before = np.vstack([np.full((1, new.shape[1]), -1), last[:-1]])
    from_ = np.where(new & (before >= 0), before, days)
    closed = ~new & (last >= 0) & (days - last <= longest_closed_d)
    from_ = np.where(closed, last, from_)
    return np.asarray(from_.min(axis=1, initial=len(new)).clip(max=days[:, 0]))


def features_reach(new: Mask, in_market: Mask, prices: int, returns: int) -> Days:
    """Return the first day that each day's features depend on, of shape (days,).

    Args:
        new: of the instruments that have features.
        in_market: which of them the market is the mean of, of shape (instruments,).
        prices: that the longest window of prices contains.
        returns: that the longest window of returns contains.
    """
    days = np.arange(len(new))
    first_price, first_return = days.copy(), days.copy()
    for own in new.T:
        at = np.flatnonzero(own)
        here = np.arange(at.size)
        low = np.maximum(here - max(prices, returns + 1) + 1, 0)
        first_price[at] = np.minimum(first_price[at], at[low])
        # The first price has no return.
        low = np.minimum(np.maximum(here - returns + 1, 1), here)
        first_return[at] = np.minimum(first_return[at], at[low])
    return np.minimum(_least(returns_reach(new[:, in_market], 0), first_return), first_price)


def _least(values: Days, begin: Days) -> Days:
    """Return the least of `values` from `begin` to each position, of shape (positions,)."""
    found, here = values.copy(), np.arange(values.size)
    # Level k knows the least of 2^k values up to each position; two overlapping levels cover any range.
    levels, width = [values], 1
    while 2 * width <= values.size:
        level = levels[-1].copy()
        level[width:] = np.minimum(levels[-1][width:], levels[-1][:-width])
        levels.append(level)
        width *= 2
    power = np.floor(np.log2(here - begin + 1)).astype(np.int64)
    for number, level in enumerate(levels):
        at = np.flatnonzero(power == number)
        found[at] = np.minimum(level[at], level[begin[at] + 2**number - 1])
    return np.minimum(found, begin)
