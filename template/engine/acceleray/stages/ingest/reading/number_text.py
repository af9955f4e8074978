"""Numbers as text: which mark is the decimal one is decided by the whole file, never by a cell.

Expressions are written for RE2 (pyarrow).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from acceleray.stages.ingest.reading.grid import BLANK, EMPTY

Decimal = Literal["point", "comma"]
SETTING = "market_data.decimal"
"""The setting that says what the numbers of a price file leave open."""

PLAIN = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
"""A number as every program reads it: sign, digits, decimal point, exponent."""
_SIGN, _EXPONENT = "^[+-]?", r"([eE][+-]?[0-9]+)?$"
# Thousands in groups of three, or as in India in groups of two before the last three.
_SPACE = r"[ \x{A0}\x{2007}\x{2009}\x{202F}'\x{2019}]"
_SPACED = _SIGN + r"[1-9][0-9]{0,2}(" + _SPACE + r"[0-9]{3})+([.,][0-9]*)?$"
_CURRENCY = r"^([+-]?)\p{Sc}\s*([0-9.,])|([0-9.,])\s*\p{Sc}$"


def _with(pattern: str, mark: str, thousands: str = "") -> str:
    """Return a pattern with the decimal mark for D and the one for thousands for T."""
    return pattern.replace("D", mark).replace("T", thousands)


def _decimal(mark: str) -> str:
    return _SIGN + _with("([0-9]+[D][0-9]*|[D][0-9]+)", mark) + _EXPONENT


def _open(mark: str) -> str:
    """One mark with three digits behind it: decimals or thousands."""
    return _SIGN + _with("[1-9][0-9]{0,2}[D][0-9]{3}$", mark)


def _grouped(mark: str, thousands: str) -> str:
    return _SIGN + _with("[1-9][0-9]{0,2}([T][0-9]{2,3})*[T][0-9]{3}([D][0-9]*)?$", mark, thousands)


def _sure_group(mark: str, thousands: str) -> str:
    """Several thousands marks, or one and a decimal mark."""
    several = "([T][0-9]{2,3})+[T][0-9]{3}([D][0-9]*)?"
    return _SIGN + _with("[1-9][0-9]{0,2}(" + several + "|[T][0-9]{3}[D][0-9]*)$", mark, thousands)


_MARKS: dict[Decimal, tuple[str, str]] = {"point": (".", ","), "comma": (",", ".")}


@dataclass(frozen=True)
class Evidence:
    """How many numbers of a file or column are of which form.

    Attributes:
        point: can only have a decimal point.
        comma: can only have a decimal comma.
        point_open: a point and three digits, `1.003`: decimals or thousands.
        comma_open: a comma and three digits.
        whole: whole numbers of 100 and more without a mark.
    """

    point: int = 0
    comma: int = 0
    point_open: int = 0
    comma_open: int = 0
    whole: int = 0

    def __add__(self, other: Evidence) -> Evidence:
        """Return the evidence of both."""
        return Evidence(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))


FORMS: dict[str, str] = {
    "point": "a decimal point",
    "comma": "a decimal comma",
    "point_open": "a point that can be decimal or for thousands",
    "comma_open": "a comma that can be decimal or for thousands",
}


def cleaned(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return texts without what is no part of a number: blanks, hidden marks, a currency sign, space groups.

    Cells that say that there is no price become ''.
    """
    found = pc.utf8_trim(texts, BLANK)
    found = pc.if_else(pc.is_in(pc.utf8_lower(found), pa.array(EMPTY)), "", found)
    found = pc.replace_substring(found, "\u2212", "-")
    if pc.any(pc.match_substring_regex(found, r"\p{Sc}")).as_py():
        found = pc.replace_substring_regex(found, _CURRENCY, r"\1\2\3")
    spaced = pc.match_substring_regex(found, _SPACED)
    if pc.any(spaced).as_py():
        found = pc.if_else(spaced, pc.replace_substring_regex(found, _SPACE, ""), found)
    return found


def form_masks(texts: pa.ChunkedArray, whole: bool = False) -> dict[str, pa.ChunkedArray]:
    """Return for each form of `Evidence` which of the texts have it; of whole numbers only if asked for."""
    trimmed = pc.utf8_trim(texts, BLANK)
    spaced = pc.match_substring_regex(trimmed, _SPACED)
    found = cleaned(texts)
    masks = {}
    for name, (mark, thousands) in _MARKS.items():
        is_open = pc.match_substring_regex(found, _open(mark))
        sure = pc.match_substring_regex(found, _decimal(mark))
        group = pc.match_substring_regex(found, _sure_group(mark, thousands))
        # With blanks or apostrophes for thousands, the mark that is left is the decimal one.
        masks[f"{name}_open"] = pc.and_(is_open, pc.and_not(is_open, spaced))
        several = pc.match_substring_regex(found, _sure_group(thousands, mark))
        masks[name] = pc.or_(pc.and_not(pc.and_not(sure, masks[f"{name}_open"]), several), group)
    if whole:
        masks["whole"] = pc.match_substring_regex(found, _SIGN + "[1-9][0-9]{2,}$")
    return masks


