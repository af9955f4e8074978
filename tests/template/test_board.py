"""The dashboard and the alerts of a workspace: made from one declaration, known to the SDK, read as SQL."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlfluff
import yaml

import bundle
from bundle_faults import planted
from conftest import Answers

ANSWERS = {"sql_warehouse": "Starter", "notification_emails": "risk@example.com"}
BOARD, ALERT, DASHBOARD = (
    f"resources/portfolio.{end}" for end in ("lvdash.json", "alert.yml", "dashboard.yml")
)
# File, what stands there, what is planted, and what a finding must say.
FAULTS = [
    (BOARD, '"datasetName": "risk_now"', '"datasetName": "risk_then"', "which is no dataset"),
    (BOARD, "FROM limit_utilisation", "FROM limit_use", "reads limit_use, which nobody declares"),
    (BOARD, '"fieldName": "row_count"', '"fieldName": "rows"', "which it does not ask for"),
    (DASHBOARD, "portfolio.lvdash.json", "board.lvdash.json", "there is no file"),
    (DASHBOARD, "dataset_schema:", "parent_path:", "dataset_schema is missing"),
    (DASHBOARD, " ${var.deployment}", "", "other deployments have the name"),
    (ALERT, "name: failed", "name: fails", "its query has no column fails"),
    (ALERT, "gold.name}.calibration_gate", "gold.name}.gates", "is no table of this deployment"),
    (ALERT, "comparison_operator: GREATER_THAN", "comparison_operator: ABOVE", "'ABOVE' is none of"),
    (ALERT, "level: CAN_RUN", "level: CAN_LOOK", "CAN_LOOK"),
]


@pytest.fixture
def project(described: Callable[[Answers], Path]) -> Path:
    return described(ANSWERS)


def board(project: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((project / BOARD).read_text(encoding="utf-8"))
    return loaded


def queries(project: Path) -> dict[str, str]:
    """Return every query of dashboard and alerts, with names of tables as a dialect can read them."""
    found = {one["name"]: "".join(one["queryLines"]) for one in board(project)["datasets"]}
    alerts = yaml.safe_load((project / ALERT).read_text(encoding="utf-8"))["resources"]["alerts"]
    for name, alert in alerts.items():
        text = alert["query_text"].replace("${var.catalog}.${resources.schemas.gold.name}.", "main.gold.")
        found[f"alert {name}"] = text.replace("${var.environment}", "prod")
    return found


def test_without_a_warehouse_there_is_neither(described: Callable[[Answers], Path]) -> None:
    project = described({})
    assert not list((project / "resources").glob("portfolio.*"))
    assert "warehouse" not in (project / "databricks.yml").read_text(encoding="utf-8")


def test_every_field_reference_and_rule_holds(project: Path) -> None:
    assert bundle.problems(project) == []
    assert bundle.data(project)["variables"]["warehouse_id"]["lookup"] == {"warehouse": "Starter"}
    alerts = bundle.data(project)["resources"]["alerts"]
    assert set(alerts) == {"exceptions", "gate", "stale_prices", "limits", "budget"}
    told = [alert["evaluation"]["notification"]["subscriptions"] for alert in alerts.values()]
    assert told == [[{"user_email": "risk@example.com"}]] * 5


def test_panels_are_those_of_what_is_generated(described: Callable[[Answers], Path]) -> None:
    small = described(ANSWERS | {"workloads": ["hyperparameter_tuning"]})
    assert bundle.problems(small) == []
    assert [one["name"] for one in board(small)["datasets"]] == ["data_quality", "runs", "cost"]
    assert set(bundle.data(small)["resources"]["alerts"]) == {"stale_prices", "budget"}


def test_every_query_is_sql_of_databricks(project: Path) -> None:
    text = ";\n".join(queries(project).values()) + ";\n"
    assert [
        one for one in sqlfluff.lint(text, dialect="databricks", rules=["PRS"]) if one["code"] == "PRS"
    ] == []


@pytest.mark.parametrize(("file", "old", "new", "fault"), FAULTS)
def test_a_planted_fault_is_found(
    file: str, old: str, new: str, fault: str, project: Path, tmp_path: Path
) -> None:
    copied = tmp_path / "project"
    shutil.copytree(project, copied, ignore=shutil.ignore_patterns("acceleray", "data"))
    planted(copied / file, old, new)
    found = bundle.problems(copied)
    assert [entry for entry in found if entry.startswith(f"{file}:") and fault in entry], found
