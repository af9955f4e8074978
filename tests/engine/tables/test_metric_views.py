"""A metric view has the keys that are documented, and its expressions give what the tables hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlfluff
import yaml

from acceleray.runtime.run import Run
from acceleray.tables import RISK_MEASURES, RUNS
from acceleray.tables.metric_views import METRIC_VIEWS, MetricView
from rendered import project
from tables.test_board_queries import rows

# As in Databricks' "Metric view YAML syntax reference", version 1.1.
TOP = {"version", "comment", "source", "filter", "joins", "dimensions", "measures", "materialization"}
FIELD = {"name", "expr", "comment", "display_name", "format", "synonyms"}
DAY, EARLIER = date(2026, 11, 20), date(2026, 11, 19)


def unknown(content: dict[str, Any]) -> set[str]:
    """Return the keys of a definition that no documentation names, and the needed ones that it lacks."""
    fields = [*content["dimensions"], *content["measures"]]
    found = (set(content) - TOP) | ({"version", "source"} - set(content))
    return found | {key for field in fields for key in (set(field) - FIELD) | ({"name", "expr"} - set(field))}


@pytest.mark.parametrize("view", METRIC_VIEWS, ids=lambda view: view.name)
def test_a_definition_is_yaml_with_the_documented_keys_over_sql_of_databricks(view: MetricView) -> None:
    statement = view.statement("main.gold.risk", lambda table: f"main.{table.layer}.{table.name}")
    head, text, end = statement.split("$$")
    assert (head, end) == ("CREATE OR REPLACE VIEW main.gold.risk WITH METRICS LANGUAGE YAML AS ", "")
    content = yaml.safe_load(text)
    assert unknown(content) == set()
    assert unknown(content | {"sources": "a"}) == {"sources"}
    assert content["version"] == "1.1"
    names = [field["name"] for field in (*content["dimensions"], *content["measures"])]
    assert len(set(names)) == len(names)
    measured = ", ".join(field["expr"] for field in content["measures"])
    asked = f"SELECT {measured} FROM ({content['source']}) AS s;\n"
    assert [
        one for one in sqlfluff.lint(asked, dialect="databricks", rules=["PRS"]) if one["code"] == "PRS"
    ] == []


def measures(run: Run, by: str, where: str = "true") -> list[dict[str, Any]]:
    """Return what SELECT by, MEASURE(...) of each measure would, put together as a workspace does."""
    [view] = METRIC_VIEWS
    asked = ", ".join(f"{expression} AS {name}" for name, (expression, _) in view.measures.items())
    source = view.query(run.lake.identifier)
    text = f"SELECT {by}, {asked} FROM ({source}) WHERE {where} GROUP BY {by} ORDER BY {by}"
    return [row.asDict() for row in run.lake.spark.sql(text).collect()]


def test_measures_are_those_of_the_newest_run_of_a_date_and_the_dashboard_s(
    make_run: Callable[..., Run],
) -> None:
    run = make_run()
    lake, gold = run.lake, run.settings.catalog.gold
    ran = {"a": (7, DAY), "b": (9, DAY), "c": (8, EARLIER)}
    for run_id, (hour, day) in ran.items():
        finished = datetime(2026, 11, 20, hour, tzinfo=UTC)
        lake.commit(RUNS, rows(RUNS, {"run_id": run_id, "finished_at": finished, "as_of": day}), run_id)
        risk = [
            {
                **{"run_id": run_id, "as_of": day, "portfolio_id": portfolio, "measure": measure},
                **{"confidence": confidence, "method": "filtered_historical", "currency": "EUR"},
                **{"value_pct_nav": pct * (1 if run_id == "b" else 10), "value": 1e6 * pct},
            }
            for portfolio, size in (("P", 1.0), ("Q", 2.0))
            for measure, pct in (("value_at_risk", 3.0 * size), ("expected_shortfall", 4.0 * size))
            for confidence in (0.95, 0.99)
        ]
        lake.commit(RISK_MEASURES, rows(RISK_MEASURES, *risk), run_id)
    for table in (RUNS, RISK_MEASURES):
        lake.open(table)
    newest = measures(run, "portfolio_id, currency", "as_of = DATE'2026-11-20' AND confidence = 0.99")
    assert newest == [
        {
            **{"portfolio_id": name, "currency": "EUR", "value_at_risk": 3.0 * size},
            **{"expected_shortfall": 4.0 * size, "value_at_risk_amount": 3e6 * size},
            "expected_shortfall_amount": 4e6 * size,
        }
        for name, size in (("P", 1.0), ("Q", 2.0))
    ]
    # Over portfolios it is the largest, and no sum.
    assert [row["value_at_risk"] for row in measures(run, "as_of")] == [60.0, 6.0]
    board = json.loads((project() / "resources/portfolio.lvdash.json").read_text(encoding="utf-8"))
    [panel] = ["".join(one["queryLines"]) for one in board["datasets"] if one["name"] == "risk_by_date"]
    for table in ("risk_measures", "runs"):
        panel = panel.replace(f" {table} AS", f" {gold}.{table} AS")
    shown = {(row["as_of"], row["line"]): row["value_pct_nav"] for row in lake.spark.sql(panel).collect()}
    asked = {
        (row["as_of"], f"{row['portfolio_id']}, {measure}"): row[measure]
        for row in measures(run, "as_of, portfolio_id", "confidence = 0.99")
        for measure in ("value_at_risk", "expected_shortfall")
    }
    assert shown == asked
    assert len(shown) == 8
