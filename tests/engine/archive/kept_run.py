"""A finished run as tables keep it, written by delta-rs: a few rows, and no engine was started."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from acceleray.engines.delta.delta_rs import commit_here, condition, content_here, create
from acceleray.engines.delta.log import table_folder
from acceleray.runtime.inputs import Input, file_digest
from acceleray.runtime.project import Project
from acceleray.settings import Settings
from acceleray.tables import PORTFOLIOS, RISK_DAYS, RUN_INPUTS, RUN_TABLES, RUN_WORK, RUNS
from acceleray.tables.contract import Table
from acceleray.tables.stored import properties
from portfolio import PROJECT

RUN, EARLIER, DAY, SOURCE = "00000000000000aa", "00000000000000bb", date(2022, 12, 28), "csv:prices"


def write(settings: Settings, table: Table, rows: list[Mapping[str, Any]], scope: str) -> int:
    """Replace the rows of a scope and return the version."""
    folder = table_folder(settings, table)
    if not folder.exists():
        folder.mkdir(parents=True)
        create(folder, table, properties(table))
    found = pa.Table.from_pylist([dict(row) for row in rows], table.arrow_schema)
    return commit_here(folder, table, found, condition(table, scope, None), "")


def portfolio(name: str, nav: float, run_id: str = RUN) -> dict[str, Any]:
    return {
        **{"run_id": run_id, "as_of": DAY, "portfolio_id": name, "name": name, "origin": "reported"},
        **{"nav": nav, "currency": "USD"},
    }


def risk_day(day: date, priced: int, load_id: str = "load") -> dict[str, Any]:
    return {
        **{"source": SOURCE, "date": day, "listed": 5, "priced": priced, "risk_day": True},
        **{"content": str(priced), "load_id": load_id},
    }


def finished(settings: Settings, of: Project = PROJECT, model: str = "") -> None:
    """Write what a run leaves: prices' days, portfolios, history it read, and its evidence."""
    days = [risk_day(DAY, 5)]
    books = [portfolio("B", 2.0), portfolio("A", 1.0)]
    write(settings, PORTFOLIOS, [portfolio("A", 0.5, EARLIER)], EARLIER)
    wrote = {
        RISK_DAYS.label: (write(settings, RISK_DAYS, days, SOURCE), RISK_DAYS, days),
        PORTFOLIOS.label: (write(settings, PORTFOLIOS, books, RUN), PORTFOLIOS, books),
    }
    mine: dict[str, Any] = {"run_id": RUN, "as_of": DAY}
    touched = [
        {
            **{**mine, "stage": "book", "direction": "wrote", "table_name": label, "version": version},
            **{"row_count": len(rows), "fingerprint": _fingerprint(table, rows)},
        }
        for label, (version, table, rows) in wrote.items()
    ]
    write(settings, RUN_TABLES, touched, RUN)
    prices = settings.project_dir / "prices.csv"
    prices.write_text("date,A\n2022-12-28,1.0\n", encoding="utf-8")
    inputs = [
        Input("file", "market_data.path", "prices.csv", "prices.csv", None, 1, file_digest(prices)),
        Input("history", PORTFOLIOS.label, "", "", wrote[PORTFOLIOS.label][0]),
    ]
    write(settings, RUN_INPUTS, [{**mine, **vars(each)} for each in inputs], RUN)
    write(settings, RUN_WORK, [], RUN)
    row = {
        **{**mine, "workload": "risk_stress_testing", "source": SOURCE, "load_id": "load", "seed": 7},
        **{"code_version": of.code_version(), "settings_json": json.dumps(settings.numbers())},
        **{"model_uri": model, "mlflow_run_id": "m", "finished_at": datetime(2022, 12, 29, tzinfo=UTC)},
    }
    write(settings, RUNS, [row], RUN)


def _fingerprint(table: Table, rows: list[dict[str, Any]]) -> str:
    return content_here(table, pa.Table.from_pylist(rows, table.arrow_schema)).fingerprint


def settings_of(made: Callable[..., Settings], *overrides: str) -> Settings:
    """Return settings of a project whose prices are a file in its folder."""
    return made("market_data.source=csv", "market_data.path=prices.csv", *overrides)


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
