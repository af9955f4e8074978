import numpy as np
import pytest
from numpy.typing import NDArray

from acceleray.quant.months import (
    from_means_to_month_ends,
    last_known,
    month_of,
    monthly_changes,
    monthly_levels,
    monthly_log_returns,
    monthly_mean_log_returns,
    monthly_means,
    months_between,
    realised_volatility,
)


def days(*texts: str) -> NDArray[np.datetime64]:
    return np.array(texts, dtype="datetime64[D]")


def weekdays(first: str, last: str) -> NDArray[np.datetime64]:
    every = np.arange(np.datetime64(first), np.datetime64(last) + 1)
    return every[np.is_busday(every)]


def test_a_month_is_seen_at_its_last_level() -> None:
    dates = days("2020-01-02", "2020-01-30", "2020-02-01", "2020-02-28", "2020-03-31")
    months = months_between(dates[0], dates[-1])
    found = monthly_levels(dates, np.array([1.0, 2.0, 3.0, 4.0, 5.0]), months)
    np.testing.assert_array_equal(found, [2.0, 4.0, 5.0])


def test_a_level_dated_on_a_weekend_at_month_end_belongs_to_that_month() -> None:
    # 31 January 2015 was a Saturday, 28 February 2015 too.
    dates = days("2014-12-31", "2015-01-31", "2015-02-28", "2015-03-31")
    found = monthly_levels(dates, np.array([1.0, 2.0, 3.0, 4.0]), months_between(dates[0], dates[-1]))
    np.testing.assert_array_equal(found, [1.0, 2.0, 3.0, 4.0])


def test_a_month_without_a_level_is_missing_and_so_are_the_changes_around_it() -> None:
    dates = days("2020-01-31", "2020-02-28", "2020-04-30", "2020-05-29")
    months = months_between(dates[0], dates[-1])
    sampled = monthly_levels(dates, np.array([1.0, np.e, np.e**3, np.e**4]), months)
    np.testing.assert_array_equal(np.isnan(sampled), [False, False, True, False, False])
    np.testing.assert_allclose(monthly_changes(sampled, points=False), [np.nan, 1.0, np.nan, np.nan, 1.0])


def test_changes_of_points_are_differences_even_below_zero() -> None:
    np.testing.assert_allclose(
        monthly_changes(np.array([0.5, -0.25, 1.0]), points=True), [np.nan, -0.75, 1.25]
    )


@pytest.mark.parametrize(("last", "counts"), [("2022-12-26", False), ("2022-12-27", True)])
def test_the_month_in_which_a_history_ends_counts_only_near_its_end(last: str, counts: bool) -> None:
    # December 2022 ended on Friday the 30th: four weekdays are left after the 26th, three after the 27th.
    dates = weekdays("2022-10-03", last)
    found = monthly_levels(dates, np.ones(dates.size), months_between(dates[0], dates[-1]))
    np.testing.assert_array_equal(np.isfinite(found), [True, True, counts])


def test_later_levels_change_no_earlier_month() -> None:
    dates = weekdays("2019-11-01", "2020-12-31")
    levels = np.exp(np.cumsum(np.random.default_rng(1).normal(0, 0.01, dates.size)))
    months = months_between(dates[0], dates[-1])
    whole = monthly_levels(dates, levels, months)
    for size in (30, 100, 180, 250):
        seen = monthly_levels(dates[:size], levels[:size], months)
        known = np.isfinite(seen)
        np.testing.assert_array_equal(seen[known][:-1], whole[known][:-1])
        assert not np.isfinite(seen[months > month_of(dates[:size])[-1]]).any()


def test_returns_of_a_month_compound_to_its_change_in_price() -> None:
    dates = weekdays("2020-01-01", "2020-06-30")
    prices = 100.0 * np.exp(np.cumsum(np.random.default_rng(2).normal(0, 0.02, (dates.size, 2)), axis=0))
    returns = prices[1:] / prices[:-1] - 1.0
    months = months_between(dates[0], dates[-1])
    found = monthly_log_returns(dates[1:], returns, months)
    ends = [np.flatnonzero(month_of(dates) == month)[-1] for month in months]
    np.testing.assert_allclose(found[1:], np.diff(np.log(prices[ends]), axis=0), rtol=1e-12)
    assert np.isnan(found[0]).all(), "the return on the first day of the first month is not known"


def test_three_missing_days_leave_a_month_and_four_do_not() -> None:
    dates = weekdays("2020-01-01", "2020-03-31")
    returns = np.full((dates.size, 3), 0.01)
    february = np.flatnonzero(month_of(dates) == np.datetime64("2020-02"))
    returns[february[5:8], 1] = np.nan
    returns[february[5:9], 2] = np.nan
    found = monthly_log_returns(dates, returns, months_between(dates[0], dates[-1]))
    # February 2020 has twenty weekdays, March twenty-two.
    expected = [[np.nan] * 3, [20 * np.log(1.01), 17 * np.log(1.01), np.nan], [22 * np.log(1.01)] * 3]
    np.testing.assert_allclose(found, expected)


def test_a_month_of_weekly_data_is_not_a_month_of_days() -> None:
    dates = weekdays("2020-01-01", "2020-03-31")[::5]
    found = monthly_log_returns(dates, np.full((dates.size, 1), 0.01), months_between(dates[0], dates[-1]))
    assert np.isnan(found).all()


