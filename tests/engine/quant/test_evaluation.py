import math

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import spearmanr

from acceleray.quant.evaluation import (
    least_count,
    newey_west_lower,
    newey_west_p,
    newey_west_t,
    out_of_sample_r2,
    overlap_lags,
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


def overlapping(generator, series, count, horizon_d):
    """Return rank ICs as luck makes them: sums of daily noise over a horizon, begun on successive days."""
    walks = np.cumsum(generator.standard_normal((series, count + horizon_d)), axis=1)
    return walks[:, horizon_d:] - walks[:, :-horizon_d]


def test_lags_reach_over_three_horizons_and_grow_with_the_root_of_the_days():
    assert overlap_lags(8000, 63) == 189
    assert overlap_lags(8000, 5) == math.ceil(1.3 * math.sqrt(8000))
    assert overlap_lags(10, 63) == 9
    assert overlap_lags(0, 5) == 0


def test_without_overlap_and_for_long_histories_the_p_value_is_that_of_the_normal():
    assert newey_west_p(-1.96, 10_000_000, 10, 1) == pytest.approx(0.05, abs=1e-4)
    assert newey_west_p(0.0, 1000, 50, 5) == 1.0


def test_too_few_days_have_no_p_value():
    assert np.isnan(newey_west_p(5.0, 188, 63, 21))
    assert np.isfinite(newey_west_p(5.0, 189, 63, 21))
    assert np.isnan(newey_west_p(math.nan, 1000, 63, 21))


@pytest.mark.parametrize(("count", "horizon_d"), [(1000, 5), (1000, 21), (1250, 63), (4000, 63)])
def test_of_luck_with_overlapping_horizons_about_one_test_in_twenty_is_below_five_per_cent(count, horizon_d):
    series = overlapping(np.random.default_rng(64), 800, count, horizon_d)
    lags = overlap_lags(count, horizon_d)
    below = [newey_west_p(newey_west_t(one, lags), count, lags, horizon_d) <= 0.05 for one in series]
    # Two and a half standard errors of 800 draws, and the bias that is left in short histories.
    assert np.mean(below) == pytest.approx(0.055, abs=0.02)


def test_one_horizon_of_lags_would_reject_twice_as_often_as_it_says():
    series = overlapping(np.random.default_rng(65), 800, 4000, 21)
    beyond = [abs(newey_west_t(one, 21)) > 1.96 for one in series]
    assert np.mean(beyond) > 0.085


def test_the_interval_begins_where_the_one_sided_p_value_is_its_level():
    values = overlapping(np.random.default_rng(4), 1, 1000, 21)[0] + 0.05
    lower = newey_west_lower(values, 21, 0.95)
    lags = overlap_lags(1000, 21)
    assert lower < values.mean()
    assert newey_west_p(newey_west_t(values - lower, lags), 1000, lags, 21) == pytest.approx(0.10, rel=1e-9)
    assert newey_west_lower(values, 21, 0.99) < lower
    with_gaps = np.insert(values, [3, 700], np.nan)
    assert newey_west_lower(with_gaps, 21, 0.95) == pytest.approx(lower, rel=1e-12)


def test_of_luck_about_one_interval_in_twenty_is_above_zero():
    series = overlapping(np.random.default_rng(21), 2000, 1000, 21)
    above = np.mean([newey_west_lower(one, 21, 0.95) > 0.0 for one in series])
    # Of 2,000, one standard error is 0.5 points. A mean above zero is what half of them have.
    assert 0.03 < above < 0.075


def test_an_interval_needs_nine_horizons():
    assert least_count(21) == 189
    assert np.isnan(newey_west_lower(np.arange(188.0), 21, 0.95))
    assert np.isfinite(newey_west_lower(np.arange(189.0), 21, 0.95))
    assert np.isnan(newey_west_lower(np.full(200, 0.5), 21, 0.95))
