import numpy as np
import pytest
from scipy.special import chdtri, ndtr, ndtri, stdtrit
from scipy.stats import kendalltau, kstest, t

from acceleray.quant.copula import TCopula, draw_shocks, t_copula
from acceleray.quant.garch import GjrParameters
from acceleray.quant.risk import (
    expected_shortfall,
    expected_shortfall_error,
    value_at_risk,
    value_at_risk_error,
)
from acceleray.quant.scenarios import ATOM, compounded_returns, stack_parameters

NEARLY_NORMAL = 1e7


def pair(rho: float, nu: float, margins: tuple[float, float] = (6.0, 6.0)) -> TCopula:
    return t_copula(np.array([[1.0, rho], [rho, 1.0]]), nu, np.array(margins))


def drawn(copula: TCopula, atoms: int, horizon_d: int = 1, seed: int = 3) -> np.ndarray:
    """Return shocks of many atoms, of shape (scenarios * horizon, instruments)."""
    parts = [part for atom in range(atoms) for part in draw_shocks(copula, seed, atom, ATOM, horizon_d)]
    return np.concatenate(parts).reshape(-1, len(copula.root))


@pytest.mark.parametrize("nu", [2.1, 3.0, 5.0, 12.0, 100.0])
def test_the_tables_give_the_quantiles_that_scipy_gives(nu):
    margins = np.array([2.05, 2.5, 4.0, 8.0, 30.0, 500.0])
    copula = t_copula(np.eye(6), nu, margins)
    scale = np.sqrt((margins - 2.0) / margins)
    near = np.concatenate(
        (np.linspace(1e-3, 0.999, 2000), np.logspace(-8, -3, 200), 1.0 - np.logspace(-8, -3))
    )
    for probabilities, tolerance in ((near, 1e-6), (np.logspace(-15, -8, 100), 1e-4)):
        # With the chi-square at its median, a normal of this size makes T the copula's quantile.
        median = float(np.sqrt(nu / chdtri(nu, 0.5)))
        normals = np.repeat(stdtrit(nu, probabilities)[:, np.newaxis] / median, 6, axis=1)
        shocks = copula.shocks(normals, np.zeros(probabilities.size))
        expected = scale * t.ppf(probabilities[:, np.newaxis], margins)
        np.testing.assert_allclose(shocks, expected, rtol=tolerance, atol=1e-7)


@pytest.mark.parametrize("nu", [2.1, 4.0, 50.0])
def test_the_mixing_is_that_of_a_chi_square_with_the_same_probability(nu):
    copula = pair(0.0, nu)
    at = np.linspace(-8.2, 8.2, 2001)
    with_upper_tail = np.where(at > 0.0, at, 0.0)
    exact = np.sqrt(nu / chdtri(nu, ndtr(-with_upper_tail)))[at > 0.0]
    np.testing.assert_allclose(copula.mixing(at[:, np.newaxis])[at > 0.0, 0], exact, rtol=1e-7)
    assert (np.diff(copula.mixing(at[:, np.newaxis])[:, 0]) < 0.0).all()


def test_shocks_rise_with_their_normal_to_the_end_of_what_can_be_drawn():
    for nu in (2.1, 5.0, 100.0):
        copula = pair(0.0, nu, (2.05, 30.0))
        steps = np.linspace(-8.3, 8.3, 20_001)
        for mixing in (-8.2, 0.0, 8.2):
            shocks = copula.shocks(np.column_stack((steps, steps)), np.full(steps.size, mixing))
            assert (np.diff(shocks, axis=0) > 0.0).all()
            assert np.isfinite(shocks).all()
            np.testing.assert_allclose(shocks, -shocks[::-1], rtol=1e-9, atol=1e-12)


def test_the_far_tail_falls_with_the_power_of_its_own_degrees_of_freedom():
    copula = pair(0.0, 4.0, (3.0, 8.0))
    far = np.array([1e5, 1e6])  # beyond T lies a multiple of T^-4, and beyond z one of z^-nu
    shocks = copula.margins(np.arcsinh(np.repeat(far[:, np.newaxis], 2, axis=1)))
    np.testing.assert_allclose(np.log10(shocks[1] / shocks[0]), [4.0 / 3.0, 4.0 / 8.0], rtol=1e-4)


def test_margins_are_student_t_of_mean_zero_and_variance_one():
    margins = (4.5, 12.0)
    shocks = drawn(pair(0.5, 3.0, margins), 60)
    for place, nu in enumerate(margins):
        scale = np.sqrt((nu - 2.0) / nu)
        assert kstest(shocks[:, place], t(nu, scale=scale).cdf).pvalue > 0.001
        assert shocks[:, place].mean() == pytest.approx(0.0, abs=0.01)
        assert shocks[:, place].var() == pytest.approx(1.0, abs=0.05)
        for probability in (0.001, 0.01, 0.5, 0.99, 0.999):
            quantile = scale * t.ppf(probability, nu)
            below = np.mean(shocks[:, place] <= quantile)
            error = np.sqrt(probability * (1.0 - probability) / len(shocks))
            assert below == pytest.approx(probability, abs=4.0 * error)


@pytest.mark.parametrize("rho", [-0.6, 0.0, 0.3, 0.8])
def test_kendalls_tau_is_that_of_an_elliptical_copula_whatever_the_margins(rho):
    shocks = drawn(pair(rho, 4.0, (3.0, 15.0)), 10)
    # The standard error of tau is below 2/3 sqrt(1/n) here (Kendall 1938, independence is the worst case).
    error = 2.0 / 3.0 / np.sqrt(len(shocks))
    assert kendalltau(*shocks.T).statistic == pytest.approx(2.0 / np.pi * np.arcsin(rho), abs=4.0 * error)


