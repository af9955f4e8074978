"""An archive as a project again: code as it was, settings as the run had them, tables as it found them."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml

from acceleray.archive.manifest import table_of
from acceleray.archive.selection import HISTORY, READ, WROTE
from acceleray.archive.sources import local_folder
from acceleray.engines.delta.delta_rs import commit_here, create
from acceleray.settings import Settings
from acceleray.stages.ingest.history import KINDS_OF_HISTORY
from acceleray.tables import PRICE_FINDINGS, PRICES, Table
from acceleray.tables.stored import CONTRACT_PROPERTY, properties

STATE = "var"
# Settings that are of a place; the others are those that decided numbers, as the run recorded them.
_PLACES = ("project", "catalog", "spark", "cluster", "ray", "hand_off", "maintenance", "what_if", "pnl")
# Keys that `numbers()` leaves out of a section, because they name a place or change no number.
_FROM_THE_PLACE = {"market_data": ("on_findings", "corrections")}
_SPARK_CATALOG = "spark_catalog"


def restore_project(archive: Path, manifest: dict[str, Any], project: Path, settings: Settings) -> None:
    """Write the archived project into a folder that is not there yet, with settings that repeat the run.

    Args:
        archive: the folder.
        manifest: of the archive.
        project: where the project goes.
        settings: of whoever asks: where libraries of Java were fetched to.
    """
    shutil.copytree(archive / "project", project)
    then, numbers = manifest["settings"], copy.deepcopy(manifest["numbers"])
    chosen: dict[str, Any] = {name: dict(then[name]) for name in _PLACES if name in then} | numbers
    for section, keys in _FROM_THE_PLACE.items():
        chosen[section] |= {key: then[section][key] for key in keys}
    chosen["catalog"] |= {"name": _SPARK_CATALOG}
    chosen["pnl"] |= {"path": "", "table": ""}
    chosen["paths"] = {"state": STATE, "cache": str(settings.cache_dir)}
    for source in manifest["sources"]:
        section, _, key = source["setting"].partition(".")
        if source["table"] is None:
            chosen[section][key] = str(archive / source["file"])
        else:
            # A local Spark knows no other catalog.
            table = ".".join(source["table"].split(".")[-2:])
            _restore_table_of_others(archive / source["file"], project / STATE, table)
            chosen[section][key] = table
            if source["setting"] == "market_data.table" and table != source["table"]:
                chosen[section]["name"] = chosen[section]["name"] or source["table"]
    conf = project / "conf"
    # The run recorded all its settings: what base.yml and another environment said is part of them.
    (conf / "base.yml").write_text(yaml.safe_dump(chosen, allow_unicode=True), encoding="utf-8")
    (conf / "local.yml").write_text("profile: local\n", encoding="utf-8")


def restore_tables(archive: Path, manifest: dict[str, Any], state: Path) -> None:
    """Create the tables that the run found: history of other runs, and what it read and did not write."""
    catalog = manifest["settings"]["catalog"]
    wrote = {_label(entry) for entry in manifest["tables"] if entry["role"] == WROTE}
    run_id = manifest["run"]["run_id"]
    for entry in manifest["tables"]:
        table = table_of(entry["table"])
        rows = None
        if entry["role"] == HISTORY and table.scope == "run_id":
            rows = _others(pq.read_table(archive / entry["file"]), run_id)
        elif (entry["role"] == READ and table.label not in wrote) or (
            entry["role"] == WROTE and _of_changed_prices(archive, manifest, table)
        ):
            rows = pq.read_table(archive / entry["file"])
        if rows is not None:
            folder = state / "warehouse" / catalog[table.layer] / table.name
            _create(folder, table, manifest["contract_version"])
            if len(rows):
                commit_here(folder, table, rows.cast(table.arrow_schema), None, "")


def models_wanted(archive: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    """Return what the registry must hold before the run begins; see `governance.kept_models`."""
    versions: dict[str, int] = {}
    own: dict[str, int] = {}
    for entry in manifest["tables"]:
        if _label(entry) != "gold.model_decisions":
            continue
        rows = pq.read_table(archive / entry["file"])
        mine = pc.equal(rows["run_id"], manifest["run"]["run_id"])
        for which, found in ((own, rows.filter(mine)), (versions, rows.filter(pc.invert(mine)))):
            for name, version in zip(
                found["model_name"].to_pylist(), found["model_version"].to_pylist(), strict=True
            ):
                which[name] = max(which.get(name, 0), version)
    # The model that the run makes gets the version it had: the next one.
    versions |= {name: version - 1 for name, version in own.items() if version > 1}
    model, content = manifest["model"], None
    if model is not None and model["name"] not in own:
        content = [model["name"], model["version"], str(archive / model["file"])]
    return {"versions": versions, "content": content}


def _of_changed_prices(archive: Path, manifest: dict[str, Any], table: Table) -> bool:
    """Return whether a table of prices belongs to what the run found: its source had changed its history.

    A finding of that compares with the prices held before; who finds the new ones held remembers it.
    """
    if table.label not in (PRICES.label, PRICE_FINDINGS.label):
        return False
    for entry in manifest["tables"]:
        if entry["role"] == WROTE and _label(entry) == PRICE_FINDINGS.label:
            kinds = pq.read_table(archive / entry["file"])["kind"].to_pylist()
            return bool(set(kinds) & set(KINDS_OF_HISTORY))
    return False


def _create(folder: Path, table: Table, contract: int) -> None:
    if not (folder / "_delta_log").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        create(folder, table, properties(table) | {CONTRACT_PROPERTY: str(contract)})


def _restore_table_of_others(file: Path, state: Path, table: str) -> None:
    from deltalake import write_deltalake

    folder = local_folder(state, table)
    folder.mkdir(parents=True)
    write_deltalake(str(folder), pq.read_table(file))


def _others(rows: pa.Table, run_id: str) -> pa.Table:
    return rows.filter(pc.not_equal(rows["run_id"], run_id))


def _label(entry: dict[str, Any]) -> str:
    return f"{entry['table']['layer']}.{entry['table']['name']}"


def outputs(manifest: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the entries of the tables that the run wrote, in the order in which tables are declared."""
    yield from (entry for entry in manifest["tables"] if entry["role"] == WROTE)
