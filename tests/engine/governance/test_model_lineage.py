"""A model's lineage in a workspace: MLflow's own store reads it from what a run logged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.store._unity_catalog.registry.rest_store import UcModelRegistryStore

from acceleray.governance.model_lineage import context_tags, inputs
from acceleray.governance.tracking import StageRecord
from acceleray.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.model_validate(
        {
            "project": {"name": "tests", "customer": "Tests"},
            "project_dir": tmp_path,
            "catalog": {"name": "main", "gold": "own_gold", "silver": "own_silver", "bronze": "own_bronze"},
        }
    )


def test_mlflow_finds_the_tables_that_a_run_read(settings: Settings, tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    client = MlflowClient(uri)
    run_id = client.create_run(client.create_experiment("tests")).info.run_id
    ids = {"main.own_gold.features": "id-1", "main.own_silver.prices": "id-2"}
    read = {"gold.features": 7, "silver.prices": 0, "gold.unknown": 1}
    client.log_inputs(run_id, datasets=inputs(settings, read, ids.get))
    run = client.get_run(run_id)
    assert {one.dataset.name: one.dataset.digest for one in run.inputs.dataset_inputs} == {
        "gold.features": "7",
        "silver.prices": "0",
    }
    found: Any = UcModelRegistryStore("databricks-uc", uri)._get_lineage_input_sources(run)
    assert {one.table.name: one.table.table_id for one in found} == ids


def test_no_more_tables_than_mlflow_sends(settings: Settings) -> None:
    read = {f"gold.table_{number}": 1 for number in range(30)}
    assert len(inputs(settings, read, lambda name: "id")) == 10


def test_a_stage_notes_what_it_reads_and_not_what_it_writes() -> None:
    read: dict[str, int] = {}
    record = StageRecord(None, "run", "experiment", read)
    record.table("read", "gold.features", 3, 10)
    record.table("wrote", "gold.training", 4, 1)
    assert read == {"gold.features": 3}


def test_tags_of_the_context_are_those_that_a_workspace_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    from mlflow.tracking.context import registry

    assert context_tags() == {}
    given = {"mlflow.databricks.jobID": "42", "mlflow.databricks.notebookID": None, "mlflow.user": "jane"}
    monkeypatch.setattr(registry, "resolve_tags", lambda: given)
    assert context_tags() == {"mlflow.databricks.jobID": "42"}
