"""A small invented book: positions, instruments, portfolios and a market, as tables that stages are given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from acceleray.quant.currencies import Rates
from acceleray.settings.book import Book as BookSettings
from acceleray.stages.book.exposures import Columns, Exposures, columns_of, exposures_of, weights_of
from acceleray.stages.book.hierarchy import Portfolios
from acceleray.stages.book.market import Market
from acceleray.stages.book.valuation import Valued, value

# AAA and BBB in dollars, SAP in euro; INDEX lends its moves.
INSTRUMENTS = ("AAA", "BBB", "EURUSD", "INDEX", "SAP", "USDJPY")
CLOSES = (50.0, 20.0, 1.25, 1000.0, 80.0, 120.0)
MARKET = Market(INSTRUMENTS, np.array(CLOSES), np.ones(6, dtype=bool), Rates.among(INSTRUMENTS, {}))
CURRENCIES = {"AAA": "USD", "BBB": "USD", "INDEX": "USD", "SAP": "EUR"}

Row = Mapping[str, Any]


def positions(*rows: Row) -> pa.Table:
    """Return positions; what a row leaves out is NULL."""
    real, text = pa.float64(), pa.string()
    types = {"portfolio_id": text, "instrument_id": text, "currency": text, "groups": text}
    types |= {"quantity": real, "market_value": real, "weight": real}
    return pa.table({name: pa.array([row.get(name) for row in rows], of) for name, of in types.items()})


def instruments(*rows: Row) -> pa.Table:
    """Return what is known of instruments, those of the market first."""
    own = {row["instrument_id"] for row in rows}
    every: list[Row] = [
        {"instrument_id": name, "currency": code, "type": "equity"}
        for name, code in CURRENCIES.items()
        if name not in own
    ]
    every += rows
    names = ("instrument_id", "series", "type", "currency", "proxy")
    columns = {name: pa.array([row.get(name) for row in every], pa.string()) for name in names}
    for name in ("price_unit", "multiplier", "proxy_beta"):
        columns[name] = pa.array([row.get(name) for row in every], pa.float64())
    return pa.table(columns)


def portfolios(*rows: Row) -> Portfolios:
    """Return portfolios as a file names them."""
    names = ("portfolio_id", "name", "base_currency", "benchmark_id", "parent_id")
    columns = {name: pa.array([row.get(name) for row in rows], pa.string()) for name in names}
    columns["nav"] = pa.array([row.get("nav") for row in rows], pa.float64())
    return Portfolios.of(pa.table(columns), (), "USD")


def valued(held: pa.Table, of: Portfolios, known: pa.Table | None = None, market: Market = MARKET) -> Valued:
    """Return positions in money."""
    return value(held, instruments() if known is None else known, of, market, BookSettings())[0]


def weighed(
    held: pa.Table, of: Portfolios, known: pa.Table | None = None, market: Market = MARKET
) -> tuple[Exposures, Columns, np.ndarray]:
    """Return exposures, lines and weights of all portfolios."""
    found = exposures_of(valued(held, of, known, market), market)
    columns = columns_of(found, of.currencies, market)
    return found, columns, weights_of(found, columns, found.portfolio, len(of), found.nav)


def earned(columns: Columns, weights: np.ndarray, returns: Sequence[float]) -> np.ndarray:
    """Return what portfolios earn where instruments earn returns, as shares of NAV."""
    return np.asarray(columns.lines.of(np.asarray(returns, dtype=np.float64)) @ weights.T)
