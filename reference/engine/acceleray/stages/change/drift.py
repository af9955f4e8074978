"""Today's positions at the prices of the previous run: prices move weights without trades."""

from __future__ import annotations

from collections.abc import Set
from datetime import date

import numpy as np
from numpy.typing import NDArray

from acceleray.engines.handoff.arrays import Panel
from acceleray.stages.book.book import Book
from acceleray.stages.book.lines import CURRENCY, Lines


def at_prices_before(
    book: Book, returns: Panel, before: date, quantities: Set[tuple[str, str]], fixed: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the weights (portfolios, lines) that today's quantities had at the close of an earlier day.

    exposure before = exposure / growth of price and rate; NAV before = NAV less what the lines have earned
    since. Adjusted prices are used: a split or a dividend is no trade. A position whose quantity is not known
    keeps its weight: a share of NAV that is given every day does not drift.

    Args:
        book: of today, on the lines that are compared.
        returns: up to today, simple.
        before: the earlier day.
        quantities: portfolio and instrument of each position with a known quantity.
        fixed: (instruments,) whose returns are changes over a fixed level, which do not compound.
    """
    since = returns.dates > np.datetime64(before)
    if not quantities or not since.any():
        return book.weights
    # A day without a price moves nothing; the move counts on the day it is known.
    moved = np.prod(1.0 + np.nan_to_num(returns.values[since]), axis=0) - 1.0
    moved[fixed] = 0.0
    earned, names = book.lines.of(moved), book.lines.instruments
    growth = {base: _growth(book.lines, earned, base) for base in dict.fromkeys(book.currencies)}
    found = book.weights.copy()
    for place, name in enumerate(book.portfolios):
        known = np.array([(name, held) in quantities for held in names], dtype=np.bool_)
        then = np.where(known, book.weights[place] / growth[book.currencies[place]], 0.0)
        nav = 1.0 - float(np.sum(then * earned))
        if nav > 0.0:
            found[place, known] = then[known] / nav
    return found


def _growth(lines: Lines, earned: NDArray[np.float64], base: str) -> NDArray[np.float64]:
    """Return by what the exposure of each line (lines,) has grown in a base currency."""
    growth = 1.0 + earned
    of_currency = {
        line.instrument_id: len(lines.own) + place
        for place, line in enumerate(lines.more)
        if line.part == CURRENCY and line.base == base and line.held >= 0
    }
    at = {name: place for place, name in enumerate(lines.instruments) if lines.parts[place] != CURRENCY}
    for name, place in of_currency.items():
        if name in at:
            # (1 + r)(1 + fx): r from the price line, fx (1 + r) from that of the currency.
            growth[at[name]] = 1.0 + earned[at[name]] + earned[place]
            growth[place] = growth[at[name]]
    return growth
