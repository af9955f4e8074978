"""Returns from risk day to risk day: no move is lost because a day is missing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acceleray.quant.spans import forward, held, last_prices, modelled, outside, spans

DAYS = np.arange("2024-01-01", "2024-03-01", dtype="datetime64[D]")
LONG = 10


def test_a_fall_over_a_missing_day_is_a_fall_of_forty_per_cent():
    prices = np.append(np.full(51, 100.0), 60.0)
    found = spans(DAYS[:53], np.append(DAYS[:51], DAYS[52]), prices, LONG)
    assert found.simple[-2:].tolist() == [0.0, -0.4]
    assert found.span_d[-2:].tolist() == [0, 2]


def test_a_coin_that_falls_on_a_saturday_has_fallen_on_monday():
    # 2024-01-06 is a Saturday.
    weekdays = DAYS[np.is_busday(DAYS)]
    coin = np.where(np.datetime64("2024-01-06") <= DAYS, 90.0, 100.0)
    found = spans(weekdays, DAYS, coin, LONG)
    monday = int(np.searchsorted(weekdays, np.datetime64("2024-01-08")))
    assert found.simple[monday] == pytest.approx(-0.1)
    assert 0.05 * found.simple[monday] == pytest.approx(-0.005)
    assert set(found.span_d) == {1}


def test_no_row_depends_on_whether_a_suspended_price_comes_back():
    known = np.append(DAYS[:5], DAYS[40:])
    found = spans(DAYS, known, np.linspace(1.0, 2.0, known.size), LONG)
    assert found.day.tolist() == [*range(5 + LONG), *range(40, DAYS.size)]
    assert found.span_d[5 + LONG] == 36
    cut = spans(DAYS[:30], known[:5], np.linspace(1.0, 2.0, known.size)[:5], LONG)
    np.testing.assert_array_equal(cut.simple, found.simple[: cut.day.size])
    np.testing.assert_array_equal(cut.day, found.day[: cut.day.size])


def test_forward_returns_of_a_name_that_ended_hold_what_its_holder_was_left_with():
    found = forward(DAYS[:6], DAYS[:3], np.array([100.0, 80.0, 10.0]), 2)
    np.testing.assert_allclose(found, [-0.9, -0.875, 0.0, 0.0, np.nan, np.nan])


def test_a_model_does_not_see_closed_days_and_suspensions_and_a_position_does():
    returns, span_d = (
        np.array([[np.nan], [0.01], [np.nan], [0.3]]),
        np.array([[0], [1], [0], [9]], dtype=float),
    )
    earned = held(returns)
    np.testing.assert_array_equal(earned, [[np.nan], [0.01], [0.0], [0.3]])
    np.testing.assert_array_equal(modelled(earned, span_d, 5), [[np.nan], [0.01], [np.nan], [np.nan]])
    np.testing.assert_allclose(outside(earned, span_d, 5)[1:], [[np.nan], [0.0], [0.1]])


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_removing_prices_in_the_middle_changes_no_return_over_several_days(data):
    steps = data.draw(st.lists(st.floats(-0.2, 0.2), min_size=59, max_size=59))
    prices = 100.0 * np.cumprod(np.append(1.0, 1.0 + np.array(steps)))
    gone = data.draw(st.sets(st.integers(1, 58), max_size=50))
    kept = np.array([place for place in range(60) if place not in gone])
    found = spans(DAYS[:60], DAYS[kept], prices[kept], 60)
    assert np.prod(1.0 + found.simple[1:]) == pytest.approx(prices[59] / prices[0], rel=1e-12)
    assert found.span_d[1:].sum() == 59
    filled = last_prices(DAYS[kept], prices[kept][:, None], DAYS[:60])[:, 0]
    np.testing.assert_array_equal(filled, found.price)
