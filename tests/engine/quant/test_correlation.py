import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from sklearn.covariance import ledoit_wolf

from acceleray.quant.correlation import (
    NU_LIMITS,
    fit_copula_nu,
    normal_scores,
    pseudo_observations,
    shrink_correlation,
    t_copula_log_likelihood,
)


def one_factor(instruments: int, correlation: float) -> NDArray[np.float64]:
    return np.full((instruments, instruments), correlation) + (1.0 - correlation) * np.eye(instruments)


def draw(days: int, correlation: NDArray[np.float64], nu: float, seed: int = 3) -> NDArray[np.float64]:
    """Return draws of a multivariate t: normals over the root of a chi-square; normals for an infinite nu."""
    generator = np.random.default_rng(seed)
    normal = generator.normal(size=(days, len(correlation))) @ np.linalg.cholesky(correlation).T
    return normal if np.isinf(nu) else normal / np.sqrt(generator.chisquare(nu, (days, 1)) / nu)


def test_the_correlation_is_that_of_sklearn_on_standardised_residuals() -> None:
    residuals = 3.0 + 2.0 * draw(300, one_factor(12, 0.4), 6.0)
    found = shrink_correlation(residuals)
    standard = (residuals - residuals.mean(axis=0)) / residuals.std(axis=0)
    covariance, shrinkage = ledoit_wolf(standard)
    spread = np.sqrt(np.diag(covariance))
    assert found.shrinkage == pytest.approx(shrinkage, rel=1e-10)
    np.testing.assert_allclose(found.correlation, covariance / np.outer(spread, spread), atol=1e-12)
    np.testing.assert_allclose(found.sample, np.corrcoef(residuals, rowvar=False), atol=1e-12)


def test_the_shrinkage_is_that_of_the_formula_of_ledoit_and_wolf() -> None:
    standard = stats.zscore(draw(120, one_factor(8, 0.3), 5.0))
    days, instruments = standard.shape
    sample = standard.T @ standard / days
    # Ledoit & Wolf 2004, section 3.2: d^2 the distance to the target, b^2 the error of the sample, squared.
    target = np.trace(sample) / instruments * np.eye(instruments)
    distance = np.sum((sample - target) ** 2)
    error = sum(np.sum((np.outer(day, day) - sample) ** 2) for day in standard) / days**2
    assert shrink_correlation(standard).shrinkage == pytest.approx(min(error, distance) / distance, rel=1e-10)


def test_more_instruments_than_days_are_singular_before_and_positive_definite_after() -> None:
    found = shrink_correlation(draw(40, one_factor(60, 0.3), 8.0))
    assert abs(found.sample_smallest_eigenvalue) < 1e-10
    assert found.smallest_eigenvalue > 0.05
    assert found.smallest_eigenvalue == pytest.approx(found.shrinkage, abs=1e-10)
    np.linalg.cholesky(found.correlation)


def test_instruments_without_dependence_are_shrunk_nearly_all_the_way() -> None:
    assert shrink_correlation(draw(500, np.eye(40), np.inf)).shrinkage > 0.9
    assert shrink_correlation(draw(5000, one_factor(10, 0.5), np.inf)).shrinkage < 0.01


def test_the_correlation_is_exactly_symmetric_with_ones_and_keeps_its_order() -> None:
    residuals = draw(200, one_factor(6, 0.5), 6.0) * [1.0, 5.0, 0.1, 1.0, 1.0, 1.0]
    found = shrink_correlation(residuals)
    np.testing.assert_array_equal(found.correlation, found.correlation.T)
    np.testing.assert_array_equal(np.diag(found.correlation), 1.0)
    turned = shrink_correlation(residuals[:, ::-1])
    np.testing.assert_allclose(turned.correlation[::-1, ::-1], found.correlation, atol=1e-12)


def test_no_correlation_lies_beyond_one_by_rounding() -> None:
    # Thirty instruments that move as one: without the clip, hundreds of pairs lie a last bit beyond one.
    found = shrink_correlation(draw(200, np.eye(1), np.inf) * np.linspace(0.1, 5.0, 30))
    assert found.sample.max() == 1.0
    assert np.abs(found.correlation).max() == 1.0


