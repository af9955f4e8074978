"""What a file is made of: encodings, hidden marks, gzip, zip, Parquet, Excel, folders, and damaged ones."""

from __future__ import annotations

import gzip
import io
import re
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
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
NORMAL = {(name, day, f"{float(number):.2f}") for name, day, number, _ in EXPECTED}


def zipped(*members: tuple[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


def numbers(path: Path) -> set[tuple[str, str, str]]:
    return {(name, day, f"{float(number):.2f}") for name, day, number, _ in cells(read(path))}


BYTES = {
    "UTF-8": WIDE.encode(),
    "one mark": WIDE.encode("utf-8-sig"),
    "two marks": b"\xef\xbb\xbf" + WIDE.encode("utf-8-sig"),
    "a mark before quotes": b"\xef\xbb\xbf" + WIDE.replace("Date", '"Date"').encode(),
    "zero-width space": ("\u200b" + WIDE).encode(),
    "UTF-16 with a mark": WIDE.encode("utf-16"),
    "UTF-16 without a mark": WIDE.encode("utf-16-le"),
    "UTF-16 big-endian without a mark": WIDE.encode("utf-16-be"),
    "UTF-16 with tabs": WIDE.replace(",", "\t").encode("utf-16"),
    "UTF-32": WIDE.encode("utf-32"),
    "old Macintosh lines": WIDE.replace("\n", "\r").encode(),
    "sep=": b"sep=;\r\n" + WIDE.replace(",", ";").encode(),
    "bars": WIDE.replace(",", "|").encode(),
    "carets": WIDE.replace(",", "^").encode(),
    "blanks": WIDE.replace(",", " ").encode(),
    "gzip": gzip.compress(WIDE.encode()),
    "zip": zipped(("folder/prices.csv", WIDE.encode()), ("__MACOSX/._prices.csv", b"\0\1")),
    "zip of gzip": zipped(("prices.csv.gz", gzip.compress(WIDE.encode()))),
}


@pytest.mark.parametrize("case", BYTES)
def test_whatever_the_bytes_the_cells_are_the_same(case: str, tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_bytes(BYTES[case])
    assert cells(read(path)) == EXPECTED


@pytest.mark.parametrize(
    ("encoding", "names"),
    [
        ("cp1252", ["Société Générale", "Münchener Rück", "Telefónica"]),
        ("cp1251", ["Газпром", "Лукойл", "Сбербанк"]),
    ],
)
def test_names_in_an_old_encoding_are_found(encoding: str, names: list[str], tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_bytes(csv_text(rows(), header=["Date", *names]).encode(encoding))
    assert read(path).instruments == tuple(names)


def frame() -> pd.DataFrame:
    return pd.DataFrame(PRICES, columns=list(NAMES), index=pd.DatetimeIndex(DAYS, name="Date"))


def long_frame() -> pd.DataFrame:
    long = frame().stack().reset_index()
    long.columns = pd.Index(["date", "symbol", "close"])
    return long


PARQUET: dict[str, Callable[[], pd.DataFrame]] = {
    "an index of timestamps": frame,
    "a column of dates": lambda: frame().reset_index().assign(Date=DAYS),
    "text dates": lambda: frame().reset_index().assign(Date=[f"{day:%d.%m.%Y}" for day in DAYS]),
    "an index without a name": lambda: frame().rename_axis(None),
    "an index in New York": lambda: frame().tz_localize("America/New_York"),
    "New York's midnights in UTC": lambda: frame().tz_localize("America/New_York").tz_convert("UTC"),
    "Zurich's midnights in UTC": lambda: frame().tz_localize("Europe/Zurich").tz_convert("UTC"),
    "long": long_frame,
    "long with categories": lambda: long_frame().astype({"symbol": "category"}),
    "prices as text": lambda: frame().astype(str),
    "fields and tickers": lambda: pd.concat({"Close": frame(), "Volume": frame() * 1e5}, axis=1),
}


@pytest.mark.parametrize("case", PARQUET)
def test_a_parquet_file_holds_the_same_numbers(case: str, tmp_path: Path) -> None:
    path = tmp_path / "prices.parquet"
    PARQUET[case]().to_parquet(path)
    assert numbers(path) == NORMAL


def test_gaps_and_types_of_a_parquet_file(tmp_path: Path) -> None:
    days = pa.array([datetime(2024, 1, 2), datetime(2024, 1, 3)], pa.timestamp("ns"))
    columns = {
        "a": pa.array([1.5, float("nan")]),
        "b": pa.array([None, 3], pa.int64()),
        "c": pa.array([None, None]),
    }
    pq.write_table(pa.table({"date": days, **columns}), tmp_path / "p.parquet")
    found = read(tmp_path / "p.parquet")
    assert {(row["instrument_id"], row["number_text"]) for row in table(found)} == {("a", "1.5"), ("b", "3")}
    assert found.instruments == ("a", "b", "c")
    pq.write_table(pa.table({"date": days, "ok": pa.array([True, False])}), tmp_path / "p.parquet")
    assert "Column ok of" in refusal(tmp_path / "p.parquet")
    closes = [datetime(2024, 1, 2, 16), datetime(2024, 1, 3, 16)]
    for zone in (None, "America/New_York", "UTC"):
        stamps = pa.array(closes, pa.timestamp("us", zone))
        if zone == "America/New_York":
            stamps = pc.assume_timezone(pa.array(closes, pa.timestamp("us")), zone)
        pq.write_table(pa.table({"date": stamps, "a": pa.array([1.0, 2.0])}), tmp_path / "p.parquet")
        found = read(tmp_path / "p.parquet")
        assert {row["date"] for row in table(found)} == {date(2024, 1, 2), date(2024, 1, 3)}
        assert "times of closes" in found.understood[0]
    late = pa.array([datetime(2024, 1, 2), datetime(2024, 1, 3, 16)], pa.timestamp("us"))
    pq.write_table(pa.table({"date": late, "a": pa.array([1.0, 2.0])}), tmp_path / "p.parquet")
    assert re.search(
        "Row 2 of .* has '2024-01-03 16:00:00' for a date, a time of day", refusal(tmp_path / "p.parquet")
    )


def test_an_excel_file_holds_the_same_numbers(tmp_path: Path) -> None:
    book = xlsx([["Date", *NAMES], *[[day, *prices] for day, prices in zip(DAYS, PRICES, strict=True)]])
    (tmp_path / "prices.xlsx").write_bytes(book)
    assert numbers(tmp_path / "prices.xlsx") == NORMAL
    assert "Excel" in read(tmp_path / "prices.xlsx").understood[0]


def test_a_number_of_excel_is_no_text_with_a_mark(tmp_path: Path) -> None:
    book = xlsx([["Date", "X"], [DAYS[0], 998.0], [DAYS[1], 1.003], [DAYS[2], "#N/A N/A"], [DAYS[3], 1.1]])
    (tmp_path / "prices.xlsx").write_bytes(book)
    assert sorted(float(row["number_text"]) for row in table(read(tmp_path / "prices.xlsx"))) == [
        1.003,
        1.1,
        998.0,
    ]


def xlsx(lines: list[list[object]]) -> bytes:
    """Return the smallest Excel file of one sheet, as ECMA-376 describes it; nothing here can write one."""

    def cell(value: object) -> str:
        if isinstance(value, str):
            return f'<c t="inlineStr"><is><t>{value}</t></is></c>'
        if isinstance(value, float):
            return f"<c><v>{value!r}</v></c>"
        return f'<c s="1"><v>{pd.Timestamp(value).to_julian_date() - 2415018.5:.0f}</v></c>'

    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    package = "http://schemas.openxmlformats.org/package/2006"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    body = "".join(f"<row>{''.join(map(cell, line))}</row>" for line in lines)
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/xl/workbook.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="r1" Type="{office}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook {space} xmlns:r="{office}"><sheets>'
        '<sheet name="Kurse" sheetId="1" r:id="r1"/>'
        "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{office}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="r2" Type="{office}/styles" '
        'Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet {space}><cellXfs count="2"><xf numFmtId="0"/>'
        '<xf numFmtId="14"/></cellXfs></styleSheet>',
        "xl/worksheets/sheet1.xml": f"<worksheet {space}><sheetData>{body}</sheetData></worksheet>",
    }
    return zipped(*[(name, ('<?xml version="1.0"?>' + content).encode()) for name, content in parts.items()])


def test_a_folder_has_one_file_per_instrument(tmp_path: Path) -> None:
    for at, name in enumerate(NAMES):
        header = ["Date", "Open", "High", "Low", "Close", "Volume"]
        lines = [
            [day.isoformat(), "1", "1", "1", text(p[at]), "100"] for day, p in zip(DAYS, PRICES, strict=True)
        ]
        content = csv_text(lines, header=header).encode()
        path = tmp_path / "prices" / f"{name}.csv{'.gz' if at else ''}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(gzip.compress(content) if at else content)
    (tmp_path / "prices" / ".hidden.csv").write_text("nothing")
    (tmp_path / "prices" / "README.md").write_text("nothing")
    found = read(tmp_path / "prices")
    assert cells(found) == EXPECTED
    assert found.understood[0].startswith("3 files, one instrument, ISO dates")
    (tmp_path / "prices" / "D.csv").write_text("date,AAA\n2024-01-02,1.5\n")
    assert re.search(
        r"Line 2 of .*D\.csv has 2024-01-02 again for AAA, after line 3 of .*AAA\.csv",
        refusal(tmp_path / "prices"),
    )


def test_files_of_a_folder_decide_together(tmp_path: Path) -> None:
    (tmp_path / "A.csv").write_text("date,close\n01/02/2024,12.5\n")
    (tmp_path / "B.csv").write_text("date,close\n13/02/2024,1.003\n")
    found = {(row["instrument_id"], str(row["date"]), row["number_text"]) for row in table(read(tmp_path))}
    assert found == {("A", "2024-02-01", "12.5"), ("B", "2024-02-13", "1.003")}


REFUSED: dict[str, tuple[bytes, str]] = {
    "a damaged gzip file": (gzip.compress(WIDE.encode())[:-20], "damaged gzip file"),
    "a damaged zip file": (zipped(("a.csv", WIDE.encode()))[:-30], "damaged zip file"),
    "an empty zip file": (zipped(("a.pdf", b"x")), "contains no file of prices"),
    "a damaged Parquet file": (b"PAR1" + b"x" * 50, "damaged Parquet file"),
    "a picture": (bytes(range(256)) * 40, "is not text in a known encoding"),
    "zero bytes": (b"\0" * 100, "is not text"),
    "half of a UTF-16 character": (WIDE.encode("utf-16")[:-1], "UTF-16"),
    "a quote that does not close": (b'date,A\n2024-01-02,1\n2024-01-03,"1\n', "Line 3 of .* is not CSV"),
    "no Excel file": (zipped(("[Content_Types].xml", b"x")), "is not a readable Excel file"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_damaged_file_is_refused_in_one_line(case: str, tmp_path: Path) -> None:
    content, expected = REFUSED[case]
    (tmp_path / "prices.csv").write_bytes(content)
    assert re.search(expected, refusal(tmp_path / "prices.csv"))


def test_places_without_prices_are_refused_in_one_line(tmp_path: Path) -> None:
    assert "There is no file" in refusal(tmp_path / "none.csv")
    assert "contains no file of prices" in refusal(tmp_path)
    (tmp_path / "_delta_log").mkdir()
    assert "is a Delta table; set market_data.source to table" in refusal(tmp_path)
