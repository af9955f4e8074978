"""Calendars, twins, names of fields and closes of different hours, as all prices together show them."""

import numpy as np
import pytest
from numpy.typing import NDArray

from acceleray.quant.price_findings.judging import refused_always
from acceleray.quant.price_findings.names import field_names
from quant.finding_helpers import found_in, kinds
from quant.test_price_findings_jumps import DAYS, prices

EVERY_DAY = np.arange(DAYS[0], DAYS[-1] + 1)


def filled(column: NDArray[np.float64]) -> NDArray[np.float64]:
    return column[np.searchsorted(DAYS, EVERY_DAY, side="right") - 1]


def test_a_weekly_file_is_refused_unless_settings_say_weekly() -> None:
    weeks = DAYS[0] + 7 * np.arange(DAYS.size)
    found = found_in(weeks, prices(3))
    assert [(one.kind, one.instrument, one.severity) for one in found] == [("frequency", "", "error")]
    assert "set market_data.frequency to weekly" in found[0].advice
    assert refused_always(found, 3) == found
    (known,) = found_in(weeks, prices(3), "weekly")
    assert (known.severity, known.text) == (
        "info",
        "prices are weekly: a day of settings, horizons and tables is a week",
    )
    assert refused_always([known], 3) == []
    assert "set market_data.frequency to daily" in found_in(DAYS, prices(3), "weekly")[0].advice


def test_a_monthly_file_is_monthly_and_not_weekly() -> None:
    months = np.arange(np.datetime64("1990-01"), np.datetime64("1990-01") + 120).astype("datetime64[D]")
    columns = {name: path[:120] for name, path in prices(3).items()}
    assert kinds(found_in(months, columns, "weekly")) == {"frequency"}
    assert [one.severity for one in found_in(months, columns, "monthly")] == ["info"]


def test_a_weekly_series_among_daily_ones_is_named() -> None:
    columns = prices(3)
    columns["WEEKLY"] = np.where(np.arange(DAYS.size) % 5 == 4, prices(1, seed=2)["A0"], np.nan)
    (one,) = found_in(DAYS, columns)
    assert (one.kind, one.instrument, one.severity) == ("frequency", "WEEKLY", "error")


def test_fridays_prices_on_weekends_are_named_and_those_of_a_coin_are_not() -> None:
    columns = {name: filled(path) for name, path in prices(3).items()}
    draws = np.random.default_rng(4)
    columns["COIN"] = 100 * np.exp(np.cumsum(draws.normal(0, 0.03, EVERY_DAY.size)))
    found = found_in(EVERY_DAY, columns)
    assert {one.instrument for one in found if one.kind == "filled_weekends"} == {"A0", "A1", "A2"}
    assert kinds(found, "COIN") == set()


@pytest.mark.filterwarnings("error")
def test_prices_at_weekends_alone_are_not_filled_and_warn_of_nothing() -> None:
    saturdays = np.datetime64("2020-01-04") + 7 * np.arange(100)
    column = 50.0 * np.exp(np.random.default_rng(3).normal(0.0, 0.01, 100).cumsum())
    assert "filled_weekends" not in kinds(found_in(saturdays, {"A": column}))


def test_filled_weekends_are_no_filled_holidays() -> None:
    found = found_in(EVERY_DAY, {name: filled(path) for name, path in prices(3).items()})
    assert kinds(found) == {"filled_weekends"}


def test_a_weekday_on_which_no_price_moves_is_a_filled_holiday() -> None:
    columns = prices(5)
    for column in columns.values():
        column[500] = column[499]
    (one,) = found_in(DAYS, columns)
    assert (one.kind, one.first, one.count) == ("filled_holidays", DAYS[500], 1)


def test_months_without_a_price_are_named_for_one_instrument_and_for_all() -> None:
    columns = prices(3)
    columns["A1"][300:340] = np.nan
    (one,) = found_in(DAYS, columns)
    assert (one.kind, one.instrument, one.first, one.last) == ("gap", "A1", DAYS[299], DAYS[340])
    hole = np.r_[0:300, 340:1000]
    (one,) = found_in(DAYS[hole], {name: path[hole] for name, path in prices(3).items()})
    assert (one.kind, one.instrument, one.first) == ("gap", "", DAYS[299])


