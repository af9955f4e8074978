import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from acceleray.quant.evaluation import rank_information_coefficient
from acceleray.quant.signals import (
    annualised_ratio,
    beyond,
    decay_half_life,
    forward_returns,
    marginal_rank_ic,
    rank_ic_ahead,
)


def prices_of(generator: np.random.Generator, days: int, names: int) -> np.ndarray:
    prices = 100 * np.exp(np.cumsum(0.01 * generator.standard_normal((days, names)), axis=0))
    prices[generator.random(prices.shape) < 0.02] = np.nan
    return prices


def test_forward_returns_equal_those_of_pandas_and_end_before_the_last_days() -> None:
    prices = prices_of(np.random.default_rng(81), 60, 4)
    expected = pd.DataFrame(prices).shift(-5) / pd.DataFrame(prices) - 1
    np.testing.assert_allclose(forward_returns(prices, 5), expected.to_numpy(), rtol=1e-13)
    assert np.isnan(forward_returns(prices, 5)[-5:]).all()
    assert np.isnan(forward_returns(prices, 100)).all()
    with pytest.raises(ValueError, match="at least one date"):
        forward_returns(prices, 0)


def test_rank_ic_ahead_looks_at_the_one_day_return_so_many_days_later() -> None:
    generator = np.random.default_rng(82)
    prices = prices_of(generator, 300, 12)
    returns = pd.DataFrame(prices).pct_change(fill_method=None).shift(-1)
    # A score that knows the return of the third day ahead, and nothing else.
    scores = returns.shift(-2).to_numpy()
    found = rank_ic_ahead(scores, prices, (1, 2, 3, 4))
    assert found[2] == pytest.approx(1.0)
    assert np.abs(found[[0, 1, 3]]).max() < 0.1
    by_hand = [
        returns.shift(-1).loc[day].corr(pd.Series(scores[day]), method="spearman") for day in range(300)
    ]
    assert found[1] == pytest.approx(float(np.nanmean(by_hand)), abs=1e-12)


def test_the_half_life_of_an_exponential_is_found_and_noise_around_it_does_not_matter_much() -> None:
    ahead = tuple(range(1, 64))
    clean = -0.05 * 2.0 ** (-np.array(ahead) / 9.0)
    assert decay_half_life(ahead, clean) == pytest.approx(9.0, rel=0.02)
    noisy = clean + 0.004 * np.random.default_rng(83).standard_normal(63)
    assert decay_half_life(ahead, noisy) == pytest.approx(9.0, rel=0.35)


def test_what_does_not_decay_has_no_half_life() -> None:
    ahead = tuple(range(1, 64))
    assert np.isnan(decay_half_life(ahead, np.full(63, 0.03)))
    assert np.isnan(decay_half_life(ahead, 0.001 * np.array(ahead)))
    assert np.isnan(decay_half_life(ahead, np.full(63, np.nan)))


def test_the_annualised_ratio_of_monthly_values_counts_twelve_bets_a_year() -> None:
    assert annualised_ratio(0.02, 0.1, 21) == pytest.approx(0.2 * np.sqrt(12.0))
    assert np.isnan(annualised_ratio(0.02, 0.0, 21))
    assert np.isnan(annualised_ratio(0.02, float("nan"), 21))


def test_what_is_left_of_a_signal_is_the_residual_of_least_squares_on_each_date() -> None:
    generator = np.random.default_rng(84)
    before = generator.standard_normal((3, 40, 15))
    scores = before[0] - 0.5 * before[2] + generator.standard_normal((40, 15))
    targets = generator.standard_normal((40, 15))
    scores[generator.random((40, 15)) < 0.1] = np.nan
    targets[generator.random((40, 15)) < 0.1] = np.nan
    rest = beyond(scores, before, targets)
    for date in range(40):
        used = np.isfinite(scores[date]) & np.isfinite(targets[date])
        regression = sm.OLS(scores[date, used], sm.add_constant(before[:, date, used].T)).fit()
        np.testing.assert_allclose(rest[date, used], regression.resid, atol=1e-12)
        assert np.isnan(rest[date, ~used]).all()


def test_a_missing_value_of_an_earlier_signal_counts_as_its_mean() -> None:
    generator = np.random.default_rng(85)
    before = generator.standard_normal((1, 1, 12))
    scores, targets = generator.standard_normal((1, 12)), generator.standard_normal((1, 12))
    before[0, 0, 3] = np.nan
    filled = before.copy()
    filled[0, 0, 3] = np.nanmean(before[0, 0])
    np.testing.assert_allclose(beyond(scores, before, targets), beyond(scores, filled, targets), atol=1e-13)


def test_a_copy_adds_nothing_and_neither_does_a_mix_of_two_signals() -> None:
    generator = np.random.default_rng(86)
    before = generator.standard_normal((2, 50, 20))
    targets = before[0] + generator.standard_normal((50, 20))
    for copy in (before[0], -3.0 * before[1] + 2.0, before[0] + 0.7 * before[1]):
        added = marginal_rank_ic(beyond(copy, before, targets), targets)
        np.testing.assert_array_equal(added, np.zeros(50))
    # Also if a copy is among the signals before it.
    twice = np.concatenate([before, before[:1]])
    other = generator.standard_normal((50, 20))
    np.testing.assert_allclose(beyond(other, twice, targets), beyond(other, before, targets), atol=1e-12)


def test_without_signals_before_it_a_signal_adds_its_own_rank_ic() -> None:
    generator = np.random.default_rng(87)
    scores, targets = generator.standard_normal((30, 10)), generator.standard_normal((30, 10))
    added = marginal_rank_ic(beyond(scores, np.empty((0, 30, 10)), targets), targets)
    np.testing.assert_allclose(added, rank_information_coefficient(scores, targets), atol=1e-12)


def test_too_few_instruments_for_the_regression_leave_the_date_out() -> None:
    generator = np.random.default_rng(88)
    before, scores = generator.standard_normal((4, 2, 8)), generator.standard_normal((2, 8))
    targets = generator.standard_normal((2, 8))
    targets[1, 0] = np.nan
    added = marginal_rank_ic(beyond(scores, before, targets), targets)
    assert np.isfinite(added[0])
    assert np.isnan(added[1])
