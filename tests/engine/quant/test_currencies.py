"""Which names are rates, and the way from one currency to another."""

from __future__ import annotations

import numpy as np
import pytest

from acceleray.quant.currencies import NoRateError, Rates, pair_of, rates_among

NAMES = ("AAPL", "EURUSD", "EUR/GBP", "USDJPY=X")
RATES = Rates.among(NAMES, {})
LEVELS = np.array([130.0, 1.06, 0.88, 133.0])


@pytest.mark.parametrize(
    ("name", "pair"),
    [
        ("EURUSD", ("EUR", "USD")),
        ("eur/usd", ("EUR", "USD")),
        ("USDJPY=X", ("USD", "JPY")),
        ("GBPUSD Curncy", ("GBP", "USD")),
        ("AAPL", None),
        ("EUREUR", None),
        ("ABCUSD", None),
        ("EURUSD1", None),
    ],
)
def test_names_of_rates_are_known_by_their_currencies(name: str, pair: tuple[str, str] | None) -> None:
    assert pair_of(name) == pair


def test_rates_lead_directly_backwards_and_by_way_of_others() -> None:
    assert RATES.legs("EUR", "USD") == ((1, 1),)
    assert RATES.legs("USD", "EUR") == ((1, -1),)
    # Pounds to yen: to euros, to dollars, to yen.
    assert RATES.legs("GBP", "JPY") == ((2, -1), (1, 1), (3, 1))
    assert RATES.legs("USD", "USD") == ()
    assert RATES.rate("GBP", "JPY", LEVELS) == pytest.approx(1.06 / 0.88 * 133.0, rel=1e-15)
    assert RATES.rate("JPY", "JPY", LEVELS) == 1.0


def test_there_and_back_is_one() -> None:
    assert RATES.rate("GBP", "JPY", LEVELS) * RATES.rate("JPY", "GBP", LEVELS) == pytest.approx(
        1.0, rel=1e-15
    )


def test_a_currency_without_rates_is_named() -> None:
    with pytest.raises(NoRateError, match="no rates lead from CHF to USD"):
        RATES.legs("CHF", "USD")


def test_a_mapping_names_the_series_of_a_pair_and_its_twin_is_no_rate_then() -> None:
    names = ("DEXUSEU", "EURUSD", "GBPUSD")
    assert rates_among(names, {"EURUSD": "DEXUSEU"}) == {
        "DEXUSEU": ("EUR", "USD"),
        "GBPUSD": ("GBP", "USD"),
    }
    with pytest.raises(ValueError, match="EURXXX is not a pair"):
        rates_among(names, {"EURXXX": "DEXUSEU"})
    with pytest.raises(ValueError, match="mapped to NOWHERE, which is not a series"):
        rates_among(names, {"EURUSD": "NOWHERE"})
