"""Looking through scenarios for trades and hedges as loops over numbers, for the compiler.

The comparisons and products are those of ``acceleray.quant.hedge_scenarios`` and
``acceleray.quant.block_scans``, so the same scenarios are found in the same order; NumPy sums them.
A few scenarios at a time go through all trades and hedges, so that they stay in the nearest cache.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from acceleray.compiled import Program


def look_through(
    losses: Any,
    returns: Any,
    rows: Any,
    terms: Any,
    within: Any,
    room: Any,
    picks: Any,
    large: Any,
    places: Any,
    some: Any,
    counts: Any,
    beyond: Any,
    begin: int,
    end: int,
) -> int:
    """Look at scenarios from `begin` to `end` of a block; return 1 where there may be more than have room.

    Args:
        losses: (scenarios,) before any trade.
        returns: (instruments, scenarios) of the block.
        rows: (trades + hedges,) of the returns.
        terms: (2, 1 + trades) zero and amounts; the losses below which none is needed, after all trades and
            after all but each one.
        within: (hedges, 7) first and last amount, low and high loss, half the interval, its middle and the
            least loss worth a closer look.
        room: (2, together), overwritten.
        picks: (together,), overwritten.
        large: (1 + trades, most) to be filled with losses after all trades, and after all but each one.
        places: (most,) with the scenarios of the first row of `large`.
        some: (4, hedges, most) losses and returns of scenarios that may be in the tail, then of sure ones.
        counts: (1 + trades + 2 hedges,) what has been found so far: rows of `large`, scenarios that may be in
            the tail, sure ones.
        beyond: (2, hedges) how many so far lose `low` at both ends, and more than `high` at one.
    """
    together, most = room.shape[1], places.size
    trades, hedges = terms.shape[1] - 1, within.shape[0]
    after, values = room[0], room[1]
    start = begin
    while start < end:
        size = min(together, end - start)
        for number in range(counts.size):
            if counts[number] + size > most:
                return 1
        before = losses[start : start + size]
        for place in range(size):
            after[place] = before[place]
        for trade in range(1, 1 + trades):
            unit, amount = returns[rows[trade - 1], start : start + size], terms[0, trade]
            for place in range(size):
                after[place] -= amount * unit[place]
        count, least = counts[0], terms[1, 0]
        for place in range(size):
            if after[place] >= least:
                large[0, count] = after[place]
                places[count] = start + place
                count += 1
        counts[0] = count
        for trade in range(1, 1 + trades):
            unit, amount = returns[rows[trade - 1], start : start + size], terms[0, trade]
            # Without a branch the compiler takes several at a time.
            for place in range(size):
                values[place] = after[place] + amount * unit[place]
            count, least = counts[trade], terms[1, trade]
            for place in range(size):
                if values[place] >= least:
                    large[trade, count] = values[place]
                    count += 1
            counts[trade] = count
        for hedge in range(hedges):
            unit = returns[rows[trades + hedge], start : start + size]
            first, last, low, high = within[hedge, 0], within[hedge, 1], within[hedge, 2], within[hedge, 3]
            half, middle, worth = within[hedge, 4], within[hedge, 5], within[hedge, 6]
            for place in range(size):
                values[place] = (abs(unit[place]) * half + after[place]) - middle * unit[place]
            kept, sure = counts[1 + trades + hedge], counts[1 + trades + hedges + hedge]
            count = 0
            for place in range(size):
                picks[count] = place
                count += 1 if values[place] >= worth else 0
            for number in range(count):
                place = picks[number]
                loss, earned = after[place], unit[place]
                one, other = loss - first * earned, loss - last * earned
                least, greatest = min(one, other), max(one, other)
                beyond[0, hedge] += 1 if least >= low else 0
                beyond[1, hedge] += 1 if greatest > high else 0
                if least > high:
                    some[2, hedge, sure] = loss
                    some[3, hedge, sure] = earned
                    sure += 1
                elif greatest >= low:
                    some[0, hedge, kept] = loss
                    some[1, hedge, kept] = earned
                    kept += 1
            counts[1 + trades + hedge], counts[1 + trades + hedges + hedge] = kept, sure
        start += size
    return 0


def _entry(look: Callable[..., int], carray: Callable[..., Any]) -> Callable[..., int]:
    def entry(
        losses: Any,
        returns: Any,
        rows: Any,
        terms: Any,
        within: Any,
        room: Any,
        picks: Any,
        large: Any,
        places: Any,
        some: Any,
        counts: Any,
        beyond: Any,
        begin: int,
        end: int,
        instruments: int,
        scenarios: int,
        trades: int,
        hedges: int,
        together: int,
        most: int,
    ) -> int:
        return look(
            carray(losses, (scenarios,)),
            carray(returns, (instruments, scenarios)),
            carray(rows, (trades + hedges,)),
            carray(terms, (2, 1 + trades)),
            carray(within, (hedges, 7)),
            carray(room, (2, together)),
            carray(picks, (together,)),
            carray(large, (1 + trades, most)),
            carray(places, (most,)),
            carray(some, (4, hedges, most)),
            carray(counts, (1 + trades + 2 * hedges,)),
            carray(beyond, (2, hedges)),
            begin,
            end,
        )

    return entry


LOOK_THROUGH = Program(
    "look_through",
    (look_through,),
    _entry,
    (
        *["float64*"] * 2,
        "int64*",
        *["float64*"] * 3,
        "int64*",
        "float64*",
        "int64*",
        "float64*",
        *["int64*"] * 2,
        *["int64"] * 8,
    ),
)
