"""One look at a block of scenarios: the largest losses after trades, and what matters to each hedge.

Machine code and NumPy find the same, to the bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.hedge_scans import LOOK_THROUGH
from acceleray.quant.hedge_scenarios import Interval, Sorted, Sure, sorted_out, terms_of
from acceleray.quant.line_returns import CASH, TOGETHER, Parts, losses_after, place_of, unit_returns
from acceleray.quant.path_walks import machine_code

# Scenarios that machine code takes through all trades and hedges together.
_NEAREST = 1024
# Of a block: more are rarely near a tail, and what is not touched costs no memory.
_LARGE = 0.25


@dataclass(frozen=True)
class Trades:
    """Request for every block.

    Attributes:
        units: first those that are traded, then those that may hedge; each the sum of lines times numbers.
        amounts: (trades,) bought, as shares of NAV; a sale is negative.
        losses: (1 + trades,) below which no loss is needed, after all trades and after all but each one.
        hedges: where the best amount of each hedge lies.
        compiled_in: where machine code is kept: faster, and the same to the bit.
    """

    units: tuple[Parts, ...]
    amounts: NDArray[np.float64]
    losses: NDArray[np.float64]
    hedges: tuple[Interval, ...] = ()
    compiled_in: Path | None = None


@dataclass(frozen=True)
class Seen:
    """Result of one block: largest losses after all trades with their rows, after all but each, hedges."""

    losses: NDArray[np.float64]
    rows: NDArray[np.int64]
    without: list[NDArray[np.float64]]
    hedges: list[Sorted]

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what travels between processes: one array instead of some dozens."""
        opened = [part for each in self.hedges for part in (each.losses, each.units)]
        parts = [self.losses, *self.without, *opened]
        sizes = [each.size for each in parts]
        numbers = [(each.sure, each.least_above, each.most_above) for each in self.hedges]
        return _unpacked, (np.concatenate(parts), self.rows, sizes, numbers)


def _unpacked(
    flat: NDArray[np.float64],
    rows: NDArray[np.int64],
    sizes: Sequence[int],
    numbers: Sequence[tuple[Sure, int, int]],
) -> Seen:
    parts, first = [], 0
    for size in sizes:
        parts.append(flat[first : first + size])
        first += size
    opened = len(parts) - 2 * len(numbers)
    pairs = zip(parts[opened::2], parts[opened + 1 :: 2], numbers, strict=True)
    hedges = [Sorted(sure, losses, units, *above) for losses, units, (sure, *above) in pairs]
    return Seen(parts[0], rows, parts[1:opened], hedges)


def looked_through(returns: NDArray[np.floating], losses: NDArray[np.float64], asked: Trades) -> Seen:
    """Return what one block of scenarios says.

    Args:
        returns: of instruments, (instruments, scenarios).
        losses: (scenarios,) before any trade, shares of NAV.
        asked: trades and hedges.
    """
    run = machine_code(LOOK_THROUGH, asked.compiled_in)
    if run is not None:
        return _by_machine(run, returns, losses, asked)
    trades = asked.amounts.size
    kept: list[NDArray[np.float64]] = []
    rows: list[NDArray[np.int64]] = []
    without: list[list[NDArray[np.float64]]] = [[] for _ in range(trades)]
    hedges: list[list[Sorted]] = [[] for _ in asked.hedges]
    for first in range(0, losses.size, TOGETHER):
        some = slice(first, first + TOGETHER)
        units = unit_returns(returns[:, some], asked.units)
        after = losses_after(losses[some], units[:trades], asked.amounts)
        found = np.flatnonzero(after >= asked.losses[0])
        kept.append(after[found])
        rows.append(found + first)
        each = _without(after, units[:trades], asked.amounts, asked.losses[1:])
        for kept_without, some_without in zip(without, each, strict=True):
            kept_without.append(some_without)
        for kept_hedge, unit, within in zip(hedges, units[trades:], asked.hedges, strict=True):
            kept_hedge.append(sorted_out(after, unit, within))
    return Seen(
        np.concatenate(kept),
        np.concatenate(rows),
        [np.concatenate(each) for each in without],
        [Sorted.joined(each) for each in hedges],
    )


