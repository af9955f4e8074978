"""Every query of dashboard and alerts, executed by Spark on Delta tables as they are declared."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
import yaml

from acceleray.runtime.run import Run
from acceleray.stages.backtest.records import HEADLINE
from acceleray.tables import (
    BACKTEST_FORECASTS,
    BACKTEST_VERDICTS,
    CALIBRATION_GATE,
    LIMIT_UTILISATION,
    RISK_MEASURES,
    RUN_TABLES,
    RUNS,
)
from acceleray.tables.contract import Table
from rendered import project

TODAY = date.today()
_EMPTY = {"string": "x", "double": 1.0, "long": 1, "boolean": True, "date": date(2026, 11, 20)}


def rows(table: Table, *given: dict[str, Any]) -> pa.Table:
    """Return rows with a value in every column that needs one."""
    now = datetime(2026, 11, 20, 7, tzinfo=UTC)
    filled = [
        {
            column.name: None if column.nullable else {**_EMPTY, "timestamp": now}[column.type]
            for column in table.columns
        }
        | one
        for one in given
    ]
    return pa.Table.from_pylist(filled, table.arrow_schema)


# As the platform's own tables are, in the columns that are asked for.
BILLING = {
    "usage": """
        SELECT current_date() AS usage_date, 'sku' AS sku_name, 'AWS' AS cloud,
          IF(environment IS NULL, map(), map('project', 'portfolio-intelligence', 'environment', environment))
            AS custom_tags, named_struct('job_name', job) AS usage_metadata,
          current_timestamp() AS usage_start_time, CAST(hours AS DECIMAL(38, 18)) AS usage_quantity
        FROM VALUES ('prod', 100, NULL), ('prod', 20, NULL), ('dev', 999, NULL),
          (NULL, 8, 'portfolio-intelligence-batch-inference-prod'), (NULL, 500, 'liquidity-prod')
          AS t (environment, hours, job)""",
    "list_prices": """
        SELECT 'sku' AS sku_name, 'AWS' AS cloud, TIMESTAMP'2020-01-01' AS price_start_time,
          CAST(NULL AS TIMESTAMP) AS price_end_time,
          named_struct('default', CAST(0.5 AS DECIMAL(38, 18))) AS pricing""",
}


@pytest.fixture
def asked(make_run: Callable[..., Run], spark: Any) -> Callable[[str], list[dict[str, Any]]]:
    """Return a function from a query's name to its rows, over an older run a and a newer run b."""
    run = make_run()
    lake, gold = run.lake, run.settings.catalog.gold
    early, late = (datetime(2026, 11, day, 7, tzinfo=UTC) for day in (19, 20))
    written = {
        RUNS: [
            {"run_id": "a", "finished_at": early, "as_of": TODAY - timedelta(30)},
            {"run_id": "b", "finished_at": late, "as_of": TODAY - timedelta(14)},
        ],
        RISK_MEASURES: [
            {
                "run_id": name,
                "confidence": 0.99,
                "method": "filtered_historical",
                "measure": "value_at_risk",
                "value_pct_nav": value,
            }
            for name, value in (("a", 2.0), ("b", 3.0))
        ],
        BACKTEST_VERDICTS: [{"run_id": name, "exceptions": 7} for name in "ab"],
        BACKTEST_FORECASTS: [
            {
                "run_id": name,
                "model": HEADLINE,
                "confidence": 0.99,
                "date": date(2024, 1, 1) + timedelta(day),
                # Five in the last 250 days, one of them before.
                "exception": name == "b" and day in (10, 60, 100, 200, 250, 299),
            }
            for name in "ab"
            for day in range(300)
        ],
        LIMIT_UTILISATION: [
            {
                "run_id": name,
                "limit_id": limit,
                "state": state,
                "value": 2.0,
                "utilisation_pct": use,
                "reason": "",
            }
            for name in "ab"
            for limit, state, use in (
                ("one", "green", 10.0),
                ("two", "red" if name == "b" else "amber", 110.0),
            )
        ],
        RUN_TABLES: [
            {"run_id": "b", "direction": "wrote", "table_name": name, "row_count": count}
            for name, count in (("silver.prices_quarantined", 4), ("silver.prices", 900))
        ],
        CALIBRATION_GATE: [
            {"run_id": name, "check_name": check, "passed": name == "a" or check == "drifted"}
            for name in "ab"
            for check in ("converged", "drifted")
        ],
    }
    for table, given in written.items():
        for scope in sorted({one["run_id"] for one in given}):
            lake.commit(table, rows(table, *(one for one in given if one["run_id"] == scope)), scope)
        lake.open(table)
    billing = f"{gold}_billing"
    spark.sql(f"CREATE SCHEMA IF NOT EXISTS {billing}")
    for table, query in BILLING.items():
        spark.sql(f"CREATE OR REPLACE TABLE {billing}.{table} USING DELTA AS {query}")
    resources = project() / "resources"
    board = json.loads((resources / "portfolio.lvdash.json").read_text(encoding="utf-8"))
    queries = {one["name"]: ("".join(one["queryLines"]), one) for one in board["datasets"]}
    alerts = yaml.safe_load((resources / "portfolio.alert.yml").read_text(encoding="utf-8"))["resources"][
        "alerts"
    ]
    queries |= {f"alert {name}": (alert["query_text"], alert) for name, alert in alerts.items()}

    def ask(name: str) -> list[dict[str, Any]]:
        text, _ = queries[name]
        text = text.replace("${var.catalog}.${resources.schemas.gold.name}.", f"spark_catalog.{gold}.")
        text = text.replace("${var.environment}", "prod").replace("system.billing.", f"{billing}.")
        before = spark.catalog.currentDatabase()
        # What `dataset_schema` does in a workspace.
        spark.sql(f"USE {gold}")
        try:
            return [row.asDict() for row in spark.sql(text).collect()]
        finally:
            spark.sql(f"USE {before}")

    ask.names = set(queries)  # type: ignore[attr-defined]
    return ask


def test_every_query_answers_with_what_the_newest_run_says(
    asked: Callable[[str], list[dict[str, Any]]],
) -> None:
    answers = {name: asked(name) for name in sorted(asked.names)}  # type: ignore[attr-defined]
    # Both runs have measures as of the same day, and the newer one's count.
    assert [row["value_pct_nav"] for row in answers["risk_by_date"]] == [3.0]
    assert [row["value_pct_nav"] for row in answers["risk_now"]] == [3.0]
    assert [row["exceptions"] for row in answers["backtest_exceptions"]] == [7]
    assert [(row["limit_id"], row["state"]) for row in answers["limits"]] == [
        ("two", "red"),
        ("one", "green"),
    ]
    assert [(row["table_name"], row["row_count"]) for row in answers["data_quality"]] == [
        ("silver.prices_quarantined", 4)
    ]
    assert [row["run_id"] for row in answers["runs"]] == ["b", "a"]
    assert {row["environment"]: float(row["list_price"]) for row in answers["cost"]} == {
        "prod": 64.0,
        "dev": 499.5,
    }
    assert answers["alert exceptions"] == [{"exceptions_250": 5}]
    assert answers["alert gate"] == [{"failed": 1}]
    assert answers["alert limits"] == [{"breached": 1}]
    # Two weeks ago: ten weekdays, less the one that the prices are of and, on a weekday, today.
    (stale,) = answers["alert stale_prices"]
    assert stale["weekdays_missed"] == (9 if TODAY.weekday() < 5 else 10)
    assert float(answers["alert budget"][0]["list_price"]) == 64.0
    assert len(answers) == 12