def evidence(texts: pa.ChunkedArray, whole: bool = False) -> Evidence:
    """Return how many of the texts have which form."""
    plain = pc.match_substring_regex(texts, PLAIN)
    odd = texts.filter(pc.invert(plain))
    counts = Evidence()
    if len(odd):
        counts += Evidence(**{name: _count(mask) for name, mask in form_masks(odd).items()})
    if len(odd) < len(texts):
        # Most files are plain throughout: two quick looks are enough there.
        pointed = _count(pc.and_(plain, pc.match_substring(texts, ".")))
        is_open = _count(pc.match_substring_regex(texts, _open(".")))
        is_open -= _count(pc.match_substring_regex(odd, _open("."))) if len(odd) else 0
        counts += Evidence(point=pointed - is_open, point_open=is_open)
    return counts + Evidence(whole=_count(form_masks(texts, whole=True)["whole"])) if whole else counts


def _count(mask: pa.ChunkedArray) -> int:
    return pc.sum(mask).as_py() or 0


@dataclass(frozen=True)
class Verdict:
    """The decimal mark of a file (None where numbers have no mark), or the form of number that refuses it."""

    decimal: Decimal | None = None
    odd: str = ""
    why: str = ""


def decide(found: Evidence, declared: str = "auto", setting: str = SETTING) -> Verdict:
    """Return the decimal mark that all numbers of a file allow.

    Args:
        found: of all of a file's numbers.
        declared: `point`, `comma`, or `auto`: what the setting says.
        setting: its name.
    """
    decimal: Decimal | None = None
    if declared in ("point", "comma"):
        decimal = "point" if declared == "point" else "comma"
    elif found.point and found.comma:
        fewer = "comma" if found.comma <= found.point else "point"
        return Verdict(odd=fewer, why="other numbers of the file have the other decimal mark; use one format")
    elif found.point or found.comma:
        decimal = "point" if found.point else "comma"
    elif found.point_open or found.comma_open:
        return Verdict(
            odd="point_open" if found.point_open >= found.comma_open else "comma_open", why=ambiguous(setting)
        )
    against = {"point": found.comma, "comma": found.point}
    if decimal and against[decimal]:
        return Verdict(
            odd="comma" if decimal == "point" else "point",
            why=f"{setting} is {decimal}; change one of the two",
        )
    return Verdict(decimal)


def ambiguous(setting: str = SETTING) -> str:
    """Return what is wrong with a mark that can be read in two ways, and what to do."""
    return (
        "the mark can be decimal or for thousands; write it without thousands separators, or "
        f"set {setting} to point or comma"
    )


def two_scales(column: Evidence, decimal: Decimal | None) -> bool:
    """Return whether a column has whole numbers, and three digits behind the file's decimal mark always.

    998, then 1.003: both readings make sense whatever the rest of the file does.
    """
    if decimal is None:
        return False
    is_open = column.point_open if decimal == "point" else column.comma_open
    sure = column.point if decimal == "point" else column.comma
    return bool(is_open and column.whole and not sure)


def plain(texts: pa.ChunkedArray, decimal: Decimal | None) -> pa.ChunkedArray:
    """Return the same numbers as plain decimal text; '' for none, the text itself where it is no number."""
    ready = pc.match_substring_regex(texts, PLAIN)
    if decimal != "comma" and pc.all(ready, min_count=0).as_py():
        return texts
    found = cleaned(texts)
    mark, thousands = _MARKS[decimal or "point"]
    grouped = pc.match_substring_regex(found, _grouped(mark, thousands))
    digits = pc.if_else(grouped, pc.replace_substring(found, thousands, ""), found)
    number = pc.or_(grouped, pc.match_substring_regex(digits, _decimal(mark)))
    if mark == ",":
        digits = pc.if_else(number, pc.replace_substring(digits, ",", "."), digits)
    whole = pc.match_substring_regex(found, _SIGN + "[0-9]+" + _EXPONENT)
    keep = pc.or_(pc.or_(number, whole), pc.equal(found, ""))
    return pc.if_else(keep, digits, texts)