def test_volatility_of_equal_moves_is_the_move_times_the_root_of_a_year() -> None:
    dates = weekdays("2020-01-01", "2020-03-31")
    signs = np.where(np.arange(dates.size) % 2 == 0, 1.0, -1.0)
    levels = np.exp(np.cumsum(0.01 * signs))
    found = realised_volatility(dates, levels)
    assert np.isnan(found[:21]).all()
    np.testing.assert_allclose(found[21:], 0.01 * np.sqrt(252.0), rtol=1e-12)


def test_volatility_is_missing_over_a_hole_and_in_monthly_data() -> None:
    dates = weekdays("2020-01-01", "2020-09-30")
    levels = np.exp(np.cumsum(np.random.default_rng(4).normal(0, 0.01, dates.size)))
    kept = np.delete(np.arange(dates.size), np.arange(80, 110))
    found = realised_volatility(dates[kept], levels[kept])
    assert np.isfinite(found[21:80]).all()
    assert np.isnan(found[80:101]).all()
    assert np.isfinite(found[101:]).all()
    monthly = np.arange(np.datetime64("2010-01"), np.datetime64("2020-01")).astype("datetime64[D]")
    assert np.isnan(realised_volatility(monthly, np.arange(1.0, 121.0))).all()


def test_the_last_known_level_is_that_of_the_day_itself_or_before() -> None:
    dates = days("2020-01-02", "2020-01-06", "2020-01-07")
    asked = days("2020-01-01", "2020-01-02", "2020-01-05", "2020-01-06", "2020-02-01")
    found = last_known(dates, np.array([1.0, np.nan, 3.0]), asked)
    np.testing.assert_array_equal(found, [np.nan, 1.0, 1.0, 1.0, 3.0])


def test_the_mean_of_a_month_is_geometric_of_levels_and_arithmetic_of_points() -> None:
    dates = weekdays("2020-01-01", "2020-03-31")
    months = months_between(dates[0], dates[-1])
    levels = np.where(np.arange(dates.size) % 2, 4.0, 1.0)
    upper = (levels == 4.0).astype(float)
    shares = [upper[month_of(dates) == month].mean() for month in months]
    np.testing.assert_allclose(monthly_means(dates, levels, months, points=False), 4.0 ** np.array(shares))
    np.testing.assert_allclose(monthly_means(dates, levels, months, points=True), 1 + 3 * np.array(shares))


def test_a_month_that_is_known_in_part_has_no_mean() -> None:
    dates = weekdays("2020-01-08", "2020-04-24")
    months = months_between(dates[0], dates[-1])
    found = monthly_means(dates, np.ones(dates.size), months, points=False)
    np.testing.assert_array_equal(found, [np.nan, 1.0, 1.0, np.nan])
    # A level a month is its own mean, wherever in the month it stands.
    ends = days("2020-01-31", "2020-02-29", "2020-03-31", "2020-04-30")
    single = monthly_means(ends, np.array([1.0, 2.0, 3.0, 4.0]), months, points=True)
    np.testing.assert_array_equal(single, [1.0, 2.0, 3.0, 4.0])


def test_instruments_and_factors_are_averaged_alike() -> None:
    dates = weekdays("2019-12-31", "2021-06-30")
    months = months_between(dates[0], dates[-1])
    returns = np.random.default_rng(3).normal(0.0, 0.02, (dates.size, 1))
    prices = 50.0 * np.cumprod(1.0 + returns[:, 0])
    own = monthly_mean_log_returns(dates, returns, months)[:, 0]
    factor = monthly_changes(monthly_means(dates, prices, months, points=False), points=False)
    # December 2019 has one day, so that the first change is that of February.
    assert np.isnan(own[:2]).all()
    np.testing.assert_allclose(own[2:], factor[2:], rtol=1e-9)
    missing = returns.copy()
    may = np.flatnonzero(month_of(dates) == np.datetime64("2020-05"))
    missing[may[:5]] = np.nan
    holes = monthly_mean_log_returns(dates, missing, months)[:, 0]
    assert np.flatnonzero(np.isnan(holes)).tolist() == [0, 1, 5, 6]


def test_changes_of_means_vary_by_two_thirds_and_are_scaled_back_to_month_ends() -> None:
    """Working 1960: two thirds of the variance, and a correlation of a quarter with the change before."""
    steps = np.random.default_rng(11).normal(0.0, 1.0, (40_000, 21, 2)) @ np.array([[1.0, 0.5], [0.0, 1.0]])
    paths = np.cumsum(steps.reshape(-1, 2), axis=0).reshape(steps.shape)
    means, ends = np.diff(paths.mean(axis=1), axis=0), np.diff(paths[:, -1], axis=0)
    scaled = from_means_to_month_ends() * np.cov(means, rowvar=False)
    np.testing.assert_allclose(scaled, np.cov(ends, rowvar=False), rtol=0.03)
    assert from_means_to_month_ends() == pytest.approx(1.5, abs=0.002)
    assert np.corrcoef(means[1:, 0], means[:-1, 0])[0, 1] == pytest.approx(0.25, abs=0.02)
