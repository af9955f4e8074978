import math
from dataclasses import astuple, replace
from types import SimpleNamespace

import numpy as np
import pytest
from arch import arch_model
from scipy.stats import binom, chi2, norm
from scipy.stats import t as student

from acceleray.quant.garch import GjrParameters, fit_gjr_garch_t, standardised_residuals, variance_path
from acceleray.quant.garch_estimate import Estimate


@pytest.fixture(scope="module")
def fit(planted_returns):
    return fit_gjr_garch_t(planted_returns, minimum_observations=500)


def test_a_planted_model_is_found_without_any_doubt(fit, planted):
    assert fit.status == "calibrated"
    assert (fit.reason, fit.at_bound, fit.converged, fit.observations) == ("", "", True, 6000)
    for error, truth in zip(astuple(fit.standard_errors), astuple(planted), strict=True):
        assert 0 < error < max(abs(truth), 1.0)


@pytest.mark.nightly
def test_planted_parameters_lie_within_their_errors_as_often_as_they_should(planted, planted_series):
    fits = [fit_gjr_garch_t(planted_series(3000, seed), 500) for seed in range(100)]
    estimates = np.array([astuple(fit.parameters) for fit in fits])
    errors = np.array([astuple(fit.standard_errors) for fit in fits])
    missed = estimates - astuple(planted)
    assert_covered(missed, errors)
    # Planted faults: errors half or twice as large, and an estimate that is off by one of them.
    for wrong in ((missed, errors / 2.0), (missed, 2.0 * errors), (missed + errors, errors)):
        for place in range(errors.shape[1]):
            with pytest.raises(AssertionError):
                assert_covered(*(each[:, place : place + 1] for each in wrong))


def assert_covered(missed, errors):
    """Assert that what estimates miss the truth by, of shape (fits, parameters), agrees with their errors.

    Each bound is one that right errors, and estimates without bias, overstep about once in a thousand trials.
    """
    count, misses = len(missed), missed / errors
    # Of 100 fits at least 87 hold the truth, of which 95 are expected.
    assert np.all(np.sum(np.abs(misses) <= 1.96, axis=0) >= binom.ppf(1e-3, count, 0.95))
    # Errors that are too large hold it too often: squares of misses add up to 62 at least, and not to 100.
    assert np.all(np.sum(misses**2, axis=0) > chi2.ppf(1e-3, count))
    # The mean is within a third of an error.
    assert np.all(np.abs(misses.mean(axis=0)) < norm.ppf(1.0 - 5e-4) / np.sqrt(count))


def test_standard_errors_are_small_enough_to_mean_something(fit):
    assert fit.standard_errors.beta < 0.03
    assert fit.standard_errors.omega < 2e-6
    assert fit.standard_errors.mu < 3e-4


def test_standard_errors_are_those_that_hold_when_the_model_does_not():
    # Lopsided shocks and a volatility that jumps, of which the model knows nothing.
    generator = np.random.default_rng(7)
    jumps = np.repeat(generator.choice([0.006, 0.02], 30), 100)
    returns = jumps * (generator.gamma(2.0, size=3000) - 2.0) / math.sqrt(2.0)
    found = fit_gjr_garch_t(returns, 500)
    model = arch_model(100.0 * returns, mean="Constant", vol="GARCH", p=1, o=1, q=1, dist="t", rescale=False)
    start = 1e4 * found.initial_variance
    robust, classic = (
        model.fit(disp="off", backcast=start, cov_type=kind).std_err.to_numpy()
        for kind in ("robust", "classic")
    )
    scale = np.array([1e2, 1e4, 1.0, 1.0, 1.0, 1.0])
    # arch divides by 2,999 where the formula has 3,000, and takes differences for derivatives.
    assert np.array(astuple(found.standard_errors)) * scale == pytest.approx(robust, rel=2e-3)
    by_arch = fit_gjr_garch_t(returns, 500, compiled_in=None)
    assert np.array(astuple(by_arch.standard_errors)) * scale == pytest.approx(robust, rel=1e-6)
    assert (np.abs(robust / classic - 1.0) > 0.1).sum() >= 3


