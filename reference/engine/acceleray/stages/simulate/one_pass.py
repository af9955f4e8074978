"""One pass over scenarios, each function run by Ray: generate them once, search the tails of each tile.

A tile of portfolios goes through the scenarios in their order. Nothing depends on how scenarios are cut into
segments or portfolios into tiles: sums are made atom by atom, and losses in the same matrix products as in
`tasks`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.euler import adding_up
from acceleray.quant.rank_search import pilot_bounds
from acceleray.quant.tail_scans import Large, numbered_from, room_for
from acceleray.quant.tail_search import TailSearch, numbered
from acceleray.quant.tails import Tail
from acceleray.stages.simulate.attribution import attributed, log_returns
from acceleray.stages.simulate.found import Found, Plan, checked, means
from acceleray.stages.simulate.reverse import BAND, Reached, reached_of
from acceleray.stages.simulate.scenario_inputs import World
from acceleray.stages.simulate.tasks import ATOMS_PER_BLOCK, PORTFOLIOS_PER_PRODUCT, Block, Part

Returns = Sequence[NDArray[np.float64]]


@dataclass(frozen=True)
class Asked:
    """Request for every tile at one horizon: the plan, the histogram bins, whitened factor moves."""

    plan: Plan
    horizon_d: int
    edges: NDArray[np.float64]
    whitened: NDArray[np.float64] | None

    @property
    def least_target(self) -> float:
        """Return the loss from which on a scenario says something about the targets, infinite for none."""
        return (1.0 - BAND) * min(self.plan.targets) if self.whitened is not None else np.inf


@dataclass
class TileState:
    """State of one tile after some of the scenarios."""

    search: TailSearch
    sums: NDArray[np.float64]
    histogram: NDArray[np.int64]
    reached: Reached | None


@dataclass(frozen=True)
class Searched:
    """Results of a tile, and a mask of the portfolios without one, because their pilot was wrong."""

    found: Found
    missed: NDArray[np.bool_]


def generate(atoms: Block, world: World, asked: Asked) -> Returns:
    """Return the returns of some atoms, each (scenarios, lines)."""
    return tuple(world.returns(atom, asked.horizon_d) for atom in atoms)


def see(state: TileState | None, part: Part, world: World, asked: Asked, *made: Returns) -> TileState:
    """Return what a tile knows after some more scenarios, in their order; without a state, after the first.

    The first ones contain the pilot.
    """
    every = [returns for some in made for returns in some]
    state = state or _started(part, world, asked, every[:ATOMS_PER_BLOCK])
    for returns in every:
        _see(state, part, world, asked, returns)
    state.search.pack()
    return state


def finish(state: TileState, part: Part, world: World, asked: Asked) -> Searched:
    """Return what is found of a tile after all scenarios.

    Raises RuntimeError for losses that are not finite, and for sums that do not fit the scenarios.
    """
    plan, search, columns = asked.plan, state.search, _Columns(world)
    if not bool(np.isfinite(state.sums).all()):
        raise RuntimeError("some simulated losses are not finite")
    levels = search.found()
    tail = Tail({level: each.measures for level, each in levels.items()})
    window, beyond = levels[plan.var_confidence].window, levels[plan.es_confidence].tail
    held, seen = search.window_sums(plan.var_confidence, window), search.tail_sums(beyond, columns)
    weights, lines = world.weights[part.portfolios], world.weights.shape[1]
    mean = state.sums[0] / plan.scenarios
    shortfall = tail.expected_shortfall(plan.es_confidence)
    logs = seen[:, lines:] / beyond.total[:, np.newaxis]
    contributions = means(weights, seen[:, :lines], beyond)
    found = Found(
        tail=tail,
        volatility=np.sqrt(np.maximum(state.sums[1] / plan.scenarios - mean * mean, 0.0)),
        histogram=state.histogram,
        value_at_risk=adding_up(means(weights, -held, window), tail.value_at_risk(plan.var_confidence)),
        expected_shortfall=contributions,
        attribution=attributed(shortfall, weights, logs, plan.betas, plan.market),
        reached=state.reached,
    )
    # Portfolios without holdings are left out of the search, and known.
    missed = search.missed & weights.any(axis=1)
    known = np.flatnonzero(~missed)
    checked(contributions[known], shortfall[known])
    return Searched(found, missed)


def at_once(part: Part, world: World, asked: Asked, *made: Returns) -> Searched:
    """Return what is found of a tile after all scenarios, given at once."""
    return finish(see(None, part, world, asked, *made), part, world, asked)


def _started(part: Part, world: World, asked: Asked, pilot: Returns) -> TileState:
    plan = asked.plan
    bounds, seen = brackets(part, world, plan, pilot), sum(map(len, pilot))
    search = TailSearch(plan.levels, bounds, seen, plan.es_confidence, world.compiled_in)
    # Portfolios without holdings: every loss is nothing, and so is all that is said of them.
    search.leave(~np.any(world.weights[part.portfolios] != 0.0, axis=1))
    histogram = np.zeros(len(asked.edges) - 1, dtype=np.int64)
    return TileState(search, np.zeros((2, part.size)), histogram, None)


def brackets(part: Part, world: World, plan: Plan, pilot: Returns) -> list[NDArray[np.float64]]:
    """Return for each level the losses (2, portfolios) between which its ranks should lie."""
    bounds = []
    for some in zip(*(part.losses(world, each) for each in pilot), strict=True):
        bounds.append(pilot_bounds(np.concatenate([losses for _, losses in some], axis=1), plan.levels))
    return [np.concatenate(found, axis=1) for found in zip(*bounds, strict=True)]


class _Columns:
    """Sums over the tail: line losses and log returns."""

    def __init__(self, world: World) -> None:
        self._arithmetic = world.arithmetic

    def __call__(self, returns: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.hstack((-returns, log_returns(returns, self._arithmetic)))


def _see(state: TileState, part: Part, world: World, asked: Asked, returns: NDArray[np.float64]) -> None:
    """Take in one more atom."""
    least = np.minimum(state.search.least, asked.least_target)
    total, sums = returns.sum(axis=0), np.zeros((2, part.size))
    found, room = [], room_for(PORTFOLIOS_PER_PRODUCT * len(returns))
    begin = part.portfolios.start
    for places, some in part.losses(world, returns):
        sums[0, places] = -(world.weights[begin + places.start : begin + places.stop] @ total)
        sums[1, places] = np.einsum("ij,ij->i", some, some)
        found.append(numbered_from(places.start, some, least[places], room, world.compiled_in))
        if begin + places.start == 0:
            # The outermost bins take everything beyond them.
            edges = asked.edges
            state.histogram = state.histogram + np.histogram(np.clip(some[0], edges[0], edges[-1]), edges)[0]
    state.sums = state.sums + sums
    rows, scenarios, losses = (np.concatenate(each) for each in zip(*found, strict=True))
    chosen = rows, scenarios, losses
    if asked.whitened is not None:
        about = _about(chosen, part, world, asked, returns)
        state.reached = about if state.reached is None else state.reached + about
    state.search.take(*chosen, returns, _Columns(world))


def _about(
    chosen: Large,
    part: Part,
    world: World,
    asked: Asked,
    returns: NDArray[np.float64],
) -> Reached:
    """Return what one atom says about the targets; factor moves of the scenarios that say something only."""
    assert asked.whitened is not None
    some = np.flatnonzero(chosen[2] >= asked.least_target)
    rows, losses = chosen[0][some], chosen[2][some]
    needed, places = numbered(chosen[1][some])
    own = returns[needed]
    moves = log_returns(own, world.arithmetic) @ asked.whitened
    first, targets = part.portfolios.start == 0, asked.plan.targets
    return reached_of(part.size, rows, places, losses, moves, own, targets, first, world.compiled_in)
