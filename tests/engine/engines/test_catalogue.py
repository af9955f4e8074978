"""What a workspace's catalog is told of tables; every statement is SQL of Databricks."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlfluff

import acceleray
from acceleray.engines.delta.catalogue import POINTED_TO, describe
from acceleray.engines.delta.lake import Lake
from acceleray.engines.delta.upkeep import Upkeep, needs_upkeep, upkeep
from acceleray.settings import Settings
from acceleray.tables import FEATURES, PORTFOLIOS, RISK_MEASURES, RUN_TABLES, RUNS
from acceleray.tables.catalogued import tags
from acceleray.tables.contract import Table
from portfolio import PROJECT

TABLES = PROJECT.all_tables()
ENGINE = Path(acceleray.__file__).parents[1]


class Workspace:
    """Stands where Spark would: keeps statements, and answers those that ask."""

    def __init__(self, **answers: list[Any]) -> None:
        self.said: list[str] = []
        self.answers = answers
        self.schemas: set[str] = set()
        self.catalog = SimpleNamespace(
            databaseExists=lambda name: name in self.schemas, tableExists=lambda name: name in self.answers
        )

    def sql(self, statement: str) -> Any:
        self.said.append(statement)
        found = [rows for begins, rows in self.answers.items() if statement.startswith(begins)]
        if found and found[0] == ["refused"]:
            raise RuntimeError("PERMISSION_DENIED: no APPLY TAG\nand a stack")
        rows = found[0] if found else []
        return SimpleNamespace(collect=lambda: rows, first=lambda: rows[0])


def lake(settings: Callable[..., Settings], **answers: list[Any]) -> Lake:
    session: Any = Workspace(**answers)
    chosen = settings("catalog.name=main").model_copy(update={"profile": "databricks"})
    return Lake(session, chosen)


def created(settings: Callable[..., Settings], table: Table) -> list[str]:
    of = lake(settings)
    of._places._create(table)
    said: list[str] = of.spark.said  # type: ignore[attr-defined]
    return said


def test_a_table_is_created_with_its_scope_clustered_and_checks_as_constraints(
    settings: Callable[..., Settings],
) -> None:
    schema, table, check = created(settings, RISK_MEASURES)
    assert schema.startswith("CREATE SCHEMA IF NOT EXISTS `main`.`gold")
    assert " CLUSTER BY (`run_id`) COMMENT " in table
    assert "delta.constraints" not in table
    assert check.endswith("ADD CONSTRAINT `confidence_is_a_share` CHECK (confidence > 0 AND confidence < 1)")


def test_a_schema_that_is_there_is_not_asked_for(settings: Callable[..., Settings]) -> None:
    of = lake(settings)
    of.spark.schemas.add(f"main.{of.settings.catalog.gold}")  # type: ignore[attr-defined]
    of._places._create(RUNS)
    assert not [said for said in of.spark.said if "SCHEMA" in said]  # type: ignore[attr-defined]


def test_the_catalog_is_told_keys_before_what_points_to_them_and_nothing_twice(
    settings: Callable[..., Settings],
) -> None:
    of = lake(settings)
    assert list(describe(of, [RISK_MEASURES, PORTFOLIOS, RUNS])) == []
    said = [one for one in of.spark.said if one.startswith("ALTER")]  # type: ignore[attr-defined]
    kinds = ["FOREIGN" if "FOREIGN" in one else "PRIMARY" if "PRIMARY" in one else "" for one in said]
    assert kinds.index("FOREIGN") > max(number for number, kind in enumerate(kinds) if kind == "PRIMARY")
    assert (
        len([one for one in said if "risk_measures` ADD CONSTRAINT `risk_measures_to_portfolios`" in one])
        == 1
    )
    known = [{"constraint_name": name} for name in ("runs_key",)]
    again = lake(settings, SELECT=known)
    assert list(describe(again, [RUNS])) == []
    assert not [one for one in again.spark.said if "PRIMARY" in one]  # type: ignore[attr-defined]


def test_a_refusal_is_a_line_and_stops_nothing(settings: Callable[..., Settings]) -> None:
    of = lake(settings, ALTER=["refused"])
    lines = list(describe(of, [RUNS]))
    assert lines[0].startswith("gold.runs is without SET TAGS")
    assert all(line.endswith("PERMISSION_DENIED: no APPLY TAG") for line in lines)


def test_a_metric_view_is_told_once_its_tables_are_there_and_a_refusal_is_a_line(
    settings: Callable[..., Settings],
) -> None:
    of = lake(settings)
    assert list(describe(of, [RISK_MEASURES, RUNS])) == []
    [said] = [one for one in of.spark.said if "WITH METRICS" in one]  # type: ignore[attr-defined]
    assert said.startswith("CREATE OR REPLACE VIEW `main`.`gold")
    assert f"FROM {of.identifier(RISK_MEASURES)} AS m" in said
    before = lake(settings)
    assert list(describe(before, [RUNS])) == []
    assert not [one for one in before.spark.said if "METRICS" in one]  # type: ignore[attr-defined]
    refused = lake(settings, **{"CREATE OR REPLACE VIEW": ["refused"]})
    line = "There is no metric view gold.risk_metrics: PERMISSION_DENIED: no APPLY TAG"
    assert list(describe(refused, [RISK_MEASURES, RUNS])) == [line]


def test_a_table_is_tagged_with_the_workloads_that_have_written_it(settings: Callable[..., Settings]) -> None:
    wrote = [("gold.risk_measures", "risk_stress_testing"), ("gold.risk_measures", "end_to_end_pipeline")]
    answer = [{"table_name": name, "workload": workload} for name, workload in wrote]
    of = lake(settings, **{"SELECT DISTINCT t.table_name": answer})
    assert list(describe(of, [RISK_MEASURES, RUN_TABLES, RUNS])) == []
    said = [one for one in of.spark.said if "SET TAGS" in one]  # type: ignore[attr-defined]
    [own] = [one for one in said if of.identifier(RISK_MEASURES) in one]
    assert "'workload' = 'end_to_end_pipeline, risk_stress_testing'" in own
    assert all("'workload'" not in one for one in said if one != own)


def test_files_of_this_machine_are_in_no_such_catalog(settings: Callable[..., Settings]) -> None:
    session: Any = Workspace()
    assert list(describe(Lake(session, settings()), [RUNS])) == []
    assert session.said == []


def test_what_predictive_optimisation_tends_is_left_to_it(settings: Callable[..., Settings]) -> None:
    row = {"col_name": "Predictive Optimization", "data_type": "ENABLE (inherited from CATALOG main)"}
    answers: dict[str, list[Any]] = {
        "DESCRIBE TABLE EXTENDED": [row],
        "DESCRIBE DETAIL": [{"numFiles": 9999}],
    }
    of = lake(settings, **answers)
    of._places._ready.add(FEATURES.label)
    assert upkeep(of, FEATURES) == Upkeep(FEATURES, 9999, 9999, 0, by_itself=True)
    assert not needs_upkeep(of, FEATURES)
    assert not [one for one in of.spark.said if "OPTIMIZE" in one or "VACUUM" in one]  # type: ignore[attr-defined]
    row["data_type"] = "DISABLE"
    assert needs_upkeep(of, FEATURES)


def test_every_statement_is_sql_of_databricks(settings: Callable[..., Settings]) -> None:
    statements = [one for table in TABLES for one in created(settings, table)]
    of = lake(settings)
    list(describe(of, TABLES))
    statements += of.spark.said  # type: ignore[attr-defined]
    # One statement of each form, the longest: a file of all takes minutes to read.
    forms: dict[tuple[str, ...], str] = {}
    for one in sorted(statements, key=len):
        words = one.replace("`", " ").split()
        forms[(*words[:2], *(word for word in words if word in {"PRIMARY", "FOREIGN", "CHECK", "TAGS"}))] = (
            one
        )
    forms[("OPTIMIZE",)] = f"OPTIMIZE {of.identifier(RUNS)}"
    forms[("VACUUM",)] = f"VACUUM {of.identifier(RUNS)} RETAIN 168 HOURS"
    found = sqlfluff.lint(";\n".join(forms.values()) + ";\n", dialect="databricks", rules=["PRS"])
    assert [one for one in found if one["code"] == "PRS"] == []
    wrong = sqlfluff.lint("ALTER TABLE a SET TAG ('x' = 'y');\n", dialect="databricks", rules=["PRS"])
    assert [one["code"] for one in wrong if one["code"] == "PRS"] == ["PRS"]


def test_the_statements_of_the_first_deployment_are_sql_of_databricks() -> None:
    page = (ENGINE / "docs/first_deployment.md").read_text(encoding="utf-8")
    statements = re.findall(r"`((?:CREATE|GRANT) [^;]*;)`", page)
    assert [one.split()[0] for one in statements] == ["CREATE", "GRANT"]
    found = sqlfluff.lint("\n".join(statements) + "\n", dialect="databricks", rules=["PRS"])
    assert [one for one in found if one["code"] == "PRS"] == []


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.label)
def test_a_key_can_be_a_primary_key_and_holds_the_scope(table: Table) -> None:
    nullable = {column.name for column in table.columns if column.nullable}
    assert not nullable & set(table.key)
    assert table.scope in table.key
    assert {one.label for one in POINTED_TO} == {"gold.runs", "gold.portfolios"}
    assert set(tags(table)) == {"domain", "layer", "data_class", "scope"}


def test_what_is_held_is_confidential_and_prices_are_licensed() -> None:
    kinds = {table.label: tags(table)["data_class"] for table in TABLES}
    assert kinds["gold.positions"] == kinds["bronze.holdings_received"] == "confidential"
    assert kinds["silver.prices"] == kinds["bronze.prices_received"] == "licensed"
    assert kinds["gold.calibration"] == "internal"
