"""A simulation whose tiles stay in Ray actors: the same bits for any number of them, after a kill too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from acceleray.compiled import DEFAULT_FOLDER
from acceleray.engines.ray.fanout import FanOut
from acceleray.stages.simulate import tiles
from acceleray.stages.simulate.engine import simulated
from engines.living import gone, saying
from one_ray import OneRay
from simulate.serial import SerialFanOut, made_up_world, with_t_copula
from simulate.test_simulate_engine import bits
from simulate.test_tiles import PLAN

pytestmark = pytest.mark.ray


@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.nightly), 2])
def test_killed_or_not_the_bits_are_those_of_one_process(
    one_ray: OneRay, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    world = replace(with_t_copula(made_up_world()), compiled_in=DEFAULT_FOLDER)
    expected = bits(simulated(SerialFanOut(), [world], PLAN))
    for name in ("_AT_ONCE_NUMBERS", "_PART_NUMBERS", "_SEGMENT_NUMBERS"):
        monkeypatch.setattr(tiles, name, 1)
    fan_out = FanOut(workers, one_ray.fan_out().task_timeout_s)
    killed, said = list[int](), list[str]()

    def counter(total: int, what: str) -> Callable[[int], None]:
        def done(count: int) -> None:
            # Half-way through the second horizon, with all of the first one found.
            if not killed and count > 0.7 * total:
                victim = saying("ray::_Keeper")[0]
                victim.kill()
                killed.append(victim.pid)

        return done

    found = simulated(fan_out, [world], PLAN, counter, say=said.append)
    assert bits(found) == expected
    assert killed
    assert [line.split("; ")[1] for line in said] == ["one pass over scenarios starts again, attempt 2 of 4."]
    assert [one.at_once for one in fan_out.mapped if one.function == "one pass over scenarios"] == [
        workers
    ] * 2
    assert gone(saying("ray::_Keeper"), within_s=300.0)
