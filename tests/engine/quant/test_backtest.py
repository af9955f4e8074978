from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import binomtest, norm

from acceleray.quant import backtest as bt


def published_95_percent_series() -> np.ndarray:
    """Exceptions with the transitions of the published example: 53 in, 53 out, 4 pairs, 932 quiet pairs."""
    hits = [False]
    for cluster in range(53):
        hits += [False] * 5 + [True] * (2 if cluster < 4 else 1)
    return np.array(hits + [False] * (1043 - len(hits)))


def test_kupiec_matches_the_published_example():
    # MATLAB Risk Management Toolbox, varbacktest: 17 exceptions in 1,043 days at 99 %.
    result = bt.kupiec(17, 1043, 0.99)
    assert result.statistic == pytest.approx(3.5118, abs=5e-5)
    assert result.p_value == pytest.approx(0.060933, abs=5e-7)


def test_kupiec_has_the_limits_of_x_log_x():
    assert bt.kupiec(0, 250, 0.99).statistic == pytest.approx(-2 * 250 * np.log(0.99))
    assert bt.kupiec(250, 250, 0.99).statistic == pytest.approx(-2 * 250 * np.log(0.01))
    assert bt.kupiec(25, 250, 0.90).statistic == pytest.approx(0.0, abs=1e-9)


def test_christoffersen_matches_the_published_example():
    # MATLAB Risk Management Toolbox, varbacktest.cci: 932, 53, 53 and 4 give 0.25866 and 0.61104.
    hits = published_95_percent_series()
    pairs = list(pairwise(hits))
    assert [pairs.count(pair) for pair in ((0, 0), (1, 0), (0, 1), (1, 1))] == [932, 53, 53, 4]
    result = bt.christoffersen_independence(hits)
    assert result.statistic == pytest.approx(0.25866, abs=5e-6)
    assert result.p_value == pytest.approx(0.61104, abs=5e-6)


def test_conditional_coverage_is_the_sum_with_two_degrees_of_freedom():
    hits = published_95_percent_series()
    result = bt.christoffersen_conditional_coverage(hits, 0.95)
    parts = bt.kupiec(57, 1043, 0.95).statistic + bt.christoffersen_independence(hits).statistic
    assert result.statistic == pytest.approx(parts)
    assert result.p_value == pytest.approx(np.exp(-parts / 2.0))


def test_clustered_exceptions_fail_independence_and_scattered_ones_do_not():
    clustered, scattered = np.zeros(1000, dtype=bool), np.zeros(1000, dtype=bool)
    clustered[500:510] = True
    scattered[50::100] = True
    assert clustered.sum() == scattered.sum() == 10
    assert bt.christoffersen_independence(clustered).p_value < 1e-6
    assert bt.christoffersen_independence(scattered).p_value > 0.5


@pytest.mark.parametrize("places", [[], [-1], [0], list(range(100))])
def test_independence_is_defined_at_every_extreme(places):
    hits = np.zeros(100, dtype=bool)
    hits[places] = True
    result = bt.christoffersen_independence(hits)
    assert result.statistic >= 0.0
    assert 0.0 <= result.p_value <= 1.0


def test_kupiec_rejects_a_right_model_as_often_as_it_should():
    counts = np.random.default_rng(41).binomial(2500, 0.01, 4000)
    rejected = np.mean([bt.kupiec(int(count), 2500, 0.99).p_value < 0.05 for count in counts])
    assert rejected == pytest.approx(0.05, abs=0.015)


def test_basel_zones_over_250_days_are_0_to_4_green_5_to_9_yellow_and_red_from_10():
    zones = [bt.basel_zone(count, 250, 0.99) for count in range(13)]
    assert zones == ["green"] * 5 + ["yellow"] * 5 + ["red"] * 3


