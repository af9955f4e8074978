from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import pytest

from acceleray.quant import risk
from acceleray.quant.euler import euler_value_at_risk
from acceleray.stages.simulate import engine, passes, tasks, tiles
from acceleray.stages.simulate.engine import simulated
from acceleray.stages.simulate.found import Plan
from acceleray.stages.simulate.horizon import Horizon
from acceleray.stages.simulate.scenario_inputs import World
from simulate.serial import SerialFanOut, all_returns, made_up_world, with_t_copula

SCENARIOS, VAR, ES = 37_003, 0.99, 0.975
PLAN = Plan(SCENARIOS, (1, 3), VAR, ES, betas=np.array([0.8, 1.0, 1.3]))


@pytest.fixture(scope="module")
def world() -> World:
    return made_up_world()


@pytest.fixture(scope="module", params=["filtered_historical", "t_copula"])
def chosen(request: pytest.FixtureRequest, world: World) -> World:
    return world if request.param == "filtered_historical" else with_t_copula(world)


@pytest.fixture(scope="module", params=[False, True], ids=["one_pass", "three_passes"])
def made(request: pytest.FixtureRequest, chosen: World) -> tuple[World, tuple[Horizon, ...]]:
    return chosen, simulated(SerialFanOut(), [chosen], PLAN, in_passes=request.param)


@pytest.fixture(scope="module")
def in_passes(chosen: World) -> tuple[World, tuple[Horizon, ...]]:
    return chosen, simulated(SerialFanOut(), [chosen], PLAN, in_passes=True)


def drawn(horizons: tuple[Horizon, ...]) -> list[Horizon]:
    """Return the horizons whose scenarios are drawn; for the others see test_enumeration.py."""
    return [each for each in horizons if each.error_of == "draws"]


def bits(value: Any) -> list[bytes]:
    """Return every array in a result as bytes."""
    if isinstance(value, np.ndarray):
        return [value.tobytes()]
    if is_dataclass(value):
        return [part for one in fields(value) for part in bits(getattr(value, one.name))]
    if isinstance(value, dict | tuple | list):
        return [part for one in (value.values() if isinstance(value, dict) else value) for part in bits(one)]
    return [repr(value).encode()]


def test_measures_are_those_of_all_losses_at_once(made):
    world, horizons = made
    assert [(each.method, each.horizon_d) for each in horizons] == [(world.method, 1), (world.method, 3)]
    for each in drawn(horizons):
        losses = -(all_returns(world, SCENARIOS, each.horizon_d) @ world.weights.T)
        for confidence in (ES, VAR):
            for measure in (
                "value_at_risk",
                "value_at_risk_error",
                "expected_shortfall",
                "expected_shortfall_error",
            ):
                got = getattr(each.tail, measure)(confidence)
                np.testing.assert_allclose(
                    got, getattr(risk, measure)(losses, confidence), rtol=1e-12, atol=1e-15
                )
        np.testing.assert_allclose(each.volatility, losses.std(axis=0), rtol=1e-10, atol=1e-15)
        assert each.histogram.sum() == SCENARIOS
        inner = np.histogram(losses[:, 0], each.edges)[0][1:-1]
        np.testing.assert_array_equal(each.histogram[1:-1], inner)


def test_contributions_are_those_of_all_scenarios_at_once_and_add_up(made):
    world, horizons = made
    for each in drawn(horizons):
        returns = all_returns(world, SCENARIOS, each.horizon_d)
        losses = -(returns @ world.weights.T)
        weights = risk.tail_weights(losses, risk.value_at_risk(losses, ES), ES)
        expected = risk.euler_expected_shortfall(-returns, weights, world.weights)
        np.testing.assert_allclose(each.expected_shortfall_contributions, expected, rtol=1e-9, atol=1e-14)
        total = each.tail.expected_shortfall(ES)
        np.testing.assert_allclose(
            each.expected_shortfall_contributions.sum(axis=1), total, rtol=1e-9, atol=1e-15
        )
        var = each.tail.value_at_risk(VAR)
        np.testing.assert_allclose(each.value_at_risk_contributions.sum(axis=1), var, rtol=1e-9, atol=1e-15)
        for place in (0, 2, 40):
            euler = euler_value_at_risk(-returns, losses[:, place], var[place], VAR, world.weights[place])
            np.testing.assert_allclose(each.value_at_risk_contributions[place], euler, rtol=0, atol=1e-12)


