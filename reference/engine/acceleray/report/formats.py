"""How numbers, dates and names are written on the page: one place, so that the same value reads the same."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date

NO_BREAK = "\u00a0"
MISSING = "n/a"
# Every sentence, figure and table of a page has the same unit; a page is written in one go.
_UNIT: ContextVar[str] = ContextVar("unit", default="day")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def number(value: float | None, digits: int = 2) -> str:
    """Return a number with thousands separators and a fixed number of decimals; `n/a` if it is not finite."""
    if value is None or not math.isfinite(value):
        return MISSING
    text = f"{value:,.{digits}f}"
    if text.startswith("-"):
        # A value that rounds to zero has no sign.
        text = "\u2212" + text[1:] if text.strip("-0.,") else text[1:]
    return text


def count(value: int | None) -> str:
    """Return a whole number with thousands separators."""
    return MISSING if value is None else number(float(value), 0)


def amount(value: float | None, currency: str) -> str:
    """Return money with its currency; cents only where they can matter."""
    if value is None or not math.isfinite(value):
        return MISSING
    return f"{currency}{NO_BREAK}{number(value, 0 if abs(value) >= 100 or value == 0 else 2)}"


def percent(value: float | None, digits: int = 2) -> str:
    """Return a value that already is in per cent with its sign of unit."""
    text = number(value, digits)
    return text if text == MISSING else f"{text}{NO_BREAK}%"


def share(value: float | None, digits: int = 1) -> str:
    """Return a fraction in per cent, 0.125 as `12.5 %`."""
    return MISSING if value is None else percent(100 * value, digits)


def significant(value: float | None, digits: int = 3) -> str:
    """Return a number by its leading digits, so that a small one is not written as zero: 1.2e-05."""
    if value is None or not math.isfinite(value):
        return MISSING
    return f"{value:.{digits}g}".replace("-", "\u2212")


def confidence(value: float) -> str:
    """Return a confidence level given as a share, 0.975 as `97.5 %`."""
    return f"{100 * value:.6g}{NO_BREAK}%"


def p_value(value: float | None) -> str:
    """Return a p-value with three decimals, or that it is smaller."""
    if value is None or not math.isfinite(value):
        return MISSING
    return "<" + NO_BREAK + "0.001" if value < 0.001 else f"{value:.3f}"


@contextmanager
def in_units_of(noun: str) -> Iterator[None]:
    """Write spans inside in this unit: what a risk day is of weekly and monthly prices."""
    before = _UNIT.set(noun)
    try:
        yield
    finally:
        _UNIT.reset(before)


def unit() -> str:
    """Return the noun of a risk day: day, week or month."""
    return _UNIT.get()


def days(value: int) -> str:
    """Return `1 day` or `10 days`, and weeks or months where prices are weekly or monthly."""
    return f"{value}{NO_BREAK}{unit()}{'' if value == 1 else 's'}"


def half_life(value: float | None) -> str:
    """Return a half-life in trading days; beyond ten years its size says nothing any more."""
    if value is None or math.isnan(value):
        return MISSING
    return f">{NO_BREAK}10{NO_BREAK}years" if value > 2520 else number(value, 0)


def plural(value: int, singular: str, several: str = "") -> str:
    """Return a count with its noun, `1 fold` or `5 folds`."""
    return f"{count(value)}{NO_BREAK}{singular if value == 1 else several or singular + 's'}"


def long_date(value: date | None) -> str:
    """Return a date in words, `28 December 2022`, the same in every locale."""
    if value is None:
        return MISSING
    return f"{value.day}{NO_BREAK}{_MONTHS[value.month - 1]}{NO_BREAK}{value.year}"


def months_between(first: date | None, last: date | None) -> str:
    """Return `1990-02 to 2018-12`, or `n/a` without both."""
    return "n/a" if first is None or last is None else f"{first:%Y-%m} to {last:%Y-%m}"


def printable(text: object) -> str:
    """Return text without the control characters that XML forbids and readers cannot see."""
    words = str(text)
    if words.isprintable():
        return words
    return "".join("\ufffd" if unicodedata.category(c) in ("Cc", "Cs") else c for c in words)


def shortened(text: object, length: int = 24) -> str:
    """Return text cut to a length, ending in an ellipsis if anything was cut."""
    clean = printable(text)
    return clean if len(clean) <= length else clean[: length - 1].rstrip() + "\u2026"
