"""Several days: scenarios that were drawn once and are kept, looked through block by block."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.best_hedge import LARGEST, Drawn, Hedge, Interval, Sorted, likely_interval, lowest
from acceleray.quant.risk import tail_mass
from acceleray.quant.what_if import (
    Levels,
    Measures,
    Seen,
    Trades,
    Unit,
    contributions,
    gathered,
    likely_losses,
    looked_through,
    losses_after,
    measures_of,
    scenario_weights,
    unit_returns,
)
from acceleray.stages.what_if.found import Found, Question, State

# Standard errors on the safe side when the first scenarios tell what is needed of all.
_DEVIATIONS = 4.0
# How often more is looked for, until every scenario is: the first time nearly always does.
_ATTEMPTS = 6


class Blocks(Protocol):
    """Scenarios kept in blocks: returns (instruments, scenarios) each, and losses of portfolios with them."""

    scenarios: int

    def ask(
        self, function: Callable[..., Any], kept: Any, each: Sequence[tuple[Any, ...]], *same: Any
    ) -> list[Any]:
        """Return `function(returns, losses, *of_each, *same)` for every block, in their order.

        `kept` is what `losses` returned, `each` has arguments that differ between blocks, or is empty.
        """

    def losses(self, weights: NDArray[np.float64], more: tuple[Unit, ...]) -> Any:
        """Make the losses of a portfolio (see `losses_before`), keep them, and return their handle."""

    def pilot(self, kept: Any) -> tuple[NDArray[np.floating], NDArray[np.float64]]:
        """Return returns and losses of the first scenarios, which tell what is needed of all."""


@dataclass(frozen=True)
class Kept:
    """A portfolio whose losses are kept with the scenarios, and its risk before any trade."""

    losses: Any
    state: State


@dataclass(frozen=True)
class Resident:
    """Scenarios of one horizon that stay where they are, and what is measured on them."""

    blocks: Blocks
    horizon_d: int
    levels: Levels

    def keep(self, weights: NDArray[np.float64], more: tuple[Unit, ...] = ()) -> Kept:
        """Make and keep the losses of a portfolio with weights of lines (lines,), shares of NAV."""
        losses = self.blocks.losses(weights, more)
        nothing = Question((), np.empty(0), (), weights, more)
        seen, _, _ = self._looked(losses, nothing)
        return Kept(losses, self._state(losses, seen, nothing))

    def answer(self, kept: Kept, asked: Question) -> Found:
        """Return what trades do to a portfolio at this horizon."""
        count = self.blocks.scenarios
        seen, sorted_, within = self._looked(kept.losses, asked)
        after = self._state(kept.losses, seen, asked)
        incremental = np.zeros((asked.amounts.size, 2))
        for number in range(asked.amounts.size):
            without = np.concatenate([each.without[number] for each in seen])
            other = measures_of(without, count, self.levels)
            incremental[number] = (
                after.measures.value_at_risk - other.value_at_risk,
                after.measures.expected_shortfall - other.expected_shortfall,
            )
        hedges = tuple(
            self._hedge(kept.losses, asked, number, looked, after.measures.expected_shortfall)
            for number, looked in enumerate(zip(sorted_, within, strict=True))
        )
        return Found(self.horizon_d, count, kept.state, after, incremental, hedges)

    @property
    def _mass(self) -> float:
        return tail_mass(self.blocks.scenarios, self.levels.expected_shortfall)

    def _looked(self, losses: Any, asked: Question) -> tuple[list[Seen], list[Sorted], tuple[Interval, ...]]:
        """Return what each block says: enough of the largest losses, and each hedge within its interval."""
        count, depth = self.blocks.scenarios, self.levels.depth(self.blocks.scenarios)
        returns, base = self.blocks.pilot(losses)
        every = (*asked.trades, *asked.hedges)
        units, trades = unit_returns(returns, every), len(asked.trades)
        after = losses_after(base, units[:trades], asked.amounts)
        pilots = [after, *(after + a * unit for a, unit in zip(asked.amounts, units[:trades], strict=True))]
        least = np.array([likely_losses(each, depth, count, _DEVIATIONS) for each in pilots])
        within = self._intervals(after, units[trades:])
        for _ in range(_ATTEMPTS):
            seen = self.blocks.ask(looked_through, losses, (), Trades(every, asked.amounts, least, within))
            sizes = [sum(each.losses.size for each in seen)]
            sizes += [sum(each.without[number].size for each in seen) for number in range(trades)]
            short = np.array(sizes) < depth
            if not short.any():
                break
            least = np.where(short, -np.inf, least)
        hedges = [Sorted.joined([each.hedges[number] for each in seen]) for number in range(len(within))]
        return seen, hedges, within

    def _intervals(self, after: NDArray[np.float64], units: NDArray[np.float64]) -> tuple[Interval, ...]:
        share = 1.0 - self.levels.expected_shortfall
        mass = tail_mass(after.size, self.levels.expected_shortfall)
        return tuple(likely_interval(Drawn(after, unit, mass), share, _DEVIATIONS) for unit in units)

    def _hedge(
        self, losses: Any, asked: Question, number: int, looked: tuple[Sorted, Interval], nothing: float
    ) -> Hedge:
        """Return the best amount of one hedge, looking again where its interval turns out wrong.

        `nothing` is the expected shortfall without it.
        """
        mass, (found, within) = self._mass, looked
        for _ in range(_ATTEMPTS):
            tail = found.tail(mass)
            if tail is not None and _astride(tail, within):
                return lowest(tail, within=within).worthwhile(nothing)
            within = _wider(within, tail)
            units, least = (*asked.trades, asked.hedges[number]), np.full(asked.amounts.size + 1, np.inf)
            again = Trades(units, asked.amounts, least, (within,))
            seen = self.blocks.ask(looked_through, losses, (), again)
            found = Sorted.joined([each.hedges[0] for each in seen])
        raise RuntimeError("the best amount of a hedge cannot be found")

    def _state(self, losses: Any, seen: Sequence[Seen], asked: Question) -> State:
        """Return measures and contributions after the trades, looking up the tail in every line."""
        count = self.blocks.scenarios
        largest = np.concatenate([each.losses for each in seen])
        found: Measures = measures_of(largest, count, self.levels)
        of_scenarios = scenario_weights(largest, count, self.levels)
        ends = np.cumsum([each.losses.size for each in seen])[:-1]
        chosen = []
        for each, some in zip(seen, np.split(of_scenarios, ends), strict=True):
            weighing = np.flatnonzero(some.any(axis=1))
            chosen.append((each.rows[weighing], some[weighing]))
        sums = self.blocks.ask(gathered_in, losses, chosen, asked.more)
        return State(found, *contributions(asked.after, sums, found))


def gathered_in(
    returns: NDArray[np.floating],
    losses: NDArray[np.float64],
    rows: NDArray[np.int64],
    weights: NDArray[np.float64],
    more: tuple[Unit, ...],
) -> NDArray[np.float64]:
    """Return what `quant.what_if.gathered` does; the losses that come with a block are not needed."""
    return gathered(returns, rows, weights, more)


def _astride(tail: Drawn, within: Interval) -> bool:
    """Return whether the lowest point of a curve lies in an interval, or at the largest amount there may be."""
    falls = tail(within.first)[1] <= 0.0 or within.first <= -LARGEST
    return falls and (tail(within.last)[1] >= 0.0 or within.last >= LARGEST)


def _wider(within: Interval, tail: Drawn | None) -> Interval:
    """Return where to look next: with all scenarios where the two losses were wrong, else further out."""
    size = max(within.last - within.first, 1e-6)
    if tail is None:
        return Interval(within.first, within.last)
    if tail(within.first)[1] > 0.0:
        return Interval(max(within.first - 8.0 * size, -LARGEST), within.first)
    return Interval(within.last, min(within.last + 8.0 * size, LARGEST))
