"""Any file is read as meant or refused in one line with its place: never a traceback, never a guess."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from acceleray.errors import PortfolioError
from fuzzing import drawing
from ingest.reading_files import csv_text, read, table

FUZZ = drawing(night=150, quick=40)
DATES = {
    "ISO": "%Y-%m-%d", "compact": "%Y%m%d", "day first": "%d.%m.%Y", "month first": "%m/%d/%Y",
    "name": "%d %b %Y", "midnight": "%Y-%m-%d 00:00:00-05:00", "short years": "%d/%m/%y",
}  # fmt: skip
# Decimal mark and thousands mark.
NUMBERS = [(".", ""), (",", ""), (".", ","), (",", "."), (",", "\u00a0"), (".", "'"), (",", " ")]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
NAME = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Cs", "Zs", "Zl", "Zp", "Cn", "Co"]),
    min_size=1,
    max_size=8,
)


@dataclass(frozen=True)
class Meant:
    """What a file means and how it writes it."""

    names: list[str]
    days: list[date]
    prices: list[list[Decimal | None]]
    dates: str
    marks: tuple[str, str]
    separator: str
    encoding: str
    layout: str
    blank: str

    def number(self, price: Decimal | None) -> str:
        if price is None:
            return self.blank
        decimal, thousands = self.marks
        return f"{price:,f}".replace(",", "_").replace(".", decimal).replace("_", thousands)

    def bytes(self) -> bytes:
        shown = [day.strftime(DATES[self.dates]) for day in self.days]
        if self.layout == "wide":
            header = ["Date", *self.names]
            lines = [[day, *map(self.number, prices)] for day, prices in zip(shown, self.prices, strict=True)]
        else:
            header = ["date", "symbol", "close"]
            lines = [
                [day, name, self.number(price)]
                for day, prices in zip(shown, self.prices, strict=True)
                for name, price in zip(self.names, prices, strict=True)
            ]
        return csv_text(lines, self.separator, header).encode(self.encoding)

    def cells(self) -> set[tuple[str, date, Decimal]]:
        return {
            (name, day, price)
            for day, prices in zip(self.days, self.prices, strict=True)
            for name, price in zip(self.names, prices, strict=True)
            if price is not None
        }


@st.composite
def meant(draw: st.DrawFn) -> Meant:
    names = draw(st.lists(NAME, min_size=1, max_size=4, unique_by=str.casefold))
    # A field's name is one thing and an instrument's another; other tests are about that.
    names = [f"{name}{at}x" for at, name in enumerate(names)]
    start = draw(st.dates(date(1990, 1, 1), date(2030, 1, 1)))
    steps = draw(st.lists(st.integers(1, 40), min_size=1, max_size=25))
    days = [start + timedelta(days=sum(steps[:at])) for at in range(len(steps))]
    places = draw(st.integers(0, 4))
    whole = draw(st.sampled_from([999, 5_000, 3_000_000]))
    price = st.one_of(st.none(), st.decimals(1, whole, places=places, allow_nan=False))
    prices = draw(
        st.lists(
            st.lists(price, min_size=len(names), max_size=len(names)), min_size=len(days), max_size=len(days)
        )
    )
    order = draw(st.permutations(range(len(days))))
    return Meant(
        names,
        [days[at] for at in order],
        [prices[at] for at in order],
        draw(st.sampled_from(sorted(DATES))),
        draw(st.sampled_from(NUMBERS)),
        draw(st.sampled_from([",", ";", "\t", "|"])),
        draw(st.sampled_from(ENCODINGS)),
        draw(st.sampled_from(["wide", "long"])),
        draw(st.sampled_from(["", "-", "NA", "#N/A N/A", "null"])),
    )


def outcome(content: bytes) -> list[dict[str, Any]] | str:
    """Return the cells, or the one line and place with which the file is refused."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "prices.csv"
        path.write_bytes(content)
        try:
            return table(read(path))
        except PortfolioError as refused:
            message = str(refused)
    if "\n" in message or str(path) not in message:
        raise AssertionError(message)
    return message


@FUZZ
@given(meant())
@example(
    Meant(
        ["INDEXx"],
        [date(2024, 1, 30), date(2024, 1, 31)],
        [[Decimal(998)], [Decimal(1003)]],
        "ISO",
        (",", "."),
        ";",
        "utf-8",
        "wide",
        "",
    )
)
def test_a_file_is_read_as_meant_or_refused_with_line_and_column(file: Meant) -> None:
    found = outcome(file.bytes())
    if isinstance(found, str):
        # Only dates and marks that allow two readings are reasons, and the place is named.
        assert re.search(r"(Line|Row) \d+ of", found), found
        undecided = "no row shows whether" in found or "the mark can be decimal" in found
        assert undecided or (file.dates == "short years" and "for a date" in found), found
    else:
        kept = {(row["instrument_id"], row["date"], Decimal(row["number_text"])) for row in found}
        assert kept == file.cells()


@FUZZ
@given(meant(), st.data())
def test_a_file_with_a_spoilt_cell_is_no_traceback(file: Meant, data: st.DataObject) -> None:
    content = file.bytes().decode(file.encoding)
    lines = content.split("\n")
    at = data.draw(st.integers(0, len(lines) - 1))
    cells = lines[at].split(file.separator)
    cell = data.draw(st.integers(0, len(cells) - 1))
    odd = st.sampled_from(
        [
            "",
            "x",
            "1,5",
            "1.5",
            "1.000",
            "-",
            '"',
            "2024-13-45",
            "12:30",
            "\u200b",
            "#REF!",
            "1e999",
            ";",
            "\0",
        ]
    )
    cells[cell] = data.draw(st.one_of(odd, st.text(max_size=6)))
    spoilt = "\n".join([*lines[:at], file.separator.join(cells), *lines[at + 1 :]])
    try:
        raw = spoilt.encode(file.encoding)
    except UnicodeEncodeError:
        return
    kept = outcome(raw)
    if isinstance(kept, str):
        return
    if at == 0:
        return
    # What is not on the spoilt line is what it was, or nothing is read at all.
    numbers = {(row["instrument_id"], row["date"]): row["number_text"] for row in kept}
    changed = [(name, day) for name, day, price in file.cells() if not same(numbers.get((name, day)), price)]
    assert len(changed) <= len(file.names), changed


def same(text: str | None, price: Decimal) -> bool:
    try:
        return text is not None and Decimal(text) == price
    except ArithmeticError:
        return False


@FUZZ
@given(
    st.one_of(
        st.binary(max_size=300), st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace"))
    )
)
@example(b"PK\x03\x04")
@example(b"\x1f\x8b")
@example(b"PAR1")
@example(b"\xff\xfe\x00")
@example(b"\xd0\xcf\x11\xe0")
@example(b"Date\n")
@example(b"sep=;")
def test_any_bytes_are_prices_or_one_line(content: bytes) -> None:
    outcome(content)
