"""The passes over scenarios, each function a Ray task: look at the first, count, collect, attribute.

Sums are made atom by atom within a *block* of atoms and returned block by block, so that a sum in
order gets the same bits whatever the number of workers and of blocks in a task.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.euler import Band, Weighted
from acceleray.quant.rank_search import BINS, Brackets, Level, counted, pilot_bounds
from acceleray.quant.scenarios import atoms
from acceleray.quant.sparse_products import FewHeld, in_blocks
from acceleray.quant.tail_scans import at_least
from acceleray.quant.tails import Above, Pairs, Wanted, collected
from acceleray.stages.simulate.attribution import log_returns
from acceleray.stages.simulate.reverse import Reached, reached
from acceleray.stages.simulate.scenario_inputs import Atom, World

Block = tuple[Atom, ...]

# The unit of sums over scenarios: changing it changes last bits.
ATOMS_PER_BLOCK = 4
# Enough tasks for any number of workers, and yet what one of them returns stays small.
_TASKS, _BLOCKS_PER_TASK = 64, 8
# Portfolios whose losses in an atom are worked on together: a megabyte, within the processor's cache.
PORTFOLIOS_PER_PRODUCT = 32
# Scenarios that are transposed at a time.
_TRANSPOSED = 64


@dataclass(frozen=True)
class Part:
    """Some of the portfolios at one horizon: what a pass is about."""

    horizon_d: int
    portfolios: slice

    @property
    def size(self) -> int:
        """Return the number of portfolios."""
        return int(self.portfolios.stop - self.portfolios.start)

    def losses(
        self, world: World, returns: NDArray[np.float64]
    ) -> Iterator[tuple[slice, NDArray[np.float64]]]:
        """Yield places in this part and their losses (portfolios, scenarios), valid until the next ones."""
        if world.few is not None:
            yield from self._of_few(world.few, returns, world.compiled_in)
            return
        gains = _gains(returns)
        room = np.empty((PORTFOLIOS_PER_PRODUCT, len(returns)))
        for first in range(0, self.size, PORTFOLIOS_PER_PRODUCT):
            places = slice(first, min(first + PORTFOLIOS_PER_PRODUCT, self.size))
            begin = self.portfolios.start
            weights = world.weights[begin + places.start : begin + places.stop]
            yield places, np.matmul(weights, gains, out=room[: len(weights)])

    def _of_few(
        self, few: FewHeld, returns: NDArray[np.float64], compiled_in: Path | None
    ) -> Iterator[tuple[slice, NDArray[np.float64]]]:
        first = 0
        for losses in few.losses(self.portfolios, in_blocks(returns), compiled_in):
            for start in range(0, len(losses), PORTFOLIOS_PER_PRODUCT):
                some = losses[start : start + PORTFOLIOS_PER_PRODUCT, : len(returns)]
                yield slice(first, first + len(some)), some
                first += len(some)


def _gains(returns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what each line loses (lines, scenarios), of returns (scenarios, lines)."""
    gains = np.empty(returns.shape[::-1])
    # Some scenarios at a time: transposed at once, those of hundreds of lines miss the cache.
    for first in range(0, len(returns), _TRANSPOSED):
        some = slice(first, first + _TRANSPOSED)
        gains[:, some] = returns[some].T
    return np.negative(gains, out=gains)


def blocks(scenarios: int) -> list[Block]:
    """Return the atoms of so many scenarios in blocks, the first of which is the pilot."""
    every = atoms(scenarios)
    return [tuple(every[start : start + ATOMS_PER_BLOCK]) for start in range(0, len(every), ATOMS_PER_BLOCK)]


