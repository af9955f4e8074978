import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from acceleray.compiled import DEFAULT_FOLDER
from acceleray.quant import tail_search
from acceleray.quant.scenarios import ATOM, atoms
from acceleray.stages.simulate import one_pass, tasks, tiles
from acceleray.stages.simulate.engine import simulated
from acceleray.stages.simulate.found import Plan
from acceleray.stages.simulate.horizon import Horizon
from acceleray.stages.simulate.scenario_inputs import World
from acceleray.stages.simulate.tasks import Part
from simulate.serial import SerialFanOut, made_up_world, with_t_copula
from simulate.test_simulate_reverse import with_factors

VAR, ES = 0.99, 0.975
PLAN = Plan(90_001, (3,), VAR, ES, betas=np.array([0.8, 1.0, 1.3]), targets=(0.02, 0.05))


@pytest.fixture(scope="module", params=["filtered_historical", "t_copula"])
def world(request: pytest.FixtureRequest) -> World:
    plain = with_factors(made_up_world())
    return plain if request.param == "filtered_historical" else with_t_copula(plain)


@pytest.fixture(scope="module")
def in_passes(world: World) -> Horizon:
    [found] = simulated(SerialFanOut(), [world], PLAN, in_passes=True)
    return found


def same(found: Horizon, expected: Horizon, to_the_bit: bool = False) -> None:
    """Compare everything that is known: value at risk and its error to the bit, the rest to 1e-12."""
    for confidence in (VAR, ES):
        one, other = found.tail.at(confidence), expected.tail.at(confidence)
        np.testing.assert_array_equal(one.value_at_risk, other.value_at_risk)
        np.testing.assert_array_equal(one.value_at_risk_error, other.value_at_risk_error)
        for name in ("expected_shortfall", "expected_shortfall_error"):
            close(getattr(one, name), getattr(other, name), to_the_bit)
    for name in ("volatility", "value_at_risk_contributions", "expected_shortfall_contributions"):
        close(getattr(found, name), getattr(expected, name), to_the_bit)
    for name in ("factor", "specific", "residual"):
        close(getattr(found.attribution, name), getattr(expected.attribution, name), to_the_bit)
    np.testing.assert_array_equal(found.histogram, expected.histogram)
    assert found.reverse is not None
    assert expected.reverse is not None
    for name in ("reaching", "inside"):
        np.testing.assert_array_equal(getattr(found.reverse, name), getattr(expected.reverse, name))
    for name in ("loss", "factor_distance", "reference_returns"):
        close(getattr(found.reverse, name), getattr(expected.reverse, name), to_the_bit)


def close(found: np.ndarray, expected: np.ndarray, to_the_bit: bool) -> None:
    largest = float(np.nanmax(np.abs(expected), initial=0.0))
    np.testing.assert_allclose(found, expected, rtol=0, atol=0.0 if to_the_bit else 1e-12 * largest)


@pytest.mark.parametrize("numbers", [1, 10**9])
def test_one_pass_finds_what_three_find(world, in_passes, monkeypatch, numbers) -> None:
    monkeypatch.setattr(tiles, "_AT_ONCE_NUMBERS", numbers)
    monkeypatch.setattr(tiles, "_SEGMENT_NUMBERS", 200_000)
    fan_out = SerialFanOut()
    [found] = simulated(fan_out, [world], PLAN)
    same(found, in_passes)
    # Every scenario was generated once, but for the pilot of the reverse stress.
    blocks = len(tasks.blocks(PLAN.scenarios)) if numbers > 1 else parts()
    assert fan_out.ran.count("generate") == blocks
    assert not {"count", "collect", "attribute"} & set(fan_out.ran)


@pytest.mark.parametrize("numbers", [1, 10**9])
def test_machine_code_finds_what_numpy_finds_to_the_bit(world, monkeypatch, numbers) -> None:
    monkeypatch.setattr(tiles, "_AT_ONCE_NUMBERS", numbers)
    [expected] = simulated(SerialFanOut(), [world], PLAN)
    [found] = simulated(SerialFanOut(), [replace(world, compiled_in=DEFAULT_FOLDER)], PLAN)
    same(found, expected, to_the_bit=True)


def parts() -> int:
    return sum(map(len, tiles.segments(PLAN.scenarios, 3, SerialFanOut().workers)))


