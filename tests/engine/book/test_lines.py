"""What lines of a book earn, by hand: prices, currencies, cash, and how weights become exposures."""

from __future__ import annotations

import numpy as np
import pytest

from acceleray.stages.book.lines import CURRENCY, PRICE, Line, Lines
from book.invented import instruments, portfolios, positions, weighed

# AAA in euro, BBB in dollars, the price of a euro in dollars, that of a dollar in yen.
NAMES = ("AAA", "BBB", "EURUSD", "USDJPY")
LINES = Lines(
    NAMES,
    (
        Line("AAA", CURRENCY, "USD", 0, ((2, 1),)),
        Line("CASH.EUR", CURRENCY, "USD", -1, ((2, 1),)),
        Line("AAA", CURRENCY, "JPY", 0, ((2, 1), (3, 1))),
        Line("CASH.USD", CURRENCY, "EUR", -1, ((2, -1),)),
        Line("FUND", PRICE, "", 1, beta=0.5),
    ),
)
RETURNS = np.array([0.10, -0.05, 0.02, -0.01])


def test_price_and_currency_of_a_foreign_share_are_its_return_at_home() -> None:
    earned = LINES.of(RETURNS)
    assert earned[0] + earned[4] == pytest.approx(1.10 * 1.02 - 1.0, abs=1e-15)
    assert earned[5] == pytest.approx(0.02, abs=1e-15)
    assert earned[0] + earned[6] == pytest.approx(1.10 * 1.02 * 0.99 - 1.0, abs=1e-15)
    assert earned[7] == pytest.approx(1.0 / 1.02 - 1.0, abs=1e-15)


def test_a_holding_by_proxy_moves_by_its_beta() -> None:
    assert LINES.of(RETURNS)[8] == pytest.approx(-0.025, abs=1e-15)


def test_a_book_in_one_currency_has_its_instruments_as_lines_and_no_bit_moves() -> None:
    plain = Lines(NAMES)
    weights = np.ones((3, 4))
    assert plain.of(RETURNS) is RETURNS
    assert plain.linear(weights) is weights
    assert len(plain) == 4


def test_weights_become_exposures_to_instruments_and_rates() -> None:
    weights = np.zeros((1, len(LINES)))
    weights[0, [0, 4]] = 0.6
    weights[0, 7] = -0.2
    weights[0, 8] = 0.4
    np.testing.assert_allclose(LINES.linear(weights), [[0.6, 0.2, 0.6 + 0.2, 0.0]])
    small = 1e-7 * RETURNS
    np.testing.assert_allclose(LINES.of(small) @ weights[0], small @ LINES.linear(weights)[0], rtol=1e-6)


def test_a_line_that_needs_an_unusable_instrument_is_left_out_and_the_others_move_along() -> None:
    usable = np.array([1, 2])
    assert LINES.known(usable).tolist() == [1, 2, 5, 7, 8]
    some = LINES.among(usable)
    assert some.instruments == ("BBB", "EURUSD", "CASH.EUR", "CASH.USD", "FUND")
    np.testing.assert_array_equal(some.of(RETURNS[usable]), LINES.of(RETURNS)[[1, 2, 5, 7, 8]])


def test_contributions_of_lines_are_put_together_by_holding() -> None:
    held = LINES.grouped(LINES.known(np.arange(4)))
    assert held.names == (*NAMES, "CASH.EUR", "CASH.USD", "FUND")
    by_price, by_currency = held.parts(np.arange(1.0, 10.0)[np.newaxis])
    assert by_price.tolist() == [[1.0, 2.0, 3.0, 4.0, 0.0, 0.0, 9.0]]
    assert by_currency.tolist() == [[5.0 + 7.0, 0.0, 0.0, 0.0, 6.0, 8.0, 0.0]]


def test_price_and_currency_of_a_holding_stand_under_its_own_name_and_not_that_of_its_series() -> None:
    listed = instruments(
        {"instrument_id": "DE0007164600", "currency": "EUR", "series": "SAP"},
        {"instrument_id": "ESH3", "type": "future", "currency": "USD", "series": "INDEX", "multiplier": 50.0},
    )
    of = portfolios({"portfolio_id": "P", "base_currency": "USD", "nav": 1_000_000.0})
    returns = np.array([0.01, -0.02, 0.005, 0.03, -0.04, 0.0])
    parts = []
    for share, future, known in (("SAP", "INDEX", None), ("DE0007164600", "ESH3", listed)):
        rows = ({"portfolio_id": "P", "instrument_id": name, "quantity": 100.0} for name in (share, future))
        _, columns, weights = weighed(positions(*rows), of, known)
        held = columns.lines.grouped(np.arange(len(columns.lines)))
        by_price, by_currency = held.parts(weights * columns.lines.of(returns))
        there = [held.names.index(name) for name in (share, future)]
        assert held.some(weights)[0].nonzero()[0].tolist() == sorted(there)
        parts.append((by_price[0, there], by_currency[0, there]))
    (price, currency), (own_price, own_currency) = parts
    assert price[0] < 0.0 < currency[0]
    np.testing.assert_allclose(own_price, price * [1.0, 50.0], rtol=1e-14)
    np.testing.assert_array_equal(own_currency, currency)
