"""How tiles of portfolios go through segments of scenarios, and what is done for those that missed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from acceleray.engines.ray.chain import Chain
from acceleray.engines.ray.fanout import FanOut
from acceleray.quant.scenarios import ATOM
from acceleray.stages.simulate import one_pass
from acceleray.stages.simulate.found import Found, Plan, histogram_edges
from acceleray.stages.simulate.one_pass import Asked, Searched
from acceleray.stages.simulate.progress import Progress
from acceleray.stages.simulate.reverse import whitening_of
from acceleray.stages.simulate.scenario_inputs import World
from acceleray.stages.simulate.tasks import PORTFOLIOS_PER_PRODUCT, Block, Part, blocks

# Numbers in the returns of a segment, ten megabytes: where all scenarios are no more, they are one segment.
_SEGMENT_NUMBERS, _AT_ONCE_NUMBERS = 1_250_000, 4_000_000
# Segments that are in memory together.
_AHEAD = 2
# Portfolios that go through the scenarios together, and lines times portfolios: states grow with both.
_TOGETHER, _TOGETHER_NUMBERS = 2048, 65_536
# With more lines, what is kept of single scenarios is too much.
_MOST_LINES = 512


def fits(world: World) -> bool:
    """Return whether the lines are few enough for what is kept of single scenarios."""
    return world.weights.shape[1] <= _MOST_LINES


def segments(scenarios: int, lines: int) -> list[list[Block]]:
    """Return the blocks of each segment of scenarios; how they are cut changes no number."""
    every = blocks(scenarios)
    if scenarios * lines <= _AT_ONCE_NUMBERS:
        return [every]
    size = max(_SEGMENT_NUMBERS // (ATOM * len(every[0]) * lines), 1)
    return [every[start : start + size] for start in range(0, len(every), size)]


class OnePass:
    """One pass over the scenarios of one world and horizon."""

    def __init__(self, fan_out: FanOut, world: World, plan: Plan, horizon_d: int) -> None:
        """Cut the scenarios into segments and the portfolios into tiles, in groups that go together."""
        self._fan_out, self._world, self._plan, self._horizon_d = fan_out, world, plan, horizon_d
        portfolios, lines = world.weights.shape
        self._segments = segments(plan.scenarios, lines)
        tile = one_pass.TILE
        tiles = [
            Part(horizon_d, slice(first, min(first + tile, portfolios)))
            for first in range(0, portfolios, tile)
        ]
        size = max(min(_TOGETHER, _TOGETHER_NUMBERS // lines) // tile, 1)
        self._groups = [tiles[first : first + size] for first in range(0, len(tiles), size)]

    @property
    def steps(self) -> int:
        """Return how many steps of progress there are."""
        return len(self._segments) * sum(len(group) for group in self._groups)

    def found(self, shared: Any, progress: Progress, otherwise: Callable[[slice, Any], Found]) -> list[Found]:
        """Return what is known of portfolios in order; ``otherwise`` finds it where a pilot was wrong.

        Args:
            shared: the world, as the fan-out shares it.
            progress: told of each tile that has been through a segment.
            otherwise: from portfolios, whole matrix products of them, and the whitening matrix.
        """
        found = []
        with self._fan_out.chain("one pass over scenarios") as chain:
            whitened = self._whitened(chain, shared)
            edges = histogram_edges(self._world, self._horizon_d)
            asked = self._fan_out.share(Asked(self._plan, edges, whitened))
            for tiles in self._groups:
                searched = self._through(chain, tiles, shared, asked, progress)
                for tile, each in zip(tiles, searched, strict=True):
                    for places, missed in _products(each):
                        first = tile.portfolios.start
                        own = slice(first + places.start, first + places.stop)
                        found.append(otherwise(own, whitened) if missed else each.found.part(places))
        return found

    def _whitened(self, chain: Chain, shared: Any) -> Any:
        """Return the whitening matrix out of the pilot, where losses are to be reached."""
        if not self._plan.targets or self._horizon_d != max(self._plan.horizons_d):
            return None
        [pilot] = self._made(chain, self._segments[0][:1], shared)
        [whitened] = chain.results([chain.start(whitening_of, pilot, shared)], "the spread of factor moves")
        return whitened

    def _made(self, chain: Chain, some: Sequence[Block], shared: Any) -> list[Any]:
        return [chain.start(one_pass.generate, block, shared, self._horizon_d) for block in some]

    def _through(
        self, chain: Chain, tiles: Sequence[Part], shared: Any, asked: Any, progress: Progress
    ) -> Iterator[Searched]:
        """Yield what is found of each tile."""
        if len(self._segments) == 1:
            made = self._made(chain, self._segments[0], shared)
            last = [chain.start(one_pass.at_once, tile, shared, asked, *made) for tile in tiles]
        else:
            states = self._states(chain, tiles, shared, asked, progress)
            last = [
                chain.start(one_pass.finish, state, tile, shared, asked)
                for state, tile in zip(states, tiles, strict=True)
            ]
        for searched in chain.results(last, "tails of portfolios, part"):
            progress.step()
            yield searched

    def _states(
        self, chain: Chain, tiles: Sequence[Part], shared: Any, asked: Any, progress: Progress
    ) -> list[Any]:
        """Return what each tile knows after all segments; a few segments are in memory at a time."""
        working: deque[list[Any]] = deque()
        states: list[Any] = []
        for number, segment in enumerate(self._segments):
            made = self._made(chain, segment, shared)
            states = [
                chain.start(one_pass.go_on, states[place], tile, shared, asked, *made)
                if number
                else chain.start(one_pass.begin, tile, shared, asked, *made)
                for place, tile in enumerate(tiles)
            ]
            working.append(states)
            if len(working) > _AHEAD:
                for state in working.popleft():
                    chain.wait([state], f"segment {number + 1 - _AHEAD} of {len(self._segments)}")
                    progress.step()
        for _ in range(len(working) - 1):
            for state in working.popleft():
                chain.wait([state], "the last segments")
                progress.step()
        return states


def _products(searched: Searched) -> Iterator[tuple[slice, bool]]:
    """Yield the places of each matrix product and whether it has a portfolio that was missed.

    Whole products are searched otherwise, so that every loss comes from the same one.
    """
    portfolios, step = searched.missed.size, PORTFOLIOS_PER_PRODUCT
    for first in range(0, portfolios, step):
        places = slice(first, min(first + step, portfolios))
        yield places, bool(searched.missed[places].any())
