"""Effect of trades on the risk of one portfolio, from kept scenarios.

Losses before any trade are kept with the scenarios, so a question reads the returns of what it trades, and
nothing of the rest: losses after are those before less amount times return, summed over the trades. Each
block of scenarios is looked through once for the largest losses after all trades and after all but one; only
the few scenarios of the tail are then looked up in every instrument, for its Euler contributions.

Everything that is summed is summed within blocks, and blocks are added in their order: the answer has the
same bits for any number of workers. Measures are those of ``acceleray.quant.risk`` on all losses at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.euler import adding_up, value_at_risk_window
from acceleray.quant.hedge_scans import SORT_HEDGES, WITHOUT_TRADES
from acceleray.quant.hedge_scenarios import Interval, Sorted, all_sorted_out, sorted_out
from acceleray.quant.line_returns import (
    CASH,
    TOGETHER,
    Parts,
    Unit,
    line_returns,
    losses_after,
    place_of,
    unit_returns,
)
from acceleray.quant.path_walks import machine_code
from acceleray.quant.risk import (
    largest_first,
    tail_depth,
    tail_expected_shortfall,
    tail_expected_shortfall_error,
    tail_mass,
    tail_value_at_risk,
    tail_value_at_risk_error,
)


@dataclass(frozen=True)
class Levels:
    """Confidence of value-at-risk and of expected shortfall."""

    value_at_risk: float
    expected_shortfall: float

    def depth(self, count: int) -> int:
        """Return how many of the largest of so many losses both measures and their errors need."""
        return max(tail_depth(count, self.value_at_risk), tail_depth(count, self.expected_shortfall))


@dataclass(frozen=True)
class Measures:
    """Both measures of one portfolio with their standard errors, as shares of NAV."""

    value_at_risk: float
    value_at_risk_error: float
    expected_shortfall: float
    expected_shortfall_error: float


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


def looked_through(returns: NDArray[np.floating], losses: NDArray[np.float64], asked: Trades) -> Seen:
    """Return what one block of scenarios says.

    Args:
        returns: of instruments, (instruments, scenarios).
        losses: (scenarios,) before any trade, shares of NAV.
        asked: trades and hedges.
    """
    trades = asked.amounts.size
    kept: list[NDArray[np.float64]] = []
    rows: list[NDArray[np.int64]] = []
    without: list[list[NDArray[np.float64]]] = [[] for _ in range(trades)]
    hedges: list[list[Sorted]] = [[] for _ in asked.hedges]
    machine = _machine(asked, returns)
    for first in range(0, losses.size, TOGETHER):
        some = slice(first, first + TOGETHER)
        units = unit_returns(returns[:, some], asked.units)
        after = losses_after(losses[some], units[:trades], asked.amounts)
        found = np.flatnonzero(after >= asked.losses[0])
        kept.append(after[found])
        rows.append(found + first)
        if machine is not None:
            each, sorted_hedges = machine(after, units, first)
        else:
            each = _without(after, units[:trades], asked.amounts, asked.losses[1:])
            hedging = zip(units[trades:], asked.hedges, strict=True)
            sorted_hedges = [sorted_out(after, unit, within) for unit, within in hedging]
        for kept_without, some_without in zip(without, each, strict=True):
            kept_without.append(some_without)
        for kept_hedge, some_hedge in zip(hedges, sorted_hedges, strict=True):
            kept_hedge.append(some_hedge)
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


class _Machine:
    """Looks at scenarios of a block for all trades and hedges at once, in machine code."""

    def __init__(
        self, sort: Callable[..., int], without: Callable[..., int], returns: NDArray[Any], asked: Trades
    ) -> None:
        """Find the rows of the block that are the returns of the units, if all are."""
        self._sort, self._without, self._returns, self._asked = sort, without, returns, asked
        rows = [place_of(parts) for parts in asked.units]
        plain = returns.dtype == np.float64 and returns.flags.c_contiguous
        self._rows = np.array(rows, dtype=np.int64) if plain and CASH not in rows else None

    def __call__(
        self, after: NDArray[np.float64], units: Sequence[NDArray[np.float64]], first: int
    ) -> tuple[list[NDArray[np.float64]], list[Sorted]]:
        """Return the losses without each trade, and what each hedge is within its interval."""
        trades = self._asked.amounts.size
        if self._rows is None:
            returns, rows, begin = np.stack(units), np.arange(len(units)), 0
        else:
            returns, rows, begin = self._returns, self._rows, first
        terms = np.stack((self._asked.amounts, self._asked.losses[1:]))
        room, counts = np.empty((trades, after.size)), np.empty(trades, dtype=np.int64)
        sizes = trades, after.size, *returns.shape, begin
        self._without(after, returns, rows[:trades], terms, room, counts, *sizes)
        large = [row[:count].copy() for row, count in zip(room, counts, strict=True)]
        hedges = rows[trades:], begin, self._asked.hedges
        return large, all_sorted_out(self._sort, after, returns, *hedges)


def _machine(asked: Trades, returns: NDArray[Any]) -> _Machine | None:
    sort, without = (machine_code(each, asked.compiled_in) for each in (SORT_HEDGES, WITHOUT_TRADES))
    # Without units there is nothing to look for.
    return _Machine(sort, without, returns, asked) if sort and without and asked.units else None


def measures_of(largest: NDArray[np.float64], count: int, levels: Levels) -> Measures:
    """Return both measures from the largest of `count` losses, in any order, at least `levels.depth`."""
    top = largest_first(largest[np.newaxis])
    at, beyond = levels.value_at_risk, levels.expected_shortfall
    mass = tail_mass(count, beyond)
    return Measures(
        float(tail_value_at_risk(top, tail_mass(count, at))[0]),
        float(tail_value_at_risk_error(top, count, at)[0]),
        float(tail_expected_shortfall(top, mass)[0]),
        float(tail_expected_shortfall_error(top, mass, beyond)[0]),
    )


def likely_losses(pilot: NDArray[np.float64], depth: int, count: int, deviations: float) -> float:
    """Return a loss that more than `depth` of `count` scenarios very probably reach, told by the first ones.

    `deviations` are standard errors on the safe side; without enough first ones every loss is taken.
    """
    share = depth / count
    rank = int(pilot.size * share + deviations * (pilot.size * share * (1.0 - share)) ** 0.5) + 1
    if rank >= pilot.size:
        return -np.inf
    place = pilot.size - 1 - rank
    return float(np.partition(pilot, place)[place])


def scenario_weights(largest: NDArray[np.float64], count: int, levels: Levels) -> NDArray[np.float64]:
    """Return the weight of each of the largest losses (kept,) in both measures, of shape (kept, 2).

    In the first column that of the scenarios around the value-at-risk, as ``euler_value_at_risk`` takes them,
    in the second that of the tail of the expected shortfall. Scenarios that tie share. Each sums to one.
    """
    descending = -np.sort(-largest)
    first, last = value_at_risk_window(count, levels.value_at_risk)
    window = _shared(largest, descending, first, float(last + 1))
    mass = tail_mass(count, levels.expected_shortfall)
    return np.column_stack((window / (last + 1 - first), _shared(largest, descending, 0, mass) / mass))


def gathered(
    returns: NDArray[np.floating],
    rows: NDArray[np.int64],
    weights: NDArray[np.float64],
    more: Sequence[Unit],
) -> NDArray[np.float64]:
    """Return weighted sums over some scenarios of a block of the losses of one unit of each line.

    returns (instruments, scenarios), weights (rows, columns); the result is of shape (columns, lines).
    """
    chosen = returns.take(rows, axis=1).astype(np.float64, copy=False)
    sums = chosen @ weights
    if more:
        sums = np.concatenate((sums, line_returns(chosen, more) @ weights))
    return np.asarray(-sums.T)


def contributions(
    weights: NDArray[np.float64], sums: Sequence[NDArray[np.float64]], found: Measures
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the Euler contributions of lines to both measures, each (lines,), shares of NAV.

    Args:
        weights: of the lines after the trades, shares of NAV.
        sums: what `gathered` returns for each block, in order.
        found: the measures, which contributions add up to.

    Raises:
        RuntimeError: those to the expected shortfall do not add up to it: some block is another one.
    """
    total = np.zeros((2, weights.size))
    for each in sums:
        total = total + each
    parts = weights * total
    gap = abs(float(parts[1].sum()) - found.expected_shortfall)
    # Of NAV: where all has been sold, what is left of its losses is rounding.
    if gap > 1e-9 * float(np.abs(parts[1]).sum()) + 1e-12:
        raise RuntimeError("contributions do not add up: the scenarios changed between two looks at them")
    at_var = adding_up(parts[:1], np.array([found.value_at_risk]))[0]
    return at_var, parts[1]


def _shared(
    losses: NDArray[np.float64], descending: NDArray[np.float64], first: int, end: float
) -> NDArray[np.float64]:
    """Return the weight of each loss of rank `first` to `end`, ranks counted from the largest, as fractions.

    Losses that are equal have their ranks together and share what falls on them.
    """
    low = descending[min(int(np.ceil(end)) - 1, descending.size - 1)]
    weights = np.zeros(losses.size)
    for value in {float(descending[first]), float(low)}:
        tied = losses == value
        start = int((losses > value).sum())
        places = min(end, start + int(tied.sum())) - max(first, start)
        weights[tied] = places / int(tied.sum())
    weights[(losses < descending[first]) & (losses > low)] = 1.0
    return weights
