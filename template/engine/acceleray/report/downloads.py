"""Every table of a page as CSV: a link below it whose address is the rows themselves."""

from __future__ import annotations

import base64
import csv
import html
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from acceleray.report.formats import MISSING, NO_BREAK

_TABLE = re.compile(r"<table\b[^>]*>.*?</table>(?:\s*</div>)?", re.DOTALL)
_SECTION = re.compile(r'<section id="([^"]+)"')
_ROW = re.compile(r"<tr\b[^>]*>(.*?)</tr>", re.DOTALL)
_CELL = re.compile(r"<t[hd]\b([^>]*)>(.*?)</t[hd]>", re.DOTALL)
# A second value of a cell stands below the first; it has a separate column.
_SUB = re.compile(
    r'<t([hd])\b([^>]*)>((?:(?!</t[hd]>).)*?)<div class="sub"([^>]*)>(.*?)</div>\s*</t[hd]>', re.DOTALL
)
_VALUE = re.compile(r'data-value="([^"]*)"')
_NUMBER = re.compile(r"(?:([A-Z]{3}) )?([+-]?\d[\d,]*(?:\.\d+)?(?:e[+-]\d+)?)( %)?")
# A spreadsheet takes a cell that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class _Read:
    """One cell: its text; of a number also its digits, its currency and whether it is in per cent."""

    text: str
    value: str = ""
    currency: str = ""
    percent: bool = False


def with_downloads(page: str, name: str) -> str:
    """Return a page with a link below each table; `name` begins the names of the files."""
    sections = [(found.start(), found.group(1)) for found in _SECTION.finditer(page)]
    numbers: dict[str, int] = {}

    def linked(found: re.Match[str]) -> str:
        above = [section for start, section in sections if start < found.start()]
        section = above[-1] if above else "page"
        numbers[section] = numbers.get(section, 0) + 1
        file = f"{name}-{section}" + (f"-{numbers[section]}" if numbers[section] > 1 else "")
        return found.group() + _link(csv_of(found.group()), file)

    return _TABLE.sub(linked, page)


def csv_of(table: str) -> str:
    """Return the rows of a table in HTML as CSV.

    Numbers are plain, with the digits that the page knows and not those it shows; their unit is in the
    header, or in a separate column where it is not the same in all rows. Text that a spreadsheet would
    take for a formula has an apostrophe before it.
    """
    rows = [[_read(*cell) for cell in _cells(row)] for row in _ROW.findall(table)]
    # A note below a row that spans the table has one cell.
    width = max((len(row) for row in rows), default=0)
    rows = [row + [_Read("")] * (width - len(row)) for row in rows]
    headed = "<thead" in table
    columns = [list(_column(list(column), headed)) for column in zip(*rows, strict=True)]
    flat = [column for several in columns for column in several]
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerows(zip(*flat, strict=True))
    return written.getvalue()


def plain_text(text: str) -> str:
    """Return text that no spreadsheet takes for a formula."""
    number = _NUMBER.fullmatch(text.replace("\u2212", "-"))
    return f"'{text}" if text.startswith(_FORMULA) and not number else text


def _cells(row: str) -> list[tuple[str, str]]:
    """Return attributes and content of each cell of a row."""

    def apart(found: re.Match[str]) -> str:
        kind, attributes, first, of_second, second = found.groups()
        above = f"{first}, " if 'scope="col"' in attributes else ""
        return f"<t{kind}{attributes}>{first}</t{kind}><t{kind}{of_second}>{above}{second}</t{kind}>"

    return [(found[1], found[2]) for found in _CELL.finditer(_SUB.sub(apart, row))]


def _link(text: str, name: str) -> str:
    encoded = base64.b64encode(text.encode("utf-8")).decode("ascii")
    return (
        f'\n<p class="download"><a download="{html.escape(name)}.csv"'
        f' href="data:text/csv;charset=utf-8;base64,{encoded}">CSV</a></p>'
    )


def _read(attributes: str, content: str) -> _Read:
    text = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", content)).replace(NO_BREAK, " ").split())
    plain = text.replace("\u2212", "-")
    given = _VALUE.search(attributes)
    if plain == MISSING or (given and not given.group(1)):
        return _Read("" if plain == MISSING else text)
    found = _NUMBER.fullmatch(plain)
    if not found or 'scope="row"' in attributes:
        return _Read(text)
    value = given.group(1) if given else found.group(2).replace(",", "").lstrip("+")
    return _Read(text, value, found.group(1) or "", bool(found.group(3)))


def _column(cells: Sequence[_Read], headed: bool) -> Iterator[list[str]]:
    """Yield the texts of one column of the table, and of that of its currencies if they differ."""
    head, body = (cells[:1], cells[1:]) if headed else ([], cells)
    filled = [cell for cell in body if cell.text]
    units = {(cell.currency, cell.percent) for cell in filled}
    numbers = bool(filled) and all(cell.value for cell in filled)
    title = [plain_text(cell.text) for cell in head]
    if not numbers or (len(units) > 1 and any(cell.percent or not cell.currency for cell in filled)):
        yield [*title, *(plain_text(cell.text) if not _bare(cell) else cell.value for cell in body)]
        return
    currency, percent = units.pop() if len(units) == 1 else ("", False)
    unit = f" ({currency or '%'})" if currency or percent else ""
    yield [
        *(one if "%" in unit and "%" in one else f"{one}{unit}" for one in title),
        *(cell.value for cell in body),
    ]
    if not unit and any(cell.currency for cell in filled):
        yield [*(f"{one}, currency" for one in title), *(cell.currency for cell in body)]


def _bare(cell: _Read) -> bool:
    return bool(cell.value) and not cell.currency and not cell.percent