def _without(
    after: NDArray[np.float64],
    units: Sequence[NDArray[np.float64]],
    amounts: NDArray[np.float64],
    least: NDArray[np.float64],
) -> list[NDArray[np.float64]]:
    """Return the losses without each trade, of the scenarios in which they are `least` or more."""
    # Few can be: no trade gives back more than its best return would.
    most = [
        amount * float(unit.max() if amount > 0.0 else unit.min())
        for unit, amount in zip(units, amounts, strict=True)
    ]
    slack = 1e-12 * np.where(np.isfinite(least), np.abs(least) + np.abs(most), 0.0)
    floors = least - np.asarray(most) - slack
    near = (after >= floors.min(initial=np.inf)).nonzero()[0]
    losses, found = after[near], []
    for unit, amount, low, floor in zip(units, amounts, least, floors, strict=True):
        some = (losses >= floor).nonzero()[0]
        before = losses[some] + amount * unit[near[some]]
        found.append(np.asarray(before[before >= low]))
    return found


def _by_machine(
    run: Callable[..., int],
    returns: NDArray[np.floating],
    losses: NDArray[np.float64],
    asked: Trades,
    together: int = _NEAREST,
    most: int = 0,
) -> Seen:
    """Return the same by machine code; `together` and `most` decide how much memory it takes alone."""
    trades, hedges, size = asked.amounts.size, len(asked.hedges), losses.size
    held, rows_of = [place_of(parts) for parts in asked.units], returns
    if returns.dtype != np.float64 or not returns.flags.c_contiguous or CASH in held:
        # Not all units are rows of the block.
        held, rows_of = list(range(len(held))), np.stack(unit_returns(returns, asked.units) or [losses])
    rows = np.array(held, dtype=np.int64)
    terms = np.stack((np.concatenate(([0.0], asked.amounts)), asked.losses))
    within = np.array([terms_of(each) for each in asked.hedges]).reshape(hedges, 7)
    most = most or min(size, int(_LARGE * size) + together)
    room, large, some = np.empty((2, together)), np.empty((1 + trades, most)), np.empty((4, hedges, most))
    places, counts = np.empty(most, dtype=np.int64), np.zeros(1 + trades + 2 * hedges, dtype=np.int64)
    beyond, picks = np.zeros((2, hedges), dtype=np.int64), np.empty(together, dtype=np.int64)
    arrays = losses, rows_of, rows, terms, within, room, picks, large, places, some, counts, beyond
    lost, earned, before = [0.0] * hedges, [0.0] * hedges, [0] * hedges
    add, sure_losses, sure_units = np.add.reduce, some[2], some[3]
    for first in range(0, size, TOGETHER):
        last = min(first + TOGETHER, size)
        if run(*arrays, first, last, *rows_of.shape, trades, hedges, together, most):
            return _by_machine(run, returns, losses, asked, together, size)
        # Summed group by group, as NumPy's own look does.
        sure = counts[1 + trades + hedges :].tolist()
        for hedge in range(hedges):
            new = slice(before[hedge], sure[hedge])
            lost[hedge] += float(add(sure_losses[hedge, new]))
            earned[hedge] += float(add(sure_units[hedge, new]))
        before = sure
    sizes = counts.tolist()
    kept = [large[number, : sizes[number]] for number in range(1 + trades)]
    parts = zip(before, lost, earned, sizes[1 + trades :], *beyond.tolist(), strict=False)
    found = [
        Sorted(Sure(number, *sums), some[0, hedge, :count], some[1, hedge, :count], least, greatest)
        for hedge, (number, *sums, count, least, greatest) in enumerate(parts)
    ]
    return Seen(kept[0], places[: sizes[0]], kept[1:], found)
