"""The log of a table as Delta writes it, and as clean-up, checkpoints and other files leave it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from portfolio.engines.delta_log import newest_version, version_with
from portfolio.run import Run
from portfolio.tables import RUNS


def logged(table: Path, name: str, *actions: dict[str, object]) -> None:
    (table / "_delta_log").mkdir(exist_ok=True)
    (table / "_delta_log" / name).write_text("\n".join(map(json.dumps, actions)), encoding="utf-8")


def version(table: Path, number: int, metadata: str) -> None:
    said = {"commitInfo": {"operation": "WRITE", "userMetadata": metadata}}
    logged(table, f"{number:020d}.json", {"protocol": {"minReaderVersion": 1}}, said)


def test_the_newest_version_is_that_of_a_commit_or_a_checkpoint_and_of_no_other_file(tmp_path: Path) -> None:
    version(tmp_path, 9, "nine")
    version(tmp_path, 10, "ten")
    logged(tmp_path, f"{12:020d}.crc")
    logged(tmp_path, f".{13:020d}.json.tmp")
    logged(tmp_path, f"{3:020d}.{14:020d}.compacted.json")
    assert newest_version(tmp_path) == 10
    logged(tmp_path, f"{11:020d}.checkpoint.0000000001.0000000002.parquet")
    assert newest_version(tmp_path) == 11


def test_a_commit_is_found_by_its_metadata_also_behind_others_and_behind_a_clean_up(tmp_path: Path) -> None:
    for number, metadata in ((4, "mine"), (5, "mine"), (6, "theirs"), (8, "theirs")):
        version(tmp_path, number, metadata)
    logged(tmp_path, f"{9:020d}.json", {"commitInfo": {"operation": "OPTIMIZE"}})
    assert version_with(tmp_path, "mine") == 5
    assert version_with(tmp_path, "mine", among=4) is None
    assert version_with(tmp_path, "nobody's") is None


def test_a_folder_without_a_version_is_no_table(tmp_path: Path) -> None:
    (tmp_path / "_delta_log").mkdir()
    with pytest.raises(FileNotFoundError, match="has no version"):
        newest_version(tmp_path)


def test_it_agrees_with_the_history_that_spark_tells(make_run: Callable[..., Run]) -> None:
    lake = make_run().lake
    lake.open(RUNS)
    place = lake.location(RUNS)
    assert place is not None
    name = lake.identifier(RUNS)
    # Ten commits and more: Delta writes a checkpoint on the way.
    for number in range(11):
        lake.spark.sql(f"ALTER TABLE {name} SET TBLPROPERTIES ('portfolio.turn' = '{number}')")
    told = lake.spark.sql(f"DESCRIBE HISTORY {name} LIMIT 1").first()
    assert told is not None
    assert newest_version(place) == lake.version(RUNS) == told["version"] == 11
    assert list((place / "_delta_log").glob("*.checkpoint*.parquet"))
