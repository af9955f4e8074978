"""Prices of many instruments on the risk calendar say what each says alone, in whatever part of the days."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acceleray.quant.cross_section import ranked
from acceleray.quant.day_prices import DayPrices, ahead, day_prices, day_returns, market
from acceleray.quant.reach import features_reach, returns_reach
from acceleray.quant.spans import forward, spans

EVERY = np.arange("2024-01-01", "2024-04-01", dtype="datetime64[D]")
WEEKDAYS = EVERY[np.is_busday(EVERY)]
NAMES, CLOSED, HORIZON = 5, 4, 3


def scene(seed: int) -> tuple[DayPrices, np.ndarray]:
    """Return prices on the risk calendar and as they came: late, ended early, suspended, at weekends."""
    random = np.random.default_rng(seed)
    paths = np.round(50.0 * np.exp(random.normal(0.0, 0.03, (EVERY.size, NAMES)).cumsum(axis=0)), 2)
    paths[random.random(paths.shape) < random.choice([0.0, 0.1, 0.6])] = np.nan
    for place in range(NAMES):
        low, high = np.sort(random.integers(0, EVERY.size, 2))
        match random.integers(0, 4):
            case 0:
                paths[:low, place] = np.nan
            case 1:
                paths[high:, place] = np.nan
            case 2:
                paths[low:high, place] = np.nan
    day, place = np.nonzero(np.isfinite(paths))
    order = random.permutation(day.size)
    day, place = day[order], place[order]
    names = tuple(f"N{number}" for number in range(NAMES))
    return day_prices(WEEKDAYS, EVERY[day], place, names, paths[day, place]), paths


@given(st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_many_instruments_at_once_have_the_bits_of_each_alone(seed: int) -> None:
    prices, paths = scene(seed)
    levels = np.array([np.nan, np.nan, 7.0, np.nan, np.nan])
    found = day_returns(prices.prices, CLOSED, levels)
    forwards = ahead(found.price, HORIZON)
    for place in range(NAMES):
        known = np.isfinite(paths[:, place])
        if not known.any():
            assert np.isnan(found.simple[:, place]).all()
            continue
        level = None if np.isnan(levels[place]) else levels[place]
        alone = spans(WEEKDAYS, EVERY[known], paths[known, place], CLOSED, level)
        simple = np.full(WEEKDAYS.size, np.nan)
        simple[alone.day] = alone.simple
        np.testing.assert_array_equal(found.simple[:, place], simple)
        there = np.isfinite(alone.simple)
        np.testing.assert_array_equal(found.span_d[alone.day, place][there], alone.span_d[there])
        if level is None:
            expected = forward(WEEKDAYS, EVERY[known], paths[known, place], HORIZON)
            np.testing.assert_array_equal(forwards[:, place], expected)


def test_the_last_price_since_the_risk_day_before_counts() -> None:
    dates = np.array(["2024-01-07", "2024-01-05", "2024-01-06", "2024-04-06"], dtype="datetime64[D]")
    found = day_prices(WEEKDAYS, dates, np.zeros(4, dtype=int), ("coin",), np.array([90.0, 100.0, 95.0, 1.0]))
    assert found.prices[np.isfinite(found.prices)].tolist() == [100.0, 90.0]
    assert WEEKDAYS[np.isfinite(found.prices[:, 0])].astype(str).tolist() == ["2024-01-05", "2024-01-08"]


def test_the_market_is_the_mean_of_the_day_with_the_same_bits_in_any_order() -> None:
    random = np.random.default_rng(5)
    returns = random.normal(0.0, 0.02, (40, 31))
    returns[random.random(returns.shape) < 0.3] = np.nan
    returns[7] = np.nan
    found = market(returns)
    np.testing.assert_allclose(found, pd.DataFrame(returns).mean(axis=1), rtol=1e-12)
    assert np.isnan(found[7])
    for _ in range(5):
        np.testing.assert_array_equal(market(returns[:, random.permutation(31)]), found)
    assert np.isnan(market(returns[:, :0])).all()


@given(st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_ranks_are_those_that_pandas_counts(seed: int) -> None:
    random = np.random.default_rng(seed)
    values = random.integers(0, 4, (9, 6)).astype(float)
    values[random.random(values.shape) < random.choice([0.0, 0.4, 0.8])] = np.nan
    frame = pd.DataFrame(values)
    count = frame.notna().sum(axis=1)
    expected = frame.rank(axis=1, method="min").sub(1).div((count - 1).where(count > 1), axis=0) - 0.5
    expected = expected.mask(frame.notna().mul(count == 1, axis=0), 0.0)
    np.testing.assert_array_equal(ranked(values), expected)


@given(st.integers(0, 2**32), st.integers(2, 12), st.integers(1, 12))
@settings(max_examples=60, deadline=None)
def test_a_day_reaches_back_to_the_first_day_that_its_numbers_need_and_no_further(
    seed: int, window: int, returns: int
) -> None:
    prices, _ = scene(seed)
    new = np.isfinite(prices.prices)
    in_market = np.arange(NAMES) != 1
    own = [np.flatnonzero(column) for column in new.T]

    def before(place: int, day: int) -> int:
        earlier = own[place][own[place] < day]
        return int(earlier[-1]) if earlier.size else day

    for day, found in enumerate(returns_reach(new, CLOSED)):
        needed = [day]
        for place in range(NAMES):
            since = day - before(place, day)
            if new[day, place] or 0 < since <= CLOSED:
                needed.append(day - since)
        assert found == min(needed)
    for day, found in enumerate(features_reach(new, in_market, window, returns)):
        needed = [day]
        for place in np.flatnonzero(new[day]):
            known = own[place][own[place] <= day]
            needed.append(known[-max(window, returns + 1) :][0])
            since = known[1:][-returns:][0] if known.size > 1 else day
            needed += [
                before(other, each)
                for each in range(since, day + 1)
                for other in np.flatnonzero(in_market & new[each])
            ]
        needed += [before(other, day) for other in np.flatnonzero(in_market & new[day])]
        assert found == min(needed)


@pytest.mark.parametrize("instruments", [0, 1])
def test_a_calendar_without_prices_reaches_nowhere(instruments: int) -> None:
    new = np.zeros((3, instruments), dtype=bool)
    assert returns_reach(new, CLOSED).tolist() == [0, 1, 2]
    assert features_reach(new, np.ones(instruments, dtype=bool), 9, 9).tolist() == [0, 1, 2]