@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_a_pilot_that_misses_the_tail_is_noticed_and_three_passes_find_the_same(
    world, in_passes, monkeypatch, side
) -> None:
    honest = one_pass.brackets

    def wrong(part, *rest):
        found = [each.copy() for each in honest(part, *rest)]
        if part.portfolios.start == 32:
            # The second portfolio of the second product, at one level.
            found[0][:, 1] += side * 10.0 * (found[0][1, 1] - found[0][0, 1])
        return found

    monkeypatch.setattr(tiles, "TILE", 32)
    monkeypatch.setattr(one_pass, "brackets", wrong)
    fan_out = SerialFanOut()
    [found] = simulated(fan_out, [world], PLAN)
    assert "attribute" in fan_out.ran
    same(found, in_passes)
    for name in ("volatility", "value_at_risk_contributions", "expected_shortfall_contributions"):
        np.testing.assert_array_equal(getattr(found, name)[32:64], getattr(in_passes, name)[32:64])


@pytest.mark.parametrize("numbers", [1, 10**9])
def test_losses_that_tie_in_crowds_are_left_to_three_passes(monkeypatch, numbers) -> None:
    monkeypatch.setattr(tiles, "_AT_ONCE_NUMBERS", numbers)
    # Three days make nine losses in two steps: no bracket holds few of them.
    world = with_factors(made_up_world(days=3))
    plan = replace(PLAN, horizons_d=(2,))
    fan_out = SerialFanOut()
    [found] = simulated(fan_out, [world], plan)
    [expected] = simulated(SerialFanOut(), [world], plan, in_passes=True)
    assert "attribute" in fan_out.ran
    same(found, expected)


def test_what_a_tile_keeps_grows_slower_than_the_scenarios(monkeypatch) -> None:
    monkeypatch.setattr(tiles, "_AT_ONCE_NUMBERS", 1)
    monkeypatch.setattr(tiles, "_SEGMENT_NUMBERS", 1)
    sizes = []
    for scenarios in (65_536, 1_048_576):
        fan_out = SerialFanOut()
        plan = replace(PLAN, scenarios=scenarios, targets=())
        simulated(fan_out, [with_t_copula(made_up_world())], plan)
        sizes.append(fan_out.largest_state)
    # Sixteen times as many scenarios: four times as much, and the losses kept since the last narrowing.
    assert sizes[1] < 8.0 * sizes[0]


def test_sums_at_the_end_take_little_room_next_to_what_is_kept() -> None:
    world, part = made_up_world(), Part(3, slice(0, 70))
    plan = replace(PLAN, scenarios=200_000, targets=())
    asked = one_pass.Asked(plan, 3, np.linspace(-1.0, 1.0, 81), None)
    state = one_pass.see(None, part, world, asked, one_pass.generate(tuple(atoms(200_000)), world, asked))
    [kept] = [each for each in state.search._kept if each.level.confidence == ES]
    size = sum(each.nbytes for parts in (kept.rows, kept.losses, kept.scenarios) for each in parts)
    tail = state.search.found()[ES].tail
    tracemalloc.start()
    state.search.tail_sums(tail, one_pass._Columns(world))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 0.4 * size


def test_four_times_the_scenarios_hardly_keep_more(monkeypatch) -> None:
    monkeypatch.setattr(tail_search, "_FIRST_NARROWING", 4 * ATOM)
    monkeypatch.setattr(tail_search, "_STEP", 8 * ATOM)
    world, part = made_up_world(), Part(3, slice(0, 32))
    sizes = []
    for scenarios in (16 * ATOM, 64 * ATOM):
        asked = one_pass.Asked(
            replace(PLAN, scenarios=scenarios, targets=()), 3, np.linspace(-1, 1, 81), None
        )
        state = None
        for some in tasks.blocks(scenarios):
            state = one_pass.see(state, part, world, asked, one_pass.generate(some, world, asked))
        assert state is not None
        assert not state.search.missed[np.any(world.weights[:32] != 0.0, axis=1)].any()
        kept = state.search._kept
        sizes.append(sum(part.nbytes for each in kept for part in (*each.losses, *each.scenarios)))
    assert sizes[1] < 1.35 * sizes[0]