def test_cumulative_probabilities_over_250_days_are_those_that_basel_published():
    # Basel Committee 1996, supervisory framework for backtesting, Table 2: 99 %, 0 to 10 exceptions, in %.
    published = [8.11, 28.58, 54.32, 75.81, 89.22, 95.88, 98.63, 99.60, 99.89, 99.97, 99.99]
    found = [100.0 * bt.cumulative_probability(count, 250, 0.99) for count in range(11)]
    np.testing.assert_allclose(found, published, rtol=0, atol=0.005)
    # The probability of fewer, and not of as many or fewer, would be one row further down.
    assert np.abs(np.subtract(found[1:], published[:-1])).min() > 0.005


def test_the_zones_begin_at_cumulative_probabilities_of_95_and_99_99_percent():
    # With an exception every other day, all days but one or fewer have probability 1 - 2**-days.
    assert [bt.basel_zone(days - 1, days, 0.5) for days in (4, 5, 13, 14)] == [
        "green",
        "yellow",
        "yellow",
        "red",
    ]


def test_basel_multipliers_are_those_of_the_framework():
    multipliers = [bt.basel_multiplier(count) for count in (0, 4, 5, 6, 7, 8, 9, 10, 25)]
    assert multipliers == [1.50, 1.50, 1.70, 1.76, 1.83, 1.88, 1.92, 2.00, 2.00]


def test_the_interval_of_a_rate_is_the_exact_one():
    # Clopper & Pearson 1934; 10 of 1,000: SciPy's binomtest, another implementation.
    found = bt.rate_interval(10, 1000)
    expected = binomtest(10, 1000).proportion_ci(0.95, "exact")
    np.testing.assert_allclose(found, (expected.low, expected.high), rtol=1e-9)
    assert bt.rate_interval(0, 50)[0] == 0.0
    assert bt.rate_interval(50, 50)[1] == 1.0


def test_a_multiplier_belongs_to_99_percent_and_250_days_alone():
    hits = np.zeros(250, dtype=bool)
    hits[::50] = True
    assert bt.verdict(hits, 0.99).multiplier == 1.70
    assert bt.verdict(hits, 0.975).multiplier is None
    assert bt.verdict(hits[1:], 0.99).multiplier is None


def test_the_longer_regulatory_window_is_500_days():
    hits = np.zeros(1000, dtype=bool)
    hits[500:515] = True
    found = bt.verdict(hits, 0.99)
    assert (found.exceptions_500, found.zone_500, found.recent_exceptions) == (15, "red", 0)


def test_a_right_model_passes_and_the_verdict_says_so():
    hits = np.zeros(1000, dtype=bool)
    hits[50::100] = True
    verdict = bt.verdict(hits, 0.99)
    assert verdict.passed
    assert (verdict.exceptions, verdict.days, verdict.zone) == (10, 1000, "green")
    assert verdict.expected == pytest.approx(10.0)
    assert "10 exceptions in 1000 days agree with the 10.0 expected" in verdict.reason


def test_a_mild_model_fails_with_the_reason_and_pays_for_its_recent_days():
    hits = np.zeros(1000, dtype=bool)
    hits[::25] = True
    hits[1:6] = True  # A worse first year must not cost anything today.
    verdict = bt.verdict(hits, 0.99)
    assert not verdict.passed
    assert verdict.zone == "red"
    assert (verdict.recent_exceptions, verdict.recent_zone, verdict.multiplier) == (10, "red", 2.00)
    assert "45 exceptions in 1000 days are more than the 10.0 expected" in verdict.reason


def test_a_cautious_model_fails_as_well():
    verdict = bt.verdict(np.zeros(1000, dtype=bool), 0.99)
    assert not verdict.passed
    assert "fewer" in verdict.reason


def test_the_right_number_in_clusters_fails_on_independence():
    hits = np.zeros(1000, dtype=bool)
    hits[500:510] = True
    verdict = bt.verdict(hits, 0.99)
    assert verdict.kupiec.p_value > 0.9
    assert not verdict.passed
    assert "independence" in verdict.reason


def test_numbers_that_are_not_exceptions_are_refused():
    with pytest.raises(ValueError, match="true and false"):
        bt.verdict(norm.rvs(size=10), 0.99)
    with pytest.raises(ValueError, match="not possible"):
        bt.kupiec(11, 10, 0.99)
