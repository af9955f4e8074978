"""Exposures in money: positions, currencies and cash, rolled up from parts to the whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acceleray.stages.book.hierarchy import deepest_first
from acceleray.stages.book.lines import CURRENCY, PRICE, Line, Lines
from acceleray.stages.book.market import Market
from acceleray.stages.book.things import CASH, PRICED, PROXIED, Held
from acceleray.stages.book.valuation import Valued

OF_PRICE, OF_CURRENCY, OF_VALUE = 0, 1, 2
NAMES = ("portfolio", "kind", "thing", "currency", "amount", "position", "via")
"""The arrays of exposures, one value an exposure."""

CASH_NAME = "CASH.{}"
"""Name of cash in a currency if no position has one."""


@dataclass(frozen=True)
class Exposures:
    """Amounts of money that move with a price or a currency; parallel arrays of shape (exposures,).

    Attributes:
        portfolio: whose, a place among the portfolios.
        kind: `OF_PRICE`, `OF_CURRENCY`, or `OF_VALUE`: market value, which moves nothing by itself.
        thing: what is held, a place in `things`.
        currency: place in `currencies`; -1 where it is none.
        amount: in the base currency of the portfolio, long positive.
        position: the position that it comes from, -1 for cash that is left of NAV.
        via: the direct part of the portfolio that holds it, the portfolio itself where it holds it directly.
        things: what is held; cash that no position names stands behind what positions name.
        currencies: ISO 4217 codes.
        nav: (portfolios,) in base currency, parents included.
        cash: (portfolios,) what is left of NAV in the portfolio itself and in its parts.
    """

    portfolio: NDArray[np.int64]
    kind: NDArray[np.int64]
    thing: NDArray[np.int64]
    currency: NDArray[np.int64]
    amount: NDArray[np.float64]
    position: NDArray[np.int64]
    via: NDArray[np.int64]
    things: tuple[Held, ...]
    currencies: tuple[str, ...]
    nav: NDArray[np.float64]
    cash: NDArray[np.float64]

    def at(self, rows: NDArray[np.int64]) -> Exposures:
        """Return the exposures at some places."""
        some: dict[str, Any] = {name: getattr(self, name)[rows] for name in NAMES}
        return replace(self, **some)

    def behind(self, others: Sequence[Exposures]) -> Exposures:
        """Return these exposures and others of the same things behind them."""
        every = (self, *others)
        joined: dict[str, Any] = {
            name: np.concatenate([getattr(each, name) for each in every]) for name in NAMES
        }
        return replace(self, **joined)


def exposures_of(valued: Valued, market: Market) -> Exposures:
    """Return the exposures of every portfolio: its own, and those of all its parts.

    Raises:
        PortfolioError: no rates lead from the currency of a part to that of the whole.
    """
    own, things, currencies = _own(valued)
    portfolios = valued.portfolios
    bounds = np.searchsorted(own["portfolio"], np.arange(len(portfolios) + 1))
    parts: list[list[dict[str, NDArray[np.float64]]]] = [
        [{name: values[bounds[place] : bounds[place + 1]] for name, values in own.items()}]
        for place in range(len(portfolios))
    ]
    nav, cash = valued.nav.copy(), valued.cash.copy()
    children = portfolios.children
    whole: list[dict[str, NDArray[np.float64]]] = [{} for _ in children]
    for place in deepest_first(portfolios.parents):
        whole[place] = _joined(parts[place])
        parent = portfolios.parents[place]
        if parent < 0:
            continue
        base, into = portfolios.currencies[place], portfolios.currencies[parent]
        rate = market.rate(base, into, portfolios.ids[place]) if base != into else 1.0
        count = whole[place]["amount"].size
        moved = whole[place] | {
            "portfolio": np.full(count, parent),
            "via": np.full(count, place),
            "amount": whole[place]["amount"] * rate,
        }
        parts[parent].append(moved)
        nav[parent] += nav[place] * rate
        cash[parent] += cash[place] * rate
    every = _joined(whole)
    return Exposures(
        **{name: every[name].astype(np.int64) for name in every if name != "amount"},
        amount=every["amount"],
        things=things,
        currencies=currencies,
        nav=nav,
        cash=cash,
    )


def _joined(parts: Sequence[dict[str, NDArray[np.float64]]]) -> dict[str, NDArray[np.float64]]:
    return {name: np.concatenate([each[name] for each in parts]) for name in parts[0]}


def _own(valued: Valued) -> tuple[dict[str, NDArray[np.float64]], tuple[Held, ...], tuple[str, ...]]:
    """Return each portfolio's own exposures, sorted by portfolio, and what they are of."""
    bases = valued.portfolios.currencies
    pairs = [each.pair for each in valued.things if each.pair is not None]
    codes = {*bases, *valued.currency.astype(str).tolist(), *(code for pair in pairs for code in pair)}
    currencies = tuple(sorted(codes))
    at = {code: place for place, code in enumerate(currencies)}
    status = np.array([each.status for each in valued.things], dtype=object)[valued.thing]
    forward = np.array([each.pair is not None for each in valued.things], dtype=np.bool_)[valued.thing]
    future = np.array([each.kind == "future" for each in valued.things], dtype=np.bool_)[valued.thing]
    position = np.arange(valued.thing.size)
    money = np.array([at[code] for code in valued.currency.astype(str)], dtype=np.int64)
    priced = np.isin(status, [PRICED, PROXIED]) & ~forward
    # A future is settled every day: its currency moves the gain alone, which is of second order.
    carried = (priced & ~future) | (status == CASH)
    none = np.full(position.size, -1)
    found = [
        _rows(valued, position[priced], OF_PRICE, none[priced], valued.exposure[priced]),
        _rows(valued, position[carried], OF_CURRENCY, money[carried], valued.exposure[carried]),
        _rows(valued, position, OF_VALUE, none, valued.value),
    ]
    for sign, side in ((1.0, 0), (-1.0, 1)):
        sides = [at[each.pair[side]] if each.pair is not None else -1 for each in valued.things]
        rows = position[forward]
        of = np.array(sides, dtype=np.int64)[valued.thing[rows]]
        found.append(_rows(valued, rows, OF_CURRENCY, of, sign * valued.exposure[rows]))
    things, number = list(valued.things), {each.instrument_id: n for n, each in enumerate(valued.things)}
    for place in np.flatnonzero(valued.cash != 0.0).tolist():
        base = bases[place]
        name = CASH_NAME.format(base)
        if name not in number:
            number[name] = len(things)
            things.append(Held(name, "cash", base, CASH, "", -1, 1.0, 1.0))
        for kind, code in ((OF_CURRENCY, at[base]), (OF_VALUE, -1)):
            row = {"portfolio": place, "kind": kind, "thing": number[name], "currency": code}
            row |= {"amount": valued.cash[place], "position": -1, "via": place}
            found.append({each: np.array([value], dtype=np.float64) for each, value in row.items()})
    own = _joined(found)
    order = np.argsort(own["portfolio"], kind="stable")
    return {name: values[order] for name, values in own.items()}, tuple(things), currencies


