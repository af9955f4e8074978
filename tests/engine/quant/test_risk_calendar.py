"""Which days a book is valued on: most instruments that could have a price have one."""

import numpy as np
import pytest

from acceleray.quant.risk_calendar import (
    Listed,
    counted,
    named_calendar,
    observed_calendar,
    weekdays,
    weekend,
)

EVERY = np.arange("2024-01-01", "2024-03-01", dtype="datetime64[D]")
WEEKDAYS = EVERY[~weekend(EVERY)]


def calendar(series, still_listed_d=14):
    """Return the observed calendar of series of (days, prices)."""
    days = np.unique(np.concatenate([dates for dates, _ in series]))
    counts = np.zeros((2, days.size), dtype=np.int64)
    at_weekends = []
    for dates, prices in series:
        speaks, trades = counted(dates, prices)
        at_weekends.append(trades)
        counts[int(trades), np.searchsorted(days, dates[speaks])] += 1
    of = Listed(
        np.array([dates[0] for dates, _ in series]),
        np.array([dates[-1] for dates, _ in series]),
        np.array(at_weekends),
    )
    return observed_calendar(days, counts[0], counts[1], of, still_listed_d)


def moving(days):
    return days, 100.0 + np.sin(np.arange(days.size))


def test_weekends_are_saturdays_and_sundays():
    assert weekend(np.array(["2024-01-05", "2024-01-06", "2024-01-07", "2024-01-08"], "M8[D]")).tolist() == [
        False,
        True,
        True,
        False,
    ]


def test_coins_have_no_say_where_stocks_trade_and_all_where_nothing_else_does():
    stock, coin = moving(WEEKDAYS), moving(EVERY)
    np.testing.assert_array_equal(calendar([stock, coin, coin, coin]).risk_days, WEEKDAYS)
    np.testing.assert_array_equal(calendar([coin, coin]).risk_days, EVERY)


def test_a_weekend_filled_with_fridays_price_is_none_and_a_special_saturday_is_a_risk_day():
    at = np.searchsorted(WEEKDAYS, EVERY, side="right") - 1
    filled = EVERY, moving(WEEKDAYS)[1][at]
    assert counted(*filled)[1] is False
    np.testing.assert_array_equal(calendar([filled, filled]).risk_days, WEEKDAYS)
    special = moving(np.sort(np.append(WEEKDAYS, np.datetime64("2024-02-10"))))
    assert np.datetime64("2024-02-10") in calendar([special, special]).risk_days


@pytest.mark.parametrize(("with_price", "is_risk_day"), [(1, False), (2, False), (3, True)])
def test_a_holiday_of_half_the_markets_is_no_risk_day(with_price, is_risk_day):
    holiday = WEEKDAYS[20]
    closed = moving(WEEKDAYS[holiday != WEEKDAYS])
    series = [moving(WEEKDAYS)] * with_price + [closed] * (4 - with_price)
    assert (holiday in calendar(series).risk_days) is is_risk_day


def test_a_stray_last_line_is_no_risk_day_but_an_instrument_that_ended_long_ago_has_no_say():
    series = [moving(WEEKDAYS), *[moving(WEEKDAYS[:-1])] * 2]
    found = calendar(series)
    assert found.risk_days[-1] == WEEKDAYS[-2]
    assert (found.listed[-1], found.priced[-1]) == (3, 1)
    ended = [moving(WEEKDAYS), *[moving(WEEKDAYS[:10])] * 2]
    np.testing.assert_array_equal(calendar(ended).risk_days, WEEKDAYS)


def test_where_no_stock_is_listed_yet_coins_decide_from_monday_to_friday():
    found = calendar([moving(WEEKDAYS[20:]), moving(EVERY), moving(EVERY)])
    np.testing.assert_array_equal(found.risk_days, WEEKDAYS)


def test_a_named_calendar_has_its_own_days_also_where_nothing_has_a_price():
    observed = calendar([moving(WEEKDAYS[WEEKDAYS[7] != WEEKDAYS])])
    named = named_calendar(observed, weekdays(EVERY[0] - 30, EVERY[-1] + 30))
    np.testing.assert_array_equal(named.risk_days, WEEKDAYS)
    assert named.priced[7] == 0
