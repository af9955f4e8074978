"""The likelihood, its derivatives and its scores, called as the plain functions that they are."""

import numpy as np
import pytest
from scipy.stats import t as student

from acceleray.quant.garch import GjrParameters, variance_path
from acceleray.quant.garch_days import ROOM
from acceleray.quant.garch_likelihood import gradient_and_hessian, log_likelihood, score_products

# Inside the bounds, at an alpha of zero, and with tails that are nearly those of a normal distribution.
POINTS = [
    (0.02, 0.05, 0.04, 0.08, 0.88, 6.0),
    (-0.05, 0.3, 0.0, 0.3, 0.4, 3.1),
    (0.0, 0.01, 0.02, -0.01, 0.97, 120.0),
]


@pytest.fixture(params=[157, 160])  # eights that are full, and not
def returns(request):
    return np.random.default_rng(3).standard_t(5, request.param) * np.sqrt(0.6)


def value(returns, theta):
    return log_likelihood(returns, np.asarray(theta), np.empty(returns.size + 1))


def derivatives(returns, theta):
    variance, gradient, hessian = np.empty(returns.size + 1), np.empty(6), np.empty((6, 6))
    slope, adjoint, eight = np.empty(returns.size + 1), np.empty(returns.size + 1), np.empty(ROOM)
    log_likelihood(returns, np.asarray(theta), variance)
    gradient_and_hessian(returns, np.asarray(theta), variance, slope, adjoint, gradient, hessian, eight)
    products = np.empty((6, 6))
    score_products(returns, np.asarray(theta), variance, adjoint, products, eight)
    return gradient, hessian, products


@pytest.mark.parametrize("theta", POINTS)
def test_the_log_likelihood_is_that_of_the_students_t_on_the_path_of_variances(returns, theta):
    parameters = GjrParameters(*theta)
    sigma = np.sqrt(variance_path(returns, parameters, 1.0)[:-1])
    scale = sigma * np.sqrt((parameters.nu - 2.0) / parameters.nu)
    expected = student.logpdf(returns, parameters.nu, loc=parameters.mu, scale=scale).sum()
    assert value(returns, theta) == pytest.approx(expected, rel=1e-12)
    variance = np.empty(returns.size + 1)
    log_likelihood(returns, np.asarray(theta), variance)
    np.testing.assert_allclose(variance, variance_path(returns, parameters, 1.0), rtol=1e-12)


@pytest.mark.parametrize("theta", POINTS)
def test_gradient_and_hessian_are_the_central_differences_of_the_likelihood(returns, theta):
    gradient, hessian, _ = derivatives(returns, theta)
    for place in range(6):
        step = np.zeros(6)
        step[place] = 1e-5 * max(abs(theta[place]), 0.01)
        up, down = np.add(theta, step), np.subtract(theta, step)
        slope = (value(returns, up) - value(returns, down)) / (2.0 * step[place])
        assert gradient[place] == pytest.approx(slope, rel=1e-5, abs=1e-5)
        bend = (derivatives(returns, up)[0] - derivatives(returns, down)[0]) / (2.0 * step[place])
        np.testing.assert_allclose(hessian[place], bend, rtol=1e-5, atol=1e-5 * np.abs(hessian).max())
    np.testing.assert_array_equal(hessian, hessian.T)


@pytest.mark.parametrize("theta", POINTS)
def test_the_products_of_the_scores_are_those_of_each_days_difference(returns, theta):
    _, _, products = derivatives(returns, theta)
    scores = np.empty((returns.size, 6))
    for place in range(6):
        step = np.zeros(6)
        step[place] = 1e-5 * max(abs(theta[place]), 0.01)
        ends = [by_day(returns, np.add(theta, sign * step)) for sign in (1.0, -1.0)]
        scores[:, place] = (ends[0] - ends[1]) / (2.0 * step[place])
    np.testing.assert_allclose(products, scores.T @ scores, rtol=1e-4)


def by_day(returns, theta):
    """Return the log-likelihood of each day, by the density of scipy."""
    parameters = GjrParameters(*theta)
    sigma = np.sqrt(variance_path(returns, parameters, 1.0)[:-1])
    scale = sigma * np.sqrt((parameters.nu - 2.0) / parameters.nu)
    return student.logpdf(returns, parameters.nu, loc=parameters.mu, scale=scale)
