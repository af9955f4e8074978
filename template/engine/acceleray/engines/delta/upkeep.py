"""Table upkeep: many small files become few, and files that no kept version needs are deleted."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pyspark.sql import SparkSession

from acceleray.engines.delta.lake import Lake
from acceleray.engines.delta.opening import DELTA_KEEPS_H, KEEPS_PROPERTY
from acceleray.engines.processes.lock import held_here
from acceleray.settings import Settings
from acceleray.tables import KEPT_WORK
from acceleray.tables.contract import Table

_SAFETY_CHECK = "spark.databricks.delta.retentionDurationCheck.enabled"
# Files that OPTIMIZE leaves as they are, and the largest that it makes, in bytes.
_LARGE_ENOUGH, _LARGEST = (f"spark.databricks.delta.optimize.{name}FileSize" for name in ("min", "max"))
# Of a table with more, half as many files as are too many hold it all. Who replaces the rows of one day
# writes a whole file again, so one file of all years would cost that every morning.
_COMPACTED_BYTES = 16_000_000


@dataclass(frozen=True)
class Upkeep:
    """Maintenance of one table: files of its newest version before and after, and files deleted."""

    table: Table
    before: int
    after: int
    deleted: int
    # Whether the workspace compacts and vacuums it, so that nothing was done here.
    by_itself: bool = False


def needs_upkeep(lake: Lake, table: Table) -> bool:
    """Return whether a table has too many files: in its newest version, or that no kept version needs.

    Asked after every run, so a glance at the folder answers first: it holds these files and older ones.
    """
    limit = lake.settings.maintenance.optimize_above_files
    location = lake.location(table)
    if location is None:
        return _files(lake, table) > limit and not tended(lake, table)
    if len(_data_files(location)) <= limit:
        return False
    needed = _files(lake, table)
    return needed > limit or len(_older(location, retention_h(lake.settings))) - needed > limit


def upkeep(lake: Lake, table: Table) -> Upkeep:
    """Compact an existing table if it has too many files, and delete what no kept version needs.

    No row changes. Versions younger than `retention_h` stay readable. The caller holds the lock of the state
    folder.
    """
    lake.open(table)
    if table is KEPT_WORK:
        _forget(lake)
    before = after = _files(lake, table)
    if lake.location(table) is None and tended(lake, table):
        return Upkeep(table, before, after, 0, by_itself=True)
    if before > lake.settings.maintenance.optimize_above_files:
        with _file_sizes(lake, table):
            lake.spark.sql(f"OPTIMIZE {lake.identifier(table)}").collect()
        after = _files(lake, table)
    hours = retention_h(lake.settings)
    _keep(lake, table, hours)
    deleted = _vacuum(lake, table, hours) if _may_hold_old_files(lake.location(table), after, hours) else 0
    return Upkeep(table, before, after, deleted)


def tended(lake: Lake, table: Table) -> bool:
    """Return whether predictive optimisation of the workspace compacts and vacuums a table by itself."""
    rows = lake.spark.sql(f"DESCRIBE TABLE EXTENDED {lake.identifier(table)}").collect()
    said = {str(row["col_name"]).lower(): str(row["data_type"]).upper() for row in rows}
    return said.get("predictive optimization", "").startswith("ENABLE")


def _forget(lake: Lake) -> None:
    """Delete kept work that no run has taken for long."""
    days = lake.settings.maintenance.keep_work_d
    name = lake.identifier(KEPT_WORK)
    lake.spark.sql(f"DELETE FROM {name} WHERE made_at < current_timestamp() - INTERVAL {days} DAYS").collect()


def retention_h(settings: Settings) -> int:
    """Return for how many hours a version stays readable: as set, but a week where others may write as well.

    VACUUM also deletes files that belong to no version yet. Young ones may be those of a commit under way,
    which only the lock of this machine rules out; without it Delta's own limit of a week holds.
    """
    alone = settings.profile in ("local", "cluster") and held_here(settings.machine_dir)
    wanted = settings.maintenance.vacuum_after_h
    return wanted if alone else max(wanted, DELTA_KEEPS_H)


def _vacuum(lake: Lake, table: Table, hours: int) -> int:
    name = lake.identifier(table)
    with _safety_check(lake.spark, off=hours < DELTA_KEEPS_H):
        lake.spark.sql(f"VACUUM {name} RETAIN {hours} HOURS").collect()
    last = lake.spark.sql(f"DESCRIBE HISTORY {name} LIMIT 1").first()
    return int(last["operationMetrics"].get("numDeletedFiles", 0)) if last["operation"] == "VACUUM END" else 0


@contextmanager
def _file_sizes(lake: Lake, table: Table) -> Iterator[None]:
    """Let one statement make files that fit the table; a Spark of others decides by itself."""
    if lake.settings.profile not in ("local", "cluster"):
        yield
        return
    size = int(lake.spark.sql(f"DESCRIBE DETAIL {lake.identifier(table)}").first()["sizeInBytes"])
    largest = max(_COMPACTED_BYTES, 2 * size // lake.settings.maintenance.optimize_above_files)
    # Half of that is large enough: what has been compacted is not written again with every new file.
    with _set(lake.spark, {_LARGE_ENOUGH: str(largest // 2), _LARGEST: str(largest)}):
        yield


def _safety_check(spark: SparkSession, off: bool) -> AbstractContextManager[None]:
    """Let one statement delete young files; `retention_h` asks for that only under the lock."""
    return _set(spark, {_SAFETY_CHECK: "false"} if off else {})


@contextmanager
def _set(spark: SparkSession, values: Mapping[str, str]) -> Iterator[None]:
    """Let settings of Spark have other values for a while."""
    before = {name: spark.conf.get(name, None) for name in values}
    for name, value in values.items():
        spark.conf.set(name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                spark.conf.unset(name)
            else:
                spark.conf.set(name, value)


def _keep(lake: Lake, table: Table, hours: int) -> None:
    if hours <= DELTA_KEEPS_H:
        return
    name, wanted = lake.identifier(table), f"interval {hours} hours"
    rows = lake.spark.sql(f"SHOW TBLPROPERTIES {name}").collect()
    if {row["key"]: row["value"] for row in rows}.get(KEEPS_PROPERTY) != wanted:
        lake.spark.sql(f"ALTER TABLE {name} SET TBLPROPERTIES ('{KEEPS_PROPERTY}' = '{wanted}')")


def _may_hold_old_files(location: Path | None, needed: int, hours: int) -> bool:
    # VACUUM takes seconds even if there is nothing to delete, and it deletes no file younger than this.
    if location is None:
        return True
    return len(_data_files(location)) > needed and bool(_older(location, hours))


def _older(location: Path, hours: int) -> list[Path]:
    latest = time.time() - hours * 3600
    return [path for path in _data_files(location) if path.stat().st_mtime <= latest]


def _files(lake: Lake, table: Table) -> int:
    lake.open(table)
    return int(lake.spark.sql(f"DESCRIBE DETAIL {lake.identifier(table)}").first()["numFiles"])


def _data_files(location: Path) -> list[Path]:
    return list(location.glob("*.parquet"))
