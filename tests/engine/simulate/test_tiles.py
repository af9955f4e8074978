"""How portfolios and scenarios are cut changes no bit, and what is kept is kept in one place."""

from __future__ import annotations

import numpy as np
import pytest

from acceleray.quant.scenarios import atoms
from acceleray.stages.simulate import tasks, tiles
from acceleray.stages.simulate.engine import simulated
from acceleray.stages.simulate.found import Plan
from acceleray.stages.simulate.horizon import Horizon
from acceleray.stages.simulate.scenario_inputs import World
from simulate.serial import SerialFanOut, made_up_world, with_t_copula
from simulate.test_simulate_engine import bits

PLAN = Plan(41_000, (1, 3), 0.99, 0.975, betas=np.array([0.8, 1.0, 1.3]), targets=(0.02,))


@pytest.fixture(scope="module", params=["filtered_historical", "t_copula"])
def at_once(request: pytest.FixtureRequest) -> tuple[World, tuple[Horizon, ...]]:
    world = made_up_world()
    world = world if request.param == "filtered_historical" else with_t_copula(world)
    return world, simulated(SerialFanOut(), [world], PLAN)


@pytest.mark.parametrize(
    ("numbers", "portfolios", "part", "workers"),
    [(10**9, 32, 1, 2), (1, 32, 1, 1), (1, 64, 10**6, 1), (1, 1024, 25_000, 3)],
)
def test_tiles_parts_segments_and_workers_change_no_bit(
    at_once, monkeypatch, numbers, portfolios, part, workers
) -> None:
    world, horizons = at_once
    monkeypatch.setattr(tiles, "_AT_ONCE_NUMBERS", numbers)
    for name in ("TILE", "_KEPT"):
        monkeypatch.setattr(tiles, name, portfolios)
    for name in ("_PART_NUMBERS", "_SEGMENT_NUMBERS"):
        monkeypatch.setattr(tiles, name, part)
    assert bits(simulated(SerialFanOut(workers), [world], PLAN)) == bits(horizons)


@pytest.mark.parametrize(
    ("portfolios", "lines", "workers", "scenarios", "expected"),
    [
        (1000, 20, 2, 1_000_000, [[512, 488]]),
        (1000, 20, 3, 1_000_000, [[320, 352, 328]]),
        (7, 20, 4, 1_000_000, [[7]]),
        (70, 3, 2, 1_000_000, [[32, 38]]),
        (2100, 20, 1, 1_000_000, [[704], [704], [692]]),
        (2100, 20, 2, 1_000_000, [[512, 544], [512, 532]]),
        (300, 512, 2, 6_400_000, [[64, 96], [64, 76]]),
        (2500, 500, 2, 50_000, [[608, 640], [640, 612]]),
    ],
)
def test_portfolios_are_dealt_evenly_and_cut_between_products(
    portfolios, lines, workers, scenarios, expected
) -> None:
    groups = tiles.dealt(portfolios, lines, workers, scenarios)
    own = [each for group in groups for each in group]
    assert [[each.stop - each.start for each in group] for group in groups] == expected
    assert [each.start for each in own] == [0, *(each.stop for each in own[:-1])]
    assert all(each.start % tasks.PORTFOLIOS_PER_PRODUCT == 0 for each in own)


@pytest.mark.parametrize(("lines", "workers"), [(3, 2), (20, 2), (20, 16), (100, 8), (512, 2), (512, 64)])
@pytest.mark.parametrize("scenarios", [1, 16_385, 300_000])
def test_segments_are_all_scenarios_in_their_order_and_as_large_as_is_said(lines, workers, scenarios) -> None:
    cut = tiles.segments(scenarios, lines, workers)
    assert [atom for segment in cut for part in segment for atom in part] == atoms(scenarios)
    # The pilot, four atoms, is in the first one; no later one has more than 40 MB, or one atom.
    assert sum(len(part) for part in cut[0]) >= min(4, len(atoms(scenarios)))
    for segment in cut[1:]:
        count = sum(count for part in segment for _, count in part)
        assert 8 * count * lines <= 40_000_000 or count <= 4096
    if workers == 16 and scenarios == 300_000:
        # Every worker makes a part of a segment.
        assert len(cut[0]) >= 15