def test_residuals_that_cannot_be_correlated_are_refused() -> None:
    good = draw(50, one_factor(3, 0.2), 8.0)
    holes = good.copy()
    holes[3, 1] = np.nan
    for bad, words in ((holes, "missing"), (good[:1], "two days")):
        with pytest.raises(ValueError, match=words):
            shrink_correlation(bad)


def test_an_instrument_that_never_moves_hangs_on_nothing_and_changes_no_other() -> None:
    good = draw(200, one_factor(3, 0.5), 8.0)
    found = shrink_correlation(np.column_stack([good, np.full(200, 0.0)]))
    assert found.correlation[3].tolist() == [0.0, 0.0, 0.0, 1.0]
    np.testing.assert_allclose(found.sample[:3, :3], shrink_correlation(good).sample)


def test_one_instrument_alone_is_a_correlation_of_one() -> None:
    residuals = draw(100, np.eye(1), 8.0)
    found = shrink_correlation(residuals)
    assert found.correlation.tolist() == [[1.0]]
    fit = fit_copula_nu(residuals, found.correlation)
    assert (fit.nu, fit.at_bound) == (NU_LIMITS[1], True)


def test_ranks_lie_strictly_between_zero_and_one_and_ties_share_theirs() -> None:
    found = pseudo_observations(np.array([[5.0, 1.0], [7.0, 1.0], [6.0, 3.0]]))
    np.testing.assert_allclose(found, [[0.25, 0.375], [0.75, 0.375], [0.5, 0.75]])


@pytest.mark.parametrize("nu", [2.5, 6.0, 60.0])
def test_the_copula_density_is_that_of_scipy_less_its_margins(nu: float) -> None:
    correlation = one_factor(4, 0.5)
    observations = pseudo_observations(draw(50, correlation, 4.0))
    quantiles = stats.t(nu).ppf(observations)
    joint = stats.multivariate_t(shape=correlation, df=nu).logpdf(quantiles).sum()
    expected = joint - stats.t(nu).logpdf(quantiles).sum()
    assert t_copula_log_likelihood(observations, correlation, nu) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("planted", [3.0, 6.0, 12.0])
def test_planted_degrees_of_freedom_are_found_whatever_the_margins(planted: float) -> None:
    correlation = one_factor(10, 0.4)
    drawn = draw(2000, correlation, planted)
    found = fit_copula_nu(drawn, correlation)
    # Over 40 seeds the standard deviation at 2,000 days of ten instruments is 5 to 7 % of nu.
    assert found.nu == pytest.approx(planted, rel=0.2)
    assert not found.at_bound
    assert fit_copula_nu(np.sinh(drawn) * 5.0 - 1.0, correlation).nu == pytest.approx(found.nu)


def test_dependence_without_joint_tails_ends_at_the_limit_and_says_so() -> None:
    correlation = one_factor(10, 0.4)
    found = fit_copula_nu(draw(2000, correlation, np.inf), correlation)
    assert (found.nu, found.at_bound) == (pytest.approx(NU_LIMITS[1]), True)
    # All instruments at their extremes on the same days: as joint as tails can be.
    low = fit_copula_nu(draw(500, np.eye(10), 1.2), np.eye(10))
    assert low.nu == pytest.approx(NU_LIMITS[0], rel=1e-3)
    assert low.at_bound


def test_normal_scores_are_normal_quantiles_of_ranks_and_know_nothing_of_margins() -> None:
    residuals = draw(9, np.eye(2), np.inf)
    scores = normal_scores(residuals)
    ranks = residuals.argsort(axis=0).argsort(axis=0) + 1
    np.testing.assert_allclose(scores, stats.norm.ppf(ranks / 10.0))
    np.testing.assert_array_equal(normal_scores(np.exp(3.0 * residuals) - 5.0), scores)