def grouped(every: Sequence[Block]) -> list[list[Block]]:
    """Return the blocks of each task; the grouping changes no number."""
    size = min(max(len(every) // _TASKS, 1), _BLOCKS_PER_TASK)
    return [list(every[start : start + size]) for start in range(0, len(every), size)]


def pilot(part: Part, world: World, block: Block, levels: tuple[Level, ...]) -> list[NDArray[np.float64]]:
    """Return for each level the losses (2, portfolios) between which its ranks should lie."""
    # One atom at a time: of thousands of lines its returns are a hundred megabytes.
    found = np.empty((part.size, sum(count for _, count in block)))
    first = 0
    for atom in block:
        for places, losses in part.losses(world, world.returns(atom, part.horizon_d)):
            found[places, first : first + losses.shape[1]] = losses
        first += atom[1]
    return pilot_bounds(found, levels)


@dataclass(frozen=True)
class Counted:
    """Result of a counting task; integers of small types, sums (2, portfolios) by block."""

    counts: list[NDArray[np.uint64]]
    beyond: list[NDArray[np.int64]]
    sums: list[NDArray[np.float64]]
    histogram: NDArray[np.int64]


def count(
    task: Sequence[Block],
    world: World,
    part: Part,
    brackets: tuple[Brackets, ...],
    edges: NDArray[np.float64],
) -> Counted:
    """Return losses counted in the bins of each bracket, sums of losses and squares, and a histogram.

    The histogram is of the first portfolio of the part.
    """
    counts = [np.zeros((part.size, BINS + 1), dtype=np.int32) for _ in brackets]
    least = np.minimum.reduce([each.low for each in brackets])
    histogram = np.zeros(len(edges) - 1, dtype=np.int64)
    sums = []
    for block in task:
        total = np.zeros((2, part.size))
        for atom in block:
            returns = world.returns(atom, part.horizon_d)
            total[0] -= world.weights[part.portfolios] @ returns.sum(axis=0)
            for places, losses in part.losses(world, returns):
                total[1, places] += np.einsum("ij,ij->i", losses, losses)
                rows, _, values = at_least(losses, least[places])
                for found, each in zip(counts, brackets, strict=True):
                    found[places] += counted(each.part(places), rows, values)
                if places.start == 0:
                    # The outermost bins take everything beyond them.
                    histogram += np.histogram(np.clip(losses[0], edges[0], edges[-1]), edges)[0]
        sums.append(total)
    small = [found[:, :BINS].astype(np.min_scalar_type(int(found[:, :BINS].max()))) for found in counts]
    return Counted(small, [found[:, BINS].astype(np.int64) for found in counts], sums, histogram)


@dataclass(frozen=True)
class Collected:
    """Result of a collecting task: pairs for each level, and for each block the sums of each level."""

    pairs: list[Pairs]
    above: list[list[Above]]


def collect(task: Sequence[Block], world: World, part: Part, wanted: tuple[Wanted, ...]) -> Collected:
    """Return the losses that each level wants one by one, and sums of those above its edge."""
    pairs = [Pairs() for _ in wanted]
    least = np.minimum.reduce([each.lowest for each in wanted])
    above = []
    for block in task:
        total = [Above.none(part.size) for _ in wanted]
        for atom in block:
            found: list[list[Above]] = [[] for _ in wanted]
            for places, losses in part.losses(world, world.returns(atom, part.horizon_d)):
                rows, _, values = at_least(losses, least[places])
                for seen, each, into in zip(found, wanted, pairs, strict=True):
                    seen.append(collected(each.part(places), rows, values, into, places.start))
            total = [sums + Above.joined(seen) for sums, seen in zip(total, found, strict=True)]
        above.append(total)
    for into in pairs:
        into.sorted()
    return Collected(pairs, above)


@dataclass(frozen=True)
class BandSums:
    """Weighted sums over scenarios for each portfolio (portfolios, lines), and of the weights alone."""

    value_at_risk: NDArray[np.float64]
    expected_shortfall: NDArray[np.float64]
    logs: NDArray[np.float64]
    weights: NDArray[np.float64]

    @classmethod
    def none(cls, portfolios: int, instruments: int) -> BandSums:
        """Return the sums of no scenario."""
        var, shortfall, logs = np.zeros((3, portfolios, instruments))
        return cls(var, shortfall, logs, np.zeros((2, portfolios)))

    def add(self, other: BandSums) -> None:
        """Add other sums to these, in place; add in the order of blocks."""
        for own, more in zip(self._arrays, other._arrays, strict=True):
            np.add(own, more, out=own)

    def see(
        self,
        window: Weighted,
        tail: Weighted,
        returns: NDArray[np.float64],
        logs: NDArray[np.float64],
    ) -> None:
        """Add the scenarios of one atom in the window and in the tail, in place."""
        portfolios, ones = len(self.value_at_risk), np.ones((len(returns), 1))
        # What a line loses is minus its return, and so is a sum of losses, to the bit.
        np.subtract(self.value_at_risk, window.sums(portfolios, returns), out=self.value_at_risk)
        np.subtract(self.expected_shortfall, tail.sums(portfolios, returns), out=self.expected_shortfall)
        np.add(self.logs, tail.sums(portfolios, logs), out=self.logs)
        self.weights[0] += window.sums(portfolios, ones)[:, 0]
        self.weights[1] += tail.sums(portfolios, ones)[:, 0]

    @property
    def _arrays(self) -> tuple[NDArray[np.float64], ...]:
        return self.value_at_risk, self.expected_shortfall, self.logs, self.weights


@dataclass(frozen=True)
class Attributed:
    """Result of an attributing task, by block: sums, and those about the targets if there are any."""

    sums: list[BandSums]
    reached: list[Reached]


def attribute(
    task: Sequence[Block],
    world: World,
    part: Part,
    window: Band,
    tail: Band,
    whitened: NDArray[np.float64] | None,
    targets: tuple[float, ...],
) -> Attributed:
    """Return sums of line losses in two bands and of log returns in the tail.

    With a whitening matrix, sums over the scenarios that lose about each target too.
    """
    least = np.minimum(window.low, tail.low)
    sums, about = [], []
    for block in task:
        total = BandSums.none(part.size, world.weights.shape[1])
        losing: Reached | None = None
        for atom in block:
            returns = world.returns(atom, part.horizon_d)
            logs = log_returns(returns, world.arithmetic)
            moves = None if whitened is None else logs @ whitened
            around, inside, found = Weighted(), Weighted(), []
            for places, losses in part.losses(world, returns):
                chosen = at_least(losses, least[places])
                around.add(window.part(places), *chosen, first=places.start)
                inside.add(tail.part(places), *chosen, first=places.start)
                if moves is not None:
                    first = part.portfolios.start + places.start == 0
                    found.append(reached(losses, moves, returns, targets, first))
            total.see(around, inside, returns, logs)
            if found:
                some = Reached.joined(found)
                losing = some if losing is None else losing + some
        sums.append(total)
        about += [] if losing is None else [losing]
    return Attributed(sums, about)
