from dataclasses import astuple

import numpy as np
import pytest

from acceleray.quant.garch import GjrParameters
from acceleray.quant.scenarios import (
    ATOM,
    atoms,
    compounded_returns,
    draw_days,
    filtered_historical_returns,
    stack_parameters,
)


@pytest.fixture(scope="module")
def market() -> tuple[np.ndarray, list[GjrParameters], np.ndarray]:
    generator = np.random.default_rng(31)
    parameters = [
        GjrParameters(mu=1e-4 * i, omega=1e-6 * (i + 1), alpha=0.02 + 0.01 * i, gamma=0.05, beta=0.9, nu=6.0)
        for i in range(5)
    ]
    return generator.standard_t(6, (1500, 5)) * np.sqrt(4 / 6), parameters, 0.01 + 0.002 * np.arange(5)


def by_hand(path, residuals, parameters, next_sigma):
    """Walk one path for one instrument in plain Python."""
    mu, omega, alpha, gamma, beta, _ = astuple(parameters)
    value, variance = 1.0, next_sigma**2
    for day in path:
        shock = variance**0.5 * residuals[day]
        value *= max(1.0 + mu + shock, 0.0)
        variance = omega + (alpha + (gamma if shock < 0 else 0.0)) * shock**2 + beta * variance
    return value - 1.0


def test_atoms_cover_every_scenario_once():
    assert atoms(10_000) == [(0, ATOM), (1, ATOM), (2, 10_000 - 2 * ATOM)]
    assert atoms(ATOM) == [(0, ATOM)]
    assert sum(count for _, count in atoms(1_000_000)) == 1_000_000


def test_scenarios_are_the_same_bits_in_any_grouping_and_order_of_work(market):
    residuals, parameters, next_sigma = market
    scenarios, seed, horizon = 10_000, 77, 10

    def simulate(work):
        return {
            atom: filtered_historical_returns(
                draw_days(seed, atom, count, horizon, len(residuals)), residuals, parameters, next_sigma
            )
            for atom, count in work
        }

    serial = simulate(atoms(scenarios))
    backwards = simulate(reversed(atoms(scenarios)))
    joined = np.concatenate(
        [draw_days(seed, atom, n, horizon, len(residuals)) for atom, n in atoms(scenarios)]
    )
    at_once = filtered_historical_returns(joined, residuals, stack_parameters(parameters), next_sigma)
    for atom, count in atoms(scenarios):
        np.testing.assert_array_equal(serial[atom], backwards[atom])
        np.testing.assert_array_equal(serial[atom], at_once[atom * ATOM : atom * ATOM + count])


def test_fewer_scenarios_are_the_first_ones_of_more():
    np.testing.assert_array_equal(draw_days(1, 4, 100, 10, 2000), draw_days(1, 4, ATOM, 10, 2000)[:100])


def test_atoms_and_seeds_draw_different_days():
    first = draw_days(1, 0, 100, 10, 2000)
    assert not np.array_equal(first, draw_days(1, 1, 100, 10, 2000))
    assert not np.array_equal(first, draw_days(2, 0, 100, 10, 2000))


def test_days_are_equally_likely_and_independent_between_steps():
    days = draw_days(3, 0, ATOM, 20, 10)
    counts = np.bincount(days.ravel(), minlength=10)
    expected = ATOM * 20 / 10
    assert float(((counts - expected) ** 2 / expected).sum()) < 27.9  # chi-squared(9) at 99.9 %
    assert abs(np.corrcoef(days[:, 0], days[:, 1])[0, 1]) < 0.05


def test_paths_agree_with_a_walk_by_hand(market):
    residuals, parameters, next_sigma = market
    days = draw_days(5, 0, 20, 10, len(residuals))
    simulated = filtered_historical_returns(days, residuals, parameters, next_sigma)
    for scenario in range(20):
        for i in range(5):
            expected = by_hand(days[scenario], residuals[:, i], parameters[i], next_sigma[i])
            assert simulated[scenario, i] == pytest.approx(expected, rel=1e-11, abs=1e-14)


@pytest.mark.parametrize("horizon_d", [1, 10])
def test_shocks_given_one_by_one_compound_like_those_of_past_days(market, horizon_d):
    residuals, parameters, next_sigma = market
    days = draw_days(5, 0, 300, horizon_d, len(residuals))
    compounded = compounded_returns(residuals[days], stack_parameters(parameters), next_sigma)
    expected = filtered_historical_returns(days, residuals, parameters, next_sigma)
    np.testing.assert_allclose(compounded, expected, rtol=1e-12, atol=1e-15)
    for scenario in range(10):
        by_walk = by_hand(days[scenario], residuals[:, 2], parameters[2], next_sigma[2])
        assert compounded[scenario, 2] == pytest.approx(by_walk, rel=1e-11, abs=1e-14)


def test_a_one_day_scenario_is_a_past_day_at_the_volatility_of_today(market):
    residuals, parameters, next_sigma = market
    days = draw_days(6, 0, 50, 1, len(residuals))
    simulated = filtered_historical_returns(days, residuals, parameters, next_sigma)
    mu = np.array([each.mu for each in parameters])
    np.testing.assert_allclose(simulated, mu + next_sigma * residuals[days[:, 0]], rtol=0, atol=1e-15)


def test_instruments_keep_the_dependence_of_the_days_they_share(market):
    _, parameters, next_sigma = market
    same = np.random.default_rng(1).standard_normal((1500, 1)).repeat(5, axis=1)
    simulated = filtered_historical_returns(draw_days(1, 0, 2000, 1, 1500), same, parameters, next_sigma)
    np.testing.assert_allclose(np.corrcoef(simulated.T), np.ones((5, 5)), atol=1e-12)


@pytest.mark.parametrize("today", [3.0, 0.3])
def test_variance_over_ten_days_moves_from_today_towards_the_long_run(market, today):
    residuals, parameters, _ = market
    each = parameters[0]
    unit = (residuals[:, :1] - residuals[:, 0].mean()) / residuals[:, 0].std()
    sigma = np.array([today * np.sqrt(each.unconditional_variance)])
    days = np.concatenate([draw_days(8, atom, ATOM, 10, 1500) for atom in range(10)])
    simulated = filtered_historical_returns(days, unit, [each], sigma)
    below = float(np.mean(unit[unit < 0] ** 2) * np.mean(unit < 0))
    carried = each.alpha + each.gamma * below + each.beta
    variance, total = sigma[0] ** 2, 0.0
    for _ in range(10):
        total += variance
        variance = each.omega + carried * variance
    assert simulated.var() == pytest.approx(total, rel=0.05)


def test_nothing_loses_more_than_everything(market):
    residuals, parameters, _ = market
    days = draw_days(9, 0, 1000, 5, len(residuals))
    simulated = filtered_historical_returns(days, residuals, parameters, np.full(5, 2.0))
    assert simulated.min() == -1.0
    assert (simulated >= -1.0).all()


def test_missing_residuals_and_other_shapes_are_refused(market):
    residuals, parameters, next_sigma = market
    days = draw_days(9, 0, 10, 1, len(residuals))
    holed = residuals.copy()
    holed[3, 3] = np.nan
    with pytest.raises(ValueError, match="fill every missing residual"):
        filtered_historical_returns(days, holed, parameters, next_sigma)
    with pytest.raises(ValueError, match="same instruments"):
        filtered_historical_returns(days, residuals, parameters[:4], next_sigma)
    with pytest.raises(ValueError, match="atom"):
        draw_days(1, 0, ATOM + 1, 1, 100)
