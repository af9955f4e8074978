"""Any file of holdings is read as meant or refused in one line: never a traceback, never a guess."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from acceleray.errors import PortfolioError
from acceleray.settings import Settings
from acceleray.stages.book.holdings import Holdings
from book.desk import PRICED, Desk, rows
from fuzzing import drawing

FUZZ = drawing(night=150, quick=40)
# Decimal mark and thousands mark.
NUMBERS = [(".", ""), (",", ""), (".", ","), (",", "."), (",", "\u00a0"), (".", "'")]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"]
TITLES = [
    "",
    "The Fund\nHoldings as of,28 Dec 2022\n\n",
    "sep={separator}\n",
    '"Title, with a comma"\n\u00a0\n',
]
ENDS = ["", "\n", '\n"All rights reserved, without a warranty."\n', "\nSource: the desk\nPage 1 of 1\n"]
HEADERS = {"quantity": ["quantity", "Shares", "QTY"], "market_value": ["Market Value", "mv", "market_value"]}
NAMES = [*PRICED[:3], "Zoë & Co", "NA", 'A"B', "x-1.5", "10"]


@dataclass(frozen=True)
class Meant:
    """What a file means and how it writes it."""

    positions: list[tuple[str, str, Decimal, Decimal]]
    marks: tuple[str, str]
    separator: str
    encoding: str
    title: str
    end: str
    line_end: str
    headers: tuple[str, str]
    first: str

    def number(self, value: Decimal) -> str:
        decimal, thousands = self.marks
        return f"{value:,f}".replace(",", "_").replace(".", decimal).replace("_", thousands)

    def cell(self, text: str) -> str:
        special = self.separator in text or '"' in text
        return '"' + text.replace('"', '""') + '"' if special else text

    def raw(self) -> bytes:
        lines = [[self.first, "ticker", *self.headers]]
        lines += [
            [portfolio, ticker, self.number(quantity), self.number(value)]
            for portfolio, ticker, quantity, value in self.positions
        ]
        table = "".join(self.separator.join(map(self.cell, line)) + "\n" for line in lines)
        text = self.title.format(separator=self.separator) + table + self.end
        return text.replace("\n", self.line_end).encode(self.encoding)


@st.composite
def meant(draw: st.DrawFn) -> Meant:
    amounts = st.decimals(0, 9_999_999, places=2)
    positions = draw(
        st.lists(
            st.tuples(st.sampled_from(["A", "B", "Ä 1"]), st.sampled_from(NAMES), amounts, amounts),
            min_size=1,
            max_size=6,
        )
    )
    # Nothing of an instrument is worth nothing.
    positions = [(one, two, quantity or Decimal("0.01"), value) for one, two, quantity, value in positions]
    return Meant(
        positions,
        draw(st.sampled_from(NUMBERS)),
        draw(st.sampled_from([",", ";", "\t", "|"])),
        draw(st.sampled_from(ENCODINGS)),
        draw(st.sampled_from(TITLES)),
        draw(st.sampled_from(ENDS)),
        draw(st.sampled_from(["\n", "\r\n"])),
        (draw(st.sampled_from(HEADERS["quantity"])), draw(st.sampled_from(HEADERS["market_value"]))),
        draw(st.sampled_from(["portfolio_id", "Fund", "account"])),
    )


def outcome(desk: Desk) -> Holdings | str:
    """Return what is accepted, or the line that refuses it."""
    try:
        return desk.accepted()
    except PortfolioError as refusal:
        return str(refusal)


@FUZZ
@given(file=meant())
def test_a_file_is_read_as_meant(settings: Callable[..., Settings], file: Meant) -> None:
    desk = Desk(settings).positions(file.raw())
    expected = sorted((one, two, float(three), float(four)) for one, two, three, four in file.positions)
    found = desk.accepted()
    assert sorted(rows(found, "portfolio_id", "instrument_id", "quantity", "market_value")) == expected
    assert not len(found.quarantined)


@FUZZ
@given(raw=st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace")))
def test_any_bytes_are_read_or_refused_in_one_line(settings: Callable[..., Settings], raw: bytes) -> None:
    desk = Desk(settings).positions(raw)
    found = outcome(desk)
    assert not isinstance(found, str) or "\n" not in found


@drawing(night=150, quick=150)
@given(
    file=meant(),
    at=st.integers(0, 400),
    sign=st.sampled_from([b"", b"\0", b'"', b",", b";", b"\n", b"x", b"-", b"%", b"\xff", b"(", b"1"]),
)
def test_a_file_with_one_sign_changed_keeps_all_other_rows_or_is_refused(
    settings: Callable[..., Settings], file: Meant, at: int, sign: bytes
) -> None:
    raw = file.raw()
    at %= len(raw)
    desk = Desk(settings).positions(raw[:at] + sign + raw[at + 1 :])
    found = outcome(desk)
    if isinstance(found, str):
        assert "\n" not in found
        return
    # A broken byte order mark leaves names in another encoding; digits are the same in all of them.
    rest = [(float(quantity), float(value)) for _, _, quantity, value in file.positions]
    for row in rows(found, "quantity", "market_value"):
        if row in rest:
            rest.remove(row)
    # A sign may end a line or begin another: two rows are what it can spoil. It may hide the header of one of
    # two amounts; that is said.
    said = " ".join(found.lines)
    assert len(rest) <= 2 or len(found.quarantined) or "skipped" in said or "is not used" in said
