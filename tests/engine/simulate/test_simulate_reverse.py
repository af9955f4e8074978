from dataclasses import replace

import numpy as np
import pytest

from acceleray.quant.stress import implied_factor_moves, most_plausible_loss
from acceleray.stages.simulate import tiles
from acceleray.stages.simulate.engine import simulated
from acceleray.stages.simulate.found import Plan
from acceleray.stages.simulate.reverse import reached, reverse_of, whitening
from acceleray.stages.simulate.scenario_inputs import World
from simulate.serial import SerialFanOut, all_returns, made_up_world, with_t_copula

SCENARIOS, TARGETS = 21_000, (0.02, 0.06, 0.9)
PLAN = Plan(SCENARIOS, (1, 4), 0.99, 0.975, betas=np.ones(3), targets=TARGETS)
# Equity, and a factor in percentage points whose betas are a hundred times smaller.
BETAS = np.array([[0.9, -0.004], [1.1, 0.003], [1.4, 0.001]])


def with_factors(world: World) -> World:
    return replace(world, implied=implied_factor_moves(BETAS, np.array([0.05, 0.04, 0.06])))


def logs_of(returns: np.ndarray) -> np.ndarray:
    return np.log1p(np.maximum(returns, -0.999999))


@pytest.mark.parametrize("copula", [False, True])
def test_what_is_said_of_a_loss_is_the_mean_of_all_scenarios_that_lose_about_as_much(copula: bool) -> None:
    world = with_factors(with_t_copula(made_up_world()) if copula else made_up_world())
    shortest, longest = simulated(SerialFanOut(), [world], PLAN)
    assert shortest.reverse is None
    found = longest.reverse
    assert found is not None
    assert found.targets == TARGETS
    returns = all_returns(world, SCENARIOS, 4)
    losses, moves = -(returns @ world.weights.T), logs_of(returns) @ world.implied
    inverse = np.linalg.inv(np.cov(moves[: 4 * 4096].T))
    for place, target in enumerate(TARGETS):
        for portfolio in range(len(world.weights)):
            own = losses[:, portfolio]
            assert found.reaching[portfolio, place] == (own >= target).sum()
            about = np.flatnonzero(np.abs(own / target - 1.0) <= 0.05)
            assert found.inside[portfolio, place] == about.size
            if not about.size:
                assert np.isnan(found.loss[portfolio, place])
                assert np.isnan(found.factor_distance[portfolio, place])
                continue
            assert found.loss[portfolio, place] == pytest.approx(own[about].mean(), rel=1e-12)
            mean = moves[about].mean(axis=0)
            far = np.sqrt(mean @ inverse @ mean)
            assert found.factor_distance[portfolio, place] == pytest.approx(far, rel=1e-6)
    about = np.flatnonzero(np.abs(losses[:, 0] / TARGETS[0] - 1.0) <= 0.05)
    np.testing.assert_allclose(found.reference_returns[0], returns[about].mean(axis=0), rtol=1e-9)
    assert found.reference_returns[0] @ world.weights[0] == pytest.approx(-found.loss[0, 0], rel=1e-9)
    assert np.isnan(found.reference_returns[2]).all()
    assert (found.inside[:, 0] > 0).sum() > 50
    assert not found.inside[:, 2].any()


def test_grouping_changes_no_bit_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = replace(PLAN, horizons_d=(4,))
    world = with_factors(made_up_world())
    [whole] = simulated(SerialFanOut(), [world], plan)
    monkeypatch.setattr(tiles, "_KEPT", 32)
    monkeypatch.setattr(tiles, "_AT_ONCE_NUMBERS", 1)
    monkeypatch.setattr(tiles, "_SEGMENT_NUMBERS", 1)
    [grouped] = simulated(SerialFanOut(), [world], plan)
    for name in ("reaching", "inside", "loss", "factor_distance", "reference_returns"):
        np.testing.assert_array_equal(getattr(whole.reverse, name), getattr(grouped.reverse, name))