def test_the_variance_path_equals_the_one_of_arch_at_the_same_parameters(planted_returns):
    percent = 100.0 * planted_returns
    backcast = float(np.mean((percent - percent.mean()) ** 2))
    result = arch_model(percent, o=1, dist="t", rescale=False).fit(disp="off", backcast=backcast)
    mu, omega, *rest = result.params
    path = variance_path(planted_returns, GjrParameters(mu / 100, omega / 1e4, *rest), backcast / 1e4)
    np.testing.assert_allclose(path[:-1], np.asarray(result.conditional_volatility) ** 2 / 1e4, rtol=1e-10)
    np.testing.assert_allclose(
        path[-1], result.forecast(horizon=1, reindex=False).variance.iloc[-1, 0] / 1e4, rtol=1e-10
    )


def test_the_variance_path_follows_the_recursion_by_hand():
    parameters = GjrParameters(mu=0.01, omega=1e-4, alpha=0.1, gamma=0.2, beta=0.5, nu=5.0)
    path = variance_path(np.array([0.03, -0.01]), parameters, initial_variance=4e-4)
    first = 1e-4 + (0.1 + 0.2 / 2 + 0.5) * 4e-4
    second = 1e-4 + 0.1 * 0.02**2 + 0.5 * first
    third = 1e-4 + (0.1 + 0.2) * 0.02**2 + 0.5 * second
    np.testing.assert_allclose(path, [first, second, third], rtol=1e-14)


def test_the_variance_of_a_day_does_not_know_its_return(planted, planted_returns):
    changed = planted_returns.copy()
    changed[100] = -0.25
    before = variance_path(planted_returns, planted, 1e-4)
    after = variance_path(changed, planted, 1e-4)
    np.testing.assert_array_equal(before[:101], after[:101])
    assert after[101] > 5 * before[101]


def test_standardised_residuals_have_the_variance_and_tails_that_were_planted(planted, planted_returns):
    residuals = standardised_residuals(planted_returns, planted, planted.unconditional_variance)
    assert residuals.mean() == pytest.approx(0.0, abs=0.04)
    assert residuals.var() == pytest.approx(1.0, abs=0.06)
    assert np.corrcoef(residuals[1:] ** 2, residuals[:-1] ** 2)[0, 1] == pytest.approx(0.0, abs=0.04)


def test_the_log_likelihood_is_that_of_decimal_returns(fit, planted_returns):
    parameters = fit.parameters
    sigma = np.sqrt(variance_path(planted_returns, parameters, fit.initial_variance)[:-1])
    scale = sigma * np.sqrt((parameters.nu - 2.0) / parameters.nu)
    own = student.logpdf(planted_returns, parameters.nu, loc=parameters.mu, scale=scale).sum()
    assert fit.log_likelihood == pytest.approx(own, rel=1e-10)


def test_the_presample_variance_is_the_mean_squared_demeaned_return(fit, planted_returns):
    assert fit.initial_variance == pytest.approx(planted_returns.var(), rel=1e-14)
    path = variance_path(planted_returns, fit.parameters, fit.initial_variance)
    assert fit.next_sigma == math.sqrt(path[-1])


def test_a_fit_is_the_same_to_the_last_bit_every_time(fit, planted_returns):
    assert fit_gjr_garch_t(planted_returns, minimum_observations=500) == fit


def test_persistence_half_life_and_unconditional_variance_follow_from_the_parameters():
    parameters = GjrParameters(mu=0.0, omega=1e-6, alpha=0.02, gamma=0.06, beta=0.94, nu=6.0)
    assert parameters.persistence == pytest.approx(0.99)
    assert parameters.half_life_d == pytest.approx(68.9676, abs=1e-4)
    assert 0.99**parameters.half_life_d == pytest.approx(0.5)
    assert parameters.unconditional_variance == pytest.approx(1e-4)


def test_an_integrated_variance_never_halves():
    parameters = GjrParameters(mu=0.0, omega=1e-6, alpha=0.0625, gamma=0.0, beta=0.9375, nu=6.0)
    assert parameters.half_life_d == math.inf
    assert parameters.unconditional_variance == math.inf


