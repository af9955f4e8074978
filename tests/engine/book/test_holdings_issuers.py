"""Files as issuers, holders and supervisors publish them are read without editing them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from acceleray.settings import Settings
from book.desk import Desk, known, reasons, rows

TITLE = """\
Large Company Fund
Fund Holdings as of,"Dec 28, 2022"
Inception Date,"May 15, 2000"
Shares Outstanding,"1,234,000.00"
Stock,"-"
\u00a0
"""
HEADER = (
    "Ticker,Name,Sector,Asset Class,Market Value,Weight (%),Notional Value,Quantity,Price,Location,Exchange,"
    "Currency,FX Rate,Market Currency,Accrual Date\n"
)
TECHNOLOGY, OTHER = "Information Technology", "Cash and/or Derivatives"
LINES = (
    ("AAPL", "APPLE INC", TECHNOLOGY, "Equity", "600,000.00", "60.00", "4,000.00", "150.00", "NASDAQ"),
    ("MSFT", "MICROSOFT CORP", TECHNOLOGY, "Equity", "390,000.00", "39.00", "1,300.00", "300.00", "NASDAQ"),
    ("USD", "USD CASH", OTHER, "Cash", "10,000.00", "1.00", "10,000.00", "100.00", "-"),
    ("ESH3", "S&P500 EMINI MAR 23", OTHER, "Futures", "0.00", "0.00", "27.00", "6,740.00", "CME"),
)
DISCLAIMER = """\

