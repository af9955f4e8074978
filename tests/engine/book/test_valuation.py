"""What positions are worth and earn, by hand: two currencies, a short, cash, proxies, futures, forwards."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from acceleray.errors import PortfolioError
from acceleray.quant.currencies import Rates
from acceleray.settings.book import Book as BookSettings
from acceleray.stages.book.exposures import exposures_of
from acceleray.stages.book.hierarchy import Portfolios
from acceleray.stages.book.market import Market
from acceleray.stages.book.rows import position_rows
from acceleray.stages.book.valuation import value
from book.invented import (
    CLOSES,
    INSTRUMENTS,
    MARKET,
    earned,
    instruments,
    portfolios,
    positions,
    valued,
    weighed,
)

ONE = portfolios({"portfolio_id": "P"})
# AAA, BBB, EURUSD, INDEX, SAP, USDJPY
RETURNS = (0.02, -0.10, 0.04, 0.05, 0.01, -0.03)


def held(instrument: str, quantity: float | None = None, **more: object) -> dict[str, object]:
    return {"portfolio_id": "P", "instrument_id": instrument, "quantity": quantity, **more}


def test_value_is_quantity_times_close_times_rate_and_nav_their_sum() -> None:
    found = valued(positions(held("AAA", 100.0), held("SAP", 10.0), held("BBB", -50.0)), ONE)
    # SAP: 10 shares at 80 euro of 1.25 dollars.
    assert found.value.tolist() == [5000.0, 1000.0, -1000.0]
    assert found.nav.tolist() == [5000.0]
    assert found.cash.tolist() == [0.0]


def test_two_currencies_a_short_and_cash_earn_what_one_works_out_on_paper() -> None:
    book = positions(held("AAA", 100.0), held("SAP", 10.0), held("BBB", -50.0), held("CASH.EUR", 800.0))
    known = instruments({"instrument_id": "CASH.EUR", "type": "cash", "currency": "EUR"})
    found, columns, weights = weighed(book, ONE, known)
    nav = 5000.0 + 1000.0 - 1000.0 + 1000.0
    assert found.nav.tolist() == [nav]
    gain = 5000.0 * 0.02 + 1000.0 * (1.01 * 1.04 - 1.0) + 1000.0 * 0.10 + 1000.0 * 0.04
    assert earned(columns, weights, RETURNS)[0] == pytest.approx(gain / nav, rel=1e-13)


def test_a_base_of_euro_sees_dollars_fall_where_the_euro_rises() -> None:
    of = portfolios({"portfolio_id": "P", "base_currency": "EUR"})
    _, columns, weights = weighed(positions(held("AAA", 100.0), held("SAP", 50.0)), of)
    gain = 4000.0 * (1.02 / 1.04 - 1.0) + 4000.0 * 0.01
    assert earned(columns, weights, RETURNS)[0] == pytest.approx(gain / 8000.0, rel=1e-13)


def test_changing_the_base_and_back_changes_nothing() -> None:
    book = positions(held("AAA", 100.0), held("SAP", 10.0), held("BBB", -50.0))
    first, _, dollars = weighed(book, ONE)
    second, _, euros = weighed(book, portfolios({"portfolio_id": "P", "base_currency": "EUR"}))
    again, _, back = weighed(book, portfolios({"portfolio_id": "P", "base_currency": "USD"}))
    assert second.nav[0] * 1.25 == pytest.approx(first.nav[0], rel=1e-15)
    np.testing.assert_allclose(euros[:, :6], dollars[:, :6], rtol=1e-14)
    np.testing.assert_array_equal(back, dollars)
    assert again.nav[0] == first.nav[0]


def test_quantities_weights_and_market_values_of_one_book_agree() -> None:
    of = portfolios({"portfolio_id": "P", "nav": 10_000.0})
    _, _, by_quantity = weighed(positions(held("AAA", 100.0), held("SAP", 10.0)), of)
    _, _, by_weight = weighed(positions(held("AAA", weight=0.5), held("SAP", weight=0.1)), of)
    _, _, by_value = weighed(
        positions(held("AAA", market_value=5000.0), held("SAP", market_value=800.0, currency="EUR")), of
    )
    np.testing.assert_allclose(by_weight, by_quantity, atol=1e-12)
    np.testing.assert_allclose(by_value, by_quantity, atol=1e-12)


def test_a_line_split_in_two_is_the_same_position() -> None:
    _, _, whole = weighed(positions(held("AAA", 100.0), held("BBB", 10.0)), ONE)
    _, _, split = weighed(positions(held("AAA", 30.0), held("AAA", 70.0), held("BBB", 10.0)), ONE)
    np.testing.assert_allclose(split, whole, atol=1e-12)


def test_what_is_left_of_nav_is_cash_or_financing() -> None:
    of = portfolios({"portfolio_id": "P", "nav": 4000.0})
    assert valued(positions(held("AAA", 100.0)), of).cash.tolist() == [-1000.0]
    _, columns, weights = weighed(positions(held("AAA", 100.0)), of)
    assert earned(columns, weights, RETURNS)[0] == pytest.approx(1.25 * 0.02, rel=1e-13)


def test_a_position_by_proxy_moves_by_beta_and_with_its_currency() -> None:
    known = instruments(
        {"instrument_id": "FUND", "type": "fund", "currency": "EUR", "proxy": "INDEX", "proxy_beta": 0.5}
    )
    found, columns, weights = weighed(
        positions(held("FUND", market_value=800.0, currency="EUR"), held("AAA", 80.0)), ONE, known
    )
    assert found.things[1].status == "proxied"
    gain = 1000.0 * ((1.0 + 0.5 * 0.05) * 1.04 - 1.0) + 4000.0 * 0.02
    assert earned(columns, weights, RETURNS)[0] == pytest.approx(gain / 5000.0, rel=1e-13)


def test_a_future_is_an_exposure_and_no_part_of_nav() -> None:
    known = instruments({"instrument_id": "INDEX", "type": "future", "currency": "USD", "multiplier": 5.0})
    of = portfolios({"portfolio_id": "P", "nav": 10_000.0})
    found, columns, weights = weighed(positions(held("INDEX", -2.0)), of, known)
    assert found.cash.tolist() == [10_000.0]
    assert earned(columns, weights, RETURNS)[0] == pytest.approx(-2.0 * 5.0 * 1000.0 * 0.05 / 10_000.0)


def test_the_market_value_of_a_future_is_its_gain_and_not_its_size() -> None:
    known = instruments({"instrument_id": "INDEX", "type": "future", "currency": "USD", "multiplier": 5.0})
    book = positions(held("AAA", 200.0), held("INDEX", -2.0, market_value=100.0, weight=0.01))
    found, columns, weights = weighed(book, ONE, known)
    assert found.nav.tolist() == [10_100.0]
    gain = 10_000.0 * 0.02 - 2.0 * 5.0 * 1000.0 * 0.05
    assert earned(columns, weights, RETURNS)[0] == pytest.approx(gain / 10_100.0)


def test_a_future_without_a_price_is_in_no_number_and_one_as_large_as_its_gain_is_doubted() -> None:
    known = instruments(
        {"instrument_id": "ESH3", "type": "future", "currency": "USD", "proxy": "INDEX"},
        {"instrument_id": "INDEX", "type": "future", "currency": "USD", "multiplier": 5.0},
    )
    gains = positions(
        held("AAA", 200.0), held("ESH3", 2.0, market_value=20.0), held("INDEX", 1.0, market_value=5000.0)
    )
    found, lines = value(gains, known, ONE, MARKET, BookSettings())
    assert found.exposure.tolist() == [10_000.0, 0.0, 5000.0]
    assert lines[0].startswith("ESH3: no price here, and the market value of a future or forward is not its")
    assert lines[1].startswith("INDEX: the market value counts in NAV and is as large as the exposure")
    assert len(lines) == 2


def test_a_currency_trade_without_a_pair_is_in_no_risk_and_its_market_value_is_its_gain() -> None:
    known = instruments(
        {"instrument_id": "GBP", "type": "fx", "currency": "USD"},
        {"instrument_id": "ESH3", "type": "future", "currency": "USD"},
    )
    book = positions(
        held("AAA", 200.0), held("GBP", 5000.0, market_value=12.0), held("ESH3", 2.0, market_value=20.0)
    )
    found, lines = value(book, known, ONE, MARKET, BookSettings())
    assert (found.nav.tolist(), found.exposure.tolist()) == ([10_032.0], [10_000.0, 0.0, 0.0])
    trade = next(each for each in found.things if each.instrument_id == "GBP")
    assert (trade.status, trade.reason) == (
        "unpriced", "GBP is a currency trade and names no pair of currencies",
    )  # fmt: skip
    assert lines == [
        "GBP: a currency trade without a pair, and its market value is not its size, so the position is in no"
        " risk number; name its pair in the instruments file",
        "ESH3: no price here, and the market value of a future or forward is not its size, so the position is"
        " in no risk number; name its price series in the instruments file",
    ]


def test_a_forward_sells_one_currency_for_the_other_and_hedges_exactly() -> None:
    known = instruments(
        {"instrument_id": "CASH.EUR", "type": "cash", "currency": "EUR"},
        {"instrument_id": "EURUSD", "type": "forward", "currency": "USD"},
    )
    book = positions(held("CASH.EUR", 800.0), held("AAA", 20.0), held("EURUSD", -800.0))
    _, columns, weights = weighed(book, ONE, known)
    assert earned(columns, weights, RETURNS)[0] == pytest.approx(20.0 * 50.0 * 0.02 / 2000.0, rel=1e-13)


def test_options_and_bonds_are_named_and_in_no_risk() -> None:
    known = instruments({"instrument_id": "CALL", "type": "option", "currency": "USD"})
    found, columns, weights = weighed(
        positions(held("CALL", market_value=1000.0), held("AAA", 80.0)), ONE, known
    )
    assert [each.status for each in found.things][:2] == ["priced", "not modelled"]
    assert earned(columns, weights, RETURNS)[0] == pytest.approx(4000.0 * 0.02 / 5000.0, rel=1e-13)


def test_pence_and_multipliers_count() -> None:
    known = instruments({"instrument_id": "AAA", "currency": "USD", "price_unit": 0.01, "multiplier": 10.0})
    assert valued(positions(held("AAA", 100.0)), ONE, known).value.tolist() == [500.0]


def test_a_currency_without_rates_is_refused_by_name() -> None:
    known = instruments({"instrument_id": "AAA", "type": "equity", "currency": "CHF"})
    with pytest.raises(
        PortfolioError, match=r"AAA is in CHF and its portfolio in USD: .* \(rates here: EURUSD"
    ):
        valued(positions(held("AAA", 1.0)), ONE, known)


def test_contradicting_numbers_are_refused() -> None:
    with pytest.raises(
        PortfolioError, match=r"P holds AAA: quantity x price is 5,000.00 and market_value 6,000.00"
    ):
        valued(positions(held("AAA", 100.0, market_value=6000.0)), ONE)
    assert valued(positions(held("AAA", 100.0, market_value=5010.0)), ONE).value.tolist() == [5000.0]
    with pytest.raises(PortfolioError, match="if weights are in per cent, map them as weight_pct"):
        valued(positions(held("AAA", 100.0, weight=50.0), held("BBB", 250.0, weight=50.0)), ONE)


def test_a_nav_of_nothing_is_refused_and_one_that_cash_contradicts_too() -> None:
    with pytest.raises(PortfolioError, match=r"NAV of 0\.00: shares of NAV are undefined"):
        valued(positions(held("AAA", 20.0), held("BBB", -50.0)), ONE)
    of = portfolios({"portfolio_id": "P", "nav": 9000.0})
    known = instruments({"instrument_id": "CASH.USD", "type": "cash", "currency": "USD"})
    with pytest.raises(PortfolioError, match=r"positions add up to 6,000\.00 and its NAV is 9,000.00"):
        valued(positions(held("AAA", 100.0), held("CASH.USD", 1000.0)), of, known)


def test_weights_without_nav_take_the_one_of_the_settings() -> None:
    found = valued(positions(held("AAA", weight=0.5)), ONE)
    assert (found.nav.tolist(), found.value.tolist()) == ([1_000_000.0], [500_000.0])


def test_an_instrument_without_a_model_is_unpriced_but_has_its_value() -> None:
    market = Market(
        INSTRUMENTS, np.array(CLOSES), np.array([True, False, *[True] * 4]), Rates.among(INSTRUMENTS, {})
    )
    found, columns, weights = weighed(positions(held("AAA", 80.0), held("BBB", 50.0)), ONE, market=market)
    assert found.nav.tolist() == [5000.0]
    assert [each.reason for each in found.things][1] == "BBB has no model"
    assert earned(columns, weights, RETURNS)[0] == pytest.approx(4000.0 * 0.02 / 5000.0, rel=1e-13)


def test_the_rows_of_positions_say_what_exposure_is_made_of() -> None:
    known = instruments(
        {"instrument_id": "CASH.EUR", "type": "cash", "currency": "EUR"},
        {"instrument_id": "EURUSD", "type": "forward", "currency": "USD"},
        {"instrument_id": "FUND", "type": "fund", "currency": "EUR", "proxy": "INDEX"},
    )
    book = positions(
        held("AAA", 30.0),
        held("AAA", 70.0),
        held("SAP", 10.0),
        held("BBB", 10.0),
        held("BBB", market_value=200.0),
        held("FUND", market_value=800.0, currency="EUR"),
        held("CASH.EUR", 800.0),
        held("EURUSD", -800.0),
    )
    rows = rows_of(book, portfolios({"portfolio_id": "P", "base_currency": "JPY"}), known)
    by = {row["instrument_id"]: row for row in rows}
    assert {name: row["quantity"] for name, row in by.items()} == {
        "AAA": 100.0,
        "BBB": None,
        "SAP": 10.0,
        "FUND": None,
        "CASH.EUR": pytest.approx(800.0),
        "EURUSD": -800.0,
    }
    assert (by["AAA"]["price"], by["AAA"]["price_currency"], by["AAA"]["fx_rate"]) == (50.0, "USD", 120.0)
    assert (by["SAP"]["price_currency"], by["SAP"]["fx_rate"]) == ("EUR", 150.0)
    assert (by["FUND"]["price"], by["FUND"]["price_currency"], by["FUND"]["fx_rate"]) == (None, "EUR", 150.0)
    assert (by["EURUSD"]["price"], by["EURUSD"]["price_currency"]) == (1.25, "USD")
    for name in ("AAA", "SAP", "EURUSD"):
        row = by[name]
        made = row["quantity"] * row["price"] * row["fx_rate"]
        assert made == pytest.approx(row["exposure"], rel=1e-13)
    # A close of the day before is one; money has none.
    assert by["BBB"]["price_date"] == date(2022, 12, 27)
    assert by["CASH.EUR"]["price_date"] is None


def test_a_whole_has_the_quantities_of_its_parts_and_rates_into_its_own_base() -> None:
    of = portfolios(
        {"portfolio_id": "DESK", "base_currency": "EUR"},
        {"portfolio_id": "P", "base_currency": "USD", "parent_id": "DESK"},
        {"portfolio_id": "Q", "base_currency": "JPY", "parent_id": "DESK"},
    )
    book = positions(held("AAA", 30.0), {"portfolio_id": "Q", "instrument_id": "AAA", "quantity": 70.0})
    rows = rows_of(book, of, instruments())
    (whole,) = (row for row in rows if row["portfolio_id"] == "DESK")
    assert (whole["quantity"], whole["fx_rate"]) == (100.0, 0.8)
    assert whole["exposure"] == pytest.approx(100.0 * 50.0 * 0.8, rel=1e-13)
    assert [row["fx_rate"] for row in rows if row["portfolio_id"] in "PQ"] == [1.0, 120.0]


def rows_of(held: pa.Table, of: Portfolios, known: pa.Table) -> list[dict[str, object]]:
    dates = np.full(6, "2022-12-28", dtype="datetime64[D]")
    dates[INSTRUMENTS.index("BBB")] = "2022-12-27"
    market = replace(MARKET, dates=dates)
    found = valued(held, of, known, market)
    parts = position_rows(exposures_of(found, market), found, of, {}, market)
    return [row for part in parts for row in part.to_pylist()]
