"""Details below whole portfolios: against the benchmark, by group, and without one position.

Each is one more row of weights, simulated with the portfolios and in their scenarios.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from acceleray.errors import PortfolioError
from acceleray.quant.sparse_rows import Rows, SparseRows
from acceleray.stages.book.exposures import NAMES, OF_CURRENCY, OF_PRICE, OF_VALUE, Exposures
from acceleray.stages.book.hierarchy import Portfolios
from acceleray.stages.book.market import Market
from acceleray.stages.book.things import PRICED, Held, held_of

ACTIVE, GROUP, WITHOUT = "active", "group", "without"
# Beyond so many portfolios only those that have parts are looked into.
DETAILED_PORTFOLIOS = 100
# Positions of one portfolio whose removal is simulated: the largest ones.
REMOVED_POSITIONS = 200
PART = "portfolio"
"""The grouping by direct parts of a portfolio."""


@dataclass(frozen=True)
class Detail:
    """One row: kind, the portfolio it is about, and what it is.

    `by` and `name` are a grouping and one of its groups, "benchmark" and its id, "instrument" and its name.
    `size` is the exposure of the position that is left out, a share of NAV, long positive.
    """

    kind: str
    portfolio: int
    by: str
    name: str
    size: float = 0.0


@dataclass(frozen=True)
class Details:
    """Rows and their weights, shares of the NAV of the row's portfolio.

    Attributes:
        rows: what each is.
        weights: (rows, lines); with `lacking` those of `WITHOUT` are empty.
        lacking: (rows, lines), what such a row lacks of its portfolio; None where every row is whole.
    """

    rows: tuple[Detail, ...]
    weights: Rows
    lacking: SparseRows | None = None

    def of(self, kind: str) -> NDArray[np.int64]:
        """Return the places of the rows of one kind."""
        return np.array([place for place, row in enumerate(self.rows) if row.kind == kind], dtype=np.int64)


@dataclass(frozen=True)
class Row:
    """A detail before it is a row of weights.

    Of a large book whole copies of its exposures would be many gigabytes, so a row names places.

    Attributes:
        detail: what it is.
        nav: what its weights are shares of.
        places: among the exposures of all portfolios: of a group those that count; of a portfolio without a
            position those that do not.
        against: of an active row the exposures of the benchmark.
    """

    detail: Detail
    nav: float
    places: NDArray[np.int64]
    against: Exposures | None = None


def looked_into(portfolios: Portfolios) -> list[int]:
    """Return the portfolios that get details: all of a hundred, else a hundred of those that have parts."""
    if len(portfolios) <= DETAILED_PORTFOLIOS:
        return list(range(len(portfolios)))
    return [place for place, parts in enumerate(portfolios.children) if parts][:DETAILED_PORTFOLIOS]


def details_of(
    found: Exposures,
    portfolios: Portfolios,
    groups: Mapping[str, NDArray[np.object_]],
) -> list[Row]:
    """Return all rows; of an active row the benchmark's exposures are in the base currency of the portfolio.

    Args:
        found: of every portfolio; with the instruments that serve as a benchmark among its things.
        portfolios: the portfolios.
        groups: by grouping, the group of each position (positions,), empty where it has none.
    """
    bounds = np.searchsorted(found.portfolio, np.arange(len(portfolios) + 1))
    rows: list[Row] = []
    for place in looked_into(portfolios):
        first, nav = bounds[place], float(found.nav[place])
        own = found.at(np.arange(first, bounds[place + 1]))
        if not own.amount.size:
            continue
        if portfolios.benchmarks[place]:
            rows.append(_active(found, own, portfolios, place, bounds))
        for by, labels in _labels(own, place, portfolios, groups).items():
            encoded = pa.array(labels, pa.string()).dictionary_encode()
            names = encoded.dictionary.to_pylist()
            places = _by_code(encoded.indices.to_numpy(), len(names))
            for name, some in sorted(zip(names, places, strict=True), key=itemgetter(0)):
                if name:
                    rows.append(Row(Detail(GROUP, place, by, name), nav, first + some))
        held = _by_code(own.thing, len(own.things))
        for number in _largest(own):
            size = _size(own.at(held[number]), number) / nav
            detail = Detail(WITHOUT, place, "instrument", own.things[number].instrument_id, size)
            rows.append(Row(detail, nav, first + held[number]))
    return rows


def _by_code(codes: NDArray[np.int64], count: int) -> list[NDArray[np.int64]]:
    """Return the ascending places of each of `count` codes."""
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.searchsorted(codes[order], np.arange(1, count)))


def _active(
    found: Exposures, own: Exposures, portfolios: Portfolios, place: int, bounds: NDArray[np.int64]
) -> Row:
    benchmark = portfolios.benchmarks[place]
    detail, nowhere = Detail(ACTIVE, place, "benchmark", benchmark), np.empty(0, dtype=np.int64)
    if benchmark in portfolios.ids:
        at = portfolios.ids.index(benchmark)
        against = found.at(np.arange(bounds[at], bounds[at + 1]))
        against = replace(against, portfolio=np.full(against.amount.size, place))
        return Row(detail, float(found.nav[at]), nowhere, against)
    base = found.currencies.index(portfolios.currencies[place])
    return Row(detail, 1.0, nowhere, _index(own, benchmark, base))


def with_benchmarks(found: Exposures, portfolios: Portfolios, known: pa.Table, market: Market) -> Exposures:
    """Return exposures with every instrument that serves as a benchmark among their things.

    Args:
        found: of every portfolio.
        portfolios: the portfolios.
        known: of instruments; see `held_of`.
        market: closes and rates.

    Raises:
        PortfolioError: a benchmark is neither a portfolio nor an instrument.
    """
    there = {each.instrument_id for each in found.things if each.status == PRICED}
    more: dict[str, Held] = {}
    for place, benchmark in enumerate(portfolios.benchmarks):
        if not benchmark or benchmark in portfolios.ids or benchmark in there:
            continue
        (held,) = held_of([benchmark], known, market)
        if held.place >= 0 and held.status == PRICED:
            more[benchmark] = held
            continue
        if benchmark not in market.instruments:
            raise PortfolioError(
                f"The benchmark {benchmark} of portfolio {portfolios.ids[place]} is neither a portfolio nor a"
                " series of prices; correct benchmark_id."
            )
        at = market.instruments.index(benchmark)
        more[benchmark] = Held(benchmark, "index", "", PRICED, "", at, 1.0, np.nan)
    codes = {each.currency for each in more.values()} - {"", *found.currencies}
    currencies = (*found.currencies, *sorted(codes))
    return replace(found, things=(*found.things, *more.values()), currencies=currencies)


def active_weights(own: NDArray[np.float64], benchmark: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weights (..., lines) of a portfolio less those of its benchmark.

    Rounding residuals of equal weights are zero: a portfolio has no risk against itself.
    """
    difference = own - benchmark
    size = np.maximum(np.abs(own), np.abs(benchmark))
    return np.where(np.abs(difference) <= 1e-13 * size, 0.0, difference)