def test_the_attribution_is_that_of_all_scenarios_at_once_and_adds_up(made):
    world, horizons = made
    for each in drawn(horizons):
        returns = all_returns(world, SCENARIOS, each.horizon_d)
        losses = -(returns @ world.weights.T)
        weights = risk.tail_weights(losses, risk.value_at_risk(losses, ES), ES)
        logs = np.log(1.0 + np.maximum(returns, -0.999999))
        market = logs.mean(axis=1)
        for place in (0, 2, 40):
            tail = weights[:, place] / weights[:, place].sum()
            held = world.weights[place]
            factor = -np.sum(held * PLAN.betas) * (tail @ market)
            specific = -np.sum(held * (tail @ (logs - np.outer(market, PLAN.betas))))
            assert each.attribution.factor[place] == pytest.approx(factor, rel=1e-9)
            assert each.attribution.specific[place] == pytest.approx(specific, rel=1e-9, abs=1e-14)
        found = each.attribution
        total = each.tail.expected_shortfall(ES)
        np.testing.assert_allclose(found.factor + found.specific + found.residual, total, rtol=1e-12)
        # Compounding over days and convexity are small, but they are not nothing.
        assert 0.0 < np.abs(found.residual).max() < 0.2 * total.max()


@pytest.mark.parametrize(("groups", "most"), [(1, 1000), (1000, 1), (3, 2)])
def test_the_grouping_of_blocks_into_tasks_changes_no_bit(in_passes, monkeypatch, groups, most):
    world, horizons = in_passes
    monkeypatch.setattr(tasks, "_TASKS", groups)
    monkeypatch.setattr(tasks, "_BLOCKS_PER_TASK", most)
    assert bits(simulated(SerialFanOut(), [world], PLAN, in_passes=True)) == bits(horizons)


def test_the_grouping_of_portfolios_changes_no_bit(in_passes, monkeypatch):
    world, horizons = in_passes
    monkeypatch.setattr(engine, "_TOGETHER", 32)
    monkeypatch.setattr(passes, "_PILOT_TOGETHER", 64)
    assert bits(simulated(SerialFanOut(), [world], PLAN, in_passes=True)) == bits(horizons)


def test_sums_are_added_in_the_order_of_the_blocks(world, monkeypatch):
    # Blocks whose sums round differently in another order: one huge, two small.
    def summed(order: list[int]) -> np.ndarray:
        class Shuffled(SerialFanOut):
            def map(self, function, given, shared=(), **rest):
                results = list(super().map(function, given, shared, **rest))
                return iter([results[number] for number in order] if len(results) == len(order) else results)

        monkeypatch.setattr(tasks, "_TASKS", 1000)
        return simulated(Shuffled(), [world], PLAN, in_passes=True)[1].volatility

    assert len(tasks.blocks(SCENARIOS)) == 3
    assert (summed([0, 1, 2]) == summed([0, 1, 2])).all()
    assert (summed([0, 1, 2]) != summed([2, 1, 0])).any()


@pytest.mark.parametrize("scenarios", [1, 50, 1000, 4096, 16_385])
def test_few_scenarios_are_enough(world, scenarios):
    plan = replace(PLAN, scenarios=scenarios, horizons_d=(2,), targets=(0.01,))
    [found] = simulated(SerialFanOut(), [world], plan)
    losses = -(all_returns(world, scenarios, 2) @ world.weights.T)
    for confidence in (ES, VAR):
        np.testing.assert_allclose(
            found.tail.expected_shortfall(confidence),
            risk.expected_shortfall(losses, confidence),
            rtol=1e-12,
            atol=1e-15,
        )


def test_both_measures_may_have_the_same_level(world):
    plan = replace(PLAN, var_confidence=ES)
    for found in simulated(SerialFanOut(), [world], plan):
        assert (found.tail.expected_shortfall(ES) >= found.tail.value_at_risk(ES)).all()


