"""Currencies and their rates: which series are rates, and the way from one currency to another.

A rate ``EURUSD`` is the price of one euro in dollars, the convention of ISO 4217 pairs.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# ISO 4217, active codes of money; gold, test and fund codes are left out.
_CODES = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD
CDF CHF CLF CLP CNH CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP
GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD
KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK
NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD
SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF
XCD XCG XOF XPF YER ZAR ZMW ZWG
"""
CURRENCIES = frozenset(_CODES.split())
"""ISO 4217 codes, and CNH, as the offshore yuan is traded under."""

# EURUSD, EUR/USD, EUR.USD, EUR-USD, EURUSD=X, EURUSD Curncy.
_PAIR = re.compile(r"^([A-Z]{3})[/.\- ]?([A-Z]{3})(=X| CURNCY| INDEX)?$", re.IGNORECASE)


def pair_of(name: str) -> tuple[str, str] | None:
    """Return the currencies that the name of a series is the rate of, or None if it is of none."""
    found = _PAIR.match(name.strip())
    if found is None:
        return None
    of, price_in = found[1].upper(), found[2].upper()
    return (of, price_in) if {of, price_in} <= CURRENCIES and of != price_in else None


def rates_among(names: Iterable[str], pairs: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Return the rates among the names of series, with their currencies.

    Args:
        names: of all series.
        pairs: names of series by pair (``EURUSD: DEXUSEU``); a pair that is named here is read from no other.

    Raises:
        ValueError: a pair of `pairs` is none, or its series is not there.
    """
    all_of = tuple(names)
    named: dict[str, tuple[str, str]] = {}
    for pair, series in pairs.items():
        found = pair_of(pair)
        if found is None:
            raise ValueError(f"{pair} is not a pair of currencies such as EURUSD")
        if series not in all_of:
            raise ValueError(f"{pair} is mapped to {series}, which is not a series here")
        named[series] = found
    taken = {frozenset(pair) for pair in named.values()}
    for name in all_of:
        pair_found = pair_of(name)
        if name not in named and pair_found is not None and frozenset(pair_found) not in taken:
            named[name] = pair_found
    return named


class NoRateError(ValueError):
    """No rates lead from one currency to another."""


@dataclass(frozen=True)
class Rates:
    """Rates as edges between currencies.

    Attributes:
        pairs: (of, in) the currencies of each rate.
        places: of each rate among the instruments.
    """

    pairs: tuple[tuple[str, str], ...]
    places: tuple[int, ...]

    @classmethod
    def among(cls, instruments: tuple[str, ...], pairs: Mapping[str, str]) -> Rates:
        """Return the rates among instruments; see `rates_among`."""
        found = rates_among(instruments, pairs)
        names = sorted(found, key=instruments.index)
        return cls(tuple(found[name] for name in names), tuple(instruments.index(name) for name in names))

    @property
    def currencies(self) -> tuple[str, ...]:
        """Return the currencies that a rate is known of, ascending."""
        return tuple(sorted({each for pair in self.pairs for each in pair}))

    def legs(self, of: str, price_in: str) -> tuple[tuple[int, int], ...]:
        """Return the rates whose product is the price of one unit of a currency in another.

        Each with its place and +1, or -1 where it divides; the fewest, the first ones of equally many.
        Triangulation: from yen to pounds by way of euros if nothing is nearer.
        Raises NoRateError if none lead there.
        """
        before: dict[str, tuple[str, int, int]] = {}
        waiting = deque([of])
        while waiting and price_in not in before and of != price_in:
            at = waiting.popleft()
            for (one, other), place in zip(self.pairs, self.places, strict=True):
                for start, end, sign in ((one, other, 1), (other, one, -1)):
                    if start == at and end != of and end not in before:
                        before[end] = (at, place, sign)
                        waiting.append(end)
        way: list[tuple[int, int]] = []
        at = price_in
        while at != of:
            if at not in before:
                raise NoRateError(f"no rates lead from {of} to {price_in}")
            at, place, sign = before[at]
            way.insert(0, (place, sign))
        return tuple(way)

    def rate(self, of: str, price_in: str, levels: NDArray[np.float64]) -> float:
        """Return the price of one unit of a currency in another, from levels (instruments,) of a day.

        NaN where a level is unknown. Raises NoRateError if no rates lead there.
        """
        product = 1.0
        for place, sign in self.legs(of, price_in):
            product *= float(levels[place]) ** sign
        return product
