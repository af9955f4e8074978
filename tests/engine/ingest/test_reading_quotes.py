"""Quotes of one instrument and flattened names: fields are no instruments, whatever they are called."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from ingest.reading_files import DAYS, EXPECTED, NAMES, PRICES, cells, csv_text, read, refusal, rows, text

ONE = {("X", day.isoformat(), text(price[0]), None) for day, price in zip(DAYS, PRICES, strict=True)}


def saved(folder: Path, content: str, name: str = "prices.csv") -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "header",
    [
        ["Datum", "Erster", "Hoch", "Tief", "Schlusskurs", "Volumen"],
        ["Datum", "Er\u00f6ffnung", "Tageshoch", "Tagestief", "Schluss", "Umsatz"],
        ["Date", "Ouverture", "Plus Haut", "Plus Bas", "Dernier", "Vol."],
        ["Fecha", "Apertura", "M\u00e1ximo", "M\u00ednimo", "\u00daltimo", "Vol."],
        [
            "\u65e5\u671f",
            "\u5f00\u76d8",
            "\u6700\u9ad8",
            "\u6700\u4f4e",
            "\u6536\u76d8",
            "\u6210\u4ea4\u91cf",
        ],
        ["Dates", "PX_OPEN", "PX_HIGH", "PX_LOW", "PX_LAST", "PX_VOLUME"],
        ["Date", "Previous Close", "Unadjusted Close", "Volume", "Close", "VWAP"],
    ],
)
def test_quotes_of_other_countries_are_one_instrument(header: list[str], tmp_path: Path) -> None:
    lines = [
        [day.isoformat(), "9", "9.5", "8", text(p[0]), "1234"] for day, p in zip(DAYS, PRICES, strict=True)
    ]
    assert cells(read(saved(tmp_path, csv_text(lines, header=header), "X.csv"))) == ONE


def quotes(names: list[str], share_classes: bool = False) -> str:
    """Return a hundred days of opening, high, low and close, or of four funds that never meet."""
    draws = np.random.default_rng(3)
    lines, close = [], 50.0
    for day in np.arange("2024-01-01", "2024-06-01", dtype="datetime64[D]"):
        opening = close * np.exp(draws.normal(0, 0.004))
        path = opening * np.exp(np.cumsum(draws.normal(0, 0.004, 12)))
        close = float(path[-1])
        shown = [opening, max(opening, *path), min(opening, *path), close]
        if share_classes:
            shown = [close, close * 1.02, close * 0.97, close * 0.99]
        lines.append([str(day), *map(text, shown)])
    return csv_text(lines, header=["Pvm", *names])


def test_quotes_under_names_that_nobody_knows_are_told_by_their_numbers(tmp_path: Path) -> None:
    path = saved(tmp_path, quotes(["Avaus", "Ylin", "Alin", "Viimeinen"]), "X.csv")
    said = (
        "'Ylin' is never below 'Avaus' and 'Viimeinen', and 'Alin' never above; set market_data.columns.price"
    )
    assert said in refusal(path)
    assert read(path, columns={"price": "Viimeinen"}).instruments == ("X",)


def test_share_classes_in_one_order_are_instruments(tmp_path: Path) -> None:
    found = read(saved(tmp_path, quotes(["A", "B", "C", "D"], share_classes=True)))
    assert found.instruments == ("A", "B", "C", "D")


@pytest.mark.parametrize("name", ["{n}_{f}", "{f} {n}", "{n} {f}", "{f}.{n}", "{n}|{f}"])
def test_instrument_and_field_in_one_name_are_told_apart(name: str, tmp_path: Path) -> None:
    header = ["Date", *(name.format(n=n, f=f) for f in ("Close", "Adj Close", "Volume") for n in NAMES)]
    lines = [[line[0], *line[1:], *line[1:], "1", "2", "3"] for line in rows()]
    found = read(saved(tmp_path, csv_text(lines, header=header)))
    assert set(found.instruments) == set(NAMES)
    assert cells(found) == {(*one[:3], one[2]) for one in EXPECTED}


def test_names_with_one_field_or_without_closes_stay_names(tmp_path: Path) -> None:
    header = ["Date", *(f"{name}_Close" for name in NAMES)]
    assert read(saved(tmp_path, csv_text(rows(), header=header))).instruments == tuple(header[1:])
    header = ["Date", "AAA_Close", "AAA_Volume", "BBB_Volume"]
    assert read(saved(tmp_path, csv_text(rows(), header=header))).instruments == tuple(header[1:])


def stacked(second: list[str], third: list[str] | None, first: list[str]) -> str:
    lines = [second, *([third] if third else [])]
    volumes = [[*line, "1", "2", "3"] for line in rows()]
    return csv_text([*lines, *volumes], header=first)


@pytest.mark.parametrize(
    ("first", "third"),
    [
        (["Price", *["Close"] * 3, *["Volume"] * 3], ["Date", *["NaN"] * 6]),
        (["Price", "Close", "", "", "Volume", "", ""], ["Date", *[""] * 6]),
        (["", "Close", "", "", "Volume", "", ""], None),
    ],
)
def test_merged_headers_and_marks_of_nothing_are_headers(
    first: list[str], third: list[str] | None, tmp_path: Path
) -> None:
    assert cells(read(saved(tmp_path, stacked(["Ticker", *NAMES, *NAMES], third, first)))) == EXPECTED


def test_codes_of_digits_may_stand_below_the_fields(tmp_path: Path) -> None:
    codes = ["005930", "000660", "7203"]
    path = saved(
        tmp_path,
        stacked(["Ticker", *codes, *codes], ["Date", *[""] * 6], ["Price", *["Close"] * 3, *["Volume"] * 3]),
    )
    assert read(path).instruments == tuple(codes)


def test_a_row_for_each_field_is_refused_without_the_advice_to_delete_rows(tmp_path: Path) -> None:
    lines = [
        [day, name, field, price if field == "close" else "100"]
        for day, *values in rows()
        for name, price in zip(NAMES, values, strict=True)
        for field in ("close", "volume")
    ]
    path = saved(tmp_path, csv_text(lines, header=["date", "ticker", "item", "figure"]))
    assert re.search("Column 'item' of .* has names of fields, such as 'close'; keep the rows", refusal(path))


def test_a_column_of_prices_called_name_is_no_list_of_names(tmp_path: Path) -> None:
    header = ["Date", "PRICE", "LAST", "NAME"]
    assert read(saved(tmp_path, csv_text(rows(), header=header))).instruments == ("PRICE", "LAST", "NAME")


def test_the_prices_of_a_long_table_need_no_name(tmp_path: Path) -> None:
    lines = [[day, name, price] for day, *values in rows() for name, price in zip(NAMES, values, strict=True)]
    assert cells(read(saved(tmp_path, csv_text(lines, header=["Date", "Ticker", ""])))) == EXPECTED


@pytest.mark.parametrize("start", ["<!DOCTYPE html><html>", "<table>", '<?xml version="1.0"?>'])
def test_a_web_page_is_called_one(start: str, tmp_path: Path) -> None:
    assert "is a web page (HTML or XML) and no table" in refusal(
        saved(tmp_path, f"{start}\n{csv_text(rows())}")
    )


@pytest.mark.filterwarnings("error")
def test_numbers_that_have_no_ratio_are_no_quotes_and_warn_of_nothing(tmp_path: Path) -> None:
    lines = [[day, "1e-300", "1e300", "0", "1e999"] for day, *_ in rows()]
    path = saved(tmp_path, csv_text(lines, header=["Date", "A", "B", "C", "D"]))
    assert read(path).instruments == ("A", "B", "C", "D")
