"""The run that questions are asked about: its fits, returns and book, read again from what it left.

Nothing is computed that the run has computed: fits come from gold.calibration to the last bit, returns and
book from the tables that it read and wrote. That the scenarios made from them are those of the run is checked
against the value-at-risk that it reported.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
from pydantic import ValidationError

from acceleray.engines.delta.reader import Reader, records
from acceleray.engines.handoff.arrays import column, panel
from acceleray.errors import PortfolioError
from acceleray.quant.currencies import Rates, rates_among
from acceleray.quant.spans import held
from acceleray.settings import Settings
from acceleray.stages.book.market import Market
from acceleray.stages.calibrate.fits import fits_of
from acceleray.stages.calibrate.stage import Calibration, Gate
from acceleray.stages.what_if.portfolio import NOTHING_KNOWN, Desk, Portfolio
from acceleray.stages.what_if.trades import known
from acceleray.tables import (
    CALIBRATION,
    HOLDINGS,
    INSTRUMENTS_KNOWN,
    PORTFOLIOS,
    PORTFOLIOS_KNOWN,
    POSITIONS,
    PRICE_SERIES,
    PRICES,
    RETURNS,
    RISK_MEASURES,
    RUN_TABLES,
    RUNS,
)
from acceleray.tables.contract import Table

# Tables that a run must have written to serve as a base.
_NEEDED = (CALIBRATION, RISK_MEASURES)


@dataclass(frozen=True)
class Base:
    """One finished run.

    Attributes:
        run_id, workload, as_of, source: as gold.runs has them.
        code_version: of the code that made it.
        settings: those of today, with those of the run where they decide numbers.
    """

    run_id: str
    workload: str
    as_of: date
    source: str
    code_version: str
    settings: Settings

    def rows(self, tables: Reader, table: Table, columns: tuple[str, ...] = (), where: str = "") -> pa.Table:
        """Return the rows of a table that the run left or, of a table scoped by source, could see."""
        name, value = ("source", self.source) if table.scope == "source" else ("run_id", self.run_id)
        condition = f"{name} = {literal(value)}" + (f" AND {where}" if where else "")
        return tables.rows(table, columns, condition)


def newest_base(tables: Reader, settings: Settings) -> Base:
    """Return the run that finished last of those that calibrated and simulated.

    Raises:
        PortfolioError: there is none, or its settings are none of this release.
    """
    if tables.exists(RUNS) and tables.exists(RUN_TABLES):
        runs = records(tables.rows(RUNS))
        wrote = tables.rows(RUN_TABLES, ("run_id", "table_name"), "direction = 'wrote'")
        left = set(zip(wrote["run_id"].to_pylist(), wrote["table_name"].to_pylist(), strict=True))
        for row in sorted(runs, key=lambda each: each["finished_at"], reverse=True):
            if all((row["run_id"], table.label) in left for table in _NEEDED):
                return _base(row, settings)
    raise PortfolioError(
        "No run has simulated a book yet; `portfolio run risk_stress_testing` does, or another workload that"
        " fills gold.risk_measures."
    )


def calibration_of(tables: Reader, base: Base) -> Calibration:
    """Return the calibration of a run as it was, from its returns and fits.

    Raises:
        PortfolioError: returns have gone since.
    """
    market_data = base.settings.market_data
    until = f"date <= DATE '{base.as_of}'"
    rows = base.rows(tables, RETURNS, ("instrument_id", "date", "return_1d", "span_d"), until)
    fitted = base.rows(tables, CALIBRATION)
    returns = replace(panel(rows, "return_1d"), span_d=np.nan_to_num(panel(rows, "span_d").values))
    returns = replace(returns, values=held(returns.values))
    if returns.instruments != tuple(fitted["instrument_id"].to_pylist()):
        raise _changed(base, "gold.returns has other instruments than its fits")
    series = base.rows(tables, PRICE_SERIES, ("instrument_id", "trades_at_weekends"))
    names = [str(name) for name in series["instrument_id"].to_pylist()]
    weekend = [str(n) for n in series.filter(series["trades_at_weekends"])["instrument_id"].to_pylist()]
    apart = {*([] if len(weekend) == len(names) else weekend), *rates_among(names, base.settings.fx.pairs)}
    return Calibration(
        returns,
        tuple(fits_of(fitted)),
        Gate(()),
        market_data.longest_span_d,
        market_data.proxies,
        tuple(sorted(apart)),
        market_data.groups,
        market_data.arithmetic,
    )


def portfolio_of(tables: Reader, base: Base, desk: Desk, portfolio_id: str = "") -> Portfolio:
    """Return a portfolio of a run; the one its headlines speak of where none is named.

    Raises:
        PortfolioError: the run has none of that name, or it holds what the scenarios do not have.
    """
    columns = ("portfolio_id", "nav", "currency", "origin", "place")
    where = f"portfolio_id = {literal(portfolio_id)}" if portfolio_id else ""
    found = records(base.rows(tables, PORTFOLIOS, columns, where))
    if not found:
        every = base.rows(tables, PORTFOLIOS, ("portfolio_id",))["portfolio_id"].to_pylist()
        known(portfolio_id, every, "portfolio")
    row = min(found, key=lambda each: (each["place"] or 0, each["origin"] != "reference"))
    name = str(row["portfolio_id"])
    if row["origin"] not in ("reference", "simulated"):
        positions = base.rows(tables, HOLDINGS, where="current")
        return desk.book(positions, base.rows(tables, PORTFOLIOS_KNOWN), name)
    held = base.rows(tables, POSITIONS, ("instrument_id", "weight"), f"portfolio_id = {literal(name)}")
    weights = dict(zip(held["instrument_id"].to_pylist(), held["weight"].to_pylist(), strict=True))
    return desk.plain(name, float(row["nav"]), str(row["currency"]), weights)


def desk_of(tables: Reader, base: Base, calibration: Calibration) -> Desk:
    """Return what the run valued positions with."""
    names = calibration.returns.instruments
    modelled = np.zeros(len(names), dtype=np.bool_)
    modelled[calibration.usable] = True
    rows = base.rows(tables, PRICES, ("instrument_id", "date", "price"), f"date <= DATE '{base.as_of}'")
    # In the order of the key, so that the last price of an instrument stays.
    last = dict(zip(rows["instrument_id"].to_pylist(), column(rows, "price").tolist(), strict=True))
    closes = np.array([last.get(name, np.nan) for name in names], dtype=np.float64)
    market = Market(names, closes, modelled, Rates.among(names, base.settings.fx.pairs))
    known_of = base.rows(tables, INSTRUMENTS_KNOWN) if tables.exists(INSTRUMENTS_KNOWN) else NOTHING_KNOWN
    return Desk(market, calibration.usable, known_of, base.settings)


def refuse_other_numbers(tables: Reader, base: Base, found: Mapping[str, float], horizon_d: int) -> None:
    """Refuse to go on where the scenarios are not those of the run.

    Args:
        tables: what the run left.
        base: the run.
        found: recomputed value-at-risk by portfolio, share of NAV.
        horizon_d: that it is over.

    Raises:
        PortfolioError: one of them is not what the run reported.
    """
    at = base.settings.risk.var_confidence
    where = f"method = 'filtered_historical' AND measure = 'value_at_risk' AND horizon_d = {horizon_d}"
    names = ", ".join(literal(name) for name in found)
    rows = records(
        base.rows(
            tables,
            RISK_MEASURES,
            ("portfolio_id", "confidence", "value_pct_nav"),
            f"{where} AND portfolio_id IN ({names})",
        )
    )
    reported = {r["portfolio_id"]: r["value_pct_nav"] for r in rows if abs(r["confidence"] - at) < 1e-12}
    for name, value in found.items():
        if name not in reported:
            raise PortfolioError(
                f"Run {base.run_id} has no VaR of {name} over {horizon_d} d to compare with."
            )
        if abs(100.0 * value - reported[name]) > 1e-9 * max(abs(reported[name]), 1e-6):
            said = f"VaR of {name} is {100.0 * value:.6f} % of NAV and was {reported[name]:.6f} %"
            raise _changed(base, said)


def literal(value: str) -> str:
    """Return a text as a literal of SQL, for Spark and DataFusion alike."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _base(row: Mapping[str, Any], settings: Settings) -> Base:
    now = settings.model_dump(mode="json")
    try:
        chosen = Settings.model_validate(_laid_over(now, json.loads(row["settings_json"])))
    except (ValidationError, ValueError):
        raise PortfolioError(
            f"Run {row['run_id']} has settings of another release; run {row['workload']} again."
        ) from None
    return Base(
        run_id=row["run_id"],
        workload=row["workload"],
        as_of=row["as_of"],
        source=row["source"],
        code_version=row["code_version"],
        settings=chosen,
    )


def _laid_over(under: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with those of a run in their place; a mapping that a user fills is taken whole."""
    joined = dict(under)
    for name, value in over.items():
        below = joined.get(name)
        joined[name] = value
        if isinstance(value, Mapping) and isinstance(below, dict):
            joined[name] = {**below, **value}
    return joined


def _changed(base: Base, what: str) -> PortfolioError:
    return PortfolioError(
        f"Run {base.run_id} cannot be used any more, its data have changed: {what}; run"
        f" {base.workload} again."
    )
