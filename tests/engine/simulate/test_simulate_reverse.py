from dataclasses import replace

import numpy as np
import pytest

from acceleray.stages.simulate import engine, tasks
from acceleray.stages.simulate.engine import Plan, simulated
from acceleray.stages.simulate.reverse import Nearest, distances, nearest, whitening
from simulate.serial import SerialFanOut, all_returns, made_up_world, with_t_copula

SCENARIOS, TARGETS = 21_000, (0.02, 0.06, 0.9)
PLAN = Plan(SCENARIOS, (1, 4), 0.99, 0.975, betas=np.ones(3), targets=TARGETS)


@pytest.mark.parametrize("copula", [False, True])
def test_the_nearest_scenario_is_that_of_a_search_through_all_of_them(copula):
    world = with_t_copula(made_up_world()) if copula else made_up_world()
    shortest, longest = simulated(SerialFanOut(), [world], PLAN)
    assert shortest.reverse is None
    found = longest.reverse
    assert found is not None
    assert found.targets == TARGETS
    returns = all_returns(world, SCENARIOS, 4)
    losses, logs = -(returns @ world.weights.T), np.log1p(np.maximum(returns, -0.999999))
    inverse = np.linalg.inv(np.cov(logs[: 4 * 4096].T))
    far = np.sqrt(np.einsum("si,ij,sj->s", logs, inverse, logs))
    for place, target in enumerate(TARGETS):
        for portfolio in range(len(world.weights)):
            reached = np.flatnonzero(losses[:, portfolio] >= target)
            assert found.reaching[portfolio, place] == reached.size
            if not reached.size:
                assert found.scenario[portfolio, place] == -1
                assert np.isnan(found.loss[portfolio, place])
                continue
            best = reached[np.argmin(far[reached])]
            assert found.scenario[portfolio, place] == best
            assert found.loss[portfolio, place] == pytest.approx(losses[best, portfolio], rel=1e-12)
            assert found.mahalanobis[portfolio, place] == pytest.approx(far[best], rel=1e-9)
    np.testing.assert_array_equal(found.reference_returns[0], returns[found.scenario[0, 0]])
    assert np.isnan(found.reference_returns[2]).all()
    assert (found.reaching[:, 0] > 0).sum() > 50
    assert not found.reaching[:, 2].any()


def test_grouping_changes_no_bit_of_it(monkeypatch):
    plan = replace(PLAN, horizons_d=(1,))
    world = made_up_world()
    [whole] = simulated(SerialFanOut(), [world], plan)
    monkeypatch.setattr(tasks, "_TASKS", 1)
    monkeypatch.setattr(tasks, "_BLOCKS_PER_TASK", 1000)
    monkeypatch.setattr(engine, "_TOGETHER", 32)
    [grouped] = simulated(SerialFanOut(), [world], plan)
    for name in ("reaching", "scenario", "loss", "mahalanobis", "reference_returns"):
        np.testing.assert_array_equal(getattr(whole.reverse, name), getattr(grouped.reverse, name))


def test_of_equally_near_scenarios_the_lowest_number_is_kept_whoever_comes_first():
    losses = np.array([[0.5, 0.5, 0.5, 0.1]])
    first = nearest(losses, np.array([2.0, 1.0, 1.0, 0.0]), 0, (0.3,))
    assert first.scenario.tolist() == [[1]]
    second = nearest(losses, np.array([1.0, 1.0, 1.0, 0.0]), 2, (0.3,))
    assert second.scenario.tolist() == [[2 * 4096]]
    for one, other in ((first, second), (second, first)):
        both = one.or_nearer(other)
        assert both.scenario.tolist() == [[1]]
        assert both.reaching.tolist() == [[6]]
    nearer = nearest(losses, np.array([0.5, 1.0, 1.0, 0.0]), 2, (0.3,))
    assert first.or_nearer(nearer).mahalanobis.tolist() == [[0.5]]
    assert Nearest.none(1, 1).or_nearer(first).scenario.tolist() == [[1]]


def test_for_normal_returns_the_distance_is_the_loss_in_standard_deviations_and_a_little_more():
    # In the linear Gaussian case the least distance at which a loss L is reached is L / sigma.
    world = with_t_copula(made_up_world(), nu=1e7)
    world = replace(world, next_sigma=np.full(3, 0.001))
    [found] = simulated(SerialFanOut(), [world], replace(PLAN, horizons_d=(1,), targets=(0.002,)))
    assert found.reverse is not None
    closed = 0.002 / found.volatility[0]
    assert closed < found.reverse.mahalanobis[0, 0] < 1.15 * closed


def test_instruments_that_move_as_one_have_a_distance_all_the_same():
    world = made_up_world()
    twins = replace(
        world, residuals=np.repeat(world.residuals[:, :1], 3, axis=1), next_sigma=np.full(3, 0.01)
    )
    whitened = whitening(((0, 4096),), twins, 2)
    assert whitened.shape == (3, 1)
    logs = np.log1p(twins.returns((0, 4096), 2))
    np.testing.assert_allclose(
        distances(logs, whitened), np.abs(logs[:, 0]) / logs[:, 0].std(ddof=1), rtol=1e-9
    )
