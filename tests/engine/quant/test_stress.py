import numpy as np
import pytest
from scipy.optimize import LinearConstraint, minimize

from acceleray.quant.stress import (
    compounded,
    conditional_mean,
    factor_correlation,
    implied_factor_moves,
    mahalanobis,
    most_plausible_loss,
    normal_tail,
    portfolio_volatility,
    smallest_eigenvalue,
    split,
    weighted_sums,
    with_correlations,
)

# Standard deviations 0.04 and 0.2, correlation -0.6.
TWO = np.array([[0.0016, -0.0048], [-0.0048, 0.04]])
EQUITY = np.array([0])


def random_covariance(size: int, seed: int = 3) -> np.ndarray:
    draws = np.random.default_rng(seed).normal(size=(200, size)) * np.linspace(0.01, 0.05, size)
    draws[:, 1:] += 0.5 * draws[:, :1]
    return np.cov(draws, rowvar=False)


def test_a_second_factor_follows_the_first_by_its_regression_on_it() -> None:
    # By hand: -0.0048 / 0.0016 = -3, so equity -10 % takes volatility up by 30 %.
    np.testing.assert_allclose(conditional_mean(TWO, EQUITY, np.array([-0.10])), [-0.10, 0.30], rtol=1e-12)


def test_conditional_mean_is_the_textbook_formula_with_several_core_factors() -> None:
    covariance, core, rest = random_covariance(5), np.array([3, 0]), [1, 2, 4]
    shocks = np.array([-0.2, 0.1])
    expected = covariance[np.ix_(rest, core)] @ np.linalg.inv(covariance[np.ix_(core, core)]) @ shocks
    found = conditional_mean(covariance, core, shocks)
    np.testing.assert_allclose(found[rest], expected, rtol=1e-10)
    np.testing.assert_array_equal(found[core], shocks)


def test_factors_that_are_all_core_keep_their_shocks_exactly() -> None:
    shocks = np.array([-0.58, 1.27])
    np.testing.assert_array_equal(conditional_mean(TWO, np.array([0, 1]), shocks), shocks)


def test_without_correlation_nothing_else_moves_and_with_it_everything_does() -> None:
    independent = np.diag(np.diag(random_covariance(4)))
    assert np.count_nonzero(conditional_mean(independent, EQUITY, np.array([-0.3]))) == 1
    assert np.count_nonzero(conditional_mean(random_covariance(4), EQUITY, np.array([-0.3]))) == 4


def test_a_factor_in_percentage_points_beside_log_changes_is_no_trouble() -> None:
    covariance = np.array([[0.0016, -0.004], [-0.004, 0.04]]) * np.outer([1.0, 1e4], [1.0, 1e4])
    found = conditional_mean(covariance, EQUITY, np.array([-0.04]))
    np.testing.assert_allclose(found, [-0.04, 1000.0], rtol=1e-12)


def test_distance_of_one_factor_alone_is_its_number_of_standard_deviations() -> None:
    assert mahalanobis(TWO[:1, :1], np.array([-0.12])) == pytest.approx(3.0, rel=1e-12)


def test_distance_takes_correlation_into_account() -> None:
    # By hand, at one standard deviation each: (1 - 2 rho s1 s2 + 1) / (1 - rho^2) with rho -0.6.
    together, against = np.array([-0.04, 0.2]), np.array([0.04, 0.2])
    assert mahalanobis(TWO, together) == pytest.approx(np.sqrt((2 - 1.2) / 0.64), rel=1e-12)
    assert mahalanobis(TWO, against) == pytest.approx(np.sqrt((2 + 1.2) / 0.64), rel=1e-12)


def test_a_distance_over_nine_months_is_a_third_of_that_over_one() -> None:
    # By hand: equity -30 % and volatility +60 % at 4 % and 20 % a month, correlation -0.6.
    moves = np.array([-0.3, 0.6])
    by_hand = np.sqrt((7.5**2 - 2 * -0.6 * -7.5 * 3.0 + 3.0**2) / (1 - 0.36))
    assert mahalanobis(TWO, moves) == pytest.approx(by_hand, rel=1e-12)
    assert mahalanobis(9.0 * TWO, moves) == pytest.approx(by_hand / 3.0, rel=1e-12)


def test_the_probability_of_a_distance_is_chi_squared_in_as_many_factors() -> None:
    # Of two factors exp(-d^2 / 2); of one, both tails of a normal law.
    assert normal_tail(2.0, 2) == pytest.approx(np.exp(-2.0), rel=1e-12)
    assert normal_tail(1.959963984540054, 1) == pytest.approx(0.05, rel=1e-9)
    assert normal_tail(3.0, 4) == pytest.approx(0.0610994809, rel=1e-8)
    assert np.isnan(normal_tail(np.nan, 4))
    draws = np.random.default_rng(1).multivariate_normal([0, 0], TWO, 20_000)
    share = np.mean([mahalanobis(TWO, draw) >= 1.5 for draw in draws])
    assert share == pytest.approx(normal_tail(1.5, 2), abs=0.01)


