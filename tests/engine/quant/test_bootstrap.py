import numpy as np
import pytest

from acceleray.quant.bootstrap import percentile_interval, resampled_mean, stationary_days


def test_blocks_have_the_mean_length_asked_for_and_every_day_is_drawn_alike() -> None:
    days, block = 400, 20
    drawn = np.array([stationary_days(1, index, days, block) for index in range(500)])
    follows = np.diff(drawn, axis=1) % days == 1
    # A block ends with probability 1/20 on each day; the next then follows by chance once in 400.
    assert follows.mean() == pytest.approx(1 - (1 / block) * (1 - 1 / days), abs=0.002)
    counts = np.bincount(drawn.ravel(), minlength=days)
    assert np.abs(counts / counts.mean() - 1).max() < 0.35
    assert drawn.min() == 0
    assert drawn.max() == days - 1


def test_a_draw_depends_on_seed_and_replication_alone() -> None:
    again = stationary_days(7, 3, 100, 5)
    np.testing.assert_array_equal(stationary_days(7, 3, 100, 5), again)
    assert (stationary_days(7, 4, 100, 5) != again).any()
    assert (stationary_days(8, 3, 100, 5) != again).any()


def test_blocks_of_one_day_are_the_plain_bootstrap_and_its_standard_error() -> None:
    generator = np.random.default_rng(72)
    values = generator.standard_normal((600, 1))
    means = np.array([resampled_mean(values, stationary_days(2, index, 600, 1)) for index in range(2000)])
    assert means.std() == pytest.approx(values.std() / np.sqrt(600), rel=0.06)


def test_long_blocks_widen_the_interval_of_a_series_whose_days_resemble_each_other() -> None:
    generator = np.random.default_rng(73)
    smooth = np.convolve(generator.standard_normal(2020), np.ones(21) / 21, mode="valid")[:, np.newaxis]

    def width(block: int) -> float:
        means = [resampled_mean(smooth, stationary_days(3, index, 2000, block)) for index in range(400)]
        low, high = percentile_interval(np.array(means))
        return float(high[0] - low[0])

    # Sums over 21 days that overlap: the variance of the mean is 21 times that of independent days.
    truth = 2 * 1.96 / np.sqrt(2000)
    assert width(1) < 0.3 * truth
    assert width(84) == pytest.approx(truth, rel=0.3)


def test_the_mean_leaves_out_what_is_missing_and_counts_days_as_often_as_drawn() -> None:
    values = np.array([[1.0, 5.0, np.nan], [2.0, np.nan, np.nan], [4.0, 7.0, np.nan]])
    found = resampled_mean(values, np.array([0, 0, 1, 2]))
    assert found[0] == pytest.approx((1 + 1 + 2 + 4) / 4)
    assert found[1] == pytest.approx((5 + 5 + 7) / 3)
    assert np.isnan(found[2])


def test_the_interval_holds_the_asked_share_of_the_means() -> None:
    low, high = percentile_interval(np.arange(1001.0)[:, np.newaxis])
    assert (low[0], high[0]) == pytest.approx((25.0, 975.0))


def test_a_draw_without_days_or_blocks_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one day"):
        stationary_days(1, 1, 0, 5)
    with pytest.raises(ValueError, match="at least one day"):
        stationary_days(1, 1, 5, 0)
