"""One portfolio as the run valued it, and what can be traded in it, as lines that scenarios apply to.

Positions are valued again by the functions that valued them in the run, from the holdings, closes and rates
that it kept; a trade is one more position to them. So a future, a forward, a price in pence or a share in a
foreign currency is in a question what it is in the book.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from acceleray.errors import PortfolioError
from acceleray.quant.line_returns import Unit
from acceleray.settings import Settings
from acceleray.stages.book.exposures import OF_VALUE, columns_of, exposures_of, weights_of
from acceleray.stages.book.hierarchy import Portfolios
from acceleray.stages.book.lines import PRICE, Line, Lines
from acceleray.stages.book.market import Market
from acceleray.stages.book.valuation import value

_ANY = 1e12
# Attributes for `held_of` of instruments that are in no file.
NOTHING_KNOWN = pa.table({"instrument_id": pa.array([], pa.string())})


@dataclass(frozen=True)
class Portfolio:
    """Weights of lines: instruments at their own price first, in the order of the scenarios, then the others.

    Attributes:
        portfolio_id, nav, currency: whose; NAV in base currency.
        lines: over the instruments of the scenarios.
        weights: (lines,) shares of NAV, long positive.
    """

    portfolio_id: str
    nav: float
    currency: str
    lines: Lines
    weights: NDArray[np.float64]

    @property
    def more(self) -> tuple[Unit, ...]:
        """Return the lines behind those of instruments at their own price."""
        return tuple(unit_of(line) for line in self.lines.more)

    def held(self, weights: NDArray[np.float64]) -> dict[str, float]:
        """Return weights (lines,) by holding, those at zero left out; what currencies add is no holding."""
        found: dict[str, float] = {}
        for name, part, weight in zip(self.lines.instruments, self.lines.parts, weights, strict=False):
            if part == PRICE and weight:
                found[name] = found.get(name, 0.0) + float(weight)
        return found


@dataclass(frozen=True)
class Tradable:
    """Tradable instruments of one portfolio.

    Attributes:
        price: of one unit in the base currency, NaN where unknown.
        parts: lines whose returns, each times its number, add up to the return of a unit of exposure; empty
            where there are no scenarios of it.
        reason: why there are none.
    """

    price: float
    parts: tuple[tuple[float, Line], ...]
    reason: str = ""


def unit_of(line: Line) -> Unit:
    """Return a line of a book as scenarios know it."""
    return Unit(line.held, line.legs, line.beta)


def own_lines(place: int) -> Line:
    """Return the line of an instrument at its own price, where lines of all kinds are listed together."""
    return Line("", PRICE, "", place)


@dataclass(frozen=True)
class Desk:
    """Inputs for valuing positions.

    Attributes:
        market: closes and rates of the as-of date, instruments of the calibration.
        usable: places of those of them that the scenarios have.
        known: what files say of instruments.
        settings: of the run.
    """

    market: Market
    usable: NDArray[np.int64]
    known: pa.Table
    settings: Settings

    @property
    def instruments(self) -> tuple[str, ...]:
        """Return the instruments of the scenarios, in their order."""
        return tuple(self.market.instruments[place] for place in self.usable)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of everything that could be traded."""
        return tuple(dict.fromkeys((*self.instruments, *self.known["instrument_id"].to_pylist())))

    def book(self, positions: pa.Table, portfolios: pa.Table, portfolio_id: str) -> Portfolio:
        """Return a portfolio with what it and its parts hold.

        Args:
            positions: of every portfolio, as silver.holdings has them.
            portfolios: as silver.portfolios_known has them.
            portfolio_id: the one that is wanted.
        """
        owners = dict.fromkeys(positions["portfolio_id"].to_pylist())
        every = Portfolios.of(portfolios, owners, self.settings.book.currency)
        valued, _ = value(positions, self.known, every, self.market, self.settings.book)
        found = exposures_of(valued, self.market)
        columns = columns_of(found, every.currencies, self.market)
        weights = weights_of(found, columns, found.portfolio, len(every), found.nav)
        place = every.ids.index(portfolio_id)
        return self._portfolio(
            portfolio_id, float(found.nav[place]), every.currencies[place], columns.lines, weights[place]
        )

    def plain(self, portfolio_id: str, nav: float, currency: str, weights: dict[str, float]) -> Portfolio:
        """Return a portfolio of a simulated book, which holds instruments at their own price alone."""
        names = self.market.instruments
        held = np.array([weights.get(name, 0.0) for name in names])
        return self._portfolio(portfolio_id, nav, currency, Lines(names), held)

    def tradable(self, portfolio: Portfolio, names: Sequence[str]) -> dict[str, Tradable]:
        """Return what a unit of each name is in a portfolio."""
        count = len(names)
        one = Portfolios(("",), ("",), (portfolio.currency,), np.array([portfolio.nav]), (-1,), ("",))
        # First a unit of each, which tells its price; then all of NAV in it, which works without a price.
        positions = pa.table(
            {
                "portfolio_id": pa.array([""] * 2 * count, pa.string()),
                "instrument_id": pa.array([*names, *names], pa.string()),
                "currency": pa.nulls(2 * count, pa.string()),
                "quantity": pa.array([1.0] * count + [None] * count, pa.float64()),
                "market_value": pa.nulls(2 * count, pa.float64()),
                "weight": pa.array([None] * count + [1.0] * count, pa.float64()),
            }
        )
        # These are no book: nothing has to add up to a NAV.
        loose = self.settings.book.model_copy(update={"tolerance": _ANY})
        valued, _ = value(positions, self.known, one, self.market, loose)
        exposed = exposures_of(valued, self.market)
        columns = columns_of(exposed, one.currencies, self.market)
        places = {int(at): number for number, at in enumerate(columns.lines.known(self.usable))}
        among = columns.lines.among(self.usable)
        every = (*(own_lines(place) for place in range(len(among.own))), *among.more)
        parts: list[list[tuple[float, Line]]] = [[] for _ in names]
        without: set[int] = set()
        for kind, at, amount, position in zip(
            exposed.kind, columns.of, exposed.amount, exposed.position, strict=True
        ):
            if kind == OF_VALUE or position < count or at < 0:
                continue
            if int(at) in places:
                parts[position - count].append((float(amount) / portfolio.nav, every[places[int(at)]]))
            else:
                without.add(int(position) - count)
        found = {}
        for number, name in enumerate(names):
            thing = valued.things[valued.thing[number]]
            price = float(valued.exposure[number])
            reason = thing.reason or "cash in the portfolio's own currency is at no risk"
            if number in without or not parts[number]:
                found[name] = Tradable(np.nan, (), reason)
            else:
                found[name] = Tradable(price if price else np.nan, tuple(parts[number]))
        return found

    def _portfolio(
        self, portfolio_id: str, nav: float, currency: str, lines: Lines, weights: NDArray[np.float64]
    ) -> Portfolio:
        known = lines.known(self.usable)
        lost = np.setdiff1d(np.flatnonzero(weights), known)
        if lost.size:
            raise PortfolioError(
                f"{portfolio_id} holds {lines.instruments[lost[0]]}, of which there are no scenarios."
            )
        return Portfolio(portfolio_id, nav, currency, lines.among(self.usable), weights[known])
