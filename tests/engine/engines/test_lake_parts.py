"""A part of a scope is replaced, and what a scope holds is known from Delta's log, never trusted blindly."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from acceleray.engines.delta import lake as lakes
from acceleray.engines.delta.content import EMPTY, Content, content_of
from acceleray.engines.delta.delta_rs import content_there
from acceleray.engines.delta.held import Record, held
from acceleray.engines.delta.lake import Commit, Lake
from acceleray.runtime.run import Run
from acceleray.tables.contract import Column, Table, source_column

DAYS = Table(
    layer="silver",
    name="days",
    comment="A table for tests",
    scope="source",
    key=("source", "n"),
    columns=(
        source_column(),
        Column("n", "long", "Number of the day"),
        Column("level", "double", "Level", nullable=True),
        Column("load", "string", "Who wrote it", volatile=True),
    ),
)


def days(numbers: range, level: float | None = 1.0, source: str = "one", load: str = "a") -> pa.Table:
    rows = [{"source": source, "n": n, "level": level and level * n, "load": load} for n in numbers]
    return pa.Table.from_pylist(rows, schema=DAYS.arrow_schema)


def counted(lake: Lake, source: str = "one") -> Content:
    return content_of(DAYS, lake.read(DAYS, source))


def known(lake: Lake, source: str = "one", table: Table = DAYS) -> Content | None:
    return held(place(lake), table, source, lake.version(DAYS))


def place(lake: Lake) -> Path:
    folder = lake.location(DAYS)
    assert folder is not None
    return folder


def told(commit: Commit) -> Content:
    return Content(commit.rows, int(commit.fingerprint, 16))


@pytest.fixture
def lake(make_run: Callable[..., Run]) -> Lake:
    """Return a table of two sources, ten days each."""
    lake = make_run().lake
    lake.open(DAYS)
    lake.commit(DAYS, days(range(10)), "one")
    lake.commit(DAYS, days(range(10), source="two"), "two")
    return lake


def test_a_part_is_replaced_and_the_commit_tells_of_the_whole(lake: Lake) -> None:
    whole = lake.commit(DAYS, days(range(12), 1.0), "one")
    commit = lake.commit(DAYS, days(range(8, 11), 2.0), "one", where="n >= 8")
    rows = lake.read(DAYS, "one").orderBy("n").collect()
    assert [row["level"] for row in rows] == [*map(float, range(8)), 16.0, 18.0, 20.0]
    assert (commit.rows, commit.version, commit.changed) == (11, whole.version + 1, True)
    assert told(commit) == counted(lake) == known(lake)
    assert counted(lake, "two") == known(lake, "two")
    # As if the whole had been written at once.
    assert not lake.commit(DAYS, pa.concat_tables([days(range(8)), days(range(8, 11), 2.0)]), "one").changed


def test_the_same_part_again_writes_no_version(lake: Lake) -> None:
    first = lake.commit(DAYS, days(range(8, 12), 2.0), "one", where="n >= 8")
    again = lake.commit(DAYS, days(range(8, 12), 2.0, load="b"), "one", where="n >= 8")
    assert again == replace(first, changed=False)
    assert lake.version(DAYS) == first.version


def test_a_row_outside_the_part_leaves_the_table_untouched(lake: Lake) -> None:
    before = lake.version(DAYS)
    with pytest.raises(Exception, match=r"(?i)replaceWhere|does not conform|DELTA_"):
        lake.commit(DAYS, days(range(7, 12)), "one", where="n >= 8 OR n < 0")
    assert (lake.version(DAYS), counted(lake)) == (before, known(lake))


def test_what_is_held_agrees_with_the_rows_after_any_commits(lake: Lake) -> None:
    chosen = random.Random(1)
    for _ in range(8):
        step = chosen.choice(("part", "part", "whole", "other", "nothing", "tidy", "nulls"))
        low = chosen.randrange(9)
        if step == "part":
            lake.commit(DAYS, days(range(low, 12), chosen.random()), "one", where=f"n >= {low}")
        elif step == "nulls":
            lake.commit(DAYS, days(range(low, low + 2), None), "one", where=f"n IN ({low}, {low + 1})")
        elif step == "whole":
            lake.commit(DAYS, days(range(low), chosen.random()), "one")
        elif step == "other":
            lake.commit(DAYS, days(range(low), chosen.random(), "two"), "two", where="n < 5 OR n >= 5")
        elif step == "tidy":
            lake.spark.sql(f"OPTIMIZE {lake.identifier(DAYS)}").collect()
        else:
            lake.spark.sql(f"ALTER TABLE {lake.identifier(DAYS)} SET TBLPROPERTIES ('t.n' = '{low}')")
        assert (known(lake), known(lake, "two")) == (counted(lake), counted(lake, "two")), step


def test_only_the_replaced_rows_are_hashed_again(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[int] = []

    def watched(folder: Path, table: Table, version: int, chosen: str) -> Content:
        content = content_there(folder, table, version, chosen)
        hashed.append(content.rows)
        return content

    monkeypatch.setattr(lakes, "content_there", watched)
    lake.commit(DAYS, days(range(8, 12)), "one", where="n >= 8")
    lake.commit(DAYS, days(range(3)), "one")
    lake.commit(DAYS, days(range(4), source="new"), "new")
    assert hashed == [2]


def test_rows_that_somebody_else_wrote_are_counted(lake: Lake) -> None:
    lake.spark.sql(f"DELETE FROM {lake.identifier(DAYS)} WHERE n = 3 AND source = 'two'")
    assert known(lake) is known(lake, "two") is None
    commit = lake.commit(DAYS, days(range(9, 10), 7.0), "one", where="n = 9")
    assert told(commit) == counted(lake) == known(lake)
    assert not lake.commit(DAYS, days(range(9, 10), 7.0), "one", where="n = 9").changed
    # Rows of the other source are still as they were left.
    assert lake.commit(DAYS, days(range(10), source="two"), "two").changed


def test_a_record_that_files_or_the_declaration_contradict_is_not_believed(lake: Lake) -> None:
    assert known(lake, "nobody") == EMPTY
    other = replace(DAYS, columns=(*DAYS.columns[:3], replace(DAYS.columns[3], volatile=False)))
    assert known(lake, table=other) is None, "its rows are hashed in another way"
    rewrite(lake, 1, '\\"rows\\": 10', '\\"rows\\": 11')
    assert known(lake) is None, "its files hold 10 rows"
    rewrite(lake, 1, '\\"rows\\": 11', '\\"rows\\": 10')
    assert known(lake) == counted(lake)
    for file in place(lake).glob("*.parquet"):
        if "two" not in str(file.read_bytes()):
            file.unlink()
    assert known(lake) is None, "a file is gone"
    assert known(lake, "two") is not None


def rewrite(lake: Lake, version: int, right: str, wrong: str) -> None:
    path = place(lake) / "_delta_log" / f"{version:020d}.json"
    text = path.read_text(encoding="utf-8")
    assert right in text
    path.write_text(text.replace(right, wrong), encoding="utf-8")


@pytest.mark.parametrize("by_spark", [True, False])
def test_a_commit_of_the_same_scope_that_came_between_is_seen(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, by_spark: bool
) -> None:
    real, waiting = lakes.record, [days(range(2), 5.0)]

    def recorded(table: Table, scope: str, content: Content, base: int | None = None) -> Record:
        told = real(table, scope, content, base)
        if waiting:
            lake.commit(DAYS, waiting.pop(), "one", where="n < 2")
        return told

    monkeypatch.setattr(lakes, "record", recorded)
    rows = days(range(8, 11), 3.0)
    commit = lake.commit(DAYS, lake.frame(DAYS, rows) if by_spark else rows, "one", where="n >= 8")
    assert known(lake) is None, "two commits built on one version"
    assert told(commit) == counted(lake)
    after = lake.commit(DAYS, days(range(8, 11), 4.0), "one", where="n >= 8")
    assert told(after) == counted(lake) == known(lake)


@pytest.mark.parametrize("by_spark", [False, True])
def test_rows_that_are_added_are_told_with_those_there(make_run: Callable[..., Run], by_spark: bool) -> None:
    lake, at = make_run().lake, datetime(2024, 1, 1, tzinfo=UTC)
    log = replace(DAYS, name="log", append_only=True)
    for numbers, changed in ((range(3), True), (range(2), False), (range(2, 6), True)):
        rows = days(numbers, load=str(at))
        commit = lake.append(log, lake.frame(log, rows) if by_spark else rows, "one")
        assert commit.changed == changed
        assert told(commit) == content_of(log, lake.read(log, "one"))
    assert commit.rows == 6
