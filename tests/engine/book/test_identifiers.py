"""Check digits of identifiers, on published ones and on each of them with one sign changed."""

from __future__ import annotations

import pytest

from acceleray.stages.book.reading.identifiers import CHECKS, also, fault

RIGHT = {
    "isin": ("US0378331005", "DE0007164600", "GB0002634946", "AU0000XVGZA3", "XS0971721963"),
    "cusip": ("037833100", "594918104", "38259P508", "68389X105", "17275R102"),
    "sedol": ("0263494", "B0WNLY7", "2046251", "4846288", "B1YW440"),
    "figi": ("BBG000B9XRY4", "BBG000BLNNH6", "BBG000BPH459", "NRG92C84SB39"),
}


@pytest.mark.parametrize(("role", "text"), [(role, text) for role, texts in RIGHT.items() for text in texts])
def test_published_identifiers_are_right_and_any_other_last_digit_is_wrong(role: str, text: str) -> None:
    assert fault(role, text) == ""
    others = [text[:-1] + digit for digit in "0123456789" if digit != text[-1]]
    assert not any(CHECKS[role](other) for other in others)


@pytest.mark.parametrize("role", ["isin", "cusip", "figi"])
def test_two_signs_exchanged_are_noticed(role: str) -> None:
    text = RIGHT[role][0]
    at = next(at for at in range(4, len(text) - 1) if text[at] != text[at + 1])
    assert not CHECKS[role](text[:at] + text[at + 1] + text[at] + text[at + 2 :])


def test_an_isin_has_the_national_identifier_in_it() -> None:
    assert also("isin", "US0378331005") == ("037833100",)
    assert also("isin", "GB0002634946") == ("0263494",)
    assert also("isin", "DE0007164600") == ()


def test_what_is_too_short_may_have_lost_its_zeros() -> None:
    assert "a spreadsheet may have removed zeros" in fault("cusip", "37833100")
