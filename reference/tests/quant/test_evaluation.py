import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import spearmanr

from portfolio.quant.evaluation import (
    newey_west_t,
    out_of_sample_r2,
    quantile_spread,
    rank_information_coefficient,
)


def test_rank_ic_equals_spearman_of_scipy_with_ties_and_gaps():
    generator = np.random.default_rng(61)
    scores = generator.integers(0, 8, (30, 40)).astype(float)
    targets = generator.standard_normal((30, 40)) + 0.1 * scores
    scores[generator.random((30, 40)) < 0.2] = np.nan
    targets[generator.random((30, 40)) < 0.1] = np.nan
    coefficients = rank_information_coefficient(scores, targets)
    for date in range(30):
        both = np.isfinite(scores[date]) & np.isfinite(targets[date])
        expected = spearmanr(scores[date, both], targets[date, both]).statistic
        assert coefficients[date] == pytest.approx(expected, abs=1e-12)


def test_rank_ic_of_a_perfect_and_a_reversed_order_is_one_and_minus_one():
    targets = np.array([[0.3, -0.1, 0.2, 0.0]])
    assert rank_information_coefficient(np.exp(targets), targets)[0] == pytest.approx(1.0)
    assert rank_information_coefficient(-targets, targets)[0] == pytest.approx(-1.0)


def test_rank_ic_is_missing_where_there_is_nothing_to_rank():
    scores = np.array([[1.0, 1.0, 1.0, 1.0], [1.0, 2.0, np.nan, np.nan], [np.nan] * 4])
    assert np.isnan(rank_information_coefficient(scores, np.tile(np.arange(4.0), (3, 1)))).all()


def test_rank_ic_of_noise_is_about_zero():
    generator = np.random.default_rng(62)
    noise = rank_information_coefficient(
        generator.standard_normal((500, 100)), generator.standard_normal((500, 100))
    )
    assert abs(noise.mean()) < 3.0 / np.sqrt(500 * 99)


@pytest.mark.parametrize("lags", [0, 1, 5, 21])
def test_newey_west_equals_the_hac_regression_of_statsmodels(lags):
    generator = np.random.default_rng(63)
    series = 0.02 + np.convolve(generator.standard_normal(520), np.ones(6) / 6, mode="valid")
    regression = sm.OLS(series, np.ones(series.size)).fit(
        cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": False}
    )
    with_gaps = np.insert(series, 100, np.nan)
    assert newey_west_t(with_gaps, lags) == pytest.approx(float(regression.tvalues[0]), rel=1e-10)


def test_newey_west_of_nothing_is_missing():
    assert np.isnan(newey_west_t(np.array([np.nan, 0.1]), 2))
    assert np.isnan(newey_west_t(np.full(10, 0.5), 2))


def test_r2_is_measured_against_zero_and_not_against_the_mean():
    targets = np.array([[0.02, 0.02, np.nan], [0.02, 0.02, 0.02]])
    assert out_of_sample_r2(targets, np.zeros((2, 3))) == 0.0
    assert out_of_sample_r2(targets, np.full((2, 3), 0.02)) == 1.0
    assert out_of_sample_r2(targets, np.full((2, 3), 0.01)) == pytest.approx(0.75)
    assert out_of_sample_r2(targets, np.full((2, 3), -0.02)) == pytest.approx(-3.0)


def test_the_spread_of_ten_names_in_five_groups_by_hand():
    scores = np.arange(10.0)[np.newaxis]
    targets = np.array([[0.0, 0.2, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 1.0, 1.4]])
    assert quantile_spread(scores, targets, 5)[0] == pytest.approx(1.2 - 0.1)
    assert quantile_spread(-scores, targets, 5)[0] == pytest.approx(0.1 - 1.2)


def test_the_spread_leaves_out_what_is_missing_and_needs_enough_names():
    scores = np.array([[0.0, np.nan, 2.0, 3.0, 4.0], [0.0, np.nan, np.nan, 3.0, 4.0]])
    targets = np.array([[1.0, 99.0, 2.0, 3.0, 5.0]] * 2)
    spread = quantile_spread(scores, targets, 4)
    assert spread[0] == pytest.approx(4.0)
    assert np.isnan(spread[1])


def test_shapes_that_do_not_match_are_refused():
    with pytest.raises(ValueError, match="do not match"):
        rank_information_coefficient(np.zeros((2, 3)), np.zeros((3, 2)))
