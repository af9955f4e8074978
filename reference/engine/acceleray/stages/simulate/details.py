"""Rows of active risk, of groups and of single positions, from what is simulated behind the portfolios."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from acceleray.quant.sparse_rows import Rows, columns_of
from acceleray.settings import Risk
from acceleray.stages.book.book import Book
from acceleray.stages.book.details import ACTIVE, GROUP, WITHOUT, Detail
from acceleray.stages.simulate.horizon import Horizon
from acceleray.stages.simulate.rows import EXPECTED_SHORTFALL, VALUE_AT_RISK
from acceleray.tables import ACTIVE_CONTRIBUTIONS, ACTIVE_RISK, GROUP_RISK, POSITION_RISK
from acceleray.tables.contract import Table

TRACKING_ERROR = "tracking_error"
# Groups whose weights are dense at a time: of thousands of lines some megabytes.
_GROUPS = 256


def active_risk(risk: Risk, book: Book, horizons: tuple[Horizon, ...]) -> pa.Table:
    """Return tracking error, active value at risk and active expected shortfall against each benchmark."""
    rows = []
    for each, measure, confidence, values, errors in _measures(risk, horizons, tracking=True):
        for row, detail in _of(book, ACTIVE):
            value = values[row]
            rows.append(
                {
                    "portfolio_id": book.portfolios[detail.portfolio],
                    "benchmark_id": detail.name,
                    "method": each.method,
                    "horizon_d": each.horizon_d,
                    "measure": measure,
                    "confidence": confidence,
                    "value": value * book.nav[detail.portfolio],
                    "value_pct_nav": 100.0 * value,
                    "standard_error": errors[row] * book.nav[detail.portfolio],
                    "currency": book.currencies[detail.portfolio],
                }
            )
    return _table(ACTIVE_RISK, rows)


def active_contributions(
    risk: Risk, book: Book, priced: NDArray[np.int64], horizons: tuple[Horizon, ...]
) -> pa.Table:
    """Return what each holding adds to active value at risk and expected shortfall; see `rows`."""
    grouped, every, rows = book.lines.grouped(priced), book.every, []
    for each, measure, confidence, contributions in _contributions(risk, horizons):
        for row, detail in _of(book, ACTIVE):
            weights = every[row : row + 1][:, priced]
            parts = grouped.parts(contributions[row : row + 1])
            for place in np.flatnonzero(grouped.some(weights)[0]):
                rows.append(
                    {
                        "portfolio_id": book.portfolios[detail.portfolio],
                        "benchmark_id": detail.name,
                        "instrument_id": grouped.names[place],
                        "method": each.method,
                        "horizon_d": each.horizon_d,
                        "measure": measure,
                        "confidence": confidence,
                        "contribution": sum(part[0, place] for part in parts) * book.nav[detail.portfolio],
                        "currency": book.currencies[detail.portfolio],
                    }
                )
    return _table(ACTIVE_CONTRIBUTIONS, rows)


def group_risk(risk: Risk, book: Book, priced: NDArray[np.int64], horizons: tuple[Horizon, ...]) -> pa.Table:
    """Return what each group of a portfolio risks alone, and what it adds to the whole.

    The groups of a grouping add up to the portfolio; what they risk alone adds up to more, the difference is
    the benefit of diversification.
    """
    rows = []
    contributions = [each for *_, each in _contributions(risk, horizons)]
    shares = _group_shares(book, priced, contributions)
    for number, (each, measure, confidence, values, errors) in enumerate(_measures(risk, horizons)):
        for (row, detail), share in zip(_of(book, GROUP), shares, strict=True):
            whole, nav = detail.portfolio, book.nav[detail.portfolio]
            rows.append(
                {
                    "portfolio_id": book.portfolios[whole],
                    "grouping": detail.by,
                    "group": detail.name,
                    "method": each.method,
                    "horizon_d": each.horizon_d,
                    "measure": measure,
                    "confidence": confidence,
                    "standalone": values[row] * nav,
                    "standard_error": errors[row] * nav,
                    "contribution": float(share.added[number]) * nav,
                    "gross_exposure_pct_nav": 100.0 * share.gross,
                    "net_exposure_pct_nav": 100.0 * share.net,
                    "currency": book.currencies[whole],
                }
            )
    return _table(GROUP_RISK, rows)


class _Share(NamedTuple):
    """Gross and net exposure of a group, and what it adds by each measure (measures,), shares of NAV."""

    gross: float
    net: float
    added: NDArray[np.float64]


def _group_shares(book: Book, priced: NDArray[np.int64], contributions: Sequence[Rows]) -> list[_Share]:
    """Return the share of each group, in the order of the details; those of a portfolio are read together."""
    weights, found = columns_of(book.every, priced), list[_Share]()
    by_price = np.array([part == "price" for part in np.asarray(book.lines.parts)[priced]], dtype=bool)
    for whole, some in groupby(_of(book, GROUP), key=lambda each: each[1].portfolio):
        places, total = [row for row, _ in some], weights[whole]
        parts = [each[whole] for each in contributions]
        for first in range(0, len(places), _GROUPS):
            own = places[first : first + _GROUPS]
            # The groups of a portfolio follow each other.
            held = weights[own[0] : own[-1] + 1]
            # A group has a share of what a line adds to the whole: that of its weight.
            share = np.divide(held, total, out=np.zeros_like(held), where=total != 0.0)
            added = np.stack([(share * each).sum(axis=1) for each in parts], axis=1)
            exposed = np.compress(by_price, held, axis=1)
            exposures = np.abs(exposed).sum(axis=1), exposed.sum(axis=1)
            found += [
                _Share(float(gross), float(net), more)
                for gross, net, more in zip(*exposures, added, strict=True)
            ]
    return found


def position_risk(
    risk: Risk, book: Book, priced: NDArray[np.int64], horizons: tuple[Horizon, ...]
) -> pa.Table:
    """Return of each position what it adds, what a little more of it would, and what all of it does."""
    grouped, rows = book.lines.grouped(priced), []
    places = {name: place for place, name in enumerate(grouped.names)}
    held, measures = columns_of(book.every, priced), _measures(risk, horizons)
    for (each, measure, confidence, values, _), (*_, contributions) in zip(
        measures, _contributions(risk, horizons), strict=True
    ):
        before, component, present = -1, np.empty(0), np.empty(0, dtype=np.bool_)
        for row, detail in _of(book, WITHOUT):
            whole, place = detail.portfolio, places.get(detail.name)
            if whole != before:
                # Rows of a portfolio follow each other.
                [by_price], [by_currency] = grouped.parts(contributions[whole : whole + 1])
                before, component = whole, by_price + by_currency
                [present] = grouped.some(held[whole : whole + 1])
            if place is None or not present[place]:
                continue
            nav, size = book.nav[whole], detail.size
            rows.append(
                {
                    "portfolio_id": book.portfolios[whole],
                    "instrument_id": detail.name,
                    "method": each.method,
                    "horizon_d": each.horizon_d,
                    "measure": measure,
                    "confidence": confidence,
                    "component": component[place] * nav,
                    "marginal": component[place] / size if size != 0.0 else None,
                    "incremental": (values[whole] - values[row]) * nav,
                    "currency": book.currencies[whole],
                }
            )
    return _table(POSITION_RISK, rows)


def explained(book: Book) -> NDArray[np.bool_] | None:
    """Return of which rows of the simulation contributions are reported; None for all, without details."""
    if book.details is None:
        return None
    rows = np.zeros(len(book.portfolios) + len(book.details.rows), dtype=np.bool_)
    rows[: len(book.portfolios)] = True
    rows[len(book.portfolios) + book.details.of(ACTIVE)] = True
    return rows


def _of(book: Book, kind: str) -> Iterator[tuple[int, Detail]]:
    """Yield the row in the simulation of each detail of a kind."""
    assert book.details is not None
    for place in book.details.of(kind).tolist():
        yield len(book.portfolios) + place, book.details.rows[place]


def _measures(risk: Risk, horizons: tuple[Horizon, ...], tracking: bool = False) -> Iterator[tuple[Any, ...]]:
    """Yield horizon, measure, confidence, values and standard errors of all rows, shares of NAV."""
    for each in horizons:
        var, shortfall = each.tail.at(risk.var_confidence), each.tail.at(risk.es_confidence)
        yield each, VALUE_AT_RISK, risk.var_confidence, var.value_at_risk, var.value_at_risk_error
        more = shortfall.expected_shortfall, shortfall.expected_shortfall_error
        yield each, EXPECTED_SHORTFALL, risk.es_confidence, *more
        if tracking:
            # The standard deviation of active returns over the horizon; its error is not known.
            yield each, TRACKING_ERROR, 0.0, each.volatility, np.full(each.volatility.size, np.nan)


def _contributions(risk: Risk, horizons: tuple[Horizon, ...]) -> Iterator[tuple[Any, ...]]:
    for each in horizons:
        yield each, VALUE_AT_RISK, risk.var_confidence, each.value_at_risk_contributions
        yield each, EXPECTED_SHORTFALL, risk.es_confidence, each.expected_shortfall_contributions


def _table(table: Table, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    fields = [field for field in table.arrow_schema if field.name not in {"run_id", "as_of"}]
    return pa.Table.from_pylist([dict(row) for row in rows], schema=pa.schema(fields))
