"""One day of filtered historical simulation is every residual day once, by known answers."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from acceleray.quant import risk
from acceleray.quant.sparse_rows import SparseRows
from acceleray.stages.simulate import engine, tiles
from acceleray.stages.simulate.engine import simulated
from acceleray.stages.simulate.enumeration import every_outcome
from acceleray.stages.simulate.found import Plan, histogram_edges
from acceleray.stages.simulate.horizon import Horizon
from acceleray.stages.simulate.scenario_inputs import World
from acceleray.stages.simulate.tasks import Part
from simulate.serial import SerialFanOut, made_up_world, with_t_copula

DAYS, VAR, ES = 2000, 0.99, 0.975
PLAN = Plan(100_000, (1,), VAR, ES, betas=np.array([0.8, 1.0, 1.3]))


@pytest.fixture(scope="module")
def world() -> World:
    return made_up_world(days=DAYS)


@pytest.fixture(scope="module")
def found(world: World) -> Horizon:
    [found] = simulated(SerialFanOut(), [world], PLAN)
    return found


def daily(world: World) -> np.ndarray:
    """Return the return of each instrument on each residual day, (days, instruments), straight away."""
    return world.parameters.mu + world.next_sigma * world.residuals


def losses_of(world: World) -> np.ndarray:
    """Return the losses of every portfolio on each residual day, (days, portfolios)."""
    return -(daily(world) @ world.weights.T)


def test_measures_are_those_of_sorting_2000_losses(world, found):
    losses = losses_of(world)
    worst = -np.sort(-losses, axis=0)
    # Rank 2001 x 0.01 = 20.01, and the area below the polygon through the losses up to rank 50.025.
    var = 0.99 * worst[19] + 0.01 * worst[20]
    np.testing.assert_allclose(found.tail.value_at_risk(VAR), var, rtol=1e-12, atol=1e-16)
    np.testing.assert_allclose(var, np.quantile(losses, VAR, axis=0, method="weibull"), rtol=1e-9, atol=1e-15)
    last = worst[49] + 0.025 * (worst[50] - worst[49])
    area = worst[0] + np.trapezoid(worst[:50], axis=0) + 0.025 * (worst[49] + last) / 2
    np.testing.assert_allclose(found.tail.expected_shortfall(ES), area / 50.025, rtol=1e-12, atol=1e-16)
    assert (found.scenarios, found.error_of, found.method) == (DAYS, "window", "filtered_historical")


def test_the_error_is_that_of_a_window_of_so_many_days_and_not_of_draws(world, found):
    losses = losses_of(world)
    # Half the distance between the losses 4.45 ranks above and below rank 20: of 2,000 days, 20 decide.
    worst = -np.sort(-losses, axis=0)
    error = (worst[15] - worst[24]) * (np.sqrt(DAYS * VAR * (1 - VAR)) / 9)
    np.testing.assert_allclose(found.tail.value_at_risk_error(VAR), error, rtol=1e-12, atol=1e-16)
    np.testing.assert_allclose(
        found.tail.expected_shortfall_error(ES),
        risk.expected_shortfall_error(losses, ES),
        rtol=1e-9,
        atol=1e-15,
    )


def test_the_error_is_how_far_measures_of_other_windows_lie_apart(world):
    generator = np.random.default_rng(3)
    alone = replace(world, weights=np.array([[1.0, 0.0, 0.0]]))
    plan = replace(PLAN, betas=np.ones(3))
    seen = []
    for _ in range(300):
        drawn = generator.standard_t(5, (DAYS, 3)) * np.sqrt(3 / 5)
        [each] = simulated(SerialFanOut(), [replace(alone, residuals=drawn)], plan)
        at, beyond = each.tail.at(VAR), each.tail.at(ES)
        seen.append(
            [
                *(at.value_at_risk, at.value_at_risk_error),
                *(beyond.expected_shortfall, beyond.expected_shortfall_error),
            ]
        )
    values = np.array(seen)[..., 0]
    for value, error in ((0, 1), (2, 3)):
        assert values[:, error].mean() == pytest.approx(values[:, value].std(), rel=0.15)


def test_contributions_add_up_and_are_the_derivatives_by_the_positions(world, found):
    for contributions, total in (
        (found.value_at_risk_contributions, found.tail.value_at_risk(VAR)),
        (found.expected_shortfall_contributions, found.tail.expected_shortfall(ES)),
    ):
        np.testing.assert_allclose(contributions.sum(axis=1), total, rtol=1e-9, atol=1e-15)
    step = 1e-7
    for place in range(3):
        moved = world.weights.copy()
        moved[:, place] += step
        [other] = simulated(SerialFanOut(), [replace(world, weights=moved)], PLAN)
        for name, measure in (("expected_shortfall", ES), ("value_at_risk", VAR)):
            change = getattr(other.tail, name)(measure) - getattr(found.tail, name)(measure)
            slope = world.weights[:, place] * change / step
            euler = getattr(found, f"{name}_contributions")[:, place]
            # The second portfolio holds nothing: any position makes its first loss.
            np.testing.assert_allclose(np.delete(slope, 1), np.delete(euler, 1), rtol=1e-5, atol=1e-8)


def test_the_parts_of_the_attribution_add_up_and_weigh_the_days_of_the_measure(world, found):
    returns, weights = daily(world), world.weights[40]
    order = np.argsort(-losses_of(world)[:, 40])
    share = np.r_[1.5, np.ones(48), 0.5 + 0.025 - 0.025**2 / 2, 0.025**2 / 2] / 50.025
    logs = share @ np.log1p(returns[order[:51]])
    factor = -np.sum(weights * PLAN.betas) * logs.mean()
    specific = -np.sum(weights * (logs - PLAN.betas * logs.mean()))
    parts = found.attribution
    assert parts.factor[40] == pytest.approx(factor, rel=1e-9)
    assert parts.specific[40] == pytest.approx(specific, rel=1e-9)
    whole = found.tail.expected_shortfall(ES)
    np.testing.assert_allclose(parts.factor + parts.specific + parts.residual, whole, rtol=1e-12)


def test_volatility_and_histogram_are_of_every_day_once(world, found):
    losses = losses_of(world)
    np.testing.assert_allclose(found.volatility, losses.std(axis=0), rtol=1e-12)
    assert found.histogram.sum() == DAYS
    np.testing.assert_array_equal(found.histogram[1:-1], np.histogram(losses[:, 0], found.edges)[0][1:-1])


def test_neither_seed_nor_number_of_scenarios_matters(world, found):
    [other] = simulated(SerialFanOut(), [replace(world, seed=1)], replace(PLAN, scenarios=1_000_000))
    np.testing.assert_array_equal(
        other.expected_shortfall_contributions, found.expected_shortfall_contributions
    )
    assert other.scenarios == DAYS


def test_the_copula_and_longer_horizons_are_drawn_as_before(world):
    worlds = [world, with_t_copula(world)]
    plan = replace(PLAN, scenarios=5000, horizons_d=(1, 2))
    found = simulated(SerialFanOut(), worlds, plan)
    assert [(each.scenarios, each.error_of) for each in found] == [
        (DAYS, "window"),
        *[(5000, "draws")] * 3,
    ]


def test_the_grouping_of_portfolios_changes_no_bit(world, found, monkeypatch):
    monkeypatch.setattr(engine, "_TOGETHER", 32)
    [other] = simulated(SerialFanOut(), [world], PLAN)
    for name in (
        "volatility",
        "value_at_risk_contributions",
        "expected_shortfall_contributions",
        "histogram",
    ):
        np.testing.assert_array_equal(getattr(other, name), getattr(found, name))
    for level in (VAR, ES):
        np.testing.assert_array_equal(
            other.tail.expected_shortfall(level), found.tail.expected_shortfall(level)
        )
        np.testing.assert_array_equal(
            other.tail.value_at_risk_error(level), found.tail.value_at_risk_error(level)
        )


def test_more_days_than_an_atom_and_fewer_than_a_tail_are_enumerated_as_well():
    for days in (30, 9000):
        world = made_up_world(portfolios=3, days=days)
        [found] = simulated(SerialFanOut(), [world], PLAN)
        expected = np.quantile(losses_of(world), VAR, axis=0, method="weibull")
        np.testing.assert_allclose(found.tail.value_at_risk(VAR), expected, rtol=1e-9, atol=1e-15)


def test_a_reverse_stress_over_one_day_looks_through_every_day_once(world):
    [found] = simulated(SerialFanOut(), [world], replace(PLAN, targets=(0.03,)))
    assert found.reverse is not None
    np.testing.assert_array_equal(found.reverse.reaching[:, 0], (losses_of(world) >= 0.03).sum(axis=0))


def test_losses_that_are_not_finite_are_refused(world):
    overflowing = replace(world, next_sigma=np.array([0.01, 1e307, 0.01]))
    with np.errstate(all="ignore"), pytest.raises(RuntimeError, match="not finite"):
        simulated(SerialFanOut(), [overflowing], PLAN)


def wide_world(portfolios: int, lines: int) -> World:
    """Return a world whose portfolios hold a tenth of many lines each."""
    generator = np.random.default_rng(11)
    held = generator.random((portfolios, lines)) < 0.1
    world = made_up_world(portfolios=3, instruments=lines, days=300)
    return replace(world, weights=SparseRows.of(generator.standard_normal(held.shape) / lines * held))


def test_of_many_lines_no_dense_sums_of_all_portfolios_are_made() -> None:
    portfolios, lines = 640, 600
    world = wide_world(portfolios, lines)
    plan = replace(PLAN, betas=np.ones(lines))
    tracemalloc.start()
    every_outcome(Part(1, slice(0, portfolios)), world, plan, histogram_edges(world, 1))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # What is found is a tenth as large, and there are returns, their logs and gains (300 days).
    assert peak < 2.5 * portfolios * lines * 8


def test_a_portfolio_left_over_by_matrix_products_has_the_bits_it_has_among_others() -> None:
    world = wide_world(66, 40)
    members = np.arange(40) % 3 > 0
    plan = replace(PLAN, betas=np.linspace(0.5, 1.5, 40), market=members)
    some, more = (
        every_outcome(Part(1, slice(0, count)), world, plan, histogram_edges(world, 1)) for count in (65, 66)
    )
    for name in ("factor", "specific", "residual"):
        found, expected = getattr(some.attribution, name), getattr(more.attribution, name)
        assert found.tobytes() == expected[:65].tobytes()


def test_a_day_is_enumerated_before_actors_have_all_processors(world, monkeypatch) -> None:
    monkeypatch.setattr(tiles, "_AT_ONCE_NUMBERS", 1)
    fan_out = SerialFanOut()
    simulated(fan_out, [world], replace(PLAN, scenarios=5000, horizons_d=(10, 1)))
    assert fan_out.ran.index("every_outcome") < fan_out.ran.index("generate")
