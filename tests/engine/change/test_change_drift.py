"""Prices that move are no trades: today's quantities at yesterday's prices weigh what they weighed then."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from acceleray.engines.handoff.arrays import Panel
from acceleray.stages.book.book import Book
from acceleray.stages.change.drift import at_prices_before
from book.invented import CLOSES, INSTRUMENTS, MARKET, instruments, portfolios, positions, weighed

BEFORE, TODAY = date(2022, 12, 23), date(2022, 12, 28)
DATES = np.array(["2022-12-23", "2022-12-27", "2022-12-28"], dtype="datetime64[D]")
# AAA, BBB, EURUSD, INDEX, SAP, USDJPY; the first day is none of those that moved, SAP did not trade on one.
MOVES = np.array(
    [
        [0.50, 0.50, 0.50, 0.50, 0.50, 0.50],
        [0.02, -0.10, 0.04, 0.05, np.nan, -0.03],
        [0.01, 0.03, -0.01, -0.02, 0.01, 0.02],
    ]
)
MOVED = np.prod(1.0 + np.nan_to_num(MOVES[1:]), axis=0)
THEN, NOW = MARKET, replace(MARKET, closes=np.array(CLOSES) * MOVED)
KNOWN = instruments(
    {"instrument_id": "CASH.EUR", "type": "cash", "currency": "EUR"},
    {"instrument_id": "CASH.USD", "type": "cash", "currency": "USD"},
    {"instrument_id": "EURUSD", "type": "forward", "currency": "USD"},
    {"instrument_id": "INDEX", "type": "future", "currency": "USD"},
)
DESK = (
    {"portfolio_id": "DESK", "base_currency": "EUR"},
    {"portfolio_id": "P", "base_currency": "USD", "parent_id": "DESK"},
)
OF = portfolios(*DESK)
HELD = positions(
    *(
        {"portfolio_id": "P", "instrument_id": name, "quantity": quantity}
        for name, quantity in (
            ("AAA", 100.0),
            ("SAP", 10.0),
            ("BBB", -50.0),
            ("CASH.EUR", 800.0),
            ("EURUSD", -900.0),
            ("INDEX", 0.5),
            ("CASH.USD", 300.0),
        )
    )
)


def at(market: Any, held: pa.Table = HELD, of: Any = OF) -> tuple[Book, np.ndarray]:
    found, columns, weights = weighed(held, of, KNOWN, market)
    book = Book.plain(of.ids, INSTRUMENTS, weights, 1.0, "USD")
    return replace(book, lines=columns.lines, nav=found.nav, currencies=of.currencies), weights


def drifted(book: Book, quantities: set[tuple[str, str]]) -> np.ndarray:
    panel = Panel(DATES, INSTRUMENTS, MOVES)
    return at_prices_before(book, panel, BEFORE, quantities, np.zeros(6, dtype=bool))


def everything(book: Book) -> set[tuple[str, str]]:
    return {(name, held) for name in book.portfolios for held in book.lines.instruments}


def test_of_a_book_that_nobody_traded_the_weights_of_the_day_before_come_back() -> None:
    first, before = at(THEN)
    # What futures and forwards have gained is in the NAV that a desk gives, and in no quantity.
    nav = first.nav[1] * (1.0 + float(before[1] @ first.lines.of(MOVED - 1.0)))
    book, today = at(
        NOW, of=portfolios(*(row | {"nav": nav} if row["portfolio_id"] == "P" else row for row in DESK))
    )
    found = drifted(book, everything(book))
    of_dollars = book.portfolios.index("P")
    np.testing.assert_allclose(found[of_dollars], before[of_dollars], rtol=1e-12)
    # To the desk in euros the dollars that they have gained are cash that came; AAA, BBB and SAP stay.
    shares = [0, 1, 4]
    np.testing.assert_allclose(found[1 - of_dollars, shares], before[1 - of_dollars, shares], rtol=1e-4)
    assert np.abs(today - before).max() > 0.01
    assert drifted(book, set()) is book.weights


def test_a_weight_without_a_quantity_stays_what_it_is_said_to_be() -> None:
    book, today = at(NOW)
    found = drifted(book, {("P", "AAA")})
    place = INSTRUMENTS.index("SAP")
    assert found[1, place] == today[1, place]
    assert found[1, 0] != today[1, 0]
    np.testing.assert_array_equal(found[0], today[0])


def test_the_nav_that_shares_are_of_is_that_of_the_day_before() -> None:
    of = portfolios({"portfolio_id": "P"})
    held = positions({"portfolio_id": "P", "instrument_id": "AAA", "quantity": 100.0})
    more = positions(
        {"portfolio_id": "P", "instrument_id": "AAA", "quantity": 100.0},
        {"portfolio_id": "P", "instrument_id": "CASH.USD", "quantity": 5000.0},
    )
    assert drifted(at(NOW, held, of)[0], {("P", "AAA")})[0, 0] == pytest.approx(1.0, rel=1e-15)
    # 5,000 dollars of each at the close before.
    assert drifted(at(NOW, more, of)[0], {("P", "AAA")})[0, 0] == pytest.approx(0.5, rel=1e-14)