def test_a_portfolio_without_holdings_has_no_risk_and_costs_no_further_pass(made):
    world, horizons = made
    for each in horizons:
        assert each.tail.value_at_risk(VAR)[1] == each.tail.expected_shortfall(ES)[1] == 0.0
        assert not each.value_at_risk_contributions[1].any()
    fan_out = SerialFanOut()
    simulated(fan_out, [world], replace(PLAN, horizons_d=(3,)))
    assert set(fan_out.ran) == {"generate", "at_once"}
    fan_out = SerialFanOut()
    simulated(fan_out, [world], replace(PLAN, horizons_d=(3,)), in_passes=True)
    blocks = len(tasks.grouped(tasks.blocks(SCENARIOS)))
    assert {name: fan_out.ran.count(name) for name in ("count", "collect", "attribute")} == dict.fromkeys(
        ("count", "collect", "attribute"), blocks
    )


def test_a_pilot_that_misses_the_tail_costs_a_pass_and_changes_no_measure(in_passes, monkeypatch):
    world, horizons = in_passes
    honest = passes.Passes._first_brackets

    def wrong(through, part):
        return tuple(
            replace(each, low=each.low + 500.0 * each.width, width=0.1 * each.width)
            for each in honest(through, part)
        )

    monkeypatch.setattr(passes.Passes, "_first_brackets", wrong)
    fan_out = SerialFanOut()
    again = simulated(fan_out, [world], PLAN, in_passes=True)
    assert fan_out.ran.count("count") > fan_out.ran.count("collect")
    for one, other in zip(again, horizons, strict=True):
        np.testing.assert_array_equal(one.tail.value_at_risk(VAR), other.tail.value_at_risk(VAR))
        for confidence in (ES, VAR):
            np.testing.assert_allclose(
                one.tail.expected_shortfall(confidence),
                other.tail.expected_shortfall(confidence),
                rtol=1e-12,
            )
        np.testing.assert_array_equal(
            one.expected_shortfall_contributions, other.expected_shortfall_contributions
        )


@pytest.mark.parametrize("lost", ["collect", "attribute"])
def test_an_atom_that_is_lost_in_a_pass_is_noticed(world, monkeypatch, lost):
    honest = getattr(tasks, lost)

    def forgetful(task, *rest):
        return honest([task[0][:-1], *task[1:]], *rest)

    forgetful.__name__ = lost
    monkeypatch.setattr(tasks, lost, forgetful)
    with pytest.raises(RuntimeError, match="did not see the same losses"):
        simulated(SerialFanOut(), [world], PLAN, in_passes=True)


@pytest.mark.parametrize("in_three", [False, True])
def test_losses_that_are_not_finite_are_refused(world, in_three):
    overflowing = replace(with_t_copula(world), next_sigma=np.array([0.01, 1e307, 0.01]))
    with np.errstate(all="ignore"), pytest.raises(RuntimeError, match="not finite"):
        simulated(SerialFanOut(), [overflowing], PLAN, in_passes=in_three)


def test_what_a_task_returns_does_not_grow_with_the_scenarios(world):
    sizes = []
    for scenarios in (65_536, 262_144):
        fan_out = SerialFanOut()
        plan = replace(PLAN, scenarios=scenarios, horizons_d=(1,))
        simulated(fan_out, [world], plan, in_passes=True)
        sizes.append(fan_out.largest_result)
    assert sizes[1] < 1.2 * sizes[0] < 1e6


@pytest.mark.parametrize(("in_three", "numbers"), [(False, 10**9), (False, 1), (True, 1)])
def test_progress_ends_at_the_number_announced(world, monkeypatch, in_three, numbers):
    monkeypatch.setattr(tiles, "_AT_ONCE_NUMBERS", numbers)
    monkeypatch.setattr(tiles, "_SEGMENT_NUMBERS", numbers)
    announced, seen = [], []

    def counter(total: int, what: str):
        announced.append((total, what))
        return seen.append

    simulated(SerialFanOut(), [world, with_t_copula(world)], PLAN, counter, in_passes=in_three)
    [(total, what)] = announced
    assert what == "blocks of scenarios"
    assert seen == list(range(1, total + 1))