@pytest.mark.parametrize(("rho", "nu"), [(0.5, 3.0), (0.0, 3.0), (0.7, 4.0)])
def test_joint_tails_are_as_frequent_as_demarta_and_mcneil_say(rho, nu):
    expected = 2.0 * t.cdf(-np.sqrt((nu + 1.0) * (1.0 - rho) / (1.0 + rho)), nu + 1.0)
    shocks = drawn(pair(rho, nu), 490)
    level = 2.5e-4
    edge = np.sqrt(4.0 / 6.0) * t.ppf(1.0 - level, 6.0)
    # Both tails, by symmetry, and given either instrument.
    joint = sum((side * shocks > edge).all(axis=1).sum() for side in (1.0, -1.0))
    single = sum((side * shocks > edge).sum() for side in (1.0, -1.0)) / 2.0
    error = np.sqrt(expected * (1.0 - expected) / single)
    # The formula is a limit; at this level the frequency is still about one hundredth above it.
    assert joint / single == pytest.approx(expected, abs=3.0 * error + 0.01)


def test_a_nearly_normal_copula_has_no_such_tails():
    shocks = drawn(pair(0.5, NEARLY_NORMAL), 490)
    edge = np.sqrt(4.0 / 6.0) * t.ppf(1.0 - 2.5e-4, 6.0)
    assert (shocks > edge).all(axis=1).sum() / (shocks[:, 0] > edge).sum() < 0.12


def test_normal_limits_give_the_gaussian_closed_forms():
    correlation = np.array([[1.0, 0.4, -0.2], [0.4, 1.0, 0.1], [-0.2, 0.1, 1.0]])
    copula = t_copula(correlation, NEARLY_NORMAL, np.full(3, NEARLY_NORMAL))
    still = stack_parameters([GjrParameters(mu=0.0, omega=0.0, alpha=0.0, gamma=0.0, beta=1.0, nu=8.0)] * 3)
    sigma = np.array([0.01, 0.02, 0.015])
    parts = [
        compounded_returns(part, still, sigma)
        for atom in range(120)
        for part in draw_shocks(copula, 1, atom, ATOM, 1)
    ]
    returns = np.concatenate(parts)
    for weights in (np.array([1.0, 0.0, 0.0]), np.array([0.5, 0.3, 0.2]), np.array([1.0, -0.5, 0.5])):
        losses = -returns @ weights
        deviation = np.sqrt(weights * sigma @ correlation @ (weights * sigma))
        assert losses.std() == pytest.approx(deviation, rel=5.0 / np.sqrt(2 * len(losses)))
        for measure, error, confidence, multiple in (
            (value_at_risk, value_at_risk_error, 0.99, 2.3263),
            (expected_shortfall, expected_shortfall_error, 0.975, 2.3378),
        ):
            allowed = 4.0 * float(error(losses, confidence))
            assert float(measure(losses, confidence)) == pytest.approx(multiple * deviation, abs=allowed)


def test_fewer_scenarios_are_the_first_of_more_and_a_longer_horizon_goes_on():
    copula = pair(0.4, 5.0)
    whole = np.concatenate(list(draw_shocks(copula, 9, 4, ATOM, 10)))
    some = np.concatenate(list(draw_shocks(copula, 9, 4, 100, 10)))
    assert whole.shape == (ATOM, 10, 2)
    np.testing.assert_allclose(some, whole[:100], rtol=1e-12)
    again = np.concatenate(list(draw_shocks(copula, 9, 4, ATOM, 10)))
    np.testing.assert_array_equal(again, whole)
    assert not np.array_equal(np.concatenate(list(draw_shocks(copula, 9, 5, ATOM, 10))), whole)


def test_days_of_a_path_are_independent():
    shocks = np.concatenate(list(draw_shocks(pair(0.5, 3.0, (30.0, 30.0)), 2, 0, ATOM, 5)))
    for first, second in ((0, 1), (1, 3)):
        sizes = np.abs(shocks[:, [first, second], 0])
        assert abs(np.corrcoef(sizes.T)[0, 1]) < 0.06


@pytest.mark.parametrize(
    ("correlation", "nu", "margins", "message"),
    [
        (np.ones((2, 2)), 5.0, [4.0, 4.0], "positive definite"),
        (np.eye(2) * 2.0, 5.0, [4.0, 4.0], "ones on its diagonal"),
        (np.eye(2), 5.0, [4.0, 2.0], "above 2 for each margin"),
        (np.eye(2), 0.0, [4.0, 4.0], "above 0 for the copula"),
        (np.eye(3), 5.0, [4.0, 4.0], "same instruments"),
    ],
)
def test_what_makes_no_copula_is_refused(correlation, nu, margins, message):
    with pytest.raises(ValueError, match=message):
        t_copula(correlation, nu, np.array(margins))


def test_no_uniform_number_makes_an_infinite_shock():
    copula = pair(0.9, 2.1, (2.05, 500.0))
    extreme = ndtri(np.array([2.0**-54, 1.0 - 2.0**-53]))
    corners = np.array([[one, other] for one in extreme for other in extreme])
    for mixing in extreme:
        assert np.isfinite(copula.shocks(corners, np.full(4, mixing))).all()