def test_an_instrument_that_dies_before_the_file_ends_is_named_once_it_is_stale() -> None:
    columns = prices(3)
    columns["A1"][-10:] = np.nan
    assert found_in(DAYS, columns) == []
    columns["A1"][-11:] = np.nan
    (one,) = found_in(DAYS, columns)
    assert (one.kind, one.instrument, one.first, one.count) == ("ended", "A1", DAYS[-12], 11)


def test_what_ends_in_a_weekly_file_ends_weeks_before_it() -> None:
    weeks, columns = DAYS[0] + 7 * np.arange(DAYS.size), prices(3)
    columns["A1"][-11:] = np.nan
    (one,) = [each for each in found_in(weeks, columns, "weekly") if each.kind == "ended"]
    assert "11 weeks before the file ends" in one.text


def test_twins_are_named_once_whatever_their_scale_and_place() -> None:
    columns = {f"B{k}": path for k, path in enumerate(prices(6).values())}
    columns["ZZZ"] = columns["B0"]
    columns["B2_GBX"] = 100 * columns["B2"]
    columns["B3_EUR"] = columns["B3"] / 1.17
    found = found_in(DAYS, columns)
    assert {(one.kind, one.instrument) for one in found} == {
        ("twin", "ZZZ"),
        ("twin", "B2_GBX"),
        ("twin", "B3_EUR"),
    }
    assert {one.instrument: round(one.value, 4) for one in found} == {
        "ZZZ": 1.0,
        "B2_GBX": 100.0,
        "B3_EUR": 0.8547,
    }


def test_a_series_that_differs_on_one_day_is_no_twin() -> None:
    columns = prices(3)
    columns["NEAR"] = columns["A0"].copy()
    columns["NEAR"][500] *= 1.0001
    assert found_in(DAYS, columns) == []


@pytest.mark.parametrize(
    ("names", "fields"),
    [
        (["Open", "High", "Low", "Close"], 4),
        (["Close", "Volume"], 2),
        (["AAA Close", "AAA Volume", "BBB"], 2),
        (["AAA_Open", "AAA_High", "AAA_Low"], 3),
        (["Adj Close"], 1),
        (["LOW", "OPEN", "AAPL"], 0),
        (["AAA_Close", "BBB_Close"], 0),
        (["AAA Adj Close", "BBB Adj Close"], 0),
        (["LAST", "MID", "VOLVO"], 0),
        (["Year", "Month", "AAPL", "DAY"], 2),
        (["Target Year", "Month End Fund"], 0),
    ],
)
def test_fields_are_told_from_tickers_that_are_spelt_alike(names: list[str], fields: int) -> None:
    one = field_names(names, DAYS[0], DAYS[-1])
    assert (one.count if one else 0) == fields


def test_a_market_that_follows_another_by_a_day_is_named() -> None:
    draws = np.random.default_rng(8)
    world = draws.normal(0, 0.01, DAYS.size + 1)
    own = draws.normal(0, 0.008, (DAYS.size, 8))
    early = {f"NY{k}": 50 * np.exp(np.cumsum(world[1:] + own[:, k])) for k in range(4)}
    late = {f"TK{k}": 50 * np.exp(np.cumsum(world[:-1] + own[:, 4 + k])) for k in range(4)}
    (one,) = found_in(DAYS, early | late)
    assert (one.kind, one.severity, one.count) == ("lead_lag", "warning", 4)
    assert "TK0, TK1, TK2, TK3 lag NY0, NY1, NY2, NY3 by a day" in one.text


def test_the_order_of_columns_changes_nothing_but_which_twin_is_kept() -> None:
    columns = prices(6)
    columns["A1"][600:] /= 4
    backwards = dict(reversed(columns.items()))
    assert set(found_in(DAYS, columns)) == set(found_in(DAYS, backwards))
