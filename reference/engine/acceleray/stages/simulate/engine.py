"""How scenarios are gone through at each horizon, and what becomes of what is found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acceleray.engines.ray.fanout import FanOut
from acceleray.engines.ray.kept_states import KeptStates
from acceleray.stages.simulate import tasks, whole_tiles
from acceleray.stages.simulate.found import Found, Plan, histogram_edges
from acceleray.stages.simulate.horizon import DRAWS, WINDOW, Horizon
from acceleray.stages.simulate.passes import PASSES, Passes
from acceleray.stages.simulate.progress import Progress
from acceleray.stages.simulate.reverse import reverse_of, whitening
from acceleray.stages.simulate.scenario_inputs import World
from acceleray.stages.simulate.tiles import OnePass, fits
from acceleray.stages.simulate.whole_tiles import WholeTiles

# Portfolios that go through the passes together: memory grows with these and no more.
_TOGETHER = 2048


def simulated(
    fan_out: FanOut,
    worlds: Sequence[World],
    plan: Plan,
    counter: Callable[[int, str], Callable[[int], None]] = lambda total, what: lambda done: None,
    *,
    in_passes: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> tuple[Horizon, ...]:
    """Return what is known after all scenarios, for each world and each horizon.

    Scenarios that are drawn are generated once, and again only where the first ones mislead. With
    ``in_passes``, and where lines are too many for what is kept and for all scenarios to be stored, they are
    generated in each of three passes. All find the same value at risk, and everything else but for rounding.
    ``counter`` is told the number of tasks and returns what is told how many are done; ``say`` is told when
    workers were lost and a pass starts again.
    """
    every = [
        _Horizon(fan_out, world, plan, horizon_d, in_passes)
        for world in worlds
        for horizon_d in plan.horizons_d
    ]
    total = sum(each.steps for each in every)
    progress = Progress(counter(total, "blocks of scenarios"), total)
    shared = {world.method: fan_out.share(world) for world in worlds}
    for each in every:
        each.prepare(shared[each.world.method], progress)
    # Actors have all processors: whatever runs as tasks comes before them or after them. Before is better: a
    # task after them often needs a new process, and two seconds until that has loaded what it needs.
    with fan_out.states("one pass over scenarios", say) as states:
        for each in every:
            each.search(states, progress)
    return tuple(each.found(shared[each.world.method], progress) for each in every)


class _Horizon:
    """One world at one horizon."""

    def __init__(self, fan_out: FanOut, world: World, plan: Plan, horizon_d: int, in_passes: bool) -> None:
        self.world, self._horizon_d, self._fan_out = world, horizon_d, fan_out
        self._all = world.enumerated(horizon_d)
        self._plan = replace(plan, scenarios=len(world.residuals)) if self._all else plan
        self._groups = tasks.grouped(tasks.blocks(self._plan.scenarios))
        portfolios = len(world.weights)
        self._parts = [
            slice(first, min(first + _TOGETHER, portfolios)) for first in range(0, portfolios, _TOGETHER)
        ]
        self._once = not (self._all or in_passes) and fits(world)
        self._one_pass = OnePass(fan_out, world, self._plan, horizon_d)
        stored = not (self._all or in_passes or self._once) and whole_tiles.fits(world, self._plan)
        self._whole = WholeTiles(fan_out, world, self._plan, horizon_d) if stored else None
        self._outcomes: list[Found] = []

    @property
    def steps(self) -> int:
        """Return how many steps of progress there are."""
        if self._once:
            return self._one_pass.steps
        if self._whole:
            return self._whole.steps
        return len(self._parts) * (1 if self._all else PASSES * len(self._groups))

    def prepare(self, shared: Any, progress: Progress) -> None:
        """Do what comes before actors; `shared` is the world."""
        if self._once:
            self._one_pass.prepare(shared, self._whitened(shared), progress)
        elif self._whole:
            self._outcomes = self._whole.found(shared, self._whitened(shared), progress)
        elif self._all:
            self._outcomes = self._passes(shared, progress, self._whitened(shared)).every_outcome(self._parts)

    def search(self, states: KeptStates, progress: Progress) -> None:
        """Do what actors do."""
        if self._once:
            self._one_pass.search(states, progress)

    def found(self, shared: Any, progress: Progress) -> Horizon:
        """Return what is known after all scenarios; `shared` is the world."""
        if self._once:
            parts: Sequence[Found] = self._one_pass.found(
                lambda part, whitened: self._passes(shared, progress, whitened).part(part)
            )
        elif self._all or self._whole:
            parts = self._outcomes
        else:
            through = self._passes(shared, progress, self._whitened(shared))
            parts = [through.part(each) for each in self._parts]
        return _whole(self.world, self._horizon_d, self._plan, parts)

    def _passes(self, shared: Any, progress: Progress, whitened: NDArray[np.float64] | None) -> Passes:
        world, plan, horizon_d = self.world, self._plan, self._horizon_d
        return Passes(self._fan_out, world, shared, plan, horizon_d, self._groups, progress, whitened)

    def _whitened(self, shared: Any) -> NDArray[np.float64] | None:
        if not self._plan.targets or self._horizon_d != max(self._plan.horizons_d):
            return None
        pilot = self._groups[0][0]
        [whitened] = self._fan_out.map(whitening, [pilot], (shared,), horizon_d=self._horizon_d)
        return np.asarray(whitened)


def _whole(world: World, horizon_d: int, plan: Plan, parts: Sequence[Found]) -> Horizon:
    """Return what is known of all portfolios out of what is known of each part."""
    found = Found.joined(parts)
    return Horizon(
        method=world.method,
        horizon_d=horizon_d,
        scenarios=plan.scenarios,
        error_of=WINDOW if world.enumerated(horizon_d) else DRAWS,
        copula_nu=None if world.copula is None else world.copula.nu,
        tail=found.tail,
        volatility=found.volatility,
        edges=histogram_edges(world, horizon_d),
        histogram=found.histogram,
        value_at_risk_contributions=found.value_at_risk,
        expected_shortfall_contributions=found.expected_shortfall,
        attribution=found.attribution,
        reverse=None if found.reached is None else reverse_of(found.reached, plan.targets),
    )
