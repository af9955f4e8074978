"""Value and exposure of each position, in the base currency of its portfolio.

value = quantity x close x price unit x multiplier x rate. A future or a forward is an exposure of that size
and worth nothing by itself; what has no prices moves with a proxy or is not in the risk, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from acceleray.engines.handoff.arrays import column
from acceleray.errors import PortfolioError
from acceleray.settings.book import Book as BookSettings
from acceleray.stages.book.hierarchy import Portfolios, deepest_first, in_short
from acceleray.stages.book.market import Market
from acceleray.stages.book.reconciled import (
    as_large,
    refuse_contradictions,
    refuse_gap,
    without_parts,
    without_value,
)
from acceleray.stages.book.things import CASH, NOT_MODELLED, UNPRICED, WITHOUT_VALUE, Held, held_of


@dataclass(frozen=True)
class Valued:
    """Every position of a book in money; all arrays are of shape (positions,).

    Attributes:
        portfolios: the portfolios.
        nav: (portfolios,) of what a portfolio holds itself; that of a whole is this and its parts.
        things: what positions hold.
        portfolio: place of the portfolio.
        thing: place among the things.
        currency: of the position.
        quantity: NaN where it was not given.
        rate: of the position's currency in the base currency.
        value: market value in the base currency, zero where nothing says it.
        exposure: what its price moves, in the base currency; zero where it is not in the risk.
        cash: (portfolios,) what is left of NAV: cash, or financing where it is negative.
        stated: (portfolios,) whether nothing but weights and NAV is given of it and of its parts.
    """

    portfolios: Portfolios
    nav: NDArray[np.float64]
    things: tuple[Held, ...]
    portfolio: NDArray[np.int64]
    thing: NDArray[np.int64]
    currency: NDArray[np.object_]
    quantity: NDArray[np.float64]
    rate: NDArray[np.float64]
    value: NDArray[np.float64]
    exposure: NDArray[np.float64]
    cash: NDArray[np.float64]
    stated: NDArray[np.bool_]


def value(
    positions: pa.Table,
    known: pa.Table,
    portfolios: Portfolios,
    market: Market,
    settings: BookSettings,
) -> tuple[Valued, list[str]]:
    """Return positions in money, and what a user should hear about them.

    Args:
        positions: portfolio_id, instrument_id, currency, quantity, market_value and weight.
        known: of instruments; see `held_of`.
        portfolios: every portfolio that positions name.
        market: closes and rates.
        settings: of the book.

    Raises:
        PortfolioError: a rate is missing, numbers of one position contradict each other, or a portfolio has
            weights and a NAV of zero or less.
    """
    names, thing = encoded(positions["instrument_id"])
    things = tuple(held_of(names, known, market))
    at = {name: place for place, name in enumerate(portfolios.ids)}
    owners, code = encoded(positions["portfolio_id"])
    portfolio = np.array([at[name] for name in owners], dtype=np.int64)[code]
    stated = np.asarray(pc.fill_null(positions["currency"], "").to_pylist(), dtype=object)
    base = np.asarray(portfolios.currencies, dtype=object)[portfolio]
    own = np.asarray([each.currency for each in things], dtype=object)[thing]
    currency = np.where(own != "", own, np.where(stated != "", stated, base))
    stated = np.where(stated != "", stated, currency)
    rate, stated_rate = (_rates(each, base, names, thing, market) for each in (currency, stated))
    quantity, given, weight = (column(positions, name) for name in ("quantity", "market_value", "weight"))
    unit = np.array([each.unit for each in things])[thing]
    unit_rate = _of_pairs(things, thing, rate, base, market)
    by_quantity = quantity * unit * unit_rate
    by_value = given * stated_rate
    nav, lines = _net_asset_values(
        portfolios, portfolio, by_quantity, by_value, weight, things, thing, settings
    )
    by_weight = weight * nav[portfolio]
    derivative = np.array([each.kind in WITHOUT_VALUE for each in things], dtype=np.bool_)[thing]
    worth = np.where(
        np.isfinite(by_quantity), by_quantity, np.where(np.isfinite(by_value), by_value, by_weight)
    )
    # The market value of a derivative is what it has gained, whatever its size.
    gain = derivative & np.isfinite(by_value)
    sized = np.where(gain, np.nan, by_quantity)
    refuse_contradictions(positions, (sized, by_value, by_weight), nav[portfolio], settings.tolerance)
    unsized = gain & np.isfinite(quantity) & ~np.isfinite(by_quantity)
    worth = np.where(unsized, np.nan, worth)
    lines += without_value(things, thing, worth, unsized)
    lines += as_large(names, thing[gain], by_value[gain], worth[gain], settings.tolerance)
    worth = np.where(np.isfinite(worth), worth, 0.0)
    out = np.array([each.status in {UNPRICED, NOT_MODELLED} for each in things], dtype=np.bool_)[thing]
    # The price of a derivative in a file is its value, whatever its exposure.
    valued = np.where(derivative, np.where(np.isfinite(by_value), by_value, 0.0), worth)
    held = np.bincount(portfolio, valued, minlength=len(portfolios))
    has_cash = np.bincount(
        portfolio, [things[one].status == CASH for one in thing], minlength=len(portfolios)
    )
    own = without_parts(portfolios, nav, market)
    cash = own - held
    refuse_gap(portfolios, nav, cash, has_cash > 0, settings.tolerance)
    return Valued(
        portfolios=portfolios,
        nav=own,
        things=things,
        portfolio=portfolio,
        thing=thing,
        currency=currency,
        quantity=quantity,
        rate=rate,
        value=valued,
        exposure=np.where(out, 0.0, worth),
        cash=cash,
        stated=_stated(portfolios, portfolio, np.isfinite(quantity) | np.isfinite(given)),
    ), lines


def _stated(
    portfolios: Portfolios, portfolio: NDArray[np.int64], moving: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return which portfolios hold, themselves and in their parts, no position that is given otherwise."""
    found = np.bincount(portfolio[moving], minlength=len(portfolios)) == 0
    for place in deepest_first(portfolios.parents):
        if portfolios.parents[place] >= 0:
            found[portfolios.parents[place]] &= found[place]
    return found


