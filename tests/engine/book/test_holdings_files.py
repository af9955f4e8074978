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
from book.desk import Desk, reasons, rows

PLAIN = "portfolio_id,instrument_id,quantity\nA,AAPL,100\nA,MSFT,-50.5\nB,AAPL,0\n"
EXPECTED = [("A", "AAPL", 100.0), ("A", "MSFT", -50.5), ("B", "AAPL", 0.0)]


@pytest.fixture
def desk(settings: Callable[..., Settings]) -> Desk:
    return Desk(settings)


def test_three_columns_are_enough(desk: Desk) -> None:
    found = desk.positions(PLAIN).accepted()
    assert rows(found, "portfolio_id", "instrument_id", "quantity") == EXPECTED
    assert rows(found, "market_value", "weight", "currency") == [(None, None, "USD")] * 3
    assert found.lines == ("3 positions, 2 portfolios, 2 instruments",)


def test_each_file_of_a_folder_can_be_a_portfolio(desk: Desk) -> None:
    (desk.folder / "funds").mkdir()
    for fund, shares in (("ONE", 1), ("TWO", 2)):
        desk.write(f"funds/{fund}.csv", f"ticker,shares\nAAPL,{shares}\n")
    desk.named["path"] = str(desk.folder / "funds")
    found = desk.mapped("positions: {portfolio_is_file_name: true}\n").accepted()
    assert rows(found, "portfolio_id", "quantity") == [("ONE", 1.0), ("TWO", 2.0)]


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
    assert found.lines[0].endswith("table: rows 1 to 2 and row 7 of fund.xlsx, sheet holdings")


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


def test_rows_in_front_of_the_disclaimer_that_cannot_be_read_are_no_disclaimer(desk: Desk) -> None:
    text = PLAIN + "B,MSFT,n.m.\nB,AAPL,n.m.\n\nAll rights, reserved, here\n"
    found = desk.positions(text).accepted()
    assert reasons(found) == ["has 'n.m.' for quantity, which is not a number"] * 2
    assert (
        "quarantined: line 5 of positions.csv has 'n.m.' for quantity, which is not a number" in found.lines
    )
    assert "line 8 of positions.csv" in found.lines[0]


def test_a_line_break_within_a_cell_of_the_last_row(desk: Desk) -> None:
    text = 'portfolio,ticker,name,shares\nA,AAPL,Apple,1\nA,MSFT,"Microsoft\nCorp",2\n'
    found = desk.positions(text + "\nNothing here, is advice\n").accepted()
    assert rows(found, "instrument_id", "quantity") == [("AAPL", 1.0), ("MSFT", 2.0)]


def test_the_row_of_totals_is_no_position(desk: Desk) -> None:
    found = desk.positions("portfolio,ticker,weight\nA,AAPL,0.5\nA,MSFT,0.5\nA,Total,1\n").accepted()
    assert len(found.positions) == 2
    assert reasons(found) == ["is the sum of other rows"]


def test_the_sum_of_a_section_is_no_position_and_a_share_called_so_is_one(desk: Desk) -> None:
    text = "portfolio,ticker,name,mv\nA,AAPL,Apple,60\nA,TTE,Total SE,40\nA,,Total Equities,100\nA,,Cash,5\n"
    found = desk.positions(text).accepted()
    assert rows(found, "instrument_id", "market_value") == [("AAPL", 60.0), ("CASH.USD", 5.0), ("TTE", 40.0)]
    assert reasons(found) == ["is the sum of other rows"]


def test_an_account_number_of_a_sheet_has_no_exponent(desk: Desk) -> None:
    raw = io.BytesIO()
    book = xlsxwriter.Workbook(raw)
    sheet = book.add_worksheet()
    for line, cells in enumerate(
        [["account", "ticker", "shares"], [123456789012, "AAPL", 5], [7, "MSFT", 0.25]]
    ):
        sheet.write_row(line, 0, cells)
    book.close()
    found = desk.positions(raw.getvalue(), "p.xlsx").accepted()
    assert rows(found, "portfolio_id", "quantity") == [("123456789012", 5.0), ("7", 0.25)]


def test_further_columns_of_words_are_groups_and_amounts_are_none(desk: Desk) -> None:
    text = "portfolio,ticker,quantity,book,trader id,price\nA,AAPL,1,Core,7,150.25\nA,MSFT,2,,8,300.5\n"
    found = desk.positions(text).accepted()
    assert rows(found, "groups") == [('{"book": "Core"}',), ("{}",)]
    found = desk.mapped("positions: {groups: [trader id]}\n").accepted()
    assert rows(found, "groups") == [('{"trader id": "7"}',), ('{"trader id": "8"}',)]


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
