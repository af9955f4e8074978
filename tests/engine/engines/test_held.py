"""What a scope holds by Delta's log, of logs that delta-rs writes: no engine is needed to read them."""

import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import CommitProperties, DeltaTable, write_deltalake

from acceleray.engines.delta.content import EMPTY, Content
from acceleray.engines.delta.held import Record, held, record
from acceleray.tables.contract import Column, Table, source_column

TABLE = Table(
    "silver",
    "days",
    "A table for tests",
    "source",
    ("source", "n"),
    (source_column(), Column("n", "long", "Number", nullable=True)),
)
TEN, FOUR = Content(10, 2**64 - 5), Content(4, 7)


def written(folder: Path, told: Record | None, numbers: range, where: str | None = None) -> int:
    """Commit rows with what a lake would record, and return the version."""
    scope = "one" if told is None else told.scope
    rows = pa.table({"source": [scope] * len(numbers), "n": pa.array(numbers, pa.int64())})
    metadata = {} if told is None else {"userMetadata": told.text}
    write_deltalake(
        str(folder),
        rows,
        mode="append" if where is None else "overwrite",
        predicate=where,
        commit_properties=CommitProperties(custom_metadata=metadata),
    )
    return DeltaTable(str(folder)).version()


def known(folder: Path, scope: str = "one", table: Table = TABLE) -> Content | None:
    return held(folder, table, scope, DeltaTable(str(folder)).version())


def test_parts_add_up_to_the_whole_and_may_be_taken_from_it() -> None:
    assert Content(14, 2) == TEN + FOUR
    assert TEN + FOUR - FOUR == TEN
    assert TEN - FOUR + FOUR == TEN
    assert (TEN + FOUR).fingerprint == f"{2:016x}"


def test_the_newest_record_of_a_scope_counts_also_behind_other_scopes(tmp_path: Path) -> None:
    written(tmp_path, record(TABLE, "one", TEN), range(10))
    written(tmp_path, record(TABLE, "two", FOUR), range(4))
    assert (known(tmp_path), known(tmp_path, "two"), known(tmp_path, "o")) == (TEN, FOUR, EMPTY)
    assert held(tmp_path, TABLE, "two", 0) == EMPTY
    assert held(tmp_path, TABLE, "two", 9) is None, "there is no such version"


def test_what_changes_no_row_is_passed_over(tmp_path: Path) -> None:
    written(tmp_path, record(TABLE, "one", TEN), range(5))
    told = record(TABLE, "one", TEN, 0)
    written(tmp_path, told, range(5, 10))
    opened = DeltaTable(str(tmp_path))
    assert opened.optimize.compact()["numFilesAdded"] == 1
    opened.alter.set_table_properties({"delta.checkpointInterval": "7"})
    assert opened.version() == 3
    assert known(tmp_path) == TEN


def test_a_change_by_somebody_else_means_that_nothing_is_known(tmp_path: Path) -> None:
    written(tmp_path, record(TABLE, "one", TEN), range(10))
    written(tmp_path, None, range(10, 12))
    assert known(tmp_path) is None
    written(tmp_path, record(TABLE, "one", Content(4, 1)), range(4), where="source = 'one'")
    assert known(tmp_path) == Content(4, 1)
    DeltaTable(str(tmp_path)).update(updates={"n": "7"}, predicate="n = 3")
    assert known(tmp_path) is None, "as many rows as before"


def test_two_commits_that_built_on_one_version_are_not_added_up(tmp_path: Path) -> None:
    written(tmp_path, record(TABLE, "one", FOUR), range(4))
    written(tmp_path, record(TABLE, "one", Content(7, 1), base=0), range(4, 7))
    assert known(tmp_path) == Content(7, 1)
    written(tmp_path, record(TABLE, "two", FOUR), range(4))
    written(tmp_path, record(TABLE, "one", Content(10, 1), base=1), range(7, 10))
    assert known(tmp_path) == Content(10, 1), "the other scope's commit came between, and does not matter"
    written(tmp_path, record(TABLE, "one", Content(10, 2), base=2), range(9, 10), where="n = 9")
    assert known(tmp_path) is None, "built without the commit before it"


def test_a_record_that_files_contradict_is_not_believed(tmp_path: Path) -> None:
    written(tmp_path, record(TABLE, "one", Content(9, 1)), range(10))
    written(tmp_path, record(TABLE, "two", FOUR), range(4))
    assert known(tmp_path) is None, "its file holds 10 rows"
    assert known(tmp_path, "two") == FOUR
    for name in DeltaTable(str(tmp_path)).file_uris():
        Path(name).write_bytes(b"short")
    assert known(tmp_path, "two") is None, "its file is not as long as the log says"


def test_rows_hashed_in_another_way_are_hashed_again(tmp_path: Path) -> None:
    written(tmp_path, record(TABLE, "one", TEN), range(10))
    there, number = TABLE.columns
    for columns in (
        (there, replace(number, volatile=True)),
        (there, replace(number, nullable=False)),
        (there, number, Column("new", "double", "New", nullable=True)),
    ):
        assert known(tmp_path, table=replace(TABLE, columns=columns)) is None
    assert known(tmp_path, table=replace(TABLE, comment="Another")) == TEN


@pytest.mark.parametrize("damage", ["{", '{"commitInfo": 1}', None])
def test_a_log_that_is_damaged_or_gone_says_nothing(tmp_path: Path, damage: str | None) -> None:
    for number in range(3):
        written(tmp_path, record(TABLE, "one", TEN, number - 1 if number else None), range(10))
    DeltaTable(str(tmp_path)).create_checkpoint()
    oldest, middle, newest = sorted((tmp_path / "_delta_log").glob("*[0-9].json"))
    oldest.unlink()
    written(tmp_path, record(TABLE, "two", FOUR), range(4))
    # Thirty rows in files, of which the record says ten.
    assert known(tmp_path) is None
    told = json.loads(record(TABLE, "one", Content(30, 3), 1).text)
    lines = newest.read_text(encoding="utf-8").splitlines()
    newest.write_text("\n".join(line for line in lines if "commitInfo" not in line) + "\n", encoding="utf-8")
    with newest.open("a", encoding="utf-8") as log:
        log.write(json.dumps({"commitInfo": {"userMetadata": json.dumps(told)}}) + "\n")
    assert known(tmp_path) == Content(30, 3), "what lies before its base is not needed"
    if damage is None:
        newest.unlink()
    else:
        newest.write_text(damage, encoding="utf-8")
    assert known(tmp_path) is None
    assert middle.is_file()
