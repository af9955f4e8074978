"""What a position is of, which rows count, and which are kept out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from acceleray.settings import Settings
from book.desk import AS_OF, Desk, known, reasons, rows

BOOK = "portfolio_id,instrument_id,quantity\nA,AAPL,100\nA,MSFT,-50\nB,SAP,7\n"
TREE = (
    "portfolio_id,name,base_currency,nav,benchmark_id,parent_id\n"
    "DESK,Desk,USD,,,\nA,One,USD,1000,,DESK\nB,Two,USD,,,DESK\n"
)


@pytest.fixture
def desk(settings: Callable[..., Settings]) -> Desk:
    return Desk(settings)


def test_the_order_of_rows_changes_nothing(desk: Desk) -> None:
    lines = ["A,AAPL,100,x", "A,MSFT,-50,y", "B,SAP,7,x", "A,AAPL,3,y", "A,AAPL,3,y"]
    header = "portfolio_id,instrument_id,quantity,book\n"

    def read(order: list[str]) -> tuple[object, ...]:
        desk.positions(header + "".join(line + "\n" for line in order))
        one, found = desk.received(), desk.accepted()
        volatile = ["line", "file"]
        return one.digest, one.cells.drop_columns(volatile), found.positions.drop_columns(volatile)

    assert read(lines) == read(lines[::-1]) == read([lines[2], lines[4], *lines[:2], lines[3]])
    assert read(lines)[0] != read(lines[:-1])[0]


def test_another_mapping_is_another_content(desk: Desk) -> None:
    before = desk.positions(BOOK).received().digest
    assert desk.mapped("positions: {value_unit: 1000}\n").received().digest != before
    assert desk.mapped("# nothing\npositions:\n").received().digest == before


def test_lines_of_one_instrument_are_kept_apart_and_named(desk: Desk) -> None:
    found = desk.positions(BOOK + "A,AAPL,50\nA,AAPL,0\n").accepted()
    assert rows(found, "position_id", "quantity")[:4] == [
        ("A/AAPL/1", 0.0),
        ("A/AAPL/2", 50.0),
        ("A/AAPL/3", 100.0),
        ("A/MSFT/1", -50.0),
    ]


def test_the_last_date_that_is_not_after_the_run_counts_for_each_portfolio(desk: Desk) -> None:
    text = "date,portfolio_id,ticker,quantity\n"
    text += "27/12/2022,A,AAPL,1\n28/12/2022,A,AAPL,2\n29/12/2022,A,AAPL,3\n13/12/2022,B,SAP,4\n"
    found = desk.positions(text).accepted()
    assert rows(found, "position_id", "held_on", "quantity") == [
        ("A/AAPL@2022-12-28/1", date(2022, 12, 28), 2.0),
        ("B/SAP@2022-12-13/1", date(2022, 12, 13), 4.0),
    ]
    assert found.earlier["quantity"].to_pylist() == [1.0]
    assert "1 position dated 2022-12-29 or later, after the as-of date, is left out" in found.lines
    assert "positions as of 2022-12-28, the oldest as of 2022-12-13" in found.lines


def test_a_last_day_on_which_no_row_can_be_read_is_no_reason_to_go_back(desk: Desk) -> None:
    desk.positions(
        "as_of,portfolio_id,ticker,quantity\n2022-12-27,A,AAPL,1\n2022-12-28,A,AAPL,x\n2022-12-28,B,SAP,1\n"
    )
    assert rows(desk.accepted(), "portfolio_id") == [("B",)]


def test_positions_match_on_any_identifier(desk: Desk) -> None:
    desk.instruments(
        "instrument_id,name,ticker,isin,sedol,figi,series\n"
        "APPLE,Apple Inc,AAPL,US0378331005,2046251,BBG000B9XRY4,\n"
        "SAP_GY,SAP SE,SAP,DE0007164600,4846288,,\n"
        "EUROPE,Some name,X,,,,MSFT\n"
    )
    cells = ("AAPL", "US0378331005", "037833100", "2046251", "BBG000B9XRY4", "aapl", "APPLE", "us0378331005")
    desk.positions(
        "portfolio,identifier,units\n" + "".join(f"A,{cell},{at}\n" for at, cell in enumerate(cells))
    )
    found = desk.accepted()
    assert {row[0] for row in rows(found, "instrument_id")} == {"APPLE"}
    assert known(found, "APPLE")["series"] == "AAPL"
    assert (known(found, "EUROPE")["series"], known(found, "EUROPE")["held"]) == ("MSFT", False)


def test_a_name_is_the_last_resort_and_exact(desk: Desk) -> None:
    desk.instruments("instrument_id,name\nAAPL,Apple Inc\nMSFT,Microsoft\n")
    found = desk.positions("portfolio,name,shares\nA,apple inc,1\nA,Microsoft Corp,2\n").accepted()
    assert rows(found, "instrument_id") == [("AAPL",), ("Microsoft Corp",)]
    assert "no prices of Microsoft Corp: it counts as unpriced" in found.lines


def test_identifiers_that_name_two_instruments_are_ambiguous(desk: Desk) -> None:
    desk.instruments(
        "instrument_id,isin,currency\nSAP_GY,DE0007164600,EUR\nSAP_LN,DE0007164600,GBP\nAAPL,,USD\n"
    )
    desk.portfolios("portfolio_id,base_currency\nA,EUR\n")
    desk.positions(
        "portfolio,ticker,isin,shares,currency\n"
        "A,,DE0007164600,1,\nA,,DE0007164600,2,GBP\nA,AAPL,DE0007164600,3,\n"
    )
    found = desk.accepted()
    assert rows(found, "instrument_id", "quantity") == [("SAP_LN", 2.0)]
    assert sorted(reasons(found)) == [
        "is ambiguous: isin DE0007164600 is SAP_GY or SAP_LN",
        "is ambiguous: ticker AAPL is AAPL, isin DE0007164600 is SAP_GY or SAP_LN",
    ]


def test_a_row_that_names_less_finds_what_another_brought(desk: Desk) -> None:
    desk.positions("portfolio,ticker,isin,shares\nA,,DE0007164600,1\nB,SAP,DE0007164600,2\n")
    assert rows(desk.accepted(), "instrument_id") == [("SAP",), ("SAP",)]


def test_an_identifier_that_fails_its_check_digit_is_named_and_not_used(desk: Desk) -> None:
    desk.positions("portfolio,ticker,isin,cusip,shares\nA,AAPL,US0378331006,,1\nA,,,37833100,2\nA,MSFT,,,3\n")
    found = desk.accepted()
    assert rows(found, "instrument_id") == [("AAPL",), ("MSFT",)]
    assert known(found, "AAPL")["isin"] is None
    assert "Line 2 of positions.csv: ISIN US0378331006 fails its check digit; it is not used" in found.lines
    assert reasons(found) == [
        "names no instrument: CUSIP 37833100 is short; a spreadsheet may have removed zeros in front of it"
    ]


def test_an_instrument_without_prices_is_kept_and_said(desk: Desk) -> None:
    found = desk.positions(BOOK + "A,NOWHERE,5\n").accepted()
    assert ("A", "NOWHERE") in rows(found, "portfolio_id", "instrument_id")
    assert (known(found, "NOWHERE")["priced"], known(found, "AAPL")["priced"]) == (False, True)
    assert "no prices of NOWHERE: it counts as unpriced" in found.lines


def test_a_forward_on_a_pair_without_a_series_is_not_called_unpriced(desk: Desk) -> None:
    desk.instruments("instrument_id,type,currency\nAAPL,equity,USD\nUSDEUR,forward,\n")
    found = desk.positions("portfolio_id,instrument_id,quantity\nA,AAPL,1\nA,USDEUR,5\n").accepted()
    assert not [line for line in found.lines if "USDEUR" in line]


def test_a_currency_that_other_instruments_lend_is_said(desk: Desk) -> None:
    desk.instruments("instrument_id,currency\nSAP,EUR\n")
    found = desk.positions("portfolio_id,instrument_id,quantity\nA,AAPL,1\nA,SAP,2\n").accepted()
    assert "AAPL without currency: taken as EUR, the only one of the book" in found.lines


def test_a_proxy_and_its_beta_are_kept(desk: Desk) -> None:
    desk.instruments("instrument_id,proxy,proxy_beta\nPRIVATE,AAPL,1.25\nOTHER,AAPL,\nMSFT,,\n")
    found = desk.positions(BOOK + "A,PRIVATE,5\n").accepted()
    assert (known(found, "PRIVATE")["proxy"], known(found, "PRIVATE")["proxy_beta"]) == ("AAPL", 1.25)
    assert (known(found, "OTHER")["proxy_beta"], known(found, "MSFT")["proxy_beta"]) == (1.0, None)
    assert "no prices of PRIVATE, replaced by its proxy AAPL" in found.lines
    desk.instruments("instrument_id,isin,series,proxy\nPRIVATE,,,US0378331005\nAPPLE,US0378331005,AAPL,\n")
    assert known(desk.accepted(), "PRIVATE")["proxy"] == "AAPL"


@pytest.mark.parametrize(
    ("cell", "currency", "unit"),
    [("GBX,", "GBP", 0.01), ("GBp,", "GBP", 0.01), ("GBP,", "GBP", 1.0), ("GBP,pence", "GBP", 0.01),
     ("GBX,0.01", "GBP", 0.01), ("ZAc,", "ZAR", 0.01), ("usd,", "USD", 1.0), ("USD,100", "USD", 100.0)],
)  # fmt: skip
def test_prices_in_pence(desk: Desk, cell: str, currency: str, unit: float) -> None:
    desk.instruments(f"instrument_id,currency,price_unit\nAAPL,{cell}\n")
    found = desk.positions("portfolio,ticker,shares\nA,AAPL,1\n").accepted()
    assert (known(found, "AAPL")["currency"], known(found, "AAPL")["price_unit"]) == (currency, unit)


@pytest.mark.parametrize(
    ("ticker", "more", "expected"),
    [
        ("CASH", "", "CASH.EUR"),
        ("CASH.GBP", "", "CASH.GBP"),
        ("GBP_CASH", "", "CASH.GBP"),
        ("EUR", "", "CASH.EUR"),
        ("USD", "", "CASH.USD"),
        ("GBP", "currency=GBP", "CASH.GBP"),
        ("ALL", "asset_class=Equity", "ALL"),
        ("ALL", "", "ALL"),
        ("XTSLA", "asset_class=Cash", "CASH.USD"),
        ("SWEEP", "asset_class=Cash", "CASH.EUR"),
        ("TOP", "currency=USD", "TOP"),
        ("XTSLA", "asset_class=Cash,currency=USD", "CASH.USD"),
        ("XTSLA", "asset_class=Money Market", "XTSLA"),
    ],
)
def test_cash_is_known_by_its_name_or_class(desk: Desk, ticker: str, more: str, expected: str) -> None:
    extra = dict(part.split("=") for part in more.split(",") if part)
    desk.portfolios("portfolio_id,base_currency\nA,EUR\n")
    desk.instruments("instrument_id,currency\nAAPL,USD\nALL,USD\nXTSLA,USD\n")
    header = "".join(f",{name}" for name in extra)
    cells = "".join(f",{text}" for text in extra.values())
    desk.positions(f"portfolio,ticker,market_value{header}\nA,{ticker},10{cells}\n")
    assert rows(desk.accepted(), "instrument_id") == [(expected,)]


def test_a_share_whose_ticker_is_a_currency_is_no_cash_where_it_has_prices(desk: Desk) -> None:
    desk.positions("portfolio,ticker,quantity\nA,ALL,10\nA,USD,10\n")
    found = desk.accepted(("ALL", "AAPL"))
    assert rows(found, "instrument_id") == [("ALL",), ("CASH.USD",)]


def test_a_market_value_is_in_its_currency_else_in_that_of_the_portfolio(desk: Desk) -> None:
    desk.portfolios("portfolio_id,base_currency\nA,EUR\n")
    desk.instruments("instrument_id,currency\nAAPL,USD\n")
    desk.positions("portfolio,ticker,mv,currency\nA,AAPL,1,USD\nA,AAPL,2,\nA,CASH.GBP,3,\n")
    assert rows(desk.accepted(), "market_value", "currency") == [(1.0, "USD"), (2.0, "EUR"), (3.0, "GBP")]


def test_words_for_types_can_be_ones_own_and_unknown_ones_are_kept_out(desk: Desk) -> None:
    desk.positions(
        "portfolio,ticker,type,shares\nA,AAPL,Aktie,1\nA,MSFT,Zertifikat,2\nA,SAP,Common Stock,3\n"
    )
    found = desk.mapped("types: {aktie: equity}\n").accepted()
    assert rows(found, "instrument_id") == [("AAPL",), ("SAP",)]
    assert reasons(found) == ["has type 'Zertifikat', which is not known; map it in conf/book.yml, types"]


def test_an_instrument_of_a_type_that_is_not_known_is_never_a_share_in_silence(desk: Desk) -> None:
    desk.instruments("instrument_id,type\nAAPL,Zertifikat\nMSFT,Equity\n")
    found = desk.positions("portfolio,ticker,shares\nA,AAPL,1\nA,MSFT,2\n").accepted()
    assert rows(found, "instrument_id") == [("MSFT",)]
    assert reasons(found) == ["has type 'Zertifikat', which is not known; map it in conf/book.yml, types"]


def test_rows_that_cannot_be_used_are_kept_out_with_the_reason(desk: Desk) -> None:
    desk.portfolios(TREE)
    found = desk.positions(BOOK + ",AAPL,1\nA,,1\nA,AAPL,\nZ,AAPL,1\nA,AAPL,1e999\n").accepted()
    assert len(found.positions) == 3
    assert sorted(reasons(found)) == [
        "belongs to a portfolio that is not in the portfolios file",
        "has '1e999' for quantity, which is not a number",
        "has no portfolio",
        "has no quantity, market value or weight",
        "names no instrument",
    ]


def test_a_market_value_in_base_currency_leaves_the_currency_to_the_instrument(desk: Desk) -> None:
    desk.portfolios("portfolio_id,base_currency\nA,USD\n")
    found = desk.positions(
        "portfolio,ticker,ccy,Market Value (Base)\nA,SAP,EUR,100\nA,AAPL,USD,50\n"
    ).accepted()
    assert rows(found, "instrument_id", "market_value", "currency") == [
        ("AAPL", 50.0, "USD"),
        ("SAP", 100.0, "USD"),
    ]
    assert known(found, "SAP")["currency"] == "EUR"


@pytest.mark.parametrize(
    "stamp", ["2022-12-28 17:30:00", "2022-12-28T17:30:00Z", "28/12/2022 5:30 PM", "2022-12-28"]
)
def test_the_time_at_which_positions_were_taken_is_no_part_of_the_day(desk: Desk, stamp: str) -> None:
    found = desk.positions(f"as_of,portfolio,ticker,shares\n{stamp},A,AAPL,1\n{stamp},A,MSFT,2\n").accepted()
    assert rows(found, "held_on") == [(AS_OF,), (AS_OF,)]


def test_a_fund_in_one_row_and_an_equity_in_another_is_one_instrument(desk: Desk) -> None:
    found = desk.positions("portfolio,ticker,type,shares\nA,SPY,ETF,1\nB,SPY,Equity,2\n").accepted()
    assert rows(found, "instrument_id") == [("SPY",), ("SPY",)]
    desk.positions("portfolio,ticker,type,shares\nA,SPY,ETF,1\nB,SPY,Bond,2\n")
    assert "for SPY, and Line" in desk.refusal()


def test_a_column_that_resembles_an_amount_and_is_not_used_is_said(desk: Desk) -> None:
    found = desk.positions("portfolio_id,ticker,uantity,Market Value,Price\nA,AAPL,3,100,5\n").accepted()
    (line,) = [line for line in found.lines if "not used" in line]
    assert line.startswith(
        "column 'uantity' of positions.csv is not used; if it is quantity, name it so, or map"
    )
    known_names = desk.positions(
        "portfolio_id,ticker,quantity,Market Value,Price\nA,AAPL,3,100,5\n"
    ).accepted()
    assert not [line for line in known_names.lines if "not used" in line]
