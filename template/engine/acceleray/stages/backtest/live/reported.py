"""The risk of a run as it is reported: kept once, restated with a reason, never rewritten."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from acceleray.runtime.run import Run
from acceleray.stages.backtest.live.revisions import Row, revised
from acceleray.tables import RISK_MEASURES, RISK_REPORTED, RUNS
from acceleray.tables.contract import Table, literal

_KEY = ("portfolio_id", "measure", "confidence", "horizon_d", "method")
_NUMBERS = ("value", "value_pct_nav", "nav", "currency")


def keep_reported(run: Run, nav: Mapping[str, float]) -> None:
    """Add the risk of the portfolios in `nav` to gold.risk_reported where it is new or has changed."""
    measures = run.rows(RISK_MEASURES, portfolio_id=list(nav)).to_pylist()
    rows = [
        {name: row[name] for name in (*_KEY, "value", "value_pct_nav", "currency")}
        | {"nav": nav[row["portfolio_id"]]}
        for row in measures
    ]
    where = f"as_of = DATE'{run.as_of}'"
    there = of_source(run, RISK_REPORTED, where)
    new = revised(rows, there, _KEY, _NUMBERS, lambda row, old: _restated(old, changed(run, old["run_id"])))
    add(run, RISK_REPORTED, new, {"reported_at": datetime.now(UTC)})


def of_source(run: Run, table: Table, where: str = "true") -> list[dict[str, Any]]:
    """Return the rows that this workload has added to a table, in all runs on the same price source."""
    mine = f"source = {literal(run.source)} AND workload = {literal(run.workload)}"
    return list(run.lake.rows(table, where=f"({mine}) AND ({where})").to_pylist())


def add(run: Run, table: Table, rows: Sequence[Row], more: Mapping[str, Any]) -> None:
    """Add rows to a table that is append only, in the order of its key; `more` are columns alike in all."""
    alike = {**more, "workload": run.workload, **run.constants()}
    names = [name for name in table.key if name not in alike]
    ordered = sorted(rows, key=lambda row: tuple(row[name] for name in names))
    columns = {
        field.name: pa.array(
            [alike[field.name] if field.name in alike else row[field.name] for row in ordered], field.type
        )
        for field in table.arrow_schema
    }
    run.append(table, pa.table(columns))


def changed(run: Run, earlier: str) -> str:
    """Return in words what differs from an earlier run on the same day: prices, code, settings."""
    rows = run.lake.rows(RUNS, where=f"run_id = {literal(earlier)}").to_pylist()
    if not rows:
        return "a run that did not finish"
    identity, then = run.identity, rows[0]
    settings = json.dumps(run.settings.numbers(), sort_keys=True)
    parts = {
        "prices": then["load_id"] != identity.load_id,
        "code": then["code_version"] != identity.code_version,
        "settings": then["settings_json"] != settings,
    }
    return ", ".join(name for name, differs in parts.items() if differs) or "positions or other inputs"


def _restated(old: Row, what: str) -> str:
    return f"restated: {old['value_pct_nav']:.6g} % of NAV in run {old['run_id']}; changed: {what}"
