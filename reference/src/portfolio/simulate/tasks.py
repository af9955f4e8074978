"""The two passes over scenarios: tails first, then what is in them. Each function is a Ray task."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from portfolio.quant.euler import TailSums
from portfolio.quant.scenarios import atoms
from portfolio.quant.tails import TailCollector
from portfolio.simulate.world import Atom, World

# Atoms a task works through: enough to hide the cost of a task, few enough to keep every worker busy.
ATOMS_PER_TASK = 4


@dataclass(frozen=True)
class Partial:
    """What one task found: tails, and sums an atom so that they can be added in the order of atoms."""

    tail: TailCollector
    sums: list[NDArray[np.float64]]
    squares: list[NDArray[np.float64]]
    histogram: NDArray[np.int64]


def blocks(scenarios: int) -> list[list[Atom]]:
    """Return the atoms of so many scenarios, grouped into tasks; the grouping changes no number."""
    every = atoms(scenarios)
    return [every[start : start + ATOMS_PER_TASK] for start in range(0, len(every), ATOMS_PER_TASK)]


def collect(task: tuple[Sequence[Atom], int, int, float, NDArray[np.float64]], world: World) -> Partial:
    """Return tails, sums and the reference's histogram over some atoms; losses are shares of NAV."""
    block, horizon_d, scenarios, confidence, edges = task
    tail = TailCollector(len(world.weights), scenarios, confidence)
    sums, squares = [], []
    histogram = np.zeros(len(edges) - 1, dtype=np.int64)
    for atom in block:
        losses = -(world.returns(atom, horizon_d) @ world.weights.T)
        tail.update(losses)
        sums.append(losses.sum(axis=0))
        squares.append((losses * losses).sum(axis=0))
        # The outermost bins take everything beyond them.
        histogram += np.histogram(np.clip(losses[:, 0], edges[0], edges[-1]), edges)[0]
    return Partial(tail, sums, squares, histogram)


def attribute(task: tuple[Sequence[Atom], int, NDArray[np.float64]], world: World) -> list[TailSums]:
    """Return, atom by atom, the sums that expected-shortfall contributions are made of."""
    block, horizon_d, edge = task
    parts = []
    for atom in block:
        returns = world.returns(atom, horizon_d)
        parts.append(TailSums.of(-returns, -(returns @ world.weights.T), edge))
    return parts


def joined(partials: Iterable[Partial], portfolios: int, scenarios: int, confidence: float) -> Partial:
    """Return all partials as one, merged as they come; sums stay atom by atom, in their order."""
    tail = TailCollector(portfolios, scenarios, confidence)
    sums: list[NDArray[np.float64]] = []
    squares: list[NDArray[np.float64]] = []
    histogram: NDArray[np.int64] | int = 0
    for partial in partials:
        tail.merge(partial.tail)
        sums += partial.sums
        squares += partial.squares
        histogram = histogram + partial.histogram
    return Partial(tail, sums, squares, np.asarray(histogram))
