"""Files of holdings as people have them are read without editing them."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from acceleray.settings import Settings
from acceleray.stages.book.holdings import received
from acceleray.stages.book.reading.columns import POSITIONS_KIND
from acceleray.stages.book.reading.mapping import BookMap
from acceleray.stages.book.reading.sheets import sheet_of_table
from book.desk import Desk, known, reasons, rows

PLAIN = "portfolio_id,instrument_id,quantity\nA,AAPL,100\nA,MSFT,-50.5\nB,AAPL,0\n"
EXPECTED = [("A", "AAPL", 100.0), ("A", "MSFT", -50.5), ("B", "AAPL", 0.0)]
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


def test_three_columns_are_enough(desk: Desk) -> None:
    found = desk.positions(PLAIN).accepted()
    assert rows(found, "portfolio_id", "instrument_id", "quantity") == EXPECTED
    assert rows(found, "market_value", "weight", "currency") == [(None, None, "USD")] * 3
    assert found.lines == ("3 positions, 2 portfolios, 2 instruments",)


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
    assert "lines 1 to 6 and lines 13 to 14 of positions.csv are no rows of the table" in found.lines[0]
    assert "no prices of ESH3 (S&P500 EMINI MAR 23): it counts as unpriced" in found.lines


def test_a_file_of_a_fund_without_a_portfolio_needs_to_be_told_it(desk: Desk) -> None:
    assert "set positions.portfolio_id in conf/book.yml" in desk.positions(CONSTITUENTS).refusal()


def test_each_file_of_a_folder_can_be_a_portfolio(desk: Desk) -> None:
    (desk.folder / "funds").mkdir()
    for fund, shares in (("ONE", 1), ("TWO", 2)):
        desk.write(f"funds/{fund}.csv", f"ticker,shares\nAAPL,{shares}\n")
    desk.named["path"] = str(desk.folder / "funds")
    found = desk.mapped("positions: {portfolio_is_file_name: true}\n").accepted()
    assert rows(found, "portfolio_id", "quantity") == [("ONE", 1.0), ("TWO", 2.0)]


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


def test_decimal_commas_semicolons_and_words_of_another_language(desk: Desk) -> None:
    lines = ("Depot;Kennung;Stück;Kurswert;Währung", "A;SAP;1.000,50;12.345,67;EUR", "A;SAP;-3,25;-40,1;EUR")
    desk.positions("\n".join(lines).encode("cp1252"))
    desk.mapped("positions: {columns: {portfolio_id: Depot, ticker: kennung, quantity: Stück}}\n")
    assert rows(desk.accepted(), "quantity", "market_value", "currency") == [
        (-3.25, -40.1, "EUR"),
        (1000.5, 12345.67, "EUR"),
    ]


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("weight", ("0.25", "-0.05")),
        ("Weight (%)", ("25", "-5")),
        ("% of NAV", ("25.0", "-5.0")),
        ("weight", ("25 %", "-5 %")),
        ("weight_pct", ("25", "-5")),
    ],
)
def test_a_weight_is_in_per_cent_where_name_or_cells_say_so(
    desk: Desk, header: str, cells: tuple[str, str]
) -> None:
    desk.positions(f"portfolio,ticker,{header}\nA,AAPL,{cells[0]}\nA,MSFT,{cells[1]}\n")
    assert rows(desk.accepted(), "weight") == [(0.25,), (-0.05,)]


def test_a_weight_of_sixty_is_not_taken_for_per_cent_but_said(desk: Desk) -> None:
    found = desk.positions("portfolio,ticker,weight\nA,AAPL,60\nA,MSFT,40\n").accepted()
    assert rows(found, "weight") == [(60.0,), (40.0,)]
    assert (
        "weights of A add up to 100.00 times NAV; if they are per cent, map them as weight_pct"
        in found.lines[-1]
    )


def test_numbers_in_brackets_and_with_the_sign_last_are_negative(desk: Desk) -> None:
    desk.positions('portfolio,ticker,market value\nA,AAPL,"(1,234.50)"\nA,MSFT,75.25-\nA,SAP,$9.50\n')
    assert rows(desk.accepted(), "market_value") == [(-1234.5,), (-75.25,), (9.5,)]


def test_an_excel_file_with_a_title_and_a_disclaimer(desk: Desk) -> None:
    raw = io.BytesIO()
    book = xlsxwriter.Workbook(raw)
    sheet = book.add_worksheet("holdings")
    table = [["Fund Name:", "Large"], [], ["Name", "Ticker", "Weight (%)", "Shares Held"]]
    table += [
        ["Apple", "AAPL", 60.125, 1.234],
        ["Microsoft", "MSFT", 39.875, 500],
        [],
        ["Past performance is no ..."],
    ]
    for line, cells in enumerate(table):
        sheet.write_row(line, 0, cells)
    book.close()
    desk.positions(raw.getvalue(), "fund.xlsx").mapped("positions: {portfolio_id: X}\n")
    found = desk.accepted()
    assert rows(found, "instrument_id", "weight", "quantity", "line") == [
        ("AAPL", 0.60125, 1.234, 4),
        ("MSFT", 0.39875, 500.0, 5),
    ]
    assert found.lines[0].startswith("rows 1 to 2 and row 7 of fund.xlsx, sheet holdings")


def test_packed_files_and_tables_say_the_same(desk: Desk) -> None:
    expected = desk.positions(PLAIN).accepted().positions.drop_columns(["file"])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("positions.csv", PLAIN)
    for raw in (
        gzip.compress(PLAIN.encode()),
        packed.getvalue(),
        b"\xef\xbb\xbf" + PLAIN.encode(),
        PLAIN.encode("utf-16"),
    ):
        assert desk.positions(raw).accepted().positions.drop_columns(["file"]) == expected


def test_typed_columns_of_parquet_and_of_a_table(desk: Desk) -> None:
    table = pa.table(
        {
            "portfolio_id": ["A", "B"],
            "cusip": ["037833100", None],
            "ticker": [None, "MSFT"],
            "weight": [0.5, 1.003],
        }
    )
    raw = io.BytesIO()
    pq.write_table(table, raw)
    found = (
        desk.positions(raw.getvalue(), "p.parquet").instruments("ticker,cusip\nAAPL,037833100\n").accepted()
    )
    assert rows(found, "portfolio_id", "instrument_id", "weight") == [
        ("A", "AAPL", 0.5),
        ("B", "MSFT", 1.003),
    ]
    sheet = sheet_of_table(table, "main.desk.positions", POSITIONS_KIND, BookMap().positions)
    assert received([sheet], [], [], BookMap()).rows["weight"].to_pylist() == [0.5, 1.003]


def test_a_header_in_a_stated_line_and_a_stated_end(desk: Desk) -> None:
    desk.positions("x,y,z\nAAA,BBB,CCC\nA,AAPL,1\nA,MSFT,2\nA,SAP,3\n")
    columns = "{portfolio_id: AAA, ticker: BBB, quantity: CCC}"
    desk.mapped(f"positions: {{header_line: 2, last_line: 4, columns: {columns}}}\n")
    assert rows(desk.accepted(), "instrument_id") == [("AAPL",), ("MSFT",)]


def test_a_row_in_front_of_the_disclaimer_that_cannot_be_read_is_no_disclaimer(desk: Desk) -> None:
    found = desk.positions(PLAIN + "B,MSFT,n.m.\n\nAll rights, reserved, here\n").accepted()
    assert reasons(found) == ["has 'n.m.' for quantity, which is no number"]
    assert "quarantined: line 5 of positions.csv has 'n.m.' for quantity, which is no number" in found.lines
    assert "line 7 of positions.csv" in found.lines[0]


def test_the_row_of_totals_is_no_position(desk: Desk) -> None:
    found = desk.positions("portfolio,ticker,weight\nA,AAPL,0.5\nA,MSFT,0.5\nA,Total,1\n").accepted()
    assert len(found.positions) == 2
    assert reasons(found) == ["is the sum of other rows"]


def test_further_columns_of_words_are_groups_and_amounts_are_none(desk: Desk) -> None:
    text = "portfolio,ticker,quantity,book,trader id,price\nA,AAPL,1,Core,7,150.25\nA,MSFT,2,,8,300.5\n"
    found = desk.positions(text).accepted()
    assert rows(found, "groups") == [('{"book": "Core"}',), ("{}",)]
    found = desk.mapped("positions: {groups: [trader id]}\n").accepted()
    assert rows(found, "groups") == [('{"trader id": "7"}',), ('{"trader id": "8"}',)]


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


def test_two_sheets_with_positions_are_refused_until_one_is_named(desk: Desk) -> None:
    raw = io.BytesIO()
    book = xlsxwriter.Workbook(raw)
    for name, shares in (("today", 1), ("yesterday", 2), ("notes", None)):
        sheet = book.add_worksheet(name)
        sheet.write_row(0, 0, ["ticker", "shares", "fund"] if shares else ["nothing here"])
        sheet.write_row(1, 0, ["AAPL", shares or "x", "A"])
    book.close()
    desk.positions(raw.getvalue(), "p.xlsx")
    assert "sheet today and" in desk.refusal()
    assert rows(desk.mapped("positions: {sheet: yesterday}\n").accepted(), "quantity") == [(2.0,)]
    assert "has no sheet 'tomorrow'" in desk.mapped("positions: {sheet: tomorrow}\n").refusal()


def test_prices_by_isin_need_a_file_of_instruments_and_the_run_says_so(desk: Desk) -> None:
    desk.positions("portfolio,isin,shares\nA,US0378331005,1\n")
    assert desk.accepted().lines[-1].endswith("set book.instruments_path")