def test_what_follows_by_the_conditional_mean_adds_no_distance() -> None:
    covariance, core, shocks = random_covariance(5), np.array([0, 2]), np.array([-0.2, 0.1])
    whole = mahalanobis(covariance, conditional_mean(covariance, core, shocks))
    assert whole == pytest.approx(mahalanobis(covariance[np.ix_(core, core)], shocks), rel=1e-10)


def test_factors_that_cannot_be_told_apart_are_refused() -> None:
    twins = np.array([[0.04, 0.04], [0.04, 0.04]])
    with pytest.raises(ValueError, match="not positive definite"):
        mahalanobis(twins, np.array([0.1, 0.1]))
    with pytest.raises(ValueError, match="not positive definite"):
        mahalanobis(np.zeros((1, 1)), np.array([0.1]))


def test_a_replaced_correlation_leaves_standard_deviations_and_the_others_alone() -> None:
    covariance = random_covariance(3)
    stressed = with_correlations(covariance, [(0, 2, -0.9)])
    deviations = np.sqrt(np.diag(covariance))
    assert stressed[0, 2] == stressed[2, 0] == pytest.approx(-0.9 * deviations[0] * deviations[2])
    np.testing.assert_array_equal(np.diag(stressed), np.diag(covariance))
    assert stressed[0, 1] == covariance[0, 1]


def test_the_smallest_eigenvalue_tells_possible_correlations_from_impossible_ones() -> None:
    # Equal correlations rho among three: eigenvalues 1 + 2 rho and 1 - rho.
    three = np.diag([1.0, 4.0, 9.0])
    for rho in (0.5, -0.4, -0.6):
        stressed = with_correlations(three, [(0, 1, rho), (0, 2, rho), (1, 2, rho)])
        assert smallest_eigenvalue(stressed) == pytest.approx(min(1 + 2 * rho, 1 - rho), abs=1e-12)


def test_returns_are_compounded_and_missing_ones_counted() -> None:
    returns = np.array([[0.10, np.nan], [-0.50, -0.5], [0.10, 0.2], [0.0, 0.0]])
    simple, missing = compounded(returns)
    np.testing.assert_allclose(simple, [1.1 * 0.5 * 1.1 - 1, 0.5 * 1.2 - 1], rtol=1e-12)
    np.testing.assert_array_equal(missing, [0.0, 0.25])


def test_factor_specific_and_residual_part_are_what_they_say_and_add_up() -> None:
    # By hand: half the price is log 0.5; the market explains -0.5 of it.
    factor, specific, residual = split(np.array([-0.5]), np.array([-0.5]))
    assert factor[0] == -0.5
    assert specific[0] == pytest.approx(np.log(0.5) + 0.5, rel=1e-12)
    assert residual[0] == pytest.approx(-0.5 - np.log(0.5), rel=1e-12)
    generator = np.random.default_rng(1)
    returns, explained = generator.uniform(-0.95, 3.0, 500), generator.normal(size=500)
    np.testing.assert_allclose(np.sum(split(returns, explained), axis=0), returns, atol=1e-14)


def test_sums_are_the_matrix_product_and_a_portfolio_does_not_depend_on_the_others() -> None:
    generator = np.random.default_rng(2)
    weights, values = generator.normal(size=(5000, 7)), generator.normal(size=(7, 3))
    found = weighted_sums(weights, values)
    np.testing.assert_allclose(found, weights @ values, rtol=1e-10, atol=1e-13)
    for portfolio in (0, 4095, 4096, 4999):
        alone = weighted_sums(weights[portfolio : portfolio + 1], values)
        np.testing.assert_array_equal(alone[0], found[portfolio])


def test_portfolio_volatility_is_the_quadratic_form_and_does_not_depend_on_the_others() -> None:
    covariance = random_covariance(6)
    weights = np.random.default_rng(2).dirichlet(np.ones(6), 5000)
    found = portfolio_volatility(weights, covariance)
    np.testing.assert_allclose(found**2, np.einsum("pi,ij,pj->p", weights, covariance, weights), rtol=1e-10)
    np.testing.assert_array_equal(portfolio_volatility(weights[4097:4098], covariance), found[4097:4098])
    assert portfolio_volatility(np.zeros((1, 6)), covariance)[0] == 0.0


