from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from acceleray.quant.overfitting import (
    blocks_for,
    deflated_sharpe_of,
    deflated_sharpe_ratio,
    expected_maximum_sharpe,
    probability_of_overfitting,
    sharpe_ratio,
)

# Bailey and Lopez de Prado 2014, section "A numerical example": an annualised Sharpe ratio of 2.5 over 1,250
# daily observations, skewness -3, kurtosis 10, the variance of the trials' annualised ratios 1/2.
DAYS_A_YEAR = 250
SHARPE = 2.5 / math.sqrt(DAYS_A_YEAR)
VARIANCE = 0.5 / DAYS_A_YEAR


@pytest.mark.parametrize(("trials", "published"), [(100, 0.9004), (46, 0.9505)])
def test_the_deflated_sharpe_ratio_matches_the_published_example(trials: int, published: float) -> None:
    highest = expected_maximum_sharpe(VARIANCE, trials)
    assert deflated_sharpe_ratio(SHARPE, highest, 1250, -3.0, 10.0) == pytest.approx(published, abs=5e-5)


def test_the_expected_maximum_matches_the_published_example_and_a_simulation() -> None:
    assert expected_maximum_sharpe(VARIANCE, 100) == pytest.approx(0.1132, abs=5e-5)
    draws = np.random.default_rng(1).normal(size=(20_000, 50)).max(axis=1)
    # The formula is the limit for many trials; at fifty it is within about one in a hundred.
    assert expected_maximum_sharpe(1.0, 50) == pytest.approx(draws.mean(), rel=0.02)
    assert expected_maximum_sharpe(1.0, 1) == 0.0
    assert expected_maximum_sharpe(4.0, 50) == 2 * expected_maximum_sharpe(1.0, 50)


def test_without_a_benchmark_it_is_the_probability_of_a_positive_sharpe_ratio() -> None:
    # Normal series: the standard error of a ratio of s is sqrt((1 + s^2 / 2) / (n - 1)).
    found = deflated_sharpe_ratio(0.1, 0.0, 401, 0.0, 3.0)
    expected = 0.5 * math.erfc(-(0.1 * 20 / math.sqrt(1 + 0.1**2 / 2)) / math.sqrt(2))
    assert found == pytest.approx(expected, abs=1e-12)
    assert deflated_sharpe_ratio(0.1, 0.1, 401, 0.0, 3.0) == 0.5
    assert math.isnan(deflated_sharpe_ratio(0.1, 0.0, 1, 0.0, 3.0))


def test_of_a_series_it_takes_moments_and_the_number_of_trials_from_the_data() -> None:
    draws = np.random.default_rng(2)
    series = draws.normal(0.1, 1.0, 300)
    sharpes = draws.normal(0.0, 0.05, 40)
    sharpes[0], sharpes[1] = sharpe_ratio(series), math.nan
    highest, deflated = deflated_sharpe_of(series, sharpes)
    assert highest == expected_maximum_sharpe(float(np.nanvar(sharpes, ddof=1)), 39)
    assert deflated == pytest.approx(deflated_sharpe_ratio(sharpes[0], highest, 300, 0.0, 3.0), abs=0.05)
    # More trials of the same kind leave less of the same series.
    assert deflated_sharpe_of(series, np.tile(sharpes, 5))[1] < deflated
    assert all(math.isnan(one) for one in deflated_sharpe_of(np.zeros(9), sharpes))


def test_a_sharpe_ratio_is_mean_over_standard_deviation() -> None:
    assert sharpe_ratio(np.array([1.0, math.nan, 3.0])) == pytest.approx(2.0 / math.sqrt(2.0))
    assert math.isnan(sharpe_ratio(np.array([1.0])))
    assert math.isnan(sharpe_ratio(np.ones(5)))


def test_overfitting_of_a_small_table_matches_the_count_by_hand() -> None:
    # Two blocks of two observations, two trials. Sharpe ratios by block: A 2.12 then 0, B 0 then 2.12.
    # Whichever half chooses, the best there is the worst in the other: logit below zero both times.
    flip = np.array([[1.0, -1.0], [2.0, 1.0], [-1.0, 1.0], [1.0, 2.0]])
    assert probability_of_overfitting(flip, 2) == 1.0
    # A is best in both halves: its relative rank in the other half is 2/3, a logit above zero.
    steady = np.array([[1.0, -1.0], [2.0, 1.0], [1.0, -1.0], [2.0, 1.0]])
    assert probability_of_overfitting(steady, 2) == 0.0
    # Three trials: the choice of the first half ranks second of three in the other, a logit of exactly zero.
    middle = np.array([[3.0, 1.0, 0.9], [4.0, 2.0, 3.0], [1.0, 2.0, 0.0], [3.0, 2.5, 1.0]])
    assert probability_of_overfitting(middle, 2) == one_by_one(middle, 2)


def one_by_one(performance: NDArray[np.float64], blocks: int) -> float:
    """Return what section 3 of the paper says, step by step."""
    parts, below = np.array_split(performance, blocks), []
    for chosen in combinations(range(blocks), blocks // 2):
        inside = np.vstack([parts[place] for place in chosen])
        outside = np.vstack([parts[place] for place in range(blocks) if place not in chosen])
        ratios = [
            [sharpe_ratio(half[:, trial]) for trial in range(half.shape[1])] for half in (inside, outside)
        ]
        best = int(np.argmax(ratios[0]))
        rank = sum(one <= ratios[1][best] for one in ratios[1])
        relative = rank / (performance.shape[1] + 1)
        below.append(math.log(relative / (1 - relative)) <= 0)
    return float(np.mean(below))


@pytest.mark.parametrize("rows", [40, 43])
def test_the_fast_way_by_sums_agrees_with_the_slow_one(rows: int) -> None:
    draws = np.random.default_rng(rows)
    performance = 100.0 + draws.normal(0.0, 1.0, (rows, 7)) + np.linspace(0, 0.5, 7)
    assert probability_of_overfitting(performance, 8) == one_by_one(performance, 8)


def test_among_noise_the_best_is_below_the_median_half_the_time() -> None:
    draws = np.random.default_rng(4)
    found = [probability_of_overfitting(draws.normal(size=(160, 20)), 8) for _ in range(60)]
    # The standard error of this mean is about 0.02.
    assert np.mean(found) == pytest.approx(0.5, abs=0.07)


def test_a_trial_that_is_really_better_is_not_overfitted() -> None:
    performance = np.random.default_rng(5).normal(size=(160, 20))
    performance[:, 7] += 2.0
    assert probability_of_overfitting(performance) == 0.0


def test_rows_without_a_value_for_every_trial_do_not_count() -> None:
    performance = np.random.default_rng(6).normal(size=(81, 5))
    performance[40, 2] = np.nan
    assert probability_of_overfitting(performance, 8) == probability_of_overfitting(
        np.delete(performance, 40, axis=0), 8
    )


def test_short_series_have_fewer_blocks_or_no_answer() -> None:
    assert [blocks_for(count) for count in (297, 80, 79, 25, 10, 9)] == [16, 16, 14, 4, 2, 0]
    assert math.isnan(probability_of_overfitting(np.zeros((5, 3)), 4))
    assert math.isnan(probability_of_overfitting(np.zeros((50, 1)), 4))
    with pytest.raises(ValueError, match="even"):
        probability_of_overfitting(np.zeros((50, 2)), 3)
