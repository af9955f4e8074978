"""Numbers: the whole file decides the decimal mark; one that can be both is refused with its place."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.reading_files import DAYS, EXPECTED, cells, csv_text, read, refusal, rows, table, text


def comma(price: float) -> str:
    return f"{price:.2f}".replace(".", ",")


def grouped(thousands: str, decimal: str) -> Callable[[float], str]:
    return lambda price: f"{price:,.2f}".replace(",", "_").replace(".", decimal).replace("_", thousands)


WRITTEN: dict[str, tuple[Callable[[float], str], str, str]] = {
    "decimal comma, quoted": (comma, ",", "decimal comma"),
    "decimal comma, semicolons": (comma, ";", "decimal comma"),
    "thousands commas": (grouped(",", "."), ",", "decimal point"),
    "thousands points": (grouped(".", ","), ";", "decimal comma"),
    "thousands blanks": (grouped("\u202f", ","), "\t", "decimal comma"),
    "thousands apostrophes": (grouped("'", "."), "|", "decimal point"),
    "no-break spaces behind": (lambda price: text(price) + "\u00a0", ",", "decimal point"),
    "tabs before": (lambda price: "\t" + text(price), ",", "decimal point"),
    "zero-width marks": (lambda price: "\u200b" + text(price) + "\ufeff", ",", "decimal point"),
    "dollars": (lambda price: "$" + grouped(",", ".")(price), ",", "decimal point"),
    "euros behind": (lambda price: comma(price) + " €", ";", "decimal comma"),
}


@pytest.mark.parametrize("case", WRITTEN)
def test_each_way_of_writing_numbers_is_the_same_number_and_kept_as_received(
    case: str, tmp_path: Path
) -> None:
    write, separator, said = WRITTEN[case]
    path = tmp_path / "prices.csv"
    path.write_text(csv_text(rows(write=write), separator), encoding="utf-8")
    found = read(path)
    assert cells(found) == EXPECTED
    assert said in found.understood[0]
    received = {row["price_text"] for row in table(found)}
    assert write(1005.12) in received


def test_a_thousands_comma_from_some_day_on_is_read_with_the_cells_before(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text('date,INDEX\n2024-01-01,998.12\n2024-01-02,"1,036.69"\n2024-01-03,"1,000,001"\n')
    assert [row["number_text"] for row in table(read(path))] == ["998.12", "1036.69", "1000001"]


EMPTY = [
    "#N/A N/A",
    "#N/A",
    "-",
    "--",
    "null",
    "NULL",
    "NA",
    "NaN",
    "nan",
    "n/a",
    "N/A",
    "None",
    "",
    " ",
    "\u00a0",
    ".",
]


def test_cells_that_say_nothing_are_no_rows(tmp_path: Path) -> None:
    lines = rows()
    for line, cell in zip(lines, EMPTY, strict=False):
        line[1] = cell
    path = tmp_path / "prices.csv"
    path.write_text(csv_text(lines), encoding="utf-8")
    kept = cells(read(path))
    gone = {day.isoformat() for day in DAYS[: len(EMPTY)]}
    assert kept == {cell for cell in EXPECTED if cell[0] != "AAA" or cell[1] not in gone}


@pytest.mark.parametrize("cell", ["abc", "1.2.3", "1,03.69", "12 34", "inf", "5%", "#DIV/0!"])
def test_what_is_no_number_stays_as_it_is_for_quarantine(cell: str, tmp_path: Path) -> None:
    lines = rows()
    lines[4][2] = cell
    path = tmp_path / "prices.csv"
    path.write_text(csv_text(lines), encoding="utf-8")
    (odd,) = [row for row in table(read(path)) if row["price_text"] == cell]
    assert odd["number_text"] == cell


def lines_of(*columns: list[str], separator: str = ";") -> str:
    names = [f"X{at}" for at in range(len(columns))]
    shown = [[day.isoformat(), *line] for day, line in zip(DAYS, zip(*columns, strict=True), strict=False)]
    return csv_text(shown, separator, ["date", *names])


REFUSED = {
    "three digits behind points": (
        lines_of(["998", "999", "1.003"]),
        "Line 4 of .* has '1.003' in column 'X0', a point that",
    ),
    "three digits behind commas": (
        lines_of(["998", "999", "1,003"]),
        "Line 4 of .* has '1,003' in column 'X0', a comma that",
    ),
    "points always": (
        lines_of(["16.769", "16.800"]),
        "Line 2 .*'16.769'.*set market_data.decimal to point or comma",
    ),
    "beside a column that decides": (
        lines_of(["12.5", "12.6", "12.75"], ["998", "999", "1.003"]),
        "Line 4 .*'1.003' in column 'X1'",
    ),
    "commas beside a column that decides": (
        lines_of(["12,5", "12,6", "12,75"], ["998", "999", "1,003"]),
        "Line 4 .*'1,003' in column 'X1'",
    ),
    "both": (
        lines_of(["12.5", "12.6", "12,75"]),
        "Line 4 of .* has '12,75' in column 'X0', a decimal comma; other numbers",
    ),
    "the uppermost of several": (
        lines_of(["12.5", "12.6", "12.75", "12,5"], ["5.5", "7,25", "6.5", "6.25"]),
        "Line 3 of .*'7,25' in column 'X1'",
    ),
    "both in two columns": (
        lines_of(["12.5", "12.6", "7"], ["5", "1.036,69", "6"]),
        "Line 3 of .*'1.036,69' in column 'X1'",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_mark_that_can_be_both_is_refused_with_line_and_column(case: str, tmp_path: Path) -> None:
    content, expected = REFUSED[case]
    path = tmp_path / "prices.csv"
    path.write_text(content)
    assert re.search(expected, refusal(path))


def test_a_long_file_is_judged_by_instrument(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text(
        "date,symbol,close\n2024-01-02,A,12.5\n2024-01-02,B,998\n2024-01-03,A,12.75\n2024-01-03,B,1.003\n"
    )
    assert "Line 5 of" in refusal(path)
    assert "'1.003' in column 'close'" in refusal(path)


def test_the_setting_decides_where_the_file_does_not(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text(lines_of(["998", "999", "1.003"]))
    assert [row["number_text"] for row in table(read(path, decimal="comma"))] == ["998", "999", "1003"]
    assert [row["number_text"] for row in table(read(path, decimal="point"))] == ["998", "999", "1.003"]
    path.write_text(lines_of(["998", "999,5", "1.003"]))
    assert "market_data.decimal is point" in refusal(path, decimal="point")


def test_eighths_are_decimals(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text(lines_of(["100", "100.125", "100.25", "100.5"]))
    assert [row["number_text"] for row in table(read(path))] == ["100", "100.125", "100.25", "100.5"]
