"""Scenarios of one horizon in Ray's object store: how many fit, and the blocks that hold them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acceleray.engines.ray.fanout import FanOut
from acceleray.engines.ray.resident import Pending, Resident
from acceleray.errors import PortfolioError
from acceleray.quant.line_returns import Unit, losses_before
from acceleray.quant.scenarios import ATOM, atoms
from acceleray.stages.simulate.scenario_inputs import Atom, World

# Atoms in a block: the unit of sums over scenarios, so that changing it changes last bits. With 200
# instruments a block of doubles takes 52 MB.
ATOMS_PER_BLOCK = 8
# Fewer say too little about a tail of 1 %.
LEAST_SCENARIOS = 10_000
_MB = 1024 * 1024


@dataclass(frozen=True)
class Room:
    """How many scenarios are kept, in which precision, and the memory they take.

    Attributes:
        scenarios: how many.
        precision: float64, or float32 where the others would not fit.
        megabytes: of returns and of one portfolio's losses.
        wanted: how many were asked for.
    """

    scenarios: int
    precision: str
    megabytes: int
    wanted: int

    @property
    def words(self) -> str:
        """Return what is kept, in words."""
        digits = "double" if self.precision == "float64" else "single"
        fewer = (
            f" instead of {self.wanted:,}, because memory is short" if self.scenarios < self.wanted else ""
        )
        return f"{self.scenarios:,} scenarios{fewer} in {digits} precision, {self.megabytes:,} MB"


def room(
    wanted: int,
    instruments: int,
    budget_mb: int,
    precision: str = "auto",
    setting: str = "what_if.memory_mb",
) -> Room:
    """Return how many scenarios of so many instruments fit into a budget.

    All of them in double precision if they fit, else in single precision, which moves VaR and expected
    shortfall by less than a millionth; else as many of the first ones as do, in whole atoms. `setting` is the
    one that a message tells to raise.

    Raises:
        PortfolioError: fewer than `LEAST_SCENARIOS` would fit.
    """
    choices = ("float64", "float32") if precision == "auto" else (precision,)
    for choice in choices:
        each = np.dtype(choice).itemsize * instruments + 8
        if wanted * each <= budget_mb * _MB:
            return Room(wanted, choice, -(-wanted * each // _MB), wanted)
    fitting = budget_mb * _MB // each // ATOM * ATOM
    if fitting < min(LEAST_SCENARIOS, wanted):
        needed = -(-LEAST_SCENARIOS * each // _MB)
        raise PortfolioError(
            f"{LEAST_SCENARIOS:,} scenarios of {instruments} instruments take {needed:,} MB, and"
            f" {budget_mb:,} MB are allowed; raise {setting}."
        )
    return Room(fitting, choices[-1], -(-fitting * each // _MB), wanted)


def block_count(scenarios: int) -> int:
    """Return how many blocks so many scenarios make."""
    return -(-scenarios // (ATOMS_PER_BLOCK * ATOM))


class RayBlocks:
    """Blocks of scenarios in the object store, made by tasks, with losses of portfolios next to them."""

    def __init__(
        self,
        fan_out: FanOut,
        world: World,
        horizon_d: int,
        kept: Room,
        done: Callable[[int], None] = lambda count: None,
    ) -> None:
        """Make the scenarios; `done` is told how many blocks have been."""
        self.scenarios = kept.scenarios
        every = atoms(kept.scenarios)
        starts = range(0, len(every), ATOMS_PER_BLOCK)
        blocks = [every[first : first + ATOMS_PER_BLOCK] for first in starts]
        self._resident = Resident(fan_out, len(blocks))
        shared = self._resident.share(world)
        tasks = [(block, shared, horizon_d, kept.precision) for block in blocks]
        self._returns = self._resident.keep(made, tasks, done)

    @property
    def count(self) -> int:
        """Return the number of blocks."""
        return len(self._returns)

    def ask(
        self, function: Callable[..., Any], kept: Any, each: Sequence[tuple[Any, ...]], *same: Any
    ) -> Pending:
        """Start `function(returns, losses, *of_each, *same)` for every block; see `drawn.Blocks`."""
        more = each or [()] * len(self._returns)
        blocks = zip(self._returns, kept, more, strict=True)
        tasks = [(returns, losses, *some) for returns, losses, some in blocks]
        return self._resident.ask(function, tasks, same=same)

    def losses(self, weights: NDArray[np.float64], more: tuple[Unit, ...]) -> Any:
        """Make the losses of a portfolio, keep them, and return their handles."""
        return self._resident.keep(losses_before, [(each, weights, more) for each in self._returns])

    def pilot(self, kept: Any) -> tuple[NDArray[np.floating], NDArray[np.float64]]:
        """Return returns and losses of the first block."""
        return self._resident.get(self._returns[0]), self._resident.get(kept[0])


def made(block: Sequence[Atom], world: World, horizon_d: int, precision: str) -> NDArray[np.floating]:
    """Return the returns of one block (instruments, scenarios); each instrument's lie next to each other."""
    count = sum(size for _, size in block)
    returns = np.empty((world.next_sigma.size, count), dtype=precision)
    first = 0
    for atom in block:
        returns[:, first : first + atom[1]] = world.returns(atom, horizon_d).T
        first += atom[1]
    return returns