def _rates(
    of: NDArray[np.object_],
    base: NDArray[np.object_],
    names: list[str],
    thing: NDArray[np.int64],
    market: Market,
) -> NDArray[np.float64]:
    """Return the price of one unit of each currency in the base currency next to it."""
    found = np.ones(of.size)
    pairs = of.astype(str) + "/" + base.astype(str)
    for pair in np.unique(pairs):
        rows = pairs == pair
        one, other = str(pair).split("/")
        if one != other:
            found[rows] = market.rate(one, other, names[thing[np.argmax(rows)]])
    return found


def _of_pairs(
    things: tuple[Held, ...],
    thing: NDArray[np.int64],
    rate: NDArray[np.float64],
    base: NDArray[np.object_],
    market: Market,
) -> NDArray[np.float64]:
    """Return the rates with that of the currency bought where a forward is held: its notional is in that."""
    found = rate.copy()
    for place, each in enumerate(things):
        if each.pair is not None:
            for row in np.flatnonzero(thing == place):
                found[row] = market.rate(each.pair[0], str(base[row]), each.instrument_id)
    return found


def _net_asset_values(
    portfolios: Portfolios,
    portfolio: NDArray[np.int64],
    by_quantity: NDArray[np.float64],
    by_value: NDArray[np.float64],
    weight: NDArray[np.float64],
    things: tuple[Held, ...],
    thing: NDArray[np.int64],
    settings: BookSettings,
) -> tuple[NDArray[np.float64], list[str]]:
    """Return NAV as given, or of what a portfolio holds itself: the sum of its positions."""
    count, lines = len(portfolios), []
    derivative = np.array([each.kind in WITHOUT_VALUE for each in things], dtype=np.bool_)[thing]
    own = np.where(derivative, 0.0, by_quantity)
    worth = np.where(np.isfinite(by_value) & (derivative | ~np.isfinite(by_quantity)), by_value, own)
    known = np.isfinite(worth)
    total = np.bincount(portfolio[known], worth[known], minlength=count)
    weighted = np.bincount(portfolio[~known & np.isfinite(weight)], minlength=count) > 0
    given = np.isfinite(portfolios.given_nav)
    nav = np.where(given, portfolios.given_nav, total)
    missing = weighted & ~given
    valued = np.bincount(portfolio[known & (worth != 0.0)], minlength=count) > 0
    for place in np.flatnonzero(missing & valued):
        raise PortfolioError(
            f"Portfolio {portfolios.ids[place]} has weights and values but no NAV; give its nav in the"
            " portfolios file."
        )
    nav[missing] = settings.nav
    taken = [portfolios.ids[place] for place in np.flatnonzero(missing)]
    if taken:
        lines.append(f"{in_short(taken)}: weights without a NAV, {settings.nav:,.0f} is used (book.nav)")
    holding = np.bincount(portfolio, minlength=count) > 0
    for place in np.flatnonzero(holding & ~(nav > 0.0)):
        raise PortfolioError(
            f"Portfolio {portfolios.ids[place]} has a NAV of {nav[place]:,.2f}: shares of NAV are undefined;"
            " give its nav, above zero, in the portfolios file."
        )
    return nav, lines


def encoded(values: pa.ChunkedArray) -> tuple[list[str], NDArray[np.int64]]:
    """Return the different words of a column, ascending, and the place of each row's among them."""
    whole = pc.fill_null(values.combine_chunks(), "").dictionary_encode()
    if isinstance(whole, pa.ChunkedArray):
        whole = whole.combine_chunks()
    words = np.asarray(whole.dictionary.to_pylist(), dtype=object)
    order = np.argsort(words, kind="stable") if words.size else np.empty(0, dtype=np.int64)
    rank = np.empty(words.size, dtype=np.int64)
    rank[order] = np.arange(words.size)
    codes = np.asarray(whole.indices.to_numpy(zero_copy_only=False), dtype=np.int64)
    return [str(word) for word in words[order]], rank[codes] if words.size else codes
