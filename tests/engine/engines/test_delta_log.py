"""The log of a table as Delta writes it: versions, commits by their metadata, files and what they hold."""

import json
import shutil
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from acceleray.engines.delta.lake import Lake
from acceleray.engines.delta.log import (
    LoggedFile,
    UnreadableLogError,
    logged,
    newest_version,
    overview,
    version_with,
)
from acceleray.runtime.run import Run
from acceleray.tables import RUNS
from engines.handing import ODD_SCOPE, TRADES, fill

Made = tuple[Lake, Path]


@pytest.fixture
def runs(make_run: Callable[..., Run]) -> Made:
    lake = make_run().lake
    lake.open(RUNS)
    place = lake.location(RUNS)
    assert place is not None
    return lake, place


def turn(lake: Lake, number: int, metadata: str = "") -> None:
    """Commit something that changes no row."""
    lake.spark.conf.set("spark.databricks.delta.commitInfo.userMetadata", metadata)
    try:
        lake.spark.sql(
            f"ALTER TABLE {lake.identifier(RUNS)} SET TBLPROPERTIES ('portfolio.turn' = '{number}')"
        )
    finally:
        lake.spark.conf.unset("spark.databricks.delta.commitInfo.userMetadata")


def test_a_commit_is_found_by_its_metadata_also_behind_others(runs: Made) -> None:
    lake, place = runs
    for number, metadata in enumerate(("mine", "mine", "theirs", "theirs")):
        turn(lake, number, metadata)
    newest = newest_version(place)
    assert version_with(place, "mine") == newest - 2
    assert version_with(place, "mine", among=2) is None
    assert version_with(place, "nobody's") is None


def test_rows_version_and_time_of_the_last_commit_are_those_of_the_log(tmp_path: Path) -> None:
    place = tmp_path / "t"
    write_deltalake(str(place), pa.table({"a": ["x", "y", "z"]}))
    write_deltalake(str(place), pa.table({"a": ["w"]}), mode="append")
    commit = place / "_delta_log" / f"{1:020d}.json"
    actions = [json.loads(line) for line in commit.read_text(encoding="utf-8").splitlines()]
    for action in actions:
        if "commitInfo" in action:
            action["commitInfo"]["timestamp"] = 1_577_923_200_123
    write_actions(commit, actions)
    found = overview(place)
    assert (found.rows, found.version) == (4, 1)
    assert found.committed == datetime(2020, 1, 2, 0, 0, 0, 123_000, tzinfo=UTC)
    # A file whose writer counted nothing: its rows have to be read.
    for action in actions:
        if "add" in action:
            del action["add"]["stats"]
    write_actions(commit, actions)
    assert overview(place).rows is None
    commit.write_text("{", encoding="utf-8")
    with pytest.raises(UnreadableLogError):
        overview(place)


def write_actions(commit: Path, actions: Iterable[dict[str, object]]) -> None:
    commit.write_text("".join(f"{json.dumps(action)}\n" for action in actions), encoding="utf-8")


def test_a_folder_without_a_version_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="has no version"):
        newest_version(tmp_path)
    (tmp_path / "_delta_log").mkdir()
    for ask in (newest_version, overview):
        with pytest.raises(FileNotFoundError, match="has no version"):
            ask(tmp_path)


def test_a_log_that_is_damaged_is_named_as_such(runs: Made, tmp_path: Path) -> None:
    _, place = runs
    copy = Path(shutil.copytree(place, tmp_path / "copy"))
    (copy / "_delta_log" / f"{newest_version(place):020d}.json").write_text("{", encoding="utf-8")
    with pytest.raises(UnreadableLogError) as caught:
        newest_version(copy)
    assert "\n" not in str(caught.value)


def test_it_agrees_with_the_history_that_spark_tells(runs: Made) -> None:
    lake, place = runs
    # Ten commits and more: Delta writes a checkpoint on the way, and needs older commits no longer.
    for number in range(11):
        turn(lake, number)
    told = lake.spark.sql(f"DESCRIBE HISTORY {lake.identifier(RUNS)} LIMIT 1").first()
    assert told is not None
    assert newest_version(place) == lake.version(RUNS) == told["version"] == 11
    assert list((place / "_delta_log").glob("*.checkpoint*.parquet"))
    for commit in range(10):
        (place / "_delta_log" / f"{commit:020d}.json").unlink()
    assert newest_version(place) == 11


def test_files_are_known_with_their_rows_and_what_they_may_hold(make_run: Callable[..., Run]) -> None:
    lake = make_run().lake
    older = fill(lake, "one", 50)
    newer = fill(lake, ODD_SCOPE, 20)
    place = lake.location(TRADES)
    assert place is not None
    before, after = logged(place, older, TRADES.scope), logged(place, newer, TRADES.scope)
    assert (before.reader_version, before.features, before.partition_columns) == (1, (), ())
    assert (rows(before.files), rows(after.files)) == (50, 70)
    assert all(file.holds_only("one") for file in before.files)
    assert rows(file for file in after.files if file.holds_only("one")) == 50
    assert rows(file for file in after.files if file.may_hold(ODD_SCOPE)) == 20
    assert all((place / file.name).is_file() for file in after.files)
    with pytest.raises(UnreadableLogError):
        logged(place, newer + 1, TRADES.scope)


@pytest.mark.parametrize(
    ("file", "only", "maybe"),
    [
        (LoggedFile("", 9, "one", "one", 0), True, True),
        (LoggedFile("", 9, "one", "one", 1), False, True),
        (LoggedFile("", 9, "one", "one", None), False, True),
        (LoggedFile("", 9, "a", "two", 0), False, True),
        (LoggedFile("", 9, "on", "onf", 0), False, True),
        (LoggedFile("", 9, "a", "b", 0), False, False),
        (LoggedFile("", 9, "two", "two", 0), False, False),
        (LoggedFile("", None, None, None, None), False, True),
    ],
)
def test_only_what_the_log_says_for_certain_is_certain(file: LoggedFile, only: bool, maybe: bool) -> None:
    assert (file.holds_only("one"), file.may_hold("one")) == (only, maybe)


def test_a_value_longer_than_the_log_keeps_is_never_taken_for_certain(make_run: Callable[..., Run]) -> None:
    lake, long = make_run().lake, "x" * 100
    version = fill(lake, long, 5)
    place = lake.location(TRADES)
    assert place is not None
    files = logged(place, version, TRADES.scope).files
    assert all(file.may_hold(long) and not file.holds_only(long) for file in files)
    assert not any(file.holds_only("x" * 32) for file in files)


def rows(files: Iterable[LoggedFile]) -> int:
    return sum(file.rows or 0 for file in files)
