"""What was reported meets its P&L: positions of then, the day after, exceptions counted by hand."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from acceleray.errors import PortfolioError
from acceleray.quant.backtest import kupiec
from acceleray.settings import Settings
from acceleray.stages.backtest.live.realised import (
    as_reported,
    day_after,
    exposures_of,
    hypothetical,
    joined,
    legs_of,
)
from acceleray.stages.backtest.live.revisions import newest, revised
from acceleray.stages.backtest.live.verdict import live_record
from acceleray.stages.book.actual import Booked, actual_pnl
from acceleray.stages.book.book import Book
from acceleray.stages.book.lines import CURRENCY, PRICE, Line, Lines

FRIDAY = date(2024, 5, 3)
OF = {"portfolio_id": "DESK", "method": "filtered_historical", "confidence": 0.99}
FORECAST: dict[str, Any] = OF | {
    "as_of": FRIDAY,
    "run_id": "r1",
    "revision": 1,
    "value": 20_000.0,
    "nav": 1_000_000.0,
    "currency": "EUR",
}


def book_in_two_currencies() -> Book:
    """Return a book of a foreign stock, a short at home, a proxy, and cash abroad."""
    legs = ((2, 1),)
    lines = Lines(
        ("AAA", "BBB", "USDEUR"),
        (
            Line("AAA", CURRENCY, "EUR", 0, legs),
            Line("CASH.USD", CURRENCY, "EUR", -1, legs),
            Line("XXX", PRICE, "", 1, beta=1.5),
        ),
    )
    made = Book.plain(["DESK"], lines.own, np.zeros((1, 3)), 1e6, "EUR")
    weights = np.array([[0.5, -0.2, 0.0, 0.5, -0.3, 0.1]])
    return Book(**{**vars(made), "lines": lines, "weights": weights})


def test_the_pnl_of_a_day_is_that_of_the_positions_reported_on_the_days_returns():
    rows = exposures_of(book_in_two_currencies(), [0])
    returns = np.array([0.02, 0.01, -0.03])
    by_hand = 0.5 * (1.02 * 0.97 - 1) - 0.2 * 0.01 + 0.1 * 1.5 * 0.01 - 0.3 * -0.03
    found, covered = hypothetical(rows, ("AAA", "BBB", "USDEUR"), returns)
    assert (found, covered) == (pytest.approx(by_hand), 1.0)
    # Another order of rows and of instruments, as another day may have it, is the same to the last bit.
    other = hypothetical(rows[::-1], ("USDEUR", "AAA", "NEW", "BBB"), np.array([-0.03, 0.02, 9.0, 0.01]))
    assert other == (found, covered)
    assert legs_of("EURUSD:-1 GBPUSD:+1") == [("EURUSD", -1), ("GBPUSD", 1)]


def test_what_has_no_return_is_left_out_and_its_weight_said():
    rows = exposures_of(book_in_two_currencies(), [0])
    # BBB has ended: its own weight and that by proxy are unknown, 0.3 of 1.6.
    found, covered = hypothetical(rows, ("AAA", "USDEUR"), np.array([0.02, -0.03]))
    assert covered == pytest.approx(1.3 / 1.6)
    assert found == pytest.approx(0.5 * (1.02 * 0.97 - 1) + 0.3 * 0.03)
    missing = joined(FORECAST, False, FRIDAY, (found, covered), 0.9, None)
    assert (missing["hypothetical_pnl"], missing["hypothetical_exception"]) == (None, None)
    enough = joined(FORECAST, False, FRIDAY, (-0.019, 0.95), 0.9, None)
    assert enough["hypothetical_pnl"] == pytest.approx(-20_000.0)
    assert enough["covered_pct_gross"] == 95.0


def test_the_day_is_the_first_risk_day_after_the_forecast_and_not_its_own():
    days = np.array(["2024-05-02", "2024-05-03", "2024-05-06", "2024-05-07"], dtype="datetime64[D]")
    assert day_after(FRIDAY, days) == 2
    # An as-of on a weekend, and one whose day after has not come.
    assert day_after(date(2024, 5, 4), days) == 2
    assert day_after(date(2024, 5, 7), days) is None


def reported(revision: int, day: date) -> dict[str, Any]:
    at = datetime(day.year, day.month, day.day, 21, tzinfo=UTC)
    return {**FORECAST, "revision": revision, "reported_at": at}


def test_of_revisions_the_newest_before_the_day_counts_and_of_later_ones_the_first():
    monday = FRIDAY + timedelta(days=3)
    early = [reported(1, FRIDAY), reported(2, FRIDAY + timedelta(days=1)), reported(3, monday)]
    found, late = as_reported(early, monday)
    assert (found["revision"], late) == (2, False)
    found, late = as_reported([reported(2, monday), reported(1, monday)], monday)
    assert (found["revision"], late) == (1, True)


def test_a_loss_beyond_the_forecast_is_an_exception_of_its_own_kind():
    row = joined(FORECAST, False, FRIDAY, (-0.02, 1.0), 0.9, -20_000.01)
    assert (row["hypothetical_pnl"], row["hypothetical_exception"]) == (-20_000.0, False)
    assert (row["actual_pnl"], row["actual_exception"]) == (-20_000.01, True)
    gain = joined(FORECAST, False, FRIDAY, (0.5, 1.0), 0.9, 1.0)
    assert (gain["hypothetical_exception"], gain["actual_exception"]) == (False, False)


def days(count: int, hits: set[int], actual: int = 0) -> list[dict[str, Any]]:
    rows = []
    for number in range(count):
        booked = None if number >= actual else -30_000.0
        made = joined(FORECAST, number % 2 == 0, FRIDAY, (-0.05 if number in hits else 0.0, 1.0), 0.9, booked)
        rows.append({**made, "date": FRIDAY + timedelta(days=number), "revision": 1})
    return rows


def test_the_live_record_counts_days_and_exceptions_and_has_a_zone_from_250_days_on():
    [short] = live_record(days(249, {3, 60}))
    assert (short["days"], short["exceptions"], short["basel_zone"]) == (249, 2, None)
    assert short["expected_exceptions"] == pytest.approx(2.49)
    assert short["kupiec_p"] == kupiec(2, 249, 0.99).p_value
    assert (short["first_date"], short["last_date"]) == (FRIDAY, FRIDAY + timedelta(days=248))
    assert short["reported_late_d"] == 125
    # Five in the last 250 days are yellow, and those before count in the whole alone.
    [whole] = live_record(days(260, {0, 1, 2, 100, 110, 120, 130, 140}))
    assert (whole["exceptions"], whole["exceptions_250"], whole["basel_zone"]) == (8, 5, "yellow")
    [red] = live_record(days(250, set(range(10))))
    assert red["basel_zone"] == "red"


def test_actual_pnl_is_counted_on_the_days_on_which_it_is_known():
    hypothetical_, actual = live_record(days(10, {9}, actual=4))
    assert (hypothetical_["pnl"], hypothetical_["days"], hypothetical_["exceptions"]) == (
        "hypothetical",
        10,
        1,
    )
    assert (actual["pnl"], actual["days"], actual["exceptions"]) == ("actual", 4, 4)


def test_the_newest_revision_of_a_day_is_the_one_that_counts():
    rows = days(3, {1})
    better = {**rows[1], "revision": 2, "hypothetical_pnl": 0.0, "hypothetical_exception": False}
    [found] = live_record([better, *rows])
    assert (found["days"], found["exceptions"]) == (3, 0)


def test_rows_are_added_once_and_again_only_with_other_numbers():
    key, numbers = ("name",), ("value",)
    first = revised([{"name": "a", "value": 1.0}], [], key, numbers)
    assert first == [{"name": "a", "value": 1.0, "revision": 1, "reason": ""}]
    assert revised([{"name": "a", "value": 1.0}], first, key, numbers) == []
    again = revised(
        [{"name": "a", "value": 2.0}], first, key, numbers, lambda new, old: f"was {old['value']}"
    )
    assert again == [{"name": "a", "value": 2.0, "revision": 2, "reason": "was 1.0"}]
    # Back to what it was at first is a change as well.
    back = revised([{"name": "a", "value": 1.0}], [*again, *first], key, numbers)
    assert [row["revision"] for row in back] == [3]
    assert newest([*first, *again], key) == {("a",): again[0]}


def test_booked_rows_that_lack_something_are_said_in_one_line(
    settings: Callable[..., Settings], tmp_path: Path
):
    path = tmp_path / "pnl.csv"
    no_spark: Any = None
    terms = settings("pnl.source=csv", f"pnl.path={path}")
    head = "portfolio_id,date,pnl,currency\nDESK,2024-05-06,-12000,EUR\n"
    unread = f"pnl.path {path}: "
    lacking = {
        "": "",
        "DESK,2024-05-07,,EUR\n": unread
        + "a row without portfolio, date or amount is not used: DESK on 2024-05-07",
        "DESK,2024-05-07,nan,EUR\nDESK,,5,EUR\n,2024-05-08,5,EUR\n": unread
        + "3 rows without portfolio, date or amount are not used, the first DESK on 2024-05-07",
        "DESK,,5,EUR\n": unread + "a row without portfolio, date or amount is not used: DESK on no date",
    }
    for rows, line in lacking.items():
        path.write_text(head + rows, encoding="utf-8")
        found = actual_pnl(no_spark, terms, {"DESK": "EUR"})
        assert (found.by_day, found.incomplete) == ({("DESK", date(2024, 5, 6)): -12_000.0}, line)
    path.write_text(head + "DESK,2024-05-07,5,\n", encoding="utf-8")
    with pytest.raises(PortfolioError, match="on 2024-05-07 in no currency; its base currency is EUR"):
        actual_pnl(no_spark, terms, {"DESK": "EUR"})


def test_booked_pnl_of_days_without_a_reported_forecast_is_counted_in_one_line():
    days = [date(2024, 5, day) for day in (2, 3, 6, 7)]
    booked = Booked({(name, day): 1.0 for name in ("SHORT", "DESK") for day in days})
    every = {(name, day) for name in ("DESK", "SHORT") for day in days}
    assert booked.without_forecast(every, days[-1]) == ""
    # Days after the as-of date are no loss: a later run joins them.
    assert booked.without_forecast(every - {("DESK", days[-1])}, days[-2]) == ""
    assert booked.without_forecast(every - {("DESK", days[1])}, days[-1]) == (
        "actual P&L of DESK on 2024-05-03 is not used: no forecast was reported for that day"
    )
    assert booked.without_forecast({("DESK", days[1])}, days[2]) == (
        "actual P&L of DESK, SHORT on 3 days, the first 2024-05-02 and the last 2024-05-06, is not used:"
        " no forecast was reported for those days"
    )
