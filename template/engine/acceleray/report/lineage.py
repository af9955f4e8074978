"""Where the numbers of a page come from."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any

from acceleray.report.formats import printable
from acceleray.report.rows import Read
from acceleray.settings import Settings
from acceleray.tables import RUN_TABLES, Table

# The order in which data flows; a stage that is not named here follows by name.
_STAGES = (
    "ingest",
    "factors",
    "features",
    "book",
    "calibrate",
    "factor_model",
    "dependence",
    "tune",
    "train",
    "simulate",
    "score",
    "signals",
    "stress",
    "change",
    "limits",
    "backtest",
    "gate",
    "report",
)


@dataclass(frozen=True)
class Lineage:
    """Where the numbers come from; `None` or empty where a run has not recorded it."""

    run_id: str
    workload: str | None
    load_id: str
    seed: int
    code_version: str | None
    model_uri: str | None
    mlflow_run_id: str | None
    # Stage, direction, table, version, rows and fingerprint, in the order in which data flows.
    tables: tuple[dict[str, Any], ...]
    # The command that resolves the first number of the page.
    command: str


def gather(
    read: Read, run: dict[str, Any], run_id: str, settings: Settings, command: str, load_id: str = ""
) -> Lineage:
    """Return what the run recorded of itself; `run` is its row in RUNS, or empty."""
    tables = read(RUN_TABLES).to_pylist()
    # By name first, so that stages without a fixed place come in the same order every time.
    tables.sort(key=lambda row: (row["stage"], row["direction"] != "read", row["table_name"]))
    order = {name: place for place, name in enumerate(_STAGES)}
    tables.sort(key=lambda row: order.get(row["stage"], len(order)))
    return Lineage(
        run_id=run_id,
        workload=run.get("workload"),
        load_id=run.get("load_id") or load_id,
        seed=run.get("seed", settings.seed),
        code_version=run.get("code_version"),
        model_uri=run.get("model_uri"),
        mlflow_run_id=run.get("mlflow_run_id"),
        tables=tuple(tables),
        command=command,
    )


def command(table: Table, run_id: str, **key: object) -> str:
    """Return the command that resolves one row, ready to be pasted into a shell."""
    parts = [f"run_id={run_id}"]
    parts += [
        f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}" for name, value in key.items()
    ]
    return " ".join(["portfolio lineage", table.label, *(shlex.quote(printable(part)) for part in parts)])