def _rows(
    valued: Valued,
    position: NDArray[np.int64],
    kind: int,
    currency: NDArray[np.int64],
    amount: NDArray[np.float64],
) -> dict[str, NDArray[np.float64]]:
    portfolio = valued.portfolio[position]
    columns = {"portfolio": portfolio, "kind": np.full(position.size, kind), "thing": valued.thing[position]}
    columns |= {"currency": currency, "position": position, "via": portfolio}
    return {name: values.astype(np.float64) for name, values in columns.items()} | {"amount": amount}


@dataclass(frozen=True)
class Columns:
    """Lines for exposures, and which of them each is; -1 for cash in the base currency, and for values."""

    lines: Lines
    of: NDArray[np.int64]


def columns_of(found: Exposures, bases: Sequence[str], market: Market) -> Columns:
    """Return the lines that exposures need, each portfolio valued in its own base currency.

    Raises:
        PortfolioError: no rates lead from a currency to a base.
    """
    base_codes = {code: place for place, code in enumerate(found.currencies)}
    base = np.array([base_codes[code] for code in bases], dtype=np.int64)[found.portfolio]
    column = np.full(found.amount.size, -1, dtype=np.int64)
    priced = found.kind == OF_PRICE
    # A holding of another name than its series has a line of its own: numbers are by holding.
    own = np.array([_own_place(each, market) for each in found.things], dtype=np.int64)
    column[priced] = own[found.thing[priced]]
    foreign = (found.kind == OF_CURRENCY) & (found.currency != base)
    needed = (priced & (column < 0)) | foreign
    keys = np.stack(
        (found.kind, found.thing, np.where(priced, -1, found.currency), np.where(priced, -1, base)), axis=1
    )[needed]
    different, which = np.unique(keys, axis=0, return_inverse=True)
    more = tuple(_line(found, tuple(key), market) for key in different.tolist())
    column[needed] = len(market.instruments) + which.ravel()
    return Columns(Lines(market.instruments, more), column)


def _own_place(thing: Held, market: Market) -> int:
    named = thing.status == PRICED and thing.instrument_id == market.instruments[thing.place]
    return thing.place if named else -1


def _line(found: Exposures, key: tuple[int, ...], market: Market) -> Line:
    kind, number, of, base = key
    thing = found.things[number]
    if kind == OF_PRICE:
        return Line(thing.instrument_id, PRICE, "", thing.place, beta=thing.beta)
    into, code = found.currencies[base], found.currencies[of]
    # Said in words where no rates lead there.
    market.rate(code, into, thing.instrument_id)
    legs = tuple((place, sign) for place, sign in market.rates.legs(code, into))
    held = thing.place if thing.status in {PRICED, PROXIED} and thing.pair is None else -1
    return Line(thing.instrument_id, CURRENCY, into, held, legs, thing.beta)


def weights_of(
    found: Exposures, columns: Columns, row: NDArray[np.int64], count: int, nav: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return weights (count, lines): the sums of exposures by row, as shares of `nav` (count,).

    `row` (exposures,) says which row each exposure belongs to.
    """
    weights = np.zeros((count, len(columns.lines)))
    kept = columns.of >= 0
    np.add.at(weights, (row[kept], columns.of[kept]), found.amount[kept] / nav[row[kept]])
    return weights
