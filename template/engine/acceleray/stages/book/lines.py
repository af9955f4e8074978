"""What a book's weights multiply: instruments at their own price, and what currencies add to them.

A position in another currency earns (1 + r)(1 + fx) - 1 in the base currency of its portfolio, r at its own
price and fx (1 + r) by the exchange rate. Both are lines of their own with the same weight, so losses,
contributions and stress split into price and currency by themselves, and add up exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PRICE, CURRENCY = "price", "currency"

Leg = tuple[int, int]
"""The place of a rate among the instruments; +1 where it multiplies the price in base currency, else -1."""


@dataclass(frozen=True)
class CurrencyLine:
    """What the change of a currency adds to one holding.

    Attributes:
        instrument_id: whose holding it is, an instrument or cash.
        base: the currency in which the portfolio is valued.
        held: place of the instrument, -1 for cash, which has no price of its own.
        legs: the rates that lead from the holding's currency to the base.
    """

    instrument_id: str
    base: str
    held: int
    legs: tuple[Leg, ...]


@dataclass(frozen=True)
class Lines:
    """The columns of a book's weights: all instruments in their order, then currency lines."""

    own: tuple[str, ...]
    currency: tuple[CurrencyLine, ...] = ()

    def __len__(self) -> int:
        """Return the number of lines."""
        return len(self.own) + len(self.currency)

    @property
    def instruments(self) -> tuple[str, ...]:
        """Return what each line is a holding of; an instrument and its currency line have the same name."""
        return (*self.own, *(each.instrument_id for each in self.currency))

    @property
    def parts(self) -> tuple[str, ...]:
        """Return of each line whether it earns by price or by currency."""
        return (PRICE,) * len(self.own) + (CURRENCY,) * len(self.currency)

    def of(self, returns: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what lines earn (..., lines) where instruments earn simple `returns` (..., instruments).

        Both over the same days, however many. Without currency lines it is the argument itself.
        """
        if not self.currency:
            return returns
        more = np.empty((*returns.shape[:-1], len(self.currency)))
        for place, line in enumerate(self.currency):
            growth = np.ones(returns.shape[:-1])
            for rate, sign in line.legs:
                growth = growth * (1.0 + returns[..., rate]) ** sign
            earned = growth - 1.0
            more[..., place] = earned if line.held < 0 else earned * (1.0 + returns[..., line.held])
        return np.concatenate((returns, more), axis=-1)

    def summed(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return values (..., lines) of lines from those of instruments, to first order in small returns.

        A currency line has the sum of its rates', each with its sign: logarithms, betas, parts of returns.
        """
        if not self.currency:
            return values
        more = [
            np.sum([sign * values[..., rate] for rate, sign in line.legs], axis=0) for line in self.currency
        ]
        return np.concatenate((values, np.stack(more, axis=-1)), axis=-1)

    def linear(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the exposure to each instrument (portfolios, instruments) of weights (portfolios, lines).

        To first order in returns: a holding in another currency is one of the price and one of the rates.
        """
        count = len(self.own)
        if not self.currency:
            return weights
        exposure = weights[:, :count].copy()
        for place, line in enumerate(self.currency):
            for rate, sign in line.legs:
                exposure[:, rate] += sign * weights[:, count + place]
        return exposure

    def where(self, instruments: NDArray[np.bool_], extra: bool = False) -> NDArray[np.bool_]:
        """Return a mask of lines from one of instruments; a currency line gets `extra`."""
        return np.concatenate((instruments, np.full(len(self.currency), extra)))

    def known(self, usable: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the places of the lines that need no other instruments than the `usable` ones."""
        some = set(usable.tolist())
        more = [
            len(self.own) + place
            for place, line in enumerate(self.currency)
            if line.held in some | {-1} and all(rate in some for rate, _ in line.legs)
        ]
        return np.concatenate((usable, np.asarray(more, dtype=np.int64)))

    def holdings(self, places: NDArray[np.int64]) -> Holdings:
        """Return the holdings that the lines at some places belong to; `places` as from `known`."""
        count = len(self.own)
        priced = places[places < count]
        names = [self.own[place] for place in priced]
        at = {name: place for place, name in enumerate(names)}
        of_currency = []
        for place in places[len(priced) :]:
            name = self.currency[place - count].instrument_id
            if name not in at:
                at[name] = len(names)
                names.append(name)
            of_currency.append(at[name])
        return Holdings(tuple(names), len(priced), np.asarray(of_currency, dtype=np.int64))

    def among(self, usable: NDArray[np.int64]) -> Lines:
        """Return the lines at the places `known(usable)`, over the `usable` instruments alone."""
        moved: Mapping[int, int] = {int(place): at for at, place in enumerate(usable)} | {-1: -1}
        kept = [self.currency[place - len(self.own)] for place in self.known(usable)[len(usable) :]]
        return Lines(tuple(self.own[place] for place in usable), tuple(_moved(each, moved) for each in kept))


@dataclass(frozen=True)
class Holdings:
    """Lines put together by what they are holdings of.

    Attributes:
        names: instruments first, one a price line, then cash in foreign currencies.
        priced: how many of the lines are price lines.
        of_currency: of each currency line the place of its holding.
    """

    names: tuple[str, ...]
    priced: int
    of_currency: NDArray[np.int64]

    def parts(self, values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the sums of values (portfolios, lines) by price and by currency, (portfolios, holdings)."""
        by_price = np.zeros((len(values), len(self.names)))
        by_currency = np.zeros_like(by_price)
        by_price[:, : self.priced] = values[:, : self.priced]
        for line, holding in enumerate(self.of_currency):
            by_currency[:, holding] += values[:, self.priced + line]
        return by_price, by_currency

    def some(self, weights: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which holdings (portfolios, holdings) have a weight (portfolios, lines)."""
        by_price, by_currency = self.parts(np.abs(weights))
        return np.asarray(by_price + by_currency > 0.0)


def _moved(line: CurrencyLine, moved: Mapping[int, int]) -> CurrencyLine:
    legs: Sequence[Leg] = [(moved[rate], sign) for rate, sign in line.legs]
    return CurrencyLine(line.instrument_id, line.base, moved[line.held], tuple(legs))
