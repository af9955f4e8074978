"""Rows of gold.portfolios and gold.positions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from acceleray.counts import counted
from acceleray.stages.book.book import Book
from acceleray.stages.book.exposures import OF_CURRENCY, OF_PRICE, OF_VALUE, Exposures
from acceleray.stages.book.hierarchy import Portfolios, in_short
from acceleray.stages.book.market import Market
from acceleray.stages.book.prices import Priced, known, prices_of
from acceleray.stages.book.things import CASH, MONEY, NOT_MODELLED, PRICED, PROXIED, UNPRICED, Held
from acceleray.stages.book.valuation import Valued
from acceleray.tables import PORTFOLIOS, POSITIONS
from acceleray.tables.contract import Table

# Columns of gold.positions by which positions are grouped.
GROUPINGS = ("asset_class", "sector", "country", "issuer")
# Portfolios with a separate line on the console.
_SAID = 5


def plain_portfolios(book: Book, span: slice) -> pa.Table:
    """Return the rows of stand-alone portfolios, of a book without positions."""
    count = len(book.portfolios[span])
    return typed(
        PORTFOLIOS,
        {
            "portfolio_id": list(book.portfolios[span]),
            "name": list(book.names[span]),
            "origin": list(book.origins[span]),
            "nav": book.nav[span],
            "currency": list(book.currencies[span]),
            "place": np.arange(span.start, span.start + count),
        },
        count,
    )


def plain_positions(book: Book, span: slice) -> pa.Table:
    """Return the rows of weights, of a book without positions."""
    held = book.held[span]
    portfolio, instrument = np.nonzero(held)
    return typed(
        POSITIONS,
        {
            "portfolio_id": np.asarray(book.portfolios[span])[portfolio],
            "instrument_id": np.asarray(book.instruments)[instrument],
            "weight": held[portfolio, instrument],
        },
        portfolio.size,
    )


def portfolio_rows(found: Exposures, portfolios: Portfolios, origin: str) -> pa.Table:
    """Return every portfolio with its NAV, exposures, and what is not in its risk."""
    count = len(portfolios)
    priced, valued = found.kind == OF_PRICE, found.kind == OF_VALUE
    by_thing = _summed(found, priced)
    status = np.array([each.status for each in found.things], dtype=object)

    def share(*wanted: str) -> NDArray[np.float64]:
        rows = valued & np.isin(status[found.thing], wanted)
        return 100.0 * np.bincount(found.portfolio[rows], found.amount[rows], minlength=count) / found.nav

    ids = (*portfolios.ids, "")
    return typed(
        PORTFOLIOS,
        {
            "portfolio_id": list(portfolios.ids),
            "name": list(portfolios.names),
            "origin": [origin] * count,
            "nav": found.nav,
            "currency": list(portfolios.currencies),
            "place": np.arange(count),
            "parent_id": [ids[place] for place in portfolios.parents],
            "benchmark_id": list(portfolios.benchmarks),
            "gross_exposure_pct_nav": 100.0 * np.abs(by_thing).sum(axis=1) / found.nav,
            "net_exposure_pct_nav": 100.0 * by_thing.sum(axis=1) / found.nav,
            "cash_pct_nav": share(CASH),
            "proxied_pct_nav": share(PROXIED),
            "unpriced_pct_nav": share(UNPRICED),
            "not_modelled_pct_nav": share(NOT_MODELLED),
        },
        count,
    )


def position_rows(
    found: Exposures,
    valued: Valued,
    portfolios: Portfolios,
    groups: Mapping[str, NDArray[np.object_]],
    market: Market,
) -> Iterator[pa.Table]:
    """Yield the holdings of every portfolio, one row per instrument, including those of its parts."""
    bounds = np.searchsorted(found.portfolio, np.arange(len(portfolios) + 1))
    facts = _facts(valued, groups, len(found.things))
    step = 512
    for first in range(0, len(portfolios), step):
        last = min(first + step, len(portfolios))
        rows = np.arange(bounds[first], bounds[last])
        if rows.size:
            yield _positions(found.at(rows), facts, portfolios, valued.quantity, market)


def left_out(found: Exposures, portfolios: Portfolios) -> list[str]:
    """Return lines on portfolios that hold what is not in their risk: nothing leaves it in silence."""
    lines = []
    status = np.array([each.status for each in found.things], dtype=object)
    for wanted, words in ((UNPRICED, "has no prices and no proxy"), (NOT_MODELLED, "is not modelled")):
        # Positions without any value have a separate line: `valuation`.
        rows = (found.kind == OF_VALUE) & (status[found.thing] == wanted) & (found.amount != 0.0)
        places = np.unique(found.portfolio[rows])
        for place in places[:_SAID]:
            own = rows & (found.portfolio == place)
            share = 100.0 * np.abs(found.amount[own]).sum() / found.nav[place]
            names = sorted({found.things[thing].instrument_id for thing in found.thing[own]})
            who = portfolios.ids[place]
            lines.append(f"{who}: {share:.2f} % of NAV is not in its risk, it {words}: {in_short(names)}")
        if places.size > _SAID:
            more = counted(places.size - _SAID, "more portfolio")
            verb = "is" if places.size == _SAID + 1 else "are"
            lines.append(f"{more} {verb} affected as well: see gold.portfolios")
    return lines


def _positions(
    found: Exposures,
    facts: Mapping[str, NDArray[np.object_]],
    portfolios: Portfolios,
    quantities: NDArray[np.float64],
    market: Market,
) -> pa.Table:
    keys = found.portfolio * len(found.things) + found.thing
    different, which = np.unique(keys, return_inverse=True)
    portfolio, thing = np.divmod(different, len(found.things))
    value, exposure = (
        np.bincount(which[found.kind == kind], found.amount[found.kind == kind], minlength=different.size)
        for kind in (OF_VALUE, OF_PRICE)
    )
    # A forward's exposure is that to the currency bought.
    bought = [found.currencies.index(each.pair[0]) if each.pair else -2 for each in found.things]
    of_pair = (found.kind == OF_CURRENCY) & (found.currency == np.array(bought)[found.thing])
    exposure += np.bincount(which[of_pair], found.amount[of_pair], minlength=different.size)
    status = np.array([each.status for each in found.things])
    moving = np.isin(status, [PRICED, PROXIED, MONEY])[thing]
    nav = found.nav[portfolio]
    own = found.kind == OF_VALUE
    # One line without a quantity leaves that of the whole unknown.
    given = np.append(quantities, np.nan)[found.position[own]]
    quantity = np.asarray(np.bincount(which[own], given, minlength=different.size), dtype=np.float64)
    priced = _priced(found.things, thing, facts["price_currency"], portfolios, portfolio, market)
    # Cash has no unit but its currency.
    cash = status[thing] == CASH
    quantity[cash] = (value / priced.rate)[cash]
    # Arrow takes texts by their places; millions of Python's own would be looked at one by one.
    at, of = pa.array(thing), pa.array(portfolio)
    texts = {name: pa.array(values, pa.string()).take(at) for name, values in facts.items()}
    return typed(
        POSITIONS,
        {
            "portfolio_id": pa.array(portfolios.ids).take(of),
            "instrument_id": pa.array([each.instrument_id for each in found.things]).take(at),
            "weight": np.where(moving, exposure, value) / nav,
            "type": pa.array([each.kind for each in found.things]).take(at),
            "status": pa.array(status).take(at),
            "reason": pa.array([each.reason for each in found.things]).take(at),
            "quantity": known(quantity),
            "price": known(priced.price),
            "price_date": priced.date,
            "fx_rate": known(priced.rate),
            "market_value": value,
            "exposure": exposure,
            "currency": pa.array(portfolios.currencies).take(of),
            **texts,
            "price_currency": priced.currency,
        },
        different.size,
    )


def _priced(
    things: Sequence[Held],
    thing: NDArray[np.int64],
    currencies: NDArray[np.object_],
    portfolios: Portfolios,
    portfolio: NDArray[np.int64],
    market: Market,
) -> Priced:
    """Return the prices of positions, each thing looked up once for each base currency."""
    bases, base = np.unique(np.array(portfolios.currencies), return_inverse=True)
    pairs, back = np.unique(thing * bases.size + base[portfolio], return_inverse=True)
    of, to = np.divmod(pairs, bases.size)
    priced = prices_of([things[place] for place in of], currencies[of], bases[to].astype(object), market)
    return Priced(*(getattr(priced, each.name)[back] for each in fields(Priced)))


def _facts(
    valued: Valued, groups: Mapping[str, NDArray[np.object_]], count: int
) -> dict[str, NDArray[np.object_]]:
    """Return for each thing the group that its first position says, and its currency."""
    found = {name: np.full(count, None, dtype=object) for name in (*GROUPINGS, "price_currency")}
    for name, labels in [*groups.items(), ("price_currency", valued.currency)]:
        if name in found:
            # Backwards, so that the first one stays.
            found[name][valued.thing[::-1]] = labels[::-1]
    for values in found.values():
        values[values == ""] = None
    return found


def _summed(found: Exposures, rows: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return sums of exposures (portfolios, things)."""
    sums = np.zeros((found.nav.size, len(found.things)))
    np.add.at(sums, (found.portfolio[rows], found.thing[rows]), found.amount[rows])
    return sums


def typed(table: Table, columns: Mapping[str, object], count: int) -> pa.Table:
    """Return columns as the table declares them; those that are not given are NULL, run columns left out."""
    fields = [field for field in table.arrow_schema if field.name not in {"run_id", "as_of"}]
    return pa.table(
        {
            field.name: pa.array(columns[field.name], field.type)
            if field.name in columns
            else pa.nulls(count, field.type)
            for field in fields
        }
    )
