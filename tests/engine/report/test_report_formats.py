from __future__ import annotations

import math
from datetime import date

import pytest

from acceleray.report import formats

SPACE = formats.NO_BREAK


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (1234567.891, 2, "1,234,567.89"),
        (-0.5, 1, "\u22120.5"),
        (-0.0004, 2, "0.00"),
        (math.nan, 2, "n/a"),
        (math.inf, 2, "n/a"),
        (None, 2, "n/a"),
    ],
)
def test_numbers_have_separators_a_true_minus_and_no_negative_zero(
    value: float | None, digits: int, text: str
) -> None:
    assert formats.number(value, digits) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(25312.4, "25,312"), (99.5, "99.50"), (-100.4, "\u2212100"), (0.0, "0"), (4.2e9, "4,200,000,000")],
)
def test_amounts_show_cents_only_where_they_matter(value: float, text: str) -> None:
    assert formats.amount(value, "EUR") == f"EUR{SPACE}{text}"


def test_confidence_levels_keep_the_digits_they_have() -> None:
    assert [formats.confidence(c) for c in (0.99, 0.975, 0.999, 1 - 0.99)] == [
        f"99{SPACE}%",
        f"97.5{SPACE}%",
        f"99.9{SPACE}%",
        f"1{SPACE}%",
    ]


def test_small_p_values_are_not_written_as_zero() -> None:
    assert [formats.p_value(p) for p in (0.060933, 0.0004, 0.0, math.nan)] == [
        "0.061",
        f"<{SPACE}0.001",
        f"<{SPACE}0.001",
        "n/a",
    ]


def test_a_half_life_beyond_ten_years_is_only_called_long() -> None:
    assert [formats.half_life(d) for d in (34.4, 2520.0, 3e12, math.inf, math.nan)] == [
        "34",
        "2,520",
        f">{SPACE}10{SPACE}years",
        f">{SPACE}10{SPACE}years",
        "n/a",
    ]


def test_counted_nouns_agree_with_their_number() -> None:
    assert formats.plural(1, "fold") == f"1{SPACE}fold"
    assert formats.plural(1200, "fold") == f"1,200{SPACE}folds"
    assert formats.days(1) == f"1{SPACE}day"
    assert formats.days(10) == f"10{SPACE}days"
    with formats.in_units_of("week"):
        assert formats.days(10) == f"10{SPACE}weeks"
    assert formats.days(10) == f"10{SPACE}days"


def test_dates_are_written_in_words() -> None:
    assert formats.long_date(date(2022, 12, 28)) == f"28{SPACE}December{SPACE}2022"


def test_control_characters_are_replaced_and_long_names_cut() -> None:
    assert formats.printable("a\x00b\nc") == "a\ufffdb\ufffdc"
    assert formats.shortened("x" * 30, 10) == "x" * 9 + "\u2026"
    assert formats.shortened("short", 10) == "short"
