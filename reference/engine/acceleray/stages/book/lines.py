"""Lines of a book that weights multiply: instruments at their price, and currency effects.

A position in another currency earns (1 + r)(1 + fx) - 1 in the base currency of its portfolio, r at its own
price and fx (1 + r) by the exchange rate. Both are separate lines with the same weight, so losses,
contributions and stress split into price and currency by themselves, and add up exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

PRICE, CURRENCY = "price", "currency"

Leg = tuple[int, int]
"""The place of a rate among the instruments; +1 where it multiplies the price in base currency, else -1."""


@dataclass(frozen=True)
class Line:
    """Returns of a holding beyond the price of its instrument.

    Attributes:
        instrument_id: what is held: an instrument, or cash.
        part: `PRICE` for a holding without prices that moves with another one's, else `CURRENCY`.
        base: the currency in which the portfolio is valued; empty for a price.
        held: place of the instrument whose returns it takes, -1 for cash, which has no price.
        legs: the rates that lead from the holding's currency to the base.
        beta: on that instrument's returns, one where it is the holding itself.
    """

    instrument_id: str
    part: str
    base: str
    held: int
    legs: tuple[Leg, ...] = ()
    beta: float = 1.0


@dataclass(frozen=True)
class Lines:
    """The columns of a book's weights: all instruments in their order, then currencies and proxies."""

    own: tuple[str, ...]
    more: tuple[Line, ...] = ()

    def __len__(self) -> int:
        """Return the number of lines."""
        return len(self.own) + len(self.more)

    @property
    def instruments(self) -> tuple[str, ...]:
        """Return what each line is a holding of; a price and its currency line have the same name."""
        return (*self.own, *(each.instrument_id for each in self.more))

    @property
    def parts(self) -> tuple[str, ...]:
        """Return of each line whether it earns by price or by currency."""
        return (*(PRICE,) * len(self.own), *(each.part for each in self.more))

    def of(self, returns: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what lines earn (..., lines) where instruments earn simple `returns` (..., instruments).

        Both over the same days, however many. Without other lines it is the argument itself.
        """
        if not self.more:
            return returns
        more = np.empty((*returns.shape[:-1], len(self.more)))
        for place, line in enumerate(self.more):
            own = None if line.held < 0 else line.beta * returns[..., line.held]
            if line.part == PRICE:
                more[..., place] = own
                continue
            growth = np.ones(returns.shape[:-1])
            for rate, sign in line.legs:
                growth = growth * (1.0 + returns[..., rate]) ** sign
            more[..., place] = growth - 1.0 if own is None else (growth - 1.0) * (1.0 + own)
        return np.concatenate((returns, more), axis=-1)

    def summed(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return values (..., lines) of lines from those of instruments, to first order in small returns.

        A currency line has the sum of its rates', each with its sign, one by proxy its beta times that of the
        proxy: logarithms, betas, parts of returns.
        """
        if not self.more:
            return values
        more = [
            np.sum([weight * values[..., place] for place, weight in _first_order(line)], axis=0)
            for line in self.more
        ]
        return np.concatenate((values, np.stack(more, axis=-1)), axis=-1)

    def linear(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the exposure to each instrument (portfolios, instruments) of weights (portfolios, lines).

        To first order in returns: a holding in another currency is one of the price and one of the rates.
        """
        count = len(self.own)
        if not self.more:
            return weights
        exposure = weights[:, :count].copy()
        for place, line in enumerate(self.more):
            for at, weight in _first_order(line):
                exposure[:, at] += weight * weights[:, count + place]
        return exposure

    def where(self, instruments: NDArray[np.bool_], extra: bool = False) -> NDArray[np.bool_]:
        """Return a mask of lines from one of instruments; the others get `extra`."""
        return np.concatenate((instruments, np.full(len(self.more), extra)))

    def known(self, usable: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the places of the lines that need no other instruments than the `usable` ones."""
        some = set(usable.tolist())
        more = [
            len(self.own) + place
            for place, line in enumerate(self.more)
            if line.held in some | {-1} and all(rate in some for rate, _ in line.legs)
        ]
        return np.concatenate((usable, np.asarray(more, dtype=np.int64)))

    def grouped(self, places: NDArray[np.int64]) -> Grouped:
        """Return the holdings that the lines at some places belong to."""
        names, parts = self.instruments, self.parts
        at: dict[str, int] = {}
        of_line = [at.setdefault(names[place], len(at)) for place in places]
        by_price = [parts[place] == PRICE for place in places]
        return Grouped(tuple(at), np.asarray(of_line, dtype=np.int64), np.asarray(by_price, dtype=np.bool_))

    def among(self, usable: NDArray[np.int64]) -> Lines:
        """Return the lines at the places `known(usable)`, over the `usable` instruments alone."""
        moved: Mapping[int, int] = {int(place): at for at, place in enumerate(usable)} | {-1: -1}
        kept = [self.more[place - len(self.own)] for place in self.known(usable)[usable.size :]]
        return Lines(tuple(self.own[place] for place in usable), tuple(_moved(each, moved) for each in kept))


@dataclass(frozen=True)
class Grouped:
    """Lines put together by what they are holdings of.

    Attributes:
        names: instruments first, then what else is held: by proxy, and cash in foreign currencies.
        of_line: of each line the place of its holding.
        by_price: whether a line is one of prices.
    """

    names: tuple[str, ...]
    of_line: NDArray[np.int64]
    by_price: NDArray[np.bool_]

    def parts(self, values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the sums of values (portfolios, lines) by price and by currency, (portfolios, holdings)."""
        by_price = self._sums(values, self.by_price)
        return by_price, self._sums(values, ~self.by_price)

    def _sums(self, values: NDArray[np.float64], some: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the sums of values (portfolios, lines) over some lines, (portfolios, holdings)."""
        sums = np.zeros((len(values), len(self.names)))
        lines = np.flatnonzero(some)
        holdings = self.of_line[lines]
        if np.unique(holdings).size == holdings.size:
            # At once, as most books have one line a holding.
            sums[:, holdings] += values[:, lines]
            return sums
        for holding, line in zip(holdings.tolist(), lines.tolist(), strict=True):
            sums[:, holding] += values[:, line]
        return sums

    def some(self, weights: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which holdings (portfolios, holdings) have a weight (portfolios, lines)."""
        by_price, by_currency = self.parts(np.abs(weights))
        return np.asarray(by_price + by_currency > 0.0)


def _first_order(line: Line) -> tuple[tuple[int, float], ...]:
    if line.part == PRICE:
        return ((line.held, line.beta),)
    return tuple((rate, float(sign)) for rate, sign in line.legs)


def _moved(line: Line, moved: Mapping[int, int]) -> Line:
    legs = tuple((moved[rate], sign) for rate, sign in line.legs)
    return replace(line, held=moved[line.held], legs=legs)