def _labels(
    own: Exposures, place: int, portfolios: Portfolios, groups: Mapping[str, NDArray[np.object_]]
) -> dict[str, NDArray[np.object_]]:
    """Return the group of each exposure by grouping; groupings that nothing here has are left out."""
    listed = own.position >= 0
    is_cash = np.array([each.kind == "cash" for each in own.things], dtype=np.bool_)[own.thing]
    money = np.array([each.currency for each in own.things], dtype=object)[own.thing]
    found = {}
    for by, of_position in groups.items():
        labels = np.full(own.amount.size, "", dtype=object)
        labels[listed] = of_position[own.position[listed]]
        if np.any(labels != ""):
            # Every exposure belongs to one group, so that groups add up to the whole.
            other = np.where(is_cash, money if by == "currency" else "Cash", "not given")
            found[by] = np.where(labels == "", other, labels)
    ids = np.asarray(portfolios.ids, dtype=object)
    parts = np.where(own.via == place, "", ids[own.via])
    if np.any(parts != ""):
        found[PART] = np.where(parts == "", f"{portfolios.ids[place]} itself", parts)
    return found


def _largest(own: Exposures) -> list[int]:
    moving = own.kind != OF_VALUE
    size = np.bincount(own.thing[moving], np.abs(own.amount[moving]), minlength=len(own.things))
    order = np.argsort(-size, kind="stable")[:REMOVED_POSITIONS]
    return sorted(int(number) for number in order if size[number] > 0.0)


def _size(held: Exposures, number: int) -> float:
    """Return the exposure to its price of what is held of a thing, of cash and forwards to the currency."""
    thing, rows = held.things[number], np.ones(held.amount.size, dtype=np.bool_)
    if thing.pair is not None:
        rows &= (held.kind == OF_CURRENCY) & (held.currency == held.currencies.index(thing.pair[0]))
    else:
        rows &= held.kind == (OF_CURRENCY if thing.kind == "cash" else OF_PRICE)
    return float(held.amount[rows].sum())


def _index(own: Exposures, benchmark: str, base: int) -> Exposures:
    """Return one unit of an instrument that serves as a benchmark, in the base currency if it names none."""
    number = next(
        place
        for place, each in enumerate(own.things)
        if each.instrument_id == benchmark and each.status == PRICED
    )
    code = own.things[number].currency
    currency = own.currencies.index(code) if code in own.currencies else base
    columns: dict[str, Any] = {name: np.repeat(getattr(own, name)[:1], 2) for name in NAMES}
    columns |= {"kind": np.array([OF_PRICE, OF_CURRENCY]), "currency": np.array([-1, currency])}
    columns |= {"thing": np.full(2, number), "amount": np.ones(2), "position": np.full(2, -1)}
    return replace(own, **columns)
