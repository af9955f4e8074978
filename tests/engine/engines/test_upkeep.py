import os
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from acceleray.engines.delta import upkeep as upkeeping
from acceleray.engines.delta.content import Content, content_of
from acceleray.engines.delta.lake import Lake
from acceleray.engines.delta.opening import KEEPS_PROPERTY
from acceleray.engines.delta.upkeep import Upkeep, needs_upkeep, retention_h, upkeep
from acceleray.engines.processes.lock import run_lock
from acceleray.runtime.run import Run
from acceleray.settings import Settings
from acceleray.tables.contract import Column, Table, run_columns

TALLY = Table(
    "gold",
    "tally",
    "A table for tests",
    "run_id",
    ("run_id", "n"),
    (*run_columns(), Column("n", "long", "Number"), Column("square", "double", "Its square", nullable=True)),
)
RUNS, ROWS = 3, 6
TIDY = "maintenance.optimize_above_files=2"
NOW = "maintenance.vacuum_after_h=0"
DAY = datetime(2024, 1, 2, tzinfo=UTC).date()


def commit(lake: Lake, number: int) -> None:
    run_id = f"run-{number}"
    rows = [
        {"run_id": run_id, "as_of": DAY, "n": n, "square": n * n / 2 + number if n else None}
        for n in range(ROWS)
    ]
    assert lake.commit(TALLY, pa.Table.from_pylist(rows, schema=TALLY.arrow_schema), run_id).changed


def state(lake: Lake) -> tuple[list[Any], Content]:
    """Return all rows in order, and count and fingerprint."""
    frame = lake.read(TALLY)
    return frame.orderBy("run_id", "n").collect(), content_of(TALLY, frame)


def data_files(lake: Lake) -> set[Path]:
    location = lake.location(TALLY)
    assert location is not None
    return set(location.glob("*.parquet"))


@pytest.fixture
def worn(make_run: Callable[..., Run]) -> Callable[..., Lake]:
    """Return a function from overrides to the tables of a project in which some runs have committed."""
    for number in range(RUNS):
        commit(make_run().lake, number)
    return lambda *overrides: make_run(*overrides).lake


@pytest.mark.nightly
def test_files_that_were_replaced_count_once_they_are_old_enough(make_run: Callable[..., Run]) -> None:
    for number in range(4):
        rows = [{"run_id": "same", "as_of": DAY, "n": n, "square": float(n + number)} for n in range(ROWS)]
        lake = make_run().lake
        assert lake.commit(TALLY, pa.Table.from_pylist(rows, schema=TALLY.arrow_schema), "same").changed
    before, files = state(lake), data_files(lake)
    assert len(files) >= 4
    assert not needs_upkeep(make_run(TIDY).lake, TALLY)
    tidy = make_run(TIDY, NOW).lake
    with run_lock(tidy.settings.state_dir):
        assert needs_upkeep(tidy, TALLY)
        assert upkeep(tidy, TALLY).deleted == len(files) - len(data_files(tidy)) > 0
        assert not needs_upkeep(tidy, TALLY)
    assert state(make_run().lake) == before


def test_many_small_files_become_few_and_every_version_still_reads(worn: Callable[..., Lake]) -> None:
    lake = worn(TIDY)
    before, files, version = state(lake), data_files(lake), lake.version(TALLY)
    assert needs_upkeep(lake, TALLY)
    with run_lock(lake.settings.state_dir):
        done = upkeep(lake, TALLY)
    assert done == Upkeep(TALLY, len(files), 1, 0)
    assert len(files) >= RUNS
    assert not needs_upkeep(lake, TALLY)
    assert state(worn()) == before
    assert before[1].rows == RUNS * ROWS
    # Nothing that a version inside the retention needs was deleted.
    assert data_files(lake) > files
    assert lake.read(TALLY, version=version).count() == RUNS * ROWS
    assert lake.read(TALLY, version=1).count() == ROWS
    # The same rows again are still known to be the same.
    assert not worn().commit(TALLY, lake.read(TALLY, "run-1").toArrow(), "run-1").changed


@pytest.mark.nightly
def test_of_a_large_table_some_files_stay_and_what_was_compacted_is_left_alone(
    make_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeeping, "_COMPACTED_BYTES", 1)
    generator = random.Random(5)
    lake = make_run("maintenance.optimize_above_files=6").lake

    def another(number: int) -> None:
        rows = [
            {"run_id": f"run-{number}", "as_of": DAY, "n": n, "square": generator.random()}
            for n in range(2000)
        ]
        lake.commit(TALLY, pa.Table.from_pylist(rows, schema=TALLY.arrow_schema), f"run-{number}")

    for number in range(12):
        another(number)
    before = content_of(TALLY, lake.read(TALLY))
    found = upkeep(lake, TALLY)
    # At most a third of all rows in one file.
    assert found.before == 12
    assert 1 < found.after <= 6
    assert content_of(TALLY, lake.read(TALLY)) == before
    large = set(DeltaTable(str(lake.location(TALLY))).file_uris())
    for number in range(12, 16):
        another(number)
    assert upkeep(lake, TALLY).after <= 6
    assert len(large & set(DeltaTable(str(lake.location(TALLY))).file_uris())) >= 2


