"""Which column is what: wide, long, yfinance's headers, the fields of one ticker, names of the user's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.reading_files import (
    DAYS,
    EXPECTED,
    NAMES,
    PRICES,
    cells,
    csv_text,
    read,
    refusal,
    rows,
    table,
    text,
)

WIDE = csv_text(rows())
OHLCV = ["Date", "Open", "High", "Low", "Close", "Adj Close", "Volume"]


def saved(folder: Path, content: str | bytes, name: str = "prices.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def long_lines() -> list[list[str]]:
    return [
        [day.isoformat(), name, text(price)]
        for day, prices in zip(DAYS, PRICES, strict=True)
        for name, price in zip(NAMES, prices, strict=True)
    ]


def three_headers(fields: list[str]) -> str:
    """Return what yfinance writes: fields, tickers, and a line with the name of the index."""
    lines = [["Ticker", *(name for _ in fields for name in NAMES)], ["Date", *[""] * 3 * len(fields)]]
    for day, prices in zip(DAYS, PRICES, strict=True):
        shown = [
            str(10**6 + at) if field == "Volume" else text(price * (0.9 if field.startswith("Adj") else 1))
            for field in fields
            for at, price in enumerate(prices)
        ]
        lines.append([day.isoformat(), *shown])
    return csv_text(lines, header=["Price", *(field for field in fields for _ in NAMES)])


SAME = {
    "wide": WIDE,
    "long": csv_text(long_lines(), header=["date", "symbol", "close"]),
    "long with names nobody knows": csv_text(long_lines(), header=["Date", "Papier", "Wert in EUR"]),
    "long and upside down": csv_text(long_lines()[::-1], header=["TIME", "Ticker", "PX_LAST"]),
    "long with fields": csv_text(
        [[day, name, "7", price, "100"] for day, name, price in long_lines()],
        header=["Date", "Symbol", "Open", "Close", "Volume"],
    ),
    "yfinance with one field": three_headers(["Close"]),
    "yfinance with fields": three_headers(["Close", "High", "Low", "Open", "Volume"]),
    "yfinance as pandas reads it": three_headers(["Close"]).replace(
        "Close,Close,Close", "Close,Close.1,Close.2"
    ),
    "two names flattened": WIDE.replace(
        "AAA,BBB,CCC", "\"('Close', 'AAA')\",\"('Close', 'BBB')\",\"('Close', 'CCC')\""
    ),
    "an index without a name": WIDE.replace("Date", "", 1),
    "an index that counts": csv_text(
        [[str(at), *line] for at, line in enumerate(rows())], header=["", "Date", *NAMES]
    ),
    "an index that counts under a name": csv_text(
        [[str(at), *line] for at, line in enumerate(rows(), 1)], header=["ID", "Date", *NAMES]
    ),
    "a date column of any name": WIDE.replace("Date", "Stichtag", 1),
    "descending": csv_text(rows()[::-1]),
    "unsorted": csv_text(rows()[7:] + rows()[:7]),
    "other order of columns": csv_text(
        [[line[3], line[0], line[2], line[1]] for line in rows()], header=["CCC", "Date", "BBB", "AAA"]
    ),
    "trailing separators": WIDE.replace("\n", ",,\n"),
    "trailing separators below the header only": WIDE.replace("\n2024", ",,\n2024").replace(",,\n", "\n", 1),
    "trailing lines": WIDE + ",,,\n\n \n",
    "Windows lines": WIDE.replace("\n", "\r\n"),
    "no line break at the end": WIDE.rstrip("\n"),
    "all quoted": "".join(
        ",".join(f'"{cell}"' for cell in line.split(",")) + "\n" for line in WIDE.splitlines()
    ),
}


@pytest.mark.parametrize("case", SAME)
def test_the_same_prices_in_another_layout_are_the_same_cells(case: str, tmp_path: Path) -> None:
    found = read(saved(tmp_path, SAME[case]))
    assert cells(found) == EXPECTED
    assert found.understood[1] == f"3 instruments, {len(DAYS)} dates"
    assert set(found.instruments) == set(NAMES)


def test_numbers_that_count_are_instruments_where_a_date_repeats_or_settings_say_so(tmp_path: Path) -> None:
    days = [[day.isoformat(), str(number), "7.5"] for day in DAYS[:3] for number in range(1, 61)]
    long = read(saved(tmp_path, csv_text(days, header=["date", "id", "close"])))
    assert long.instruments == tuple(map(str, range(1, 61)))
    lines = [[str(at), *line] for at, line in enumerate(rows(), 1)]
    path = saved(tmp_path, csv_text(lines, header=["No", "Date", *NAMES]))
    assert read(path, columns={"price": "No"}).instruments == ("prices",)


def test_a_tickers_fields_are_one_instrument_named_after_the_file(tmp_path: Path) -> None:
    lines = [
        [day.isoformat(), "9", "9", "9", text(p[0]), text(p[1]), "1234567"]
        for day, p in zip(DAYS, PRICES, strict=True)
    ]
    found = read(saved(tmp_path, csv_text(lines, header=OHLCV), "BRK.B.csv"))
    assert found.instruments == ("BRK.B",)
    assert found.understood == (
        "file of one instrument, ISO dates, decimal point, close and adjusted close",
        f"1 instrument, {len(DAYS)} dates",
    )
    assert cells(found) == {
        ("BRK.B", day.isoformat(), text(p[0]), text(p[1])) for day, p in zip(DAYS, PRICES, strict=True)
    }


@pytest.mark.parametrize(
    "header",
    [
        ["Date", "Close/Last", "Volume", "Open", "High", "Low"],
        ["Date", "Price", "Vol.", "Open", "High", "Change %"],
        ["timestamp", "close", "volume", "adjOpen", "divCash", "splitFactor"],
    ],
)
def test_other_vendors_fields_are_one_instrument_too(header: list[str], tmp_path: Path) -> None:
    lines = [[day.isoformat(), text(p[0]), "1", "2", "3", "4"] for day, p in zip(DAYS, PRICES, strict=True)]
    assert cells(read(saved(tmp_path, csv_text(lines, header=header), "X.csv"))) == {
        ("X", day.isoformat(), text(p[0]), None) for day, p in zip(DAYS, PRICES, strict=True)
    }


def test_yfinance_with_adjusted_closes_keeps_both(tmp_path: Path) -> None:
    found = read(saved(tmp_path, three_headers(["Adj Close", "Close", "Volume"])))
    kept = {(row["instrument_id"], row["number_text"], row["adjusted_text"]) for row in table(found)}
    assert len(kept) == 3 * len(DAYS)
    assert ("AAA", "48.25", "43.43") in kept or ("AAA", "48.25", "43.42") in kept
    assert "close and adjusted close" in found.understood[0]


def test_tickers_that_are_called_like_fields_stay_instruments(tmp_path: Path) -> None:
    header = ["Date", "LOW", "OPEN", "NA"]
    assert read(saved(tmp_path, csv_text(rows(), header=header))).instruments == ("LOW", "OPEN", "NA")
    header = ["Date", "SYMBOL", "CODE", "LAST"]
    assert read(saved(tmp_path, csv_text(rows(), header=header))).instruments == ("SYMBOL", "CODE", "LAST")


def test_a_long_file_of_one_code_without_letters_is_long(tmp_path: Path) -> None:
    lines = [[day.isoformat(), "600519", text(p[0])] for day, p in zip(DAYS, PRICES, strict=True)]
    found = read(saved(tmp_path, csv_text(lines, header=["date", "symbol", "close"])))
    assert found.instruments == ("600519",)
    assert len(cells(found)) == len(DAYS)


def test_odd_names_and_twins_stay_apart(tmp_path: Path) -> None:
    names = ["NA", "TRUE", "null", "BRK/B", "^GSPC", "005930", "Apple\nInc", "Alphabet, Inc.",
             "aaa", "AAA", "AAA.1",
             "caf\u00e9", "cafe\u0301", "L" * 300]  # fmt: skip
    lines = [[day.isoformat(), *["1.5"] * len(names)] for day in DAYS]
    found = read(saved(tmp_path, csv_text(lines, header=["date", *names])))
    assert found.instruments == tuple(names)
    assert len(cells(found)) == len(names) * len(DAYS)


def test_a_ticker_called_na_stays_a_name_in_a_long_file(tmp_path: Path) -> None:
    lines = [[day, {"AAA": "NA"}.get(name, name), price] for day, name, price in long_lines()]
    assert read(saved(tmp_path, csv_text(lines, header=["date", "ticker", "price"]))).instruments[0] == "NA"


def test_columns_of_the_users_own_are_mapped(tmp_path: Path) -> None:
    lines = [[day, name, "3", price, text(float(price) / 2)] for day, name, price in long_lines()]
    path = saved(tmp_path, csv_text(lines, header=["Tag 1", "Wer", "Zahl", "Preis A", "Preis B"]))
    assert "market_data.columns" in refusal(path, columns={"instrument_id": "Wer"})
    columns = {"date": "Tag 1", "instrument_id": "wer", "price": "Preis A", "adjusted_price": "Preis B"}
    kept = table(read(path, columns=columns))
    assert {(row["instrument_id"], row["number_text"], row["adjusted_text"]) for row in kept} >= {
        ("AAA", "48.25", "24.12")
    }
    said = refusal(path, columns={"price": "Kurs"})
    assert "market_data.columns says that price is 'Kurs'" in said
    assert "its columns are 'Tag 1', 'Wer', 'Zahl'" in said


REFUSED = {
    "empty": ("", "is empty; it needs a header"),
    "two instruments' columns": (
        csv_text([[d, n, n, p] for d, n, p in long_lines()], header=["date", "isin", "symbol", "price"]),
        "has 'isin' and 'symbol', and each can be instrument_id; set market_data.columns.instrument_id",
    ),
    "long without prices": (
        csv_text([[d, n, p, p] for d, n, p in long_lines()], header=["date", "isin", "x", "y"]),
        "is a long file, and none of its columns 'x', 'y' is named price or close; set market_data",
    ),
    "no header": (
        csv_text(rows()[1:], header=rows()[0]),
        "has the date '2024-01-01' in its first line; it needs a header",
    ),
    "dates side by side": (
        csv_text([["AAA", "1", "2"]], header=["Name", "2024-01-02", "2024-01-03"]),
        "it has dates side by side; put them below each other",
    ),
    "two columns of dates": (
        csv_text([[d, d, p] for d, _, p in long_lines()[::3]], header=["Handelstag", "Valuta", "AAA"]),
        "market_data.columns.date",
    ),
    "a date twice": (
        csv_text([*rows(), rows()[3]]),
        f"Line {len(DAYS) + 2} of .* has 2024-01-04 again, after line 5",
    ),
    "a date twice in a long file": (
        csv_text([*long_lines(), long_lines()[4]], header=["date", "symbol", "close"]),
        "has 2024-01-02 again for BBB, after line 6; keep one row per date and instrument",
    ),
    "a name twice": (
        csv_text(rows(), header=["Date", "A", "\ufeffA ", "B"]),
        "more than one column named 'A'",
    ),
    "yfinance without closes": (three_headers(["Volume", "Open"]), "'Volume', 'Open' of AAA and no close"),
    "a row without instrument": (
        csv_text([["2024-01-01", " ", "1"], *long_lines()], header=["date", "symbol", "close"]),
        "Line 2 of .* has no instrument in column symbol; fill it in",
    ),
    "a column without a name": (
        csv_text(rows(), header=["Date", "A", "B", ""]),
        "Column 4 of .* has no name; name it or remove it",
    ),
    "a column without a name further below": (
        csv_text([*rows()[:3], [*rows()[3], "7"]]),
        "Line 5 of .* has 5 cells, its header in line 1 has 4",
    ),
    "a title above": ("Prices of the desk\n" + WIDE, "Line 2 of .* has 4 cells, its header in line 1 has 1"),
    "a short line": (WIDE + "2024-03-01,1,2\n", "has 3 cells, its header in line 1 has 4"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_layout_of_prices_is_refused_with_its_place(case: str, tmp_path: Path) -> None:
    import re

    content, expected = REFUSED[case]
    assert re.search(expected, refusal(saved(tmp_path, content)))
