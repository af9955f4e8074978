"""Three passes over the scenarios for some of the portfolios: count, collect, attribute.

Each pass generates the scenarios again. They find what `one_pass` finds, whatever the losses tie and however
wrong the pilot is, so they serve where that one misses; and they are what it is tested against.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acceleray.engines.ray.fanout import FanOut
from acceleray.quant.euler import Band, adding_up
from acceleray.quant.rank_search import BINS, Brackets, Places, brackets_over, improved, placed
from acceleray.quant.tails import Above, Located, Pairs, Tail, Wanted, tail_at
from acceleray.stages.simulate import tasks
from acceleray.stages.simulate.attribution import attributed
from acceleray.stages.simulate.enumeration import every_outcome
from acceleray.stages.simulate.found import (
    HISTOGRAM_BINS,
    Found,
    Plan,
    checked,
    histogram_edges,
    means,
    without_zeros,
)
from acceleray.stages.simulate.progress import Progress
from acceleray.stages.simulate.reverse import Reached
from acceleray.stages.simulate.scenario_inputs import World
from acceleray.stages.simulate.tasks import Part

# Each group of portfolios generates the pilot again, which costs most where lines are many.
_PILOT_TOGETHER, _PILOT_OF_FEW = 256, 1024
# A bracket that misses a rank grows 128-fold, one that holds a crowd shrinks: neither is needed twice.
_ATTEMPTS, _SHRINKING = 40, 2
PASSES = 3
"""Count, collect, attribute; the pilot is one block."""


class Passes:
    """The passes over all scenarios of one world and horizon."""

    def __init__(
        self,
        fan_out: FanOut,
        world: World,
        shared: Any,
        plan: Plan,
        horizon_d: int,
        groups: Sequence[Sequence[tasks.Block]],
        progress: Progress,
        whitened: NDArray[np.float64] | None,
    ) -> None:
        """Go over the blocks of `groups`, a task each; with a whitening matrix look about the targets too."""
        self.world, self.plan, self.horizon_d = world, plan, horizon_d
        self.edges = histogram_edges(world, horizon_d)
        self._fan_out, self._shared, self._groups, self._progress = fan_out, shared, groups, progress
        self._pilot = groups[0][0]
        self.whitened = whitened

    def part(self, portfolios: slice) -> Found:
        """Return what is known of some of the portfolios after all passes."""
        plan, part = self.plan, Part(self.horizon_d, portfolios)
        brackets, places, sums, histogram = self._count(part)
        wanted = tuple(Wanted.of(one, at) for one, at in zip(brackets, places, strict=True))
        levels = dict(self._collect(part, wanted, places))
        tail = Tail({level: each.measures for level, each in levels.items()})
        window, beyond = levels[plan.var_confidence].window, levels[plan.es_confidence].tail
        var, shortfall = (
            tail.value_at_risk(plan.var_confidence),
            tail.expected_shortfall(plan.es_confidence),
        )
        bands, about = self._attribute(part, window, beyond)
        weights = self.world.weights[portfolios]
        mean = sums[0] / plan.scenarios
        logs = bands.logs / beyond.total[:, np.newaxis]
        found = Found(
            tail=tail,
            volatility=np.sqrt(np.maximum(sums[1] / plan.scenarios - mean * mean, 0.0)),
            histogram=histogram,
            value_at_risk=adding_up(means(weights, bands.value_at_risk, window), var),
            expected_shortfall=checked(means(weights, bands.expected_shortfall, beyond), shortfall),
            attribution=attributed(shortfall, weights, logs, plan.betas, plan.market),
            reached=about,
        )
        return without_zeros(found, self.world, plan, portfolios)

    def every_outcome(self, portfolios: Sequence[slice]) -> list[Found]:
        """Return what is known of each part of the portfolios where scenarios are every outcome, none drawn.

        The passes serve the reverse stress alone, which looks for single scenarios and not for a quantile.
        """
        parts = [Part(self.horizon_d, each) for each in portfolios]
        found = []
        shared = (self._shared,)
        for part, each in zip(
            parts,
            self._fan_out.map(every_outcome, parts, shared, plan=self.plan, edges=self.edges),
            strict=True,
        ):
            sought = self.whitened is not None
            found.append(replace(each, reached=self.part(part.portfolios).reached) if sought else each)
            self._progress.step()
        return found

    def _map(self, function: Callable[..., Any], *arguments: Any) -> Iterator[Any]:
        shared = (self._shared, *(self._fan_out.share(each) for each in arguments))
        for result in self._fan_out.map(function, self._groups, shared):
            yield result
            self._progress.step()

    def _count(
        self, part: Part
    ) -> tuple[tuple[Brackets, ...], list[Places], NDArray[np.float64], NDArray[np.int64]]:
        brackets = self._first_brackets(part)
        for attempt in range(_ATTEMPTS):
            counts = [np.zeros((part.size, BINS + 1), dtype=np.int64) for _ in brackets]
            sums, histogram = np.zeros((2, part.size)), np.zeros(HISTOGRAM_BINS, dtype=np.int64)
            for result in self._map(tasks.count, part, brackets, self.edges):
                for total, some, beyond in zip(counts, result.counts, result.beyond, strict=True):
                    total[:, :BINS] += some
                    total[:, BINS] += beyond
                for block in result.sums:
                    sums += block
                histogram += result.histogram
            if not bool(np.isfinite(sums).all()):
                raise RuntimeError("some simulated losses are not finite")
            places = [placed(level, each) for level, each in zip(self.plan.levels, counts, strict=True)]
            narrow = attempt < _SHRINKING and self.world.outcomes(self.horizon_d) > 1e6
            better = [improved(one, at, narrow) for one, at in zip(brackets, places, strict=True)]
            if not any(better):
                return brackets, places, sums, histogram
            brackets = tuple(new or old for new, old in zip(better, brackets, strict=True))
        raise RuntimeError("the tails of some portfolios cannot be found")

    def _first_brackets(self, part: Part) -> tuple[Brackets, ...]:
        stop = part.portfolios.stop
        step = _PILOT_TOGETHER if self.world.few is None else _PILOT_OF_FEW
        some = [
            Part(self.horizon_d, slice(first, min(first + step, stop)))
            for first in range(part.portfolios.start, stop, step)
        ]
        found = list(
            self._fan_out.map(tasks.pilot, some, (self._shared,), block=self._pilot, levels=self.plan.levels)
        )
        return tuple(brackets_over(np.concatenate(bounds, axis=1)) for bounds in zip(*found, strict=True))

    def _collect(
        self, part: Part, wanted: tuple[Wanted, ...], places: Sequence[Places]
    ) -> Iterator[tuple[float, Located]]:
        pairs = [Pairs() for _ in wanted]
        above = [Above.none(part.size) for _ in wanted]
        for result in self._map(tasks.collect, part, wanted):
            for into, some in zip(pairs, result.pairs, strict=True):
                into.add(*some.sorted())
            for block in result.above:
                above = [total + some for total, some in zip(above, block, strict=True)]
        for number, level in enumerate(self.plan.levels):
            known = (wanted[number], places[number], pairs[number], above[number])
            yield level.confidence, tail_at(level, *known)

    def _attribute(self, part: Part, window: Band, tail: Band) -> tuple[tasks.BandSums, Reached | None]:
        sums = tasks.BandSums.none(part.size, self.world.weights.shape[1])
        about: Reached | None = None
        for result in self._map(tasks.attribute, part, window, tail, self.whitened, self.plan.targets):
            for block in result.sums:
                sums.add(block)
            for losing in result.reached:
                about = losing if about is None else about + losing
        expected = np.stack((window.total, tail.total))
        if not np.allclose(sums.weights, expected, rtol=1e-9, atol=0.0):
            raise RuntimeError("two passes over the scenarios did not see the same losses")
        return sums, about