def test_without_factors_the_mean_is_known_and_its_distance_is_not() -> None:
    [found] = simulated(SerialFanOut(), [made_up_world()], replace(PLAN, horizons_d=(4,)))
    assert found.reverse is not None
    assert found.reverse.inside[0, 0] > 0
    assert np.isfinite(found.reverse.loss[0, 0])
    assert np.isnan(found.reverse.factor_distance).all()


def test_a_scenario_just_outside_the_band_is_not_averaged() -> None:
    losses = np.array([[0.0949, 0.0951, 0.1, 0.1049, 0.1051, 0.5]])
    moves, returns = np.arange(6.0)[:, np.newaxis], np.arange(6.0)[:, np.newaxis] * 10.0
    found = reached(losses, moves, returns, (0.1,), first=True)
    assert (found.reaching.tolist(), found.inside.tolist()) == ([[4]], [[3]])
    said = reverse_of(found + reached(losses, moves, returns, (0.1,), first=True), (0.1,))
    assert said.inside.tolist() == [[6]]
    assert said.loss[0, 0] == pytest.approx((0.0951 + 0.1 + 0.1049) / 3)
    assert (said.factor_distance[0, 0], said.reference_returns[0, 0]) == (2.0, 20.0)


def test_for_500_names_the_distance_is_that_of_the_closed_form_and_not_of_their_noise() -> None:
    # Two factors and 500 names of the same volatility of their own: a loss of three standard deviations.
    names, draws = 500, np.random.default_rng(2)
    betas = np.column_stack([draws.uniform(0.7, 1.3, names), draws.normal(0.0, 0.3, names)])
    specific = np.full(names, 0.02)
    shocks = draws.normal(size=(4_000, 2)) * (0.01, 0.006) @ betas.T
    shocks += draws.normal(size=shocks.shape) * specific
    world = made_up_world(portfolios=3, instruments=names)
    sigma = shocks.std(axis=0)
    constant = {"mu": 0.0, "omega": 0.0, "alpha": 0.0, "gamma": 0.0, "beta": 1.0}
    parameters = replace(
        world.parameters, **{name: np.full(names, value) for name, value in constant.items()}
    )
    world = replace(
        world,
        residuals=shocks / sigma,
        next_sigma=sigma,
        parameters=parameters,
        weights=np.full((3, names), 1.0 / names),
        implied=implied_factor_moves(betas, specific),
    )
    covariance = 4.0 * np.cov(shocks.T)
    volatility = np.sqrt(covariance.mean())
    plan = Plan(30_000, (4,), 0.99, 0.975, betas=np.ones(names), targets=(3.0 * volatility,))
    [found] = simulated(SerialFanOut(), [world], plan)
    assert found.reverse is not None
    assert found.reverse.inside[0, 0] > 20
    assert found.reverse.loss[0, 0] == pytest.approx(3.0 * volatility, rel=0.02)
    assert found.reverse.factor_distance[0, 0] == pytest.approx(3.0, abs=0.15)
    nearest = most_plausible_loss(covariance, world.weights[0], 3.0 * volatility)
    assert np.sqrt(nearest @ np.linalg.pinv(covariance) @ nearest) == pytest.approx(3.0, rel=1e-6)
    # What a distance in all 500 names says of one such scenario instead.
    returns = all_returns(world, 8192, 4)
    worst = logs_of(returns)[np.argmin(np.abs(-returns.mean(axis=1) - 3.0 * volatility))]
    assert np.sqrt(worst @ np.linalg.pinv(covariance) @ worst) > 15.0


def test_factors_that_no_beta_tells_apart_are_one_direction() -> None:
    alike = np.repeat(BETAS[:, :1], 2, axis=1)
    world = replace(made_up_world(), implied=implied_factor_moves(alike, np.array([0.05, 0.04, 0.06])))
    whitened = whitening(((0, 4096),), world, 2)
    assert whitened.shape == (3, 1)
    logs = logs_of(world.returns((0, 4096), 2))
    assert (logs @ whitened).std(ddof=1) == pytest.approx(1.0, rel=1e-9)
