"""Looking through scenarios for trades and hedges as loops over numbers, for the compiler.

The comparisons and products are those of ``acceleray.quant.hedge_scenarios`` and
``acceleray.quant.what_if``, so the same scenarios are found in the same order; NumPy sums them.
Returns are rows of a block (instruments, scenarios), from a first scenario on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from acceleray.compiled import Program


def sort_hedges(
    losses: Any,
    returns: Any,
    rows: Any,
    begin: int,
    within: Any,
    open_losses: Any,
    open_units: Any,
    sure_losses: Any,
    sure_units: Any,
    counts: Any,
) -> int:
    """Part scenarios, for each hedge, into those sure to be in the tail and those that may be.

    losses (scenarios,), rows (hedges,) of the returns. within (hedges, 7) are first and last amount, low and
    high loss, half the interval, its middle and the least loss worth a closer look. What is found is written
    to arrays (hedges, scenarios); counts (hedges, 4) become how many may be and are sure, lose `low` at both
    ends, and more than `high` at one.
    """
    for hedge in range(rows.size):
        first, last, low, high = within[hedge, 0], within[hedge, 1], within[hedge, 2], within[hedge, 3]
        half, middle, least_worth = within[hedge, 4], within[hedge, 5], within[hedge, 6]
        kept, sure, above, beyond = 0, 0, 0, 0
        row = rows[hedge]
        # Without a branch the compiler takes several at a time; what is read is overwritten behind it.
        for place in range(losses.size):
            unit = returns[row, begin + place]
            open_losses[hedge, place] = (abs(unit) * half + losses[place]) - middle * unit
        for place in range(losses.size):
            if open_losses[hedge, place] >= least_worth:
                loss, unit = losses[place], returns[row, begin + place]
                one, other = loss - first * unit, loss - last * unit
                least, most = min(one, other), max(one, other)
                above += 1 if least >= low else 0
                beyond += 1 if most > high else 0
                if least > high:
                    sure_losses[hedge, sure] = loss
                    sure_units[hedge, sure] = unit
                    sure += 1
                elif most >= low:
                    open_losses[hedge, kept] = loss
                    open_units[hedge, kept] = unit
                    kept += 1
        counts[hedge, 0], counts[hedge, 1], counts[hedge, 2], counts[hedge, 3] = kept, sure, above, beyond
    return 0


def without_trades(
    after: Any, returns: Any, rows: Any, begin: int, terms: Any, found: Any, counts: Any
) -> int:
    """Write down, for each trade, the losses without it that are large enough, and how many there are.

    after (scenarios,), rows (trades,) of the returns, terms (2, trades) are amounts and the least losses.
    """
    for trade in range(rows.size):
        amount, least, count, row = terms[0, trade], terms[1, trade], 0, rows[trade]
        for place in range(after.size):
            found[trade, place] = after[place] + amount * returns[row, begin + place]
        for place in range(after.size):
            before = found[trade, place]
            if before >= least:
                found[trade, count] = before
                count += 1
        counts[trade] = count
    return 0


def _hedge_entry(sort: Callable[..., int], carray: Callable[..., Any]) -> Callable[..., int]:
    def entry(
        losses: Any,
        returns: Any,
        rows: Any,
        within: Any,
        open_losses: Any,
        open_units: Any,
        sure_losses: Any,
        sure_units: Any,
        counts: Any,
        hedges: int,
        size: int,
        instruments: int,
        scenarios: int,
        begin: int,
    ) -> int:
        return sort(
            carray(losses, (size,)),
            carray(returns, (instruments, scenarios)),
            carray(rows, (hedges,)),
            begin,
            carray(within, (hedges, 7)),
            carray(open_losses, (hedges, size)),
            carray(open_units, (hedges, size)),
            carray(sure_losses, (hedges, size)),
            carray(sure_units, (hedges, size)),
            carray(counts, (hedges, 4)),
        )

    return entry


def _without_entry(without: Callable[..., int], carray: Callable[..., Any]) -> Callable[..., int]:
    def entry(
        after: Any,
        returns: Any,
        rows: Any,
        terms: Any,
        found: Any,
        counts: Any,
        trades: int,
        size: int,
        instruments: int,
        scenarios: int,
        begin: int,
    ) -> int:
        return without(
            carray(after, (size,)),
            carray(returns, (instruments, scenarios)),
            carray(rows, (trades,)),
            begin,
            carray(terms, (2, trades)),
            carray(found, (trades, size)),
            carray(counts, (trades,)),
        )

    return entry


SORT_HEDGES = Program(
    "sort_hedges",
    (sort_hedges,),
    _hedge_entry,
    ("float64*", "float64*", "int64*", *["float64*"] * 5, "int64*", *["int64"] * 5),
)
WITHOUT_TRADES = Program(
    "without_trades",
    (without_trades,),
    _without_entry,
    ("float64*", "float64*", "int64*", "float64*", "float64*", "int64*", *["int64"] * 5),
)
