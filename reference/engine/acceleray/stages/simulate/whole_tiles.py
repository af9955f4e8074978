"""Books of few held lines: scenarios are generated once and stored, a tile has its losses in all of them.

Each function is run by Ray. Losses of a row depend on no other row (`quant.sparse_products`), and what is
found of a row on nothing but its losses, so tiles may be cut anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acceleray.engines.ray.fanout import FanOut
from acceleray.quant.euler import value_at_risk_window
from acceleray.quant.held_lookups import looked_up
from acceleray.quant.risk import (
    largest,
    tail_expected_shortfall,
    tail_expected_shortfall_error,
    tail_mass,
    tail_value_at_risk,
    tail_value_at_risk_error,
)
from acceleray.quant.scenarios import atoms
from acceleray.quant.sparse_products import in_blocks
from acceleray.quant.tails import Tail, TailAt, joined
from acceleray.quant.what_if import Levels, scenario_weights
from acceleray.stages.simulate.attribution import log_returns
from acceleray.stages.simulate.found import Found, Plan, histogram_edges
from acceleray.stages.simulate.held_rows import HeldRows, Weighing
from acceleray.stages.simulate.one_pass import Asked
from acceleray.stages.simulate.progress import Progress
from acceleray.stages.simulate.reverse import Reached, reached
from acceleray.stages.simulate.scenario_inputs import Atom, World
from acceleray.stages.simulate.tasks import Part

# Numbers in the returns of all scenarios that are stored for all tiles: half a gigabyte.
_STORED_NUMBERS = 64_000_000
# Numbers in the losses of a tile: 64 megabytes.
_TILE_NUMBERS = 8_000_000
# Rows whose losses are sorted, and scenarios whose log returns are found, at a time: a few megabytes.
_ROWS, _SCENARIOS = 32, 256


def fits(world: World, plan: Plan) -> bool:
    """Return whether portfolios hold few of the lines, and all scenarios can be stored."""
    return world.few is not None and plan.scenarios * world.weights.shape[1] <= _STORED_NUMBERS


class WholeTiles:
    """All scenarios of one world and horizon, stored, and the tiles that look through them."""

    def __init__(self, fan_out: FanOut, world: World, plan: Plan, horizon_d: int) -> None:
        """Cut the portfolios into tiles."""
        self._fan_out, self._world, self._plan, self._horizon_d = fan_out, world, plan, horizon_d
        portfolios, size = len(world.weights), max(_TILE_NUMBERS // plan.scenarios // _ROWS, 1) * _ROWS
        cut = [slice(first, min(first + size, portfolios)) for first in range(0, portfolios, size)]
        self._tiles = [Part(horizon_d, each) for each in cut]

    @property
    def steps(self) -> int:
        """Return how many steps of progress there are."""
        return len(self._tiles)

    def found(self, shared: Any, whitened: NDArray[np.float64] | None, progress: Progress) -> list[Found]:
        """Return what is known of each tile; `shared` is the world as the fan-out shares it."""
        edges = histogram_edges(self._world, self._horizon_d)
        asked = self._fan_out.share(Asked(self._plan, self._horizon_d, edges, whitened))
        found = []
        with self._fan_out.chain("stored scenarios") as chain:
            made = [chain.start(stored, atom, shared, asked) for atom in atoms(self._plan.scenarios)]
            last = [chain.start(searched, tile, shared, asked, *made) for tile in self._tiles]
            for each in chain.results(last, "portfolios, part"):
                found.append(each)
                progress.step()
        return found


@dataclass(frozen=True)
class Stored:
    """The scenarios of one atom, as tiles read them.

    Attributes:
        scenarios: how many.
        losses: of lines, (blocks, lines, scenarios of a block), as `in_blocks` returns them.
        market: (scenarios,) log returns of the market.
        moves: (scenarios, directions) whitened factor moves, None without targets.
    """

    scenarios: int
    losses: NDArray[np.float64]
    market: NDArray[np.float64]
    moves: NDArray[np.float64] | None


def stored(atom: Atom, world: World, asked: Asked) -> Stored:
    """Return the scenarios of one atom."""
    returns = world.returns(atom, asked.horizon_d)
    members, market = asked.plan.market, np.empty(len(returns))
    moves: list[NDArray[np.float64]] = []
    for first in range(0, len(returns), _SCENARIOS):
        logs = log_returns(returns[first : first + _SCENARIOS], world.arithmetic)
        own = logs if members is None else logs[:, members]
        market[first : first + _SCENARIOS] = own.mean(axis=1)
        moves += [] if asked.whitened is None else [logs @ asked.whitened]
    return Stored(len(returns), in_blocks(returns), market, np.concatenate(moves) if moves else None)


def searched(part: Part, world: World, asked: Asked, *every: Stored) -> Found:
    """Return what all scenarios say about a tile.

    Raises RuntimeError for losses that are not finite.
    """
    plan, first = asked.plan, 0
    losses = np.empty((part.size, plan.scenarios))
    for each in every:
        _fill(losses[:, first : first + each.scenarios], part, world, each)
        first += each.scenarios
    if not bool(np.isfinite(losses).all()):
        raise RuntimeError("some simulated losses are not finite")
    rows, lookup = HeldRows(part, world, plan), _Lookup(every, world.compiled_in)
    tails, volatility = [], []
    for start in range(0, part.size, _ROWS):
        some = losses[start : start + _ROWS]
        tails.append(_tail(some, plan, rows, lookup))
        volatility.append(some.std(axis=1))
    value_at_risk, shortfall, attribution = rows.found()
    edges = asked.edges
    return Found(
        tail=joined(tails),
        volatility=np.concatenate(volatility),
        # The outermost bins take everything beyond them.
        histogram=np.histogram(np.clip(losses[0], edges[0], edges[-1]), edges)[0],
        value_at_risk=value_at_risk,
        expected_shortfall=shortfall,
        attribution=attribution,
        reached=_reached(losses, part, asked, every),
    )


def _fill(losses: NDArray[np.float64], part: Part, world: World, each: Stored) -> None:
    assert world.few is not None
    first = 0
    for some in world.few.losses(part.portfolios, each.losses, world.compiled_in):
        losses[first : first + len(some)] = some[:, : each.scenarios]
        first += len(some)


def _tail(losses: NDArray[np.float64], plan: Plan, rows: HeldRows, lookup: _Lookup) -> Tail:
    """Return the measures of some rows from losses (rows, scenarios), and add what they are made of."""
    count, levels = plan.scenarios, Levels(plan.var_confidence, plan.es_confidence)
    # Of very few scenarios the ranks around the value at risk reach further than its error does.
    around = value_at_risk_window(count, plan.var_confidence)[1] + 1
    top = largest(losses, max(levels.depth(count), around))
    tail = Tail({level.confidence: _at(top, count, level.confidence) for level in plan.levels})
    measures = tail.value_at_risk(plan.var_confidence), tail.expected_shortfall(plan.es_confidence)
    for place, (value_at_risk, shortfall) in enumerate(zip(*measures, strict=True)):
        if not rows.wanted:
            rows.skip()
            continue
        scenarios = np.flatnonzero(losses[place] >= top[place, -1])
        weights = scenario_weights(losses[place, scenarios], count, levels)
        weighing = weights.any(axis=1)
        rows.take(lookup(scenarios[weighing], weights[weighing]), value_at_risk, shortfall, around=True)
    return tail


def _at(top: NDArray[np.float64], count: int, confidence: float) -> TailAt:
    mass = tail_mass(count, confidence)
    return TailAt(
        value_at_risk=tail_value_at_risk(top, mass).copy(),
        value_at_risk_error=tail_value_at_risk_error(top, count, confidence),
        expected_shortfall=tail_expected_shortfall(top, mass),
        expected_shortfall_error=tail_expected_shortfall_error(top, mass, confidence),
    )


class _Lookup:
    """Looks up in the stored scenarios what lines lose, and the market's log returns."""

    def __init__(self, every: Sequence[Stored], compiled_in: Path | None) -> None:
        self._every, self._compiled_in = every, compiled_in
        self._ends = np.cumsum([each.scenarios for each in every])
        self._market = np.concatenate([each.market for each in every])

    def __call__(self, scenarios: NDArray[np.int64], weights: NDArray[np.float64]) -> Weighing:
        """Return some scenarios, whose numbers ascend, with their weights."""
        return Weighing(weights, self._market[scenarios], lambda lines: self._losses(scenarios, lines))

    def _losses(self, scenarios: NDArray[np.int64], lines: NDArray[np.int64]) -> NDArray[np.float64]:
        found = np.empty((scenarios.size, lines.size))
        first = 0
        for each, end in zip(self._every, self._ends.tolist(), strict=True):
            last = int(np.searchsorted(scenarios, end))
            own = scenarios[first:last] - (end - each.scenarios)
            found[first:last] = looked_up(each.losses, own, lines, self._compiled_in)
            first = last
        return found


def _reached(
    losses: NDArray[np.float64], part: Part, asked: Asked, every: Sequence[Stored]
) -> Reached | None:
    """Return what the scenarios say about the targets, None without any."""
    found: Reached | None = None
    first = part.portfolios.start == 0
    start = 0
    for each in every if asked.whitened is not None else ():
        assert each.moves is not None
        some = losses[:, start : start + each.scenarios]
        start += each.scenarios
        lines = each.losses.shape[1]
        # Returns themselves are asked for of the first portfolio alone.
        own = each.losses.transpose(0, 2, 1).reshape(-1, lines) if first else np.empty((0, lines))
        about = reached(some, each.moves, -own, asked.plan.targets, first)
        found = about if found is None else found + about
    return found