@pytest.mark.nightly
def test_below_the_limit_nothing_is_done(worn: Callable[..., Lake]) -> None:
    lake = worn("maintenance.optimize_above_files=99")
    version, files = lake.version(TALLY), data_files(lake)
    assert upkeep(lake, TALLY) == Upkeep(TALLY, len(files), len(files), 0)
    assert (lake.version(TALLY), data_files(lake)) == (version, files)
    # A look at the folder is enough: this one has no Spark to ask.
    nothing: Any = None
    assert not needs_upkeep(Lake(nothing, lake.settings), TALLY)


@pytest.mark.nightly
def test_without_a_time_to_keep_only_the_newest_version_stays(worn: Callable[..., Lake], spark: Any) -> None:
    lake = worn(TIDY, NOW)
    before, files = state(lake), data_files(lake)
    with run_lock(lake.settings.state_dir):
        done = upkeep(lake, TALLY)
    assert done == Upkeep(TALLY, len(files), 1, len(files))
    assert len(data_files(lake)) == 1
    assert state(worn()) == before
    with pytest.raises(Exception, match=r"(?i)file|DELTA_"):
        lake.read(TALLY, version=1).collect()
    # Delta's safety check was off for one statement only.
    with pytest.raises(Exception, match="DELTA_VACUUM_RETENTION_PERIOD_TOO_SHORT"):
        spark.sql(f"VACUUM {lake.identifier(TALLY)} RETAIN 0 HOURS").collect()


@pytest.mark.nightly
def test_without_the_lock_files_stay_for_a_week_whatever_is_set(worn: Callable[..., Lake]) -> None:
    lake = worn(TIDY, NOW)
    files = data_files(lake)
    assert retention_h(lake.settings) == 168
    assert upkeep(lake, TALLY) == Upkeep(TALLY, len(files), 1, 0)
    assert data_files(lake) > files


def test_less_than_a_week_counts_only_where_nobody_else_can_write(settings: Callable[..., Settings]) -> None:
    chosen = settings("maintenance.vacuum_after_h=5")
    with run_lock(chosen.state_dir):
        assert retention_h(chosen) == 5
        assert retention_h(chosen.model_copy(update={"profile": "databricks"})) == 168
        assert retention_h(settings("maintenance.vacuum_after_h=500")) == 500


def test_what_a_killed_run_left_goes_but_what_a_young_version_needs_stays(worn: Callable[..., Lake]) -> None:
    lake = worn(TIDY)
    upkeep(lake, TALLY)
    files = data_files(lake)
    orphan = next(iter(files)).with_name("part-00000-never-committed.snappy.parquet")
    orphan.write_bytes(b"half a file")
    long_ago = time.time() - 169 * 3600
    for path in (*files, orphan):
        os.utime(path, (long_ago, long_ago))
    assert upkeep(lake, TALLY) == Upkeep(TALLY, 1, 1, 1)
    # They are old, but the versions that need them were replaced just now.
    assert data_files(lake) == files
    assert lake.read(TALLY, version=RUNS).count() == RUNS * ROWS


@pytest.mark.nightly
def test_delta_is_told_to_remember_for_longer_than_its_week(worn: Callable[..., Lake]) -> None:
    def remembered(lake: Lake) -> dict[str, str]:
        rows = lake.spark.sql(f"SHOW TBLPROPERTIES {lake.identifier(TALLY)}").collect()
        return {row["key"]: row["value"] for row in rows if row["key"] == KEEPS_PROPERTY}

    lake = worn("maintenance.vacuum_after_h=400")
    assert remembered(lake) == {}
    upkeep(lake, TALLY)
    assert remembered(lake) == {KEEPS_PROPERTY: "interval 400 hours"}
    version = lake.version(TALLY)
    upkeep(lake, TALLY)
    assert lake.version(TALLY) == version


@pytest.mark.nightly
def test_a_new_table_remembers_for_as_long_as_is_set(make_run: Callable[..., Run]) -> None:
    lake = make_run("maintenance.vacuum_after_h=720").lake
    commit(lake, 1)
    rows = lake.spark.sql(f"SHOW TBLPROPERTIES {lake.identifier(TALLY)}").collect()
    assert (KEEPS_PROPERTY, "interval 720 hours") in [(row["key"], row["value"]) for row in rows]
