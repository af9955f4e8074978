"""Weeks as pandas resamples them, and what is missing stays missing."""

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from acceleray.quant.weeks import (
    friday_of,
    in_each_week,
    week_of,
    weekly_levels,
    weekly_log_returns,
    weeks_between,
    weeks_in,
)

DATES = np.arange("2015-01-01", "2021-01-01", dtype="datetime64[D]")
DATES = DATES[np.is_busday(DATES)]


@pytest.fixture(scope="module")
def levels() -> NDArray[np.float64]:
    steps = np.random.default_rng(5).normal(0.0, 0.01, DATES.size)
    return np.asarray(100.0 * np.exp(np.cumsum(steps)))


def test_levels_and_returns_of_weeks_are_those_pandas_resamples(levels: NDArray[np.float64]) -> None:
    weeks = weeks_between(DATES[0], DATES[-1])
    expected = pd.Series(levels, DATES).resample("W-FRI").last()
    assert friday_of(weeks).astype("datetime64[D]").tolist() == [day.date() for day in expected.index]
    np.testing.assert_array_equal(weekly_levels(DATES, levels, weeks), expected.to_numpy())
    returns = np.concatenate([[np.nan], np.expm1(np.diff(np.log(levels)))])[:, None]
    found = weekly_log_returns(DATES, returns, weeks)[:, 0]
    assert np.isnan(found[0])
    np.testing.assert_allclose(found[1:], np.diff(np.log(expected.to_numpy())), atol=1e-12)


def test_a_week_begins_on_saturday() -> None:
    days = np.array(["2020-01-03", "2020-01-04", "2020-01-10", "2020-01-11"], dtype="datetime64[D]")
    assert (week_of(days) - week_of(days)[0]).tolist() == [0, 1, 1, 2]


def test_a_level_long_before_the_end_of_its_week_is_none_and_so_is_a_week_that_goes_on(
    levels: NDArray[np.float64],
) -> None:
    # 2020-06-17 was a Wednesday, 2020-06-18 a Thursday.
    for last, counts in (("2020-06-17", False), ("2020-06-18", True)):
        seen = np.datetime64(last) >= DATES
        weeks = weeks_between(DATES[0], np.datetime64(last))
        assert np.isfinite(weekly_levels(DATES[seen], levels[seen], weeks)[-1]) == counts
        assert np.isfinite(weekly_log_returns(DATES[seen], np.ones((seen.sum(), 1)), weeks)[-1, 0]) == counts


def test_an_instrument_may_lack_one_day_of_a_week_and_no_more() -> None:
    week = np.arange("2020-06-08", "2020-06-20", dtype="datetime64[D]")
    week = week[np.is_busday(week)]
    weeks = weeks_between(week[0], week[-1])
    for lacks, counts in ((0, True), (1, True), (2, False), (5, False)):
        returns = np.full((10, 1), 0.01)
        returns[5 : 5 + lacks] = np.nan
        found = weekly_log_returns(week, returns, weeks)[-1, 0]
        assert np.isfinite(found) == counts
        if counts:
            assert found == pytest.approx((5 - lacks) * np.log(1.01))


def test_series_of_days_and_of_fridays_are_weekly_and_those_of_months_are_not() -> None:
    fridays = DATES[(DATES.astype("datetime64[D]").astype(int) % 7) == 1]
    assert in_each_week(DATES)
    assert in_each_week(fridays)
    assert not in_each_week(fridays[::4])
    assert not in_each_week(DATES[:1])
    assert weeks_in(36) == 156


def test_arithmetic_returns_are_added_as_they_are() -> None:
    week = np.arange("2020-06-01", "2020-06-13", dtype="datetime64[D]")
    week = week[np.is_busday(week)]
    returns = np.full((10, 2), -0.5)
    weeks = weeks_between(week[0], week[-1])
    found = weekly_log_returns(week, returns, weeks, np.array([True, False]))
    np.testing.assert_allclose(found[-1], [-2.5, 5 * np.log(0.5)])
