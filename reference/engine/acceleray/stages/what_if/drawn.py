"""Several days: scenarios that were drawn once and are kept, looked through block by block."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.best_hedge import LARGEST, Drawn, Hedge, Point, likely_interval, lowest
from acceleray.quant.block_scans import Seen, Trades, looked_through
from acceleray.quant.hedge_scenarios import Interval, Sorted
from acceleray.quant.line_returns import Unit, losses_after, unit_returns
from acceleray.quant.risk import tail_mass
from acceleray.quant.what_if import (
    Levels,
    Measures,
    contributions,
    differences,
    gathered,
    likely_losses,
    measures_of,
    scenario_weights,
    without_errors,
)
from acceleray.stages.what_if.found import Found, Question, State, Tail

# Standard errors on the safe side when the first scenarios tell what is needed of all.
_DEVIATIONS = 4.0
# How often a hedge is looked for, further out each time; the first time nearly always does.
_ATTEMPTS = 8
# First scenarios that tell where the best amount of a hedge lies: more take longer than they save.
_PILOT = 16_384

# Share of that interval on either side of the likely best amount where it is looked for first: more than one
# standard error.
_NEAR = 0.15

T = TypeVar("T")


class Pending(Protocol):
    """Work in progress on blocks."""

    def get(self) -> list[Any]:
        """Return what each block says, in their order."""


class Blocks(Protocol):
    """Scenarios kept in blocks: returns (instruments, scenarios) each, and losses of portfolios with them."""

    scenarios: int

    def ask(
        self, function: Callable[..., Any], kept: Any, each: Sequence[tuple[Any, ...]], *same: Any
    ) -> Pending:
        """Start `function(returns, losses, *of_each, *same)` for every block.

        `kept` is what `losses` returned, `each` has arguments that differ between blocks, or is empty.
        """

    def losses(self, weights: NDArray[np.float64], more: tuple[Unit, ...]) -> Any:
        """Make the losses of a portfolio (see `losses_before`), keep them, and return their handle."""

    def pilot(self, kept: Any) -> tuple[NDArray[np.floating], NDArray[np.float64]]:
        """Return returns and losses of the first scenarios, which tell what is needed of all."""


@dataclass(frozen=True)
class Kept:
    """A portfolio whose losses are kept with the scenarios, and its risk and tail before any trade."""

    losses: Any
    state: State
    tail: Tail


@dataclass(frozen=True)
class Resident:
    """Scenarios of one horizon that stay where they are, and what is measured on them.

    compiled_in is where machine code is kept; without it NumPy finds the same, to the bit.
    """

    blocks: Blocks
    horizon_d: int
    levels: Levels
    compiled_in: Path | None = None

    def keep(self, weights: NDArray[np.float64], more: tuple[Unit, ...] = ()) -> Kept:
        """Make and keep the losses of a portfolio with weights of lines (lines,), shares of NAV."""
        losses = self.blocks.losses(weights, more)
        looking = Looking(self, losses, Question((), np.empty(0), (), weights, more))
        return Kept(losses, looking.state(), looking.tail())

    def answer(self, kept: Kept, asked: Question, meanwhile: Callable[[], T]) -> tuple[Found, T]:
        """Return what trades do to a portfolio at this horizon, and what `meanwhile` returns.

        It is called while the blocks are at work.
        """
        looking = Looking(self, kept.losses, asked, kept.tail)
        other = meanwhile()
        # Both while the blocks look at the tail, which the first of them starts.
        incremental, hedges = looking.incremental(), looking.hedges()
        count, after = self.blocks.scenarios, looking.state()
        return Found(self.horizon_d, count, kept.state, after, incremental, hedges), other


class Looking:
    """One question at work: a first look at every block, and a second one at the tail."""

    def __init__(self, of: Resident, losses: Any, asked: Question, before: Tail | None = None) -> None:
        """Start the first look, for which the first scenarios tell what is needed of all."""
        self._of, self._losses, self._asked, self._before = of, losses, asked, before
        self._count = of.blocks.scenarios
        returns, base = of.blocks.pilot(losses)
        trades = len(asked.trades)
        self._units = (*asked.trades, *asked.hedges)
        units = unit_returns(returns, self._units)
        after = losses_after(base, units[:trades], asked.amounts)
        pilots = [after, *(after + a * unit for a, unit in zip(asked.amounts, units[:trades], strict=True))]
        depth = of.levels.depth(self._count)
        self._least = np.array([likely_losses(each, depth, self._count, _DEVIATIONS) for each in pilots])
        self._within = _intervals(after[:_PILOT], [unit[:_PILOT] for unit in units[trades:]], of.levels)
        self._pending = self._started()
        self._seen: list[Seen] | None = None
        self._gathering: Pending | None = None
        self._sums: list[NDArray[np.float64]] | None = None
        self._chosen: list[tuple[NDArray[np.int64], NDArray[np.float64]]] = []
        self._measures: Measures | None = None

    def state(self) -> State:
        """Return the risk after the trades."""
        found, tail = self._after()[0], self.tail()
        return State(found, *contributions(self._asked.after, tail.sums, found))

    def tail(self) -> Tail:
        """Return the tail after the trades."""
        if self._sums is None:
            self._sums = self._after()[1].get()
            if self._before is not None:
                pairs = zip(self._before.sums, self._sums, strict=True)
                self._sums = [old + new for old, new in pairs]
        return Tail(self._chosen, self._sums, self._asked.more)

    def incremental(self) -> NDArray[np.float64]:
        """Return what each trade adds to both measures (trades, 2): all trades, less all but this one."""
        found, _ = self._after()
        added = np.zeros((len(self._asked.trades), 2))
        for number in range(len(added)):
            without = np.concatenate([each.without[number] for each in self._looked()])
            at_risk, shortfall = without_errors(without, self._count, self._of.levels)
            added[number] = found.value_at_risk - at_risk, found.expected_shortfall - shortfall
        return added

    def hedges(self) -> tuple[Hedge, ...]:
        """Return the best amount of each hedge."""
        return tuple(map(self._hedge, range(len(self._asked.hedges))))

    def _started(self) -> Pending:
        asked = self._units, self._asked.amounts, self._least, self._within
        trades = Trades(*asked, self._of.compiled_in)
        return self._of.blocks.ask(looked_through, self._losses, (), trades)

    def _looked(self) -> list[Seen]:
        """Return what each block says: enough of the largest losses, and each hedge within its interval."""
        depth = self._of.levels.depth(self._count)
        while self._seen is None:
            seen = self._pending.get()
            sizes = [sum(each.losses.size for each in seen)]
            sizes += [sum(each.without[n].size for each in seen) for n in range(len(self._asked.trades))]
            short = np.array(sizes) < depth
            if short.any():
                # All of them: the first scenarios were unlike the others.
                self._least = np.where(short, -np.inf, self._least)
                self._pending = self._started()
            else:
                self._seen = seen
        return self._seen

    def _after(self) -> tuple[Measures, Pending]:
        """Return measures after the trades, and the look at the tail in every line that starts with them."""
        if self._measures is None or self._gathering is None:
            seen = self._looked()
            largest = np.concatenate([each.losses for each in seen])
            self._measures = measures_of(largest, self._count, self._of.levels)
            weights = scenario_weights(largest, self._count, self._of.levels)
            ends = np.cumsum([each.losses.size for each in seen])[:-1]
            for each, some in zip(seen, np.split(weights, ends), strict=True):
                weighing = np.flatnonzero(some.any(axis=1))
                self._chosen.append((each.rows[weighing], some[weighing]))
            chosen = self._changed()
            self._gathering = self._of.blocks.ask(gathered_in, self._losses, chosen, self._asked.more)
        return self._measures, self._gathering

    def _changed(self) -> list[tuple[NDArray[np.int64], NDArray[np.float64]]]:
        """Return the scenarios that do not weigh what they did before, and the differences, where few do.

        Most of a tail is the same after the trades, and a look at a scenario in every line costs a look at
        all the memory near it. Otherwise what was before is forgotten.
        """
        before = self._before
        if before is not None and before.more == self._asked.more:
            changed = [differences(*both) for both in zip(before.chosen, self._chosen, strict=True)]
            if sum(rows.size for rows, _ in changed) < sum(rows.size for rows, _ in self._chosen):
                return changed
        self._before = None
        return self._chosen

    def _hedge(self, number: int) -> Hedge:
        """Return the best amount of one hedge, looking again where its interval turns out wrong."""
        found = Sorted.joined([each.hedges[number] for each in self._looked()])
        mass = tail_mass(self._count, self._of.levels.expected_shortfall)
        within, nothing = self._within[number], self._after()[0].expected_shortfall
        for _ in range(_ATTEMPTS):
            tail = Drawn.of(found, mass)
            if tail is not None:
                start = _close(tail, within)
                if start is not None:
                    return lowest(start[0], start=start[1]).worthwhile(nothing)
                first, last = ((amount, *tail(amount)) for amount in (within.first, within.last))
                falls = first[2] <= 0.0 or within.first <= -LARGEST
                rises = last[2] >= 0.0 or within.last >= LARGEST
                if falls and rises:
                    return lowest(tail, start=(first, last)).worthwhile(nothing)
                within = _further(within, falls)
            else:
                within = Interval(within.first, within.last)
            units = (*self._asked.trades, self._asked.hedges[number])
            least = np.full(len(units), np.inf)
            again = Trades(units, self._asked.amounts, least, (within,), self._of.compiled_in)
            seen = self._of.blocks.ask(looked_through, self._losses, (), again).get()
            found = Sorted.joined([each.hedges[0] for each in seen])
        raise RuntimeError("the best amount of a hedge cannot be found")


def _intervals(
    after: NDArray[np.float64], units: Sequence[NDArray[np.float64]], levels: Levels
) -> tuple[Interval, ...]:
    mass = tail_mass(after.size, levels.expected_shortfall)
    share = 1.0 - levels.expected_shortfall
    return tuple(likely_interval(Drawn(after, unit, mass), share, _DEVIATIONS) for unit in units)


def gathered_in(
    returns: NDArray[np.floating],
    losses: NDArray[np.float64],
    rows: NDArray[np.int64],
    weights: NDArray[np.float64],
    more: tuple[Unit, ...],
) -> NDArray[np.float64]:
    """Return what `quant.what_if.gathered` does; the losses that come with a block are not needed."""
    return gathered(returns, rows, weights, more)


def _close(tail: Drawn, within: Interval) -> tuple[Drawn, tuple[Point, Point]] | None:
    """Return the curve close to the likely best amount, and its ends; None where the best one is elsewhere.

    Few of the scenarios that matter in the whole interval matter there, and nearly always it is there.
    """
    if within.middle is None:
        return None
    away = _NEAR * (within.last - within.first)
    ends = max(within.middle - away, within.first), min(within.middle + away, within.last)
    curve = tail.between(*ends)
    first, last = ((amount, *curve(amount)) for amount in ends)
    return (curve, (first, last)) if first[2] <= 0.0 <= last[2] else None


def _further(within: Interval, falls: bool) -> Interval:
    """Return where to look next, among all scenarios: on the side to which the curve still falls."""
    far = 8.0 * max(within.last - within.first, 1e-6)
    if falls:
        return Interval(within.last, min(within.last + far, LARGEST))
    return Interval(max(within.first - far, -LARGEST), within.first)
