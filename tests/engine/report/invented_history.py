"""Invented runs one after the other, as the tables keep them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from acceleray import tables as t
from report.invented_rows import Rows

SOURCE = "csv:prices.csv"
SETTINGS = {
    "seed": 20_260_101,
    "features": {"horizon_d": 21},
    "backtest": {"level": 0.05, "rate_tolerance": [0.8, 1.25]},
    "calibration": {"drifted_above": 0.25, "refit_every_d": 250},
    "simulation": {"residual_window_d": 2000},
    "train": {"minimum_rank_ic": 0.0},
    "leakage": {"maximum_rank_ic": 0.1},
    "market_data": {"stale_after_d": 10},
}


@dataclass
class History:
    """The rows of several runs, in lists by table label."""

    tables: dict[str, list[dict[str, Any]]]

    def __getitem__(self, table: t.Table) -> list[dict[str, Any]]:
        return self.tables[table.label]

    def rows(self, table: t.Table, scope: str | None = None) -> pa.Table:
        """Return the declared columns of one run or source, or of all."""
        kept = [r for r in self.tables.get(table.label, []) if scope is None or r[table.scope] == scope]
        return pa.Table.from_pylist(kept, schema=table.arrow_schema)


def history(*runs: Rows, names: Sequence[str] = ("r-1", "r-2", "r-3")) -> History:
    """Return runs that finished a day apart, each with its name; rows of a source are the last one's."""
    tables: dict[str, list[dict[str, Any]]] = {table.label: [] for table in t.ALL}
    for day, (run, name) in enumerate(zip(runs, names, strict=False), start=1):
        for table in t.ALL:
            rows = run.tables[table.label]
            if table.scope == "source":
                tables[table.label] = list(rows)
            else:
                tables[table.label] += [row | {"run_id": name} for row in rows]
        _record(tables, name, day)
    return History(tables)


def _record(tables: dict[str, list[dict[str, Any]]], name: str, day: int) -> None:
    """Make the run's record of itself complete, or add one."""
    runs = tables[t.RUNS.label]
    if not any(row["run_id"] == name for row in runs):
        some = next(row for rows in tables.values() for row in rows if row.get("run_id") == name)
        runs.append({"run_id": name, "as_of": some["as_of"]})
    (mine,) = [row for row in runs if row["run_id"] == name]
    mine |= {
        "workload": mine.get("workload", "distributed_training"),
        "source": SOURCE,
        "load_id": "ab" * 32,
        "seed": 20_260_101,
        "code_version": "cd" * 16,
        "settings_json": json.dumps(SETTINGS),
        "model_uri": "models:/tests/7",
        "mlflow_run_id": "0123456789abcdef",
        "finished_at": datetime(2022, 12, 28 + day, 6, 30, tzinfo=UTC),
    }
