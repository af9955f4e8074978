"""Earlier positions: books of weights by date, each valued at the closes of its date."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from acceleray.counts import counted
from acceleray.engines.handoff.arrays import Panel, panel
from acceleray.errors import PortfolioError
from acceleray.runtime.run import Run
from acceleray.settings.book import Book as BookSettings
from acceleray.stages.book.book import Book
from acceleray.stages.book.exposures import columns_of, exposures_of, weights_of
from acceleray.stages.book.hierarchy import Portfolios
from acceleray.stages.book.holdings import Holdings
from acceleray.stages.book.lines import Lines
from acceleray.stages.book.market import Market, market_of
from acceleray.stages.book.valuation import value
from acceleray.tables import PRICES

# Dates that are looked at, the newest ones; and days before the first in which a last close is looked for.
_DATES, _BEFORE_D = 500, 31


@dataclass(frozen=True)
class Dated:
    """Holdings of portfolios from one date on: weights (portfolios, lines), shares of NAV at that date."""

    day: date
    portfolios: tuple[str, ...]
    lines: Lines
    weights: NDArray[np.float64]


def dated_books(
    run: Run, returns: Panel, usable: NDArray[np.int64], holdings: Holdings | None, book: Book
) -> tuple[Dated, ...]:
    """Return what was held from each date on, the oldest first and the book of today last.

    None where positions have no history. A date whose positions cannot be valued is left out, and said.

    Args:
        run: what is read and said.
        returns: up to the as-of date.
        usable: places of the instruments that have a model.
        holdings: the positions of the run.
        book: of today.
    """
    if holdings is None or not holdings.earlier.num_rows:
        return ()
    rows = pa.concat_tables([holdings.positions, holdings.earlier])
    days = sorted(pc.unique(rows["held_on"].drop_null()).to_pylist())[-_DATES:]
    if not days:
        return ()
    modelled = np.zeros(len(returns.instruments), dtype=np.bool_)
    modelled[usable] = True
    market = market_of(run, returns.instruments, modelled)
    closes = _closes(run, returns.instruments, days)
    found, refused = [], []
    for day, then in zip(days[:-1], closes, strict=False):
        held = replace(holdings, positions=positions_on(rows, day))
        try:
            found.append(dated(held, replace(market, closes=then), run.settings.book, day))
        except PortfolioError as error:
            refused.append(f"{day}: {error}")
    if refused:
        more = f" (and {counted(len(refused) - 1, 'more date')})" if len(refused) > 1 else ""
        run.notices.add(f"Positions of {refused[0]}{more}; they are not backtested as held then.")
    return (*found, Dated(days[-1], book.portfolios, book.lines, book.weights))


def dated(holdings: Holdings, market: Market, settings: BookSettings, day: date) -> Dated:
    """Return positions as weights at the closes of their date.

    A NAV that is given is that of today: it counts where positions have no cash or parts from which it
    follows. How large it is moves forecasts and losses alike.

    Raises:
        PortfolioError: the positions cannot be valued.
    """
    owners = pc.unique(holdings.positions["portfolio_id"]).to_pylist()
    portfolios = Portfolios.of(holdings.portfolios, owners, settings.currency)
    cash = pc.starts_with(holdings.positions["instrument_id"], "CASH.")
    follows = set(holdings.positions.filter(cash)["portfolio_id"].to_pylist())
    weighted = holdings.positions.filter(pc.is_valid(holdings.positions["weight"]))
    wholes = {portfolios.ids[place] for place in portfolios.parents if place >= 0}
    follows |= wholes - set(weighted["portfolio_id"].to_pylist())
    nav = np.where([name in follows for name in portfolios.ids], np.nan, portfolios.given_nav)
    portfolios = replace(portfolios, given_nav=nav)
    valued, _ = value(holdings.positions, holdings.instruments, portfolios, market, settings)
    found = exposures_of(valued, market)
    columns = columns_of(found, portfolios.currencies, market)
    weights = weights_of(found, columns, found.portfolio, len(portfolios), found.nav)
    return Dated(day, portfolios.ids, columns.lines, weights)


def positions_on(rows: pa.Table, day: date) -> pa.Table:
    """Return the positions held on a date: of each portfolio those of its last date not after it."""
    never = date(1970, 1, 1)
    held_on = pc.fill_null(rows["held_on"], never)
    early = rows.append_column("_held_on", held_on).filter(pc.less_equal(held_on, pa.scalar(day)))
    last = early.group_by("portfolio_id").aggregate([("_held_on", "max")]).to_pylist()
    of = {(row["portfolio_id"], row["_held_on_max"]) for row in last}
    pairs = zip(early["portfolio_id"].to_pylist(), early["_held_on"].to_pylist(), strict=True)
    return early.filter(pa.array([pair in of for pair in pairs], pa.bool_())).select(rows.column_names)


def _closes(run: Run, instruments: Sequence[str], days: Sequence[date]) -> list[NDArray[np.float64]]:
    """Return the last close (instruments,) up to each day, NaN where there is none."""
    first = days[0] - timedelta(days=_BEFORE_D)
    where = f"date >= DATE'{first}' AND date <= DATE'{days[-1]}'"
    known = panel(run.arrow(PRICES, ("date", "instrument_id", "price"), where), "price")
    rows = np.where(np.isfinite(known.values), np.arange(len(known.dates))[:, np.newaxis], -1)
    last = np.maximum.accumulate(rows, axis=0)
    places = {name: place for place, name in enumerate(known.instruments)}
    found = []
    for day in days:
        closes = np.full(len(instruments), np.nan)
        row = int(np.searchsorted(known.dates, np.datetime64(day), side="right")) - 1
        for place, name in enumerate(instruments):
            at = places.get(name, -1)
            if row >= 0 and at >= 0 and last[row, at] >= 0:
                closes[place] = known.values[last[row, at], at]
        found.append(closes)
    return found
