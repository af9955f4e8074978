"""What only dates and all prices together show: a unit changed for all, dates a day off, dates that lack."""

import numpy as np
import pytest

from acceleray.quant.price_findings.finding import Finding
from quant.finding_helpers import found_in, kinds
from quant.test_price_findings_jumps import DAYS, prices


def of_kind(found: list[Finding], kind: str) -> list[Finding]:
    return [one for one in found if one.kind == kind]


@pytest.mark.parametrize("factor", [0.5, 0.01, 1.4])
def test_prices_that_all_jump_on_one_day_are_named_although_the_market_shared_it(factor: float) -> None:
    columns = prices(5)
    for path in columns.values():
        path[600:] *= factor
    (one,) = [each for each in found_in(DAYS, columns) if each.kind == "jump"]
    assert (one.instrument, one.first, one.last) == ("", DAYS[600], DAYS[600])


def test_a_crash_of_a_market_is_no_change_of_unit() -> None:
    columns = prices(5)
    for path in columns.values():
        path[600:] *= 0.8
    assert found_in(DAYS, columns) == []


def test_dates_that_a_change_of_time_zone_moved_by_a_day_are_named() -> None:
    late, early = found_in(DAYS + 1, prices(3)), found_in(DAYS - 1, prices(3))
    assert kinds(late) == kinds(early) == {"shifted_dates"}
    assert "from Tuesdays to Saturdays" in late[0].text
    assert "from Sundays to Thursdays" in early[0].text


def test_a_coin_beside_stocks_is_no_shift() -> None:
    every = np.arange(DAYS[0], DAYS[-1] + 1)
    stocks = {name: np.full(every.size, np.nan) for name in ("A0", "A1")}
    for name in stocks:
        stocks[name][np.searchsorted(every, DAYS)] = prices(2)[name]
    coin = 100 * np.exp(np.cumsum(np.random.default_rng(4).normal(0, 0.03, every.size)))
    assert "shifted_dates" not in kinds(found_in(every, stocks | {"COIN": coin}))


def test_a_file_of_every_second_day_is_named() -> None:
    (one,) = found_in(DAYS[::2], {name: path[::2] for name, path in prices(3).items()})
    assert (one.kind, one.severity, one.instrument) == ("frequency", "warning", "")
    assert "one every 2 days" in one.text


def test_a_file_that_begins_weekly_and_goes_on_daily_says_until_when() -> None:
    kept = np.r_[0:400:5, 400:1000]
    (one,) = found_in(DAYS[kept], {name: path[kept] for name, path in prices(3).items()})
    assert (one.kind, one.severity, one.instrument) == ("frequency", "warning", "")
    assert (one.first, one.last, one.count) == (DAYS[0], DAYS[400], 81)


def test_an_instrument_that_is_weekly_for_a_while_is_named_and_no_other() -> None:
    columns = prices(3)
    for at in range(300):
        if at % 5:
            columns["A1"][at] = np.nan
    (one,) = found_in(DAYS, columns)
    assert (one.kind, one.instrument, one.first, one.last) == ("frequency", "A1", DAYS[0], DAYS[300])


def test_a_few_long_weekends_are_no_weekly_prices() -> None:
    columns = prices(3)
    for at in range(0, 55, 5):
        columns["A1"][at + 1 : at + 5] = np.nan
    assert found_in(DAYS, columns) == []


EVERY = np.arange(DAYS[0], DAYS[300] + 1)


def on_every_day(how: str) -> dict[str, np.ndarray]:
    """Return prices on all days of the week: weekends from the day after, or on the line between."""
    columns = {}
    for name, path in prices(3).items():
        next_one = path[np.searchsorted(DAYS, EVERY)]
        line = np.interp(EVERY.astype(float), DAYS.astype(float), path)
        columns[name] = np.round(next_one if how == "next" else line, 2)
    return columns


@pytest.mark.parametrize(("how", "said"), [("next", "repeat the next one"), ("line", "lie on the line")])
def test_weekends_filled_backwards_or_by_a_line_are_no_trading_days(how: str, said: str) -> None:
    found = of_kind(found_in(EVERY, on_every_day(how)), "filled_weekends")
    assert {one.instrument for one in found} == {"A0", "A1", "A2"}
    assert all(said in one.text for one in found)


def test_prices_that_repeat_until_the_next_week_are_named() -> None:
    columns = prices(3)
    columns["WEEKLY"] = prices(1, seed=2)["A0"][np.arange(DAYS.size) // 5 * 5]
    (one,) = found_in(DAYS, columns)
    assert (one.kind, one.instrument, one.count) == ("standing_still", "WEEKLY", 800)


def test_one_negative_number_again_and_again_stands_for_no_price() -> None:
    columns = prices(3)
    columns["A1"][::9] = -999.0
    (one,) = found_in(DAYS, columns)
    assert (one.kind, one.instrument) == ("not_positive", "A1")
    assert "'-999' stands for no price" in one.text
    assert one.advice == "leave such cells empty"