def test_the_closed_form_of_reverse_stress_is_what_an_optimiser_finds() -> None:
    covariance, weights, loss = random_covariance(5), np.array([0.4, 0.3, 0.2, 0.1, 0.0]), 0.2
    inverse = np.linalg.inv(covariance)
    searched = minimize(
        lambda x: x @ inverse @ x,
        np.full(5, -loss),
        jac=lambda x: 2.0 * inverse @ x,
        hess=lambda x: 2.0 * inverse,
        constraints=LinearConstraint(weights, -loss, -loss),
        method="trust-constr",
        options={"gtol": 1e-10, "xtol": 1e-14},
    )
    found = most_plausible_loss(covariance, weights, loss)
    np.testing.assert_allclose(found, searched.x, rtol=1e-6)
    # What the portfolio does not hold moves all the same.
    assert abs(found[4]) > 0.01


def test_reverse_stress_loses_the_target_at_a_distance_of_loss_over_volatility() -> None:
    covariance, weights, loss = random_covariance(5), np.array([0.5, 0.5, 0.3, -0.2, -0.1]), 0.3
    found = most_plausible_loss(covariance, weights, loss)
    assert weights @ found == pytest.approx(-loss, rel=1e-12)
    sigma = float(portfolio_volatility(weights[np.newaxis], covariance)[0])
    assert mahalanobis(covariance, found) == pytest.approx(loss / sigma, rel=1e-10)


def test_reverse_stress_of_two_equal_independent_assets_shares_the_loss_by_weight() -> None:
    # By hand: x = -L w / (w' w), so weights 0.8 and 0.2 lose 0.68 L' in the proportion 4 to 1.
    found = most_plausible_loss(0.01 * np.eye(2), np.array([0.8, 0.2]), 0.1)
    np.testing.assert_allclose(found, [-0.1 * 0.8 / 0.68, -0.1 * 0.2 / 0.68], rtol=1e-12)


def test_a_portfolio_without_risk_has_no_reverse_stress() -> None:
    with pytest.raises(ValueError, match="without volatility"):
        most_plausible_loss(random_covariance(2), np.zeros(2), 0.1)


def test_implied_factor_moves_are_generalised_least_squares_across_instruments() -> None:
    draws = np.random.default_rng(6)
    betas, spread = draws.normal(1.0, 0.4, (40, 2)), draws.uniform(0.01, 0.2, 40)
    implied = implied_factor_moves(betas, spread)
    weight = np.diag(spread**-2)
    expected = np.linalg.inv(betas.T @ weight @ betas) @ betas.T @ weight
    np.testing.assert_allclose(implied.T, expected, rtol=1e-9)
    # What factors alone move comes back exactly.
    np.testing.assert_allclose(betas @ [-0.2, 0.1] @ implied, [-0.2, 0.1], rtol=1e-9)


def test_an_instrument_without_betas_implies_nothing() -> None:
    betas = np.array([[1.0], [np.nan], [0.5]])
    implied = implied_factor_moves(betas, np.array([0.1, np.nan, 0.1]))
    np.testing.assert_allclose(implied, [[0.8], [0.0], [0.4]], rtol=1e-12)
    assert not implied_factor_moves(betas[1:2], np.array([np.nan])).any()


def test_the_distance_in_factors_of_the_closed_form_is_the_loss_times_a_correlation() -> None:
    draws = np.random.default_rng(4)
    betas, spread = draws.normal(1.0, 0.4, (30, 2)), draws.uniform(0.05, 0.1, 30)
    factors = np.array([[0.0016, 0.0004], [0.0004, 0.0009]])
    covariance = betas @ factors @ betas.T + np.diag(spread**2)
    weights = draws.dirichlet(np.ones(30), 3)
    implied = implied_factor_moves(betas, spread)
    found = factor_correlation(covariance, weights, implied)
    for each, share in zip(weights, found, strict=True):
        moves = most_plausible_loss(covariance, each, 0.1) @ implied
        far = mahalanobis(implied.T @ covariance @ implied, moves)
        sigma = np.sqrt(each @ covariance @ each)
        assert far == pytest.approx(0.1 / sigma * share, rel=1e-9)
    assert (found < 1.0).all()
    assert (found > 0.8).all()
    # Betas that do not tell two factors apart are one factor; a portfolio without risk has none.
    alike = np.repeat(implied[:, :1], 2, axis=1)
    one = factor_correlation(covariance, weights, implied[:, :1])
    np.testing.assert_allclose(factor_correlation(covariance, weights, alike), one, rtol=1e-6)
    assert np.isnan(factor_correlation(covariance, np.zeros((1, 30)), implied)).all()
