"""Lines of a book kept in rows and read back, and what the change of a number says in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from acceleray.stages.book.book import Book
from acceleray.stages.book.lines import CURRENCY, PRICE, Line, Lines
from acceleray.stages.change.before import RunBefore, reported_of, until
from acceleray.stages.change.lines import COMPARED, aligned, compared, kept, only
from acceleray.stages.change.measured import Asked
from acceleray.stages.change.stage import changes, lines_of
from acceleray.tables import BOOK_LINES, RISK_MEASURES
from change.two_days import DATES, returns

OWN = ("A", "EURUSD", "X", "Z")
MORE = (
    Line("Z", CURRENCY, "USD", 3, ((1, 1),)),
    Line("P", PRICE, "", 0, beta=1.5),
    Line("CASH.EUR", CURRENCY, "USD", -1, ((1, 1),)),
    Line("FWD", CURRENCY, "USD", -1, ((1, -1), (2, 1))),
)
WEIGHTS = np.array([[0.5, 0.0, 0.0, 0.2, 0.2, 0.1, -0.3, 0.05], [0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]])
VAR = Asked("value_at_risk", 0.99, 1)


def book(own: tuple[str, ...] = OWN, more: tuple[Line, ...] = MORE, weights: Any = WEIGHTS) -> Book:
    plain = Book.plain(["DESK", "PART"], own, np.zeros((2, len(own))), 1e6, "USD")
    return replace(plain, lines=Lines(own, more), weights=weights)


def test_lines_come_back_as_they_were() -> None:
    again = aligned(kept(book()), book())
    assert again.before.lines == again.today.lines == book().lines
    assert again.before.weights.tolist() == again.today.weights.tolist() == WEIGHTS.tolist()
    assert again.reasons == ("", "")


def test_they_are_found_on_other_instruments_by_name() -> None:
    own = ("A", "B", "EURUSD", "X", "Z")
    today = book(own, (), np.ones((2, 5)))
    two = aligned(kept(book()), today)
    assert two.before.lines.own == own
    price, rate = own.index("Z"), own.index("EURUSD")
    by_name = {(line.instrument_id, line.part): line for line in two.before.lines.more}
    assert by_name["Z", CURRENCY] == Line("Z", CURRENCY, "USD", price, ((rate, 1),))
    returns = np.random.default_rng(1).normal(0.0, 0.01, (4, 5))
    earned = two.before.lines.of(returns) @ two.before.weights.T
    expected = book().lines.of(returns[:, [own.index(name) for name in OWN]]) @ WEIGHTS.T
    np.testing.assert_allclose(earned, expected, rtol=1e-13)
    assert two.today.weights.tolist() == np.hstack((np.ones((2, 5)), np.zeros((2, 4)))).tolist()


def test_what_has_no_prices_any_more_is_a_reason_and_only_of_the_portfolio_that_held_it() -> None:
    own = ("A", "EURUSD", "Z")
    two = aligned(kept(book()), book(own, (), np.ones((2, 3))))
    assert two.reasons == (
        "it was exposed to X, whose prices are no longer there",
        "it was exposed to X, whose prices are no longer there",
    )
    weights = WEIGHTS.copy()
    weights[0, [2, 7]] = 0.0
    assert aligned(kept(book(weights=weights)), book(own, (), np.ones((2, 3)))).reasons[0] == ""


def test_of_a_large_load_a_hundred_wholes_are_compared() -> None:
    few = book()
    assert compared(few).tolist() == [0, 1]
    count = 3 * COMPARED
    many = Book.plain([f"S{n}" for n in range(count)], OWN, np.zeros((count, 4)), 1e6, "USD")
    many = replace(many, parents=tuple("S0" if n % 2 else "" for n in range(count)))
    assert compared(many).tolist() == list(range(0, 2 * COMPARED, 2))
    some = only(many, compared(many))
    assert (len(some.portfolios), some.weights.shape) == (COMPARED, (COMPARED, 4))


def told(
    reported: float | None, reason: str = "", steps: tuple[float, ...] = (3.65, 3.66, 3.66, 3.71)
) -> Any:
    known = {} if reported is None else {("DESK", VAR): reported}
    empty = BOOK_LINES.arrow_schema.empty_table()
    before = RunBefore("then", date(2022, 12, 27), known, empty, empty)
    stepped = [{VAR: np.array([value])} for value in steps]
    return changes(before, ["DESK"], [VAR], {VAR: np.array([3.71])}, stepped, {1: [reason]})


def row(table: pa.Table) -> dict[str, Any]:
    return table.to_pylist()[0]


def test_the_console_says_from_what_to_what_and_by_what() -> None:
    assert lines_of(told(3.65), "DESK") == [
        "VaR 99 %, 1 day: 3.65 % -> 3.71 % (positions +0.01, market +0.05, model 0.00)"
    ]
    assert lines_of(told(3.55), "DESK") == [
        "VaR 99 %, 1 day: 3.55 % -> 3.71 % (positions +0.01, market +0.05, model 0.00, remainder +0.10)"
    ]
    assert lines_of(told(3.65), "OTHER") == []


def test_a_row_holds_the_parts_and_they_add_up() -> None:
    found = row(told(3.55, steps=(3.65, 3.6, 3.7, 3.68)))
    parts = ("positions", "instruments", "market", "parameters", "remainder")
    assert sum(found[f"{name}_pct_nav"] for name in parts) == pytest.approx(
        found["change_pct_nav"], abs=1e-12
    )
    assert [round(found[f"{name}_pct_nav"], 9) for name in parts] == [-0.05, 0.1, -0.02, 0.03, 0.1]
    assert (found["before_pct_nav"], found["value_pct_nav"], found["as_of_before"]) == (
        3.55,
        3.71,
        date(2022, 12, 27),
    )


def test_what_cannot_be_split_says_why_and_all_of_it_is_remainder() -> None:
    found = row(told(3.61, "drawn from 1,000,000 scenarios"))
    assert found["remainder_pct_nav"] == found["change_pct_nav"] == pytest.approx(0.1)
    assert found["positions_pct_nav"] == found["market_pct_nav"] == 0.0
    assert lines_of(told(3.61, "no"), "DESK") == ["VaR 99 %, 1 day: 3.61 % -> 3.71 % (not split: no)"]


def test_a_portfolio_that_was_not_there_has_no_change() -> None:
    found = row(told(None))
    assert found["change_pct_nav"] is found["remainder_pct_nav"] is found["before_pct_nav"] is None
    assert found["reason"] == "the previous run did not report it"
    assert lines_of(told(None), "DESK") == ["VaR 99 %, 1 day: 3.71 % (the previous run did not report it)"]


def test_returns_are_cut_at_the_date_of_the_run_before() -> None:
    panel = returns()
    cut = until(panel, DATES[699].item())
    assert (len(cut.dates), len(cut.values)) == (700, 700)
    assert cut.dates[-1] == DATES[699]
    # A day without prices, such as a Sunday, leaves the days before it.
    assert len(until(panel, date(2020, 1, 5)).dates) == int(np.sum(np.datetime64("2020-01-05") >= DATES))


def test_what_the_run_before_reported_is_that_of_filtered_historical_simulation() -> None:
    one = {"run_id": "r", "as_of": date(2022, 12, 27), "portfolio_id": "DESK", "measure": "value_at_risk"}
    one |= {"confidence": 0.99, "horizon_d": 1, "value": 1.0, "standard_error": 0.1, "error_of": "window"}
    one |= {"currency": "USD"}
    rows = [
        one | {"method": "filtered_historical", "value_pct_nav": 3.65},
        one | {"method": "t_copula", "value_pct_nav": 9.0},
    ]
    table = pa.Table.from_pylist(rows, schema=RISK_MEASURES.arrow_schema)
    assert reported_of(table) == {("DESK", VAR): 3.65}