"The content contained herein is owned by the issuer, ""we"", and is for information only."
"Carefully consider objectives, risk factors, and charges."
"""


def line(ticker: str, name: str, sector: str, kind: str, *numbers: str) -> str:
    value, weight, quantity, price, exchange = numbers
    cells = (ticker, name, sector, kind, value, weight, value, quantity, price, "United States", exchange)
    return ",".join(f'"{cell}"' for cell in (*cells, "USD", "1.00", "USD", "-")) + "\n"


CONSTITUENTS = TITLE + HEADER + "".join(line(*cells) for cells in LINES) + DISCLAIMER
HOLDERS = """\
NAMEOFISSUER\tTITLEOFCLASS\tCUSIP\tVALUE\tSSHPRNAMT\tSSHPRNAMTTYPE\tPUTCALL
APPLE INC\tCOM\t037833100\t600\t4000\tSH\t
MICROSOFT CORP\tCOM\t594918104\t390\t1300\tSH\t
MICROSOFT CORP\tCOM\t594918104\t300\t1000\tSH\tPut
"""


@pytest.fixture
def desk(settings: Callable[..., Settings]) -> Desk:
    return Desk(settings)


def test_constituents_as_an_issuer_publishes_them(desk: Desk) -> None:
    found = desk.positions(CONSTITUENTS).mapped("positions: {portfolio_id: FUND}\n").accepted()
    assert rows(found, "portfolio_id", "instrument_id", "quantity", "market_value", "weight", "line") == [
        ("FUND", "AAPL", 4000.0, 600_000.0, 0.6, 8),
        ("FUND", "CASH.USD", 10_000.0, 10_000.0, 0.01, 10),
        ("FUND", "ESH3", 27.0, 0.0, 0.0, 11),
        ("FUND", "MSFT", 1300.0, 390_000.0, 0.39, 9),
    ]
    apple = known(found, "AAPL")
    assert (apple["name"], apple["sector"], apple["country"], apple["type"]) == (
        "APPLE INC", "Information Technology", "United States", "equity",
    )  # fmt: skip
    assert (known(found, "ESH3")["type"], known(found, "CASH.USD")["type"]) == ("future", "cash")
    assert found.positions["groups"][0].as_py() == '{"Exchange": "NASDAQ"}'
    assert not reasons(found)
    assert found.lines[0].endswith("below the table: lines 1 to 6 and lines 13 to 14 of positions.csv")
    assert "no prices of ESH3 (S&P500 EMINI MAR 23): it counts as unpriced" in found.lines


def test_a_file_of_a_fund_without_a_portfolio_needs_to_be_told_it(desk: Desk) -> None:
    assert "set positions.portfolio_id in conf/book.yml" in desk.positions(CONSTITUENTS).refusal()


def test_a_table_of_holders_is_matched_by_cusip_in_thousands(desk: Desk) -> None:
    desk.positions(HOLDERS, "holders.tsv").instruments(
        "instrument_id,isin\nAAPL,US0378331005\nMSFT,US5949181045\n"
    )
    found = desk.mapped("positions: {portfolio_id: F, value_unit: 1000}\n").accepted()
    assert rows(found, "instrument_id", "market_value", "quantity") == [
        ("AAPL", 600_000.0, 4000.0),
        ("MSFT", 390_000.0, 1300.0),
        ("MSFT PUT", 300_000.0, 1000.0),
    ]
    put = known(found, "MSFT PUT")
    assert (put["type"], put["modelled"], put["priced"]) == ("option", False, False)
    assert "not modelled: MSFT PUT (MICROSOFT CORP), an option" in found.lines


def test_a_daily_file_of_a_fund_with_signs_of_dollars_and_per_cent(desk: Desk) -> None:
    text = 'date,fund,company,ticker,cusip,shares,"market value ($)","weight (%)"\n'
    text += '12/28/2022,FUND,"APPLE INC",AAPL,037833100,"4,000","$600,000.00",60.00%\n'
    text += '12/28/2022,FUND,"MICROSOFT CORP",MSFT,594918104,"1,300","$400,000.00",40.00%\n'
    text += '"Investors should carefully consider objectives, risks, charges."\n'
    found = desk.positions(text).accepted()
    assert rows(found, "portfolio_id", "instrument_id", "quantity", "market_value", "weight") == [
        ("FUND", "AAPL", 4000.0, 600_000.0, 0.6),
        ("FUND", "MSFT", 1300.0, 400_000.0, 0.4),
    ]
    assert known(found, "AAPL")["cusip"] == "037833100"


def test_a_portfolio_report_with_values_in_dollars_and_prices_in_other_currencies(desk: Desk) -> None:
    names = "ISSUER_NAME ISSUER_CUSIP BALANCE CURRENCY_CODE CURRENCY_VALUE PERCENTAGE ASSET_CAT COUNTRY"
    desk.positions(
        names.replace(" ", "\t")
        + "\n"
        + "Apple Inc\t037833100\t10\tUSD\t1500.25\t60.01\tEC\tUS\n"
        + "SAP SE\tN/A\t8\tEUR\t900\t36\tEC\tDE\n"
        + "Some Bond\tN/A\t100\tUSD\t99.75\t3.99\tDBT\tUS\n"
    )
    desk.instruments("instrument_id,name,cusip\nAAPL,Apple,037833100\nSAP,SAP SE,\n")
    desk.portfolios("portfolio_id,base_currency\nFUND,USD\n")
    columns = "{instrument_currency: CURRENCY_CODE, name: ISSUER_NAME}"
    desk.mapped(f"positions: {{portfolio_id: FUND, columns: {columns}}}\n")
    found = desk.accepted()
    assert rows(found, "instrument_id", "market_value", "currency", "weight") == [
        ("AAPL", 1500.25, "USD", 0.6001),
        ("SAP", 900.0, "USD", 0.36),
        ("Some Bond", 99.75, "USD", 3.99 / 100),
    ]
    assert [known(found, name)["currency"] for name in ("AAPL", "SAP")] == ["USD", "EUR"]
    assert (known(found, "Some Bond")["type"], known(found, "Some Bond")["modelled"]) == ("bond", False)


def test_a_german_file_of_constituents(desk: Desk) -> None:
    desk.positions(
        "Fondsbestand per,28.12.2022\n\n"
        "Emittententicker,Name,Sektor,Anlageklasse,Marktwert,Gewichtung (%),Nominale,Standort,Marktwährung\n"
        '"SAP","SAP SE","IT","Aktien","9.300,50","93,005","100,00","Deutschland","EUR"\n'
        '"EUR","EUR CASH","Cash","Barmittel","699,50","6,995","699,50","Deutschland","EUR"\n'
    )
    desk.mapped("positions: {portfolio_id: DAX}\ntypes: {Aktien: equity, Barmittel: cash}\n")
    found = desk.accepted()
    assert rows(found, "instrument_id", "market_value", "weight", "currency") == [
        ("CASH.EUR", 699.5, 0.06995, "EUR"),
        ("SAP", 9300.5, 93.005 / 100, "EUR"),
    ]


def test_a_currency_trade_says_what_it_is_and_what_is_not_known_of_it(desk: Desk) -> None:
    numbers = ("12.34", "0.00", "10,000.00", "120.00", "-")
    text = TITLE + HEADER + "".join(line(*cells) for cells in LINES)
    text += line("GBP", "GBP/USD", OTHER, "FX", *numbers)
    text += line("-", "JPY/USD", OTHER, "FX", *numbers)
    text += line("-", "CHF/USD 17/3/23", OTHER, "Forwards", *numbers)
    found = desk.positions(text + DISCLAIMER).mapped("positions: {portfolio_id: FUND}\n").accepted()
    assert not reasons(found)
    trades = [one for one in found.lines if "currency" in one]
    unknown = (
        "is a currency trade, and nothing says which currency its quantity is in: it is in no risk number,"
        " and a market value counts in NAV as its gain; to include it, list it in the instruments file with"
        " instrument_id"
    )
    assert trades == [
        f"CHF/USD 17/3/23 {unknown} of its pair, such as EURUSD, and type forward if its quantity is an"
        " amount of the first currency bought",
        f"GBP (GBP/USD) {unknown} GBPUSD and type fx if its quantity is GBP bought",
        "JPY/USD is taken as a currency forward: its quantity as JPY bought for USD, its market value as its"
        " gain",
    ]
    assert not [one for one in found.lines if "GBP" in one and "unpriced" in one]
    # As the line says: one row of an instruments file, and the trade is one on its pair.
    desk.instruments("instrument_id,ticker,name,type\nGBPUSD,GBP,,fx\nCHFUSD,,CHF/USD 17/3/23,forward\n")
    found = desk.accepted()
    sizes = dict(rows(found, "instrument_id", "quantity"))
    assert (sizes["GBPUSD"], sizes["CHFUSD"], "GBP" in sizes) == (10_000.0, 10_000.0, False)
    assert [one for one in found.lines if "currency" in one] == trades[2:]