@pytest.mark.parametrize(
    ("series", "words"),
    [
        (np.full(1000, 0.01), "constant"),
        (np.zeros(1000), "constant"),
        (np.linspace(-0.01, 0.01, 499), "499 returns are fewer than the 500 required"),
        (np.array([]), "fewer"),
        (np.array([0.01, np.nan, np.inf] * 200), "400 of 600 returns are missing or infinite"),
        (np.full(1000, np.nan), "1000 of 1000"),
        (np.zeros((500, 2)), "one series"),
    ],
)
def test_a_series_that_cannot_be_fitted_comes_back_with_a_reason(series, words):
    rejected = fit_gjr_garch_t(series, minimum_observations=500)
    assert (rejected.status, rejected.parameters, rejected.standard_errors) == ("rejected", None, None)
    assert words in rejected.reason
    assert not rejected.converged
    assert math.isnan(rejected.next_sigma)


def test_a_price_that_stands_still_for_months_is_rejected_with_the_length_of_the_stop(planted_returns):
    stale = planted_returns[:2000].copy()
    stale[300:368] = 0.0
    rejected = fit_gjr_garch_t(stale, minimum_observations=500)
    assert rejected.status == "rejected"
    assert "stands still for 68 days" in rejected.reason


def test_a_degenerate_fit_is_rejected_though_the_optimiser_is_content():
    # Seven days in ten without a trade, never a month in a row: the likelihood runs off to a spike at zero.
    # Where it runs to, if it arrives, depends on processor and threads; residual variances of 0.2 and of four
    # million were seen.
    generator = np.random.default_rng(4)
    thin = generator.normal(0.0, 0.02, 2000) * (generator.random(2000) < 0.3)
    rejected = fit_gjr_garch_t(thin, minimum_observations=500)
    assert rejected.status == "failed"
    assert any(words in rejected.reason for words in ("does not describe the series", "did not converge"))


@pytest.mark.parametrize("omega", [1e-4, 1e4])
def test_a_variance_far_from_that_of_the_residuals_is_named(planted_returns, monkeypatch, omega):
    from acceleray.quant import garch

    found = Estimate(np.array([0.0, omega, 0.0, 0.0, 0.5, 8.0]), np.ones(6), log_likelihood=1.0, starts=3)
    monkeypatch.setattr(garch, "estimate_compiled", lambda *_: found)
    rejected = fit_gjr_garch_t(planted_returns, 500)
    assert rejected.status == "failed"
    assert "does not describe the series: residual variance" in rejected.reason


def test_an_optimiser_that_does_not_converge_or_raises_is_a_reason_and_not_a_crash(
    planted_returns, monkeypatch
):
    from acceleray.quant import garch

    stuck = Estimate(
        np.ones(6), np.ones(6), 1.0, 3, "the optimiser did not converge: it took all of its steps"
    )
    monkeypatch.setattr(garch, "estimate_compiled", lambda *_: stuck)
    failed = fit_gjr_garch_t(planted_returns, 500)
    assert (failed.status, failed.starts, failed.reason) == ("failed", 3, stuck.failed)

    def fail(*_):
        raise FloatingPointError("overflow\nin line two")

    monkeypatch.setattr(garch, "estimate_compiled", fail)
    rejected = fit_gjr_garch_t(planted_returns, 500)
    assert rejected.reason == "the optimiser failed: FloatingPointError: overflow"


def test_an_optimiser_of_arch_that_does_not_converge_is_a_reason(planted_returns, monkeypatch):
    from arch.univariate import ConstantMean

    stuck = SimpleNamespace(convergence_flag=8, params=np.ones(6), loglikelihood=1.0)
    monkeypatch.setattr(ConstantMean, "fit", lambda *_, **__: stuck)
    failed = fit_gjr_garch_t(planted_returns, 500, compiled_in=None)
    assert (failed.starts, failed.reason) == (2, "the optimiser did not converge (SLSQP flag 8)")


def test_a_parameter_at_its_bound_is_named(planted):
    from acceleray.quant.garch import _at_bound

    assert _at_bound(planted, 1e-4) == ""
    assert _at_bound(replace(planted, alpha=0.0), 1e-4) == "alpha"
    assert _at_bound(replace(planted, gamma=-planted.alpha), 1e-4) == "gamma"
    assert _at_bound(replace(planted, nu=499.99), 1e-4) == "nu"
    assert _at_bound(replace(planted, omega=1e-12), 1e-4) == "omega"
    assert _at_bound(replace(planted, alpha=0.05, gamma=0.1, beta=0.9), 1e-4) == "persistence"
