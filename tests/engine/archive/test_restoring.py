"""What an archive gives back: a project that repeats the run, and the tables and models it found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from acceleray.archive.keeping import archive
from acceleray.archive.manifest import verified
from acceleray.archive.restoring import models_wanted, restore_project, restore_tables
from acceleray.engines.delta.log import open_table, stored
from acceleray.runtime.inputs import DELIVERED
from acceleray.runtime.progress import Reporter
from acceleray.settings import Settings, load
from archive.kept_run import EARLIER, RUN, finished, settings_of
from portfolio import PROJECT


@pytest.fixture
def kept(settings: Callable[..., Settings]) -> tuple[Path, dict[str, Any], Settings]:
    chosen = settings_of(
        settings, "seed=7", "as_of=2022-12-28", "ray.workers=3", "market_data.proxies={A: B}"
    )
    finished(chosen)
    folder = archive(PROJECT, chosen, RUN, Reporter(quiet=True)).folder
    return folder, verified(folder)[0], chosen


def test_a_restored_project_has_the_settings_of_the_run_whatever_conf_says_by_now(
    kept: tuple[Path, dict[str, Any], Settings], tmp_path: Path
) -> None:
    folder, manifest, chosen = kept
    restore_project(folder, manifest, tmp_path / "project", chosen)
    found = load(tmp_path / "project")
    assert found.numbers() == chosen.numbers()
    assert (found.ray, found.catalog, found.project) == (chosen.ray, chosen.catalog, chosen.project)
    assert found.market_data.path == str(folder / "sources" / "market_data.path" / "prices.csv")
    assert found.state_dir == tmp_path / "project" / "var"
    assert found.cache_dir == chosen.cache_dir
    assert (tmp_path / "project" / "src" / "portfolio" / "__init__.py").is_file()


def test_a_restored_project_takes_what_its_own_source_delivered_from_the_archive(
    kept: tuple[Path, dict[str, Any], Settings], tmp_path: Path
) -> None:
    folder, manifest, chosen = kept
    source = {"setting": DELIVERED, "file": "sources/market_data.delivered/vault-1.parquet", "table": None}
    restore_project(folder, manifest | {"sources": [source]}, tmp_path / "project", chosen)
    found = load(tmp_path / "project")
    assert found.market_data.delivered == str(folder / source["file"])
    # It decides no number: the rows do.
    assert found.numbers() == chosen.numbers()


def test_restored_history_is_that_of_other_runs_and_tables_are_what_the_archived_code_makes(
    kept: tuple[Path, dict[str, Any], Settings], tmp_path: Path
) -> None:
    folder, manifest, chosen = kept
    restore_tables(folder, manifest | {"contract_version": 1}, tmp_path)
    warehouse = tmp_path / "warehouse"
    [found] = [path.parent for path in warehouse.rglob("_delta_log")]
    assert found == warehouse / chosen.catalog.gold / "portfolios"
    rows = DeltaTable(str(found)).to_pyarrow_table().to_pylist()
    assert [(row["run_id"], row["nav"]) for row in rows] == [(EARLIER, 0.5)]
    assert stored(open_table(found)).contract == 1


def _decision(run_id: str, version: int) -> dict[str, Any]:
    return {"run_id": run_id, "model_name": "m", "model_version": version}


@pytest.mark.parametrize(
    ("decisions", "model", "versions", "content"),
    [
        # A run that made version 4 finds three, and makes the next one.
        ([_decision("x", 1), _decision("x", 3), _decision(RUN, 4)], ("m", 4), {"m": 3}, False),
        # The first one of all is made in an empty registry.
        ([_decision(RUN, 1)], ("m", 1), {}, False),
        # A run that scored finds the champion, and its bytes.
        ([_decision("x", 1), _decision("x", 2)], ("m", 1), {"m": 2}, True),
        ([_decision("x", 1)], None, {"m": 1}, False),
    ],
)
def test_the_registry_holds_what_it_held_before_the_run(
    tmp_path: Path, decisions: list[dict[str, Any]], model: Any, versions: dict[str, int], content: bool
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist(decisions), tmp_path / "decisions.parquet")
    manifest = {
        "run": {"run_id": RUN},
        "tables": [{"table": {"layer": "gold", "name": "model_decisions"}, "file": "decisions.parquet"}],
        "model": model and {"name": model[0], "version": model[1], "file": "model/model.ubj"},
    }
    found = models_wanted(tmp_path, manifest)
    assert found["versions"] == versions
    assert found["content"] == ([*model, str(tmp_path / "model/model.ubj")] if content else None)
