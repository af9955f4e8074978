"""The book: the positions of a desk, or an equal-weight reference portfolio and seeded random ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from importlib import resources

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from acceleray.engines.handoff.arrays import Panel
from acceleray.engines.processes.memory import give_back
from acceleray.errors import PortfolioError
from acceleray.quant.streams import Purpose, uniforms
from acceleray.runtime.risk_days import exchange_rates
from acceleray.runtime.run import Run
from acceleray.stages.book.actual import actual_pnl
from acceleray.stages.book.book import REFERENCE, Book
from acceleray.stages.book.detail_weights import columns_with, weights_with
from acceleray.stages.book.details import Details, Row, details_of, with_benchmarks
from acceleray.stages.book.exposures import Columns, Exposures, exposures_of
from acceleray.stages.book.grouping import groups_of
from acceleray.stages.book.hierarchy import Portfolios, in_short, without_empty
from acceleray.stages.book.holdings import (
    Holdings,
    accept,
    commit_holdings,
    receive_files,
    receive_holdings,
)
from acceleray.stages.book.incoming import Incoming
from acceleray.stages.book.liquidity_stage import commit_liquidity
from acceleray.stages.book.market import Market, market_at, market_of
from acceleray.stages.book.rows import (
    left_out,
    plain_portfolios,
    plain_positions,
    portfolio_rows,
    position_rows,
)
from acceleray.stages.book.valuation import Valued, value
from acceleray.stages.book.volumes import receive_volumes
from acceleray.stages.ingest.delivered import Delivered, Examine
from acceleray.stages.ingest.delta_table import newest
from acceleray.tables import PORTFOLIOS, POSITIONS, PRICE_SERIES

__all__ = ["REFERENCE", "Book", "Incoming", "accept_book", "build_book", "examine_book", "receive_book"]


def receive_book(run: Run) -> Incoming:
    """Return what the book's files or tables say; nothing is written.

    The sample book goes with the sample prices: with other prices an equal-weight portfolio stands in for it.

    Raises:
        PortfolioError: a file of positions, volumes or booked P&L cannot be read, or is invalid.
    """
    found = _receive(run)
    # Read here too, so that P&L that cannot be used is heard of before the night's work and not after it.
    known = found.received.portfolios if found.received is not None else ()
    bases = {each.portfolio_id: each.base_currency for each in known if each.base_currency}
    actual_pnl(run.lake.spark, run.settings, bases)
    return found


def _receive(run: Run) -> Incoming:
    source = run.settings.book.source
    if source == "sample" and run.settings.market_data.source != "sample":
        run.notices.add(
            "The sample book needs the sample prices, so the book is simulated; set book.source and"
            " book.path to your own."
        )
        source = "simulated"
    if source == "simulated":
        return Incoming(source)
    volumes = receive_volumes(run.lake.spark, run.settings)
    if source == "sample":
        folder = resources.files("acceleray.stages.book") / "sample"
        with resources.as_file(folder) as path:
            return Incoming(
                source,
                receive_files(path / "positions.csv", path / "portfolios.csv", path / "instruments.csv"),
                volumes,
            )

    def read(name: str, setting: str) -> pa.Table:
        return newest(run.lake.spark, run.settings, name, setting).toArrow()

    return Incoming("reported", receive_holdings(run.settings, read), volumes)


def examine_book(run: Run, incoming: Incoming) -> Examine:
    """Return what `ingest` calls before it commits: it refuses a book that cannot be meant with its prices.

    Everything but models is tried, so that a missing rate or a contradiction is heard of before anything is
    computed or written.
    """

    def examine(found: Delivered) -> None:
        """Match and value the positions.

        Raises:
            PortfolioError: the book contradicts itself, or lacks a rate, currency, portfolio or date.
        """
        if incoming.received is None:
            return
        names = found.instruments
        holdings = accept(incoming.received, run.settings, found.as_of, names)
        every = np.ones(len(names), dtype=np.bool_)
        _assemble(run, holdings, market_at(found.closes, names, every, run.settings.fx.pairs))
        incoming.examined[found.as_of, names] = holdings

    return examine


def accept_book(run: Run, incoming: Incoming) -> Holdings | None:
    """Return and commit the positions of the run, matched with prices, and say what they are.

    Prices must have been ingested, and the book examined with them.

    Raises:
        PortfolioError: what is said contradicts itself, or a rate, currency, portfolio or date is missing, or
            the book has been accepted already.
    """
    if incoming.accepted:
        raise PortfolioError("This book has been accepted already; call receive_book again.")
    received = incoming.received
    if received is None:
        return None
    names = tuple(sorted(run.arrow(PRICE_SERIES, ("instrument_id",))["instrument_id"].to_pylist()))
    holdings = incoming.examined.get((run.as_of, names))
    if holdings is None:
        # A recipe that has not handed `examine_book` to `ingest` is refused here, later.
        holdings = accept(received, run.settings, run.as_of, names)
        _assemble(run, holdings, market_of(run, names, np.ones(len(names), dtype=np.bool_)))
    for line in holdings.lines:
        if line in holdings.facts:
            run.reporter.say(f"    {line}")
        else:
            run.notices.add(line)
    commit_holdings(run, received, holdings)
    # No later stage needs it.
    incoming.give_up()
    return replace(holdings, volumes=incoming.volumes)


def build_book(run: Run, returns: Panel, usable: NDArray[np.int64], holdings: Holdings | None) -> Book:
    """Return and commit the book: positions valued at the as-of date, rolled up to their wholes.

    Without holdings it is simulated, over the instruments that still trade at the as-of date.

    Args:
        run: what is read and written.
        returns: up to the as-of date.
        usable: places of the instruments that have a model.
        holdings: the positions of the run.
    """
    if holdings is None:
        book = _simulated(run, returns)
        run.commit_parts(PORTFOLIOS, (plain_portfolios(book, span) for span in book.spans()))
        run.commit_parts(POSITIONS, (plain_positions(book, span) for span in book.spans()))
        return book
    instruments = returns.instruments
    modelled = np.zeros(len(instruments), dtype=np.bool_)
    modelled[usable] = True
    market = market_of(run, instruments, modelled)
    made = _assemble(run, holdings, market)
    still = returns.trading(run.settings.market_data.stale_after_d)
    old = sorted(
        each.instrument_id for each in made.valued.things if each.place >= 0 and not still[each.place]
    )
    if old:
        days = run.settings.market_data.span(run.settings.market_data.stale_after_d)
        made.lines.append(f"{in_short(old)}: no price for more than {days}, valued at the last one")
    run.notices.add(*made.lines)
    for line in made.said:
        run.reporter.say(f"    {line}")
    origin = "sample" if run.settings.book.source == "sample" else "reported"
    run.commit(PORTFOLIOS, portfolio_rows(made.found, made.portfolios, origin))
    rows = partial(position_rows, made.found, made.valued, made.portfolios, made.groups, market)
    if holdings.volumes is None:
        run.commit_parts(POSITIONS, rows)
    else:
        kept = list(rows())
        run.commit_parts(POSITIONS, lambda: iter(kept))
        commit_liquidity(run, holdings, kept, dict(zip(made.portfolios.ids, made.found.nav, strict=True)))
    book = _book(made, origin)
    del made, rows
    # Of a million positions hundreds of megabytes, which the workers of the simulation need.
    give_back()
    return book


@dataclass(frozen=True)
class _Made:
    """A book in money, before it is one of weights.

    `lines` are about what was left out or assumed; `said` is what the overview says by itself.
    """

    portfolios: Portfolios
    valued: Valued
    found: Exposures
    groups: dict[str, NDArray[np.object_]]
    rows: list[Row]
    columns: Columns
    lines: list[str]
    said: list[str]


def _assemble(run: Run, holdings: Holdings, market: Market) -> _Made:
    settings = run.settings.book
    owners = pc.unique(holdings.positions["portfolio_id"]).to_pylist()
    known, empty = without_empty(holdings.portfolios, owners)
    portfolios = Portfolios.of(known, owners, settings.currency)
    valued, lines = value(holdings.positions, holdings.instruments, portfolios, market, settings)
    found = with_benchmarks(exposures_of(valued, market), portfolios, holdings.instruments, market)
    groups = groups_of(holdings, valued)
    rows = details_of(found, portfolios, groups)
    columns = columns_with(found, rows, portfolios, market)
    lines += empty
    return _Made(portfolios, valued, found, groups, rows, columns, lines, left_out(found, portfolios))


def _book(made: _Made, origin: str) -> Book:
    portfolios, found = made.portfolios, made.found
    weights, of_rows, lacking = weights_with(found, made.rows, made.columns, len(portfolios))
    return Book(
        portfolios=portfolios.ids,
        names=portfolios.names,
        origins=(origin,) * len(portfolios),
        lines=made.columns.lines,
        weights=weights,
        nav=found.nav,
        currencies=portfolios.currencies,
        parents=tuple(portfolios.ids[place] if place >= 0 else "" for place in portfolios.parents),
        benchmarks=portfolios.benchmarks,
        details=Details(tuple(row.detail for row in made.rows), of_rows, lacking),
        stated=tuple(made.valued.stated.tolist()),
    )


def _simulated(run: Run, returns: Panel) -> Book:
    settings = run.settings.book
    still = returns.trading(run.settings.market_data.stale_after_d)
    trading = np.flatnonzero(still & ~np.isin(returns.instruments, exchange_rates(run)))
    weights = np.zeros((settings.portfolios, len(returns.instruments)))
    weights[0, trading] = 1.0 / trading.size
    for number in range(1, settings.portfolios):
        weights[number, trading] = random_weights(run.settings.seed, number, trading.size)
    names = (REFERENCE, *(f"SIM-{number:06d}" for number in range(1, settings.portfolios)))
    return Book.plain(
        names,
        returns.instruments,
        weights,
        settings.nav,
        settings.currency,
        names=("Equal-weight reference", *(f"Simulated portfolio {n}" for n in range(1, len(names)))),
        origins=("reference", *("simulated",) * (len(names) - 1)),
    )


def random_weights(seed: int, portfolio: int, instruments: int) -> NDArray[np.float64]:
    """Return long-only weights that add up to one, on a random part of the instruments.

    The number of holdings is uniform; weights on them are uniform on the simplex (normalised exponentials).
    """
    draws = uniforms(seed, portfolio, Purpose.BOOK, 2 * instruments + 1)
    holdings = 1 + int(draws[0] * instruments)
    chosen = np.argsort(draws[1 : instruments + 1], kind="stable")[:holdings]
    sizes = -np.log1p(-draws[instruments + 1 :][chosen])
    weights = np.zeros(instruments)
    weights[chosen] = sizes / sizes.sum()
    return weights
