"""The direct way: Ray reads a pinned version's files itself, where that is the same as reading the table."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pyspark.sql import functions as F

from portfolio.engines.handoff.files import DataFile, StageDamagedError, inspect
from portfolio.engines.handoff.selection import Selection
from portfolio.engines.lake import Lake
from portfolio.tables.contract import Table, quoted

# Features of a Delta table that change what its files mean to a reader.
_FEATURES = {
    "deletionVectors": "deletion vectors",
    "columnMapping": "column mapping",
    "typeWidening": "type widening",
    "typeWidening-preview": "type widening",
}


class NotDirectError(Exception):
    """The table cannot be read directly; the message says why, as in 'the table has <message>'."""


@dataclass(frozen=True)
class Counts:
    """Rows of a pinned version, and those of the selection's scope, before Spark logic on top of it."""

    whole: int
    scope: int


def counted(lake: Lake, selection: Selection, enough: int) -> Counts:
    """Return what Spark counts; if the whole table has no more than `enough` rows, the scope is not counted.

    Delta's log knows the rows of a version, and of most files whether they hold another scope's rows. Only
    where it does not know, or there are some, are rows looked at.
    """
    table, scope = selection.table, selection.scope
    whole = lake.read(table, None, selection.version)
    if scope is None:
        rows = int(whole.count())
        return Counts(rows, rows)
    inside = F.col(quoted(table.scope)).eqNullSafe(F.lit(scope))
    # Both questions at once: what they take is planning, not computing.
    with ThreadPoolExecutor(1) as beside:
        others = beside.submit(whole.where(~inside).inputFiles)
        rows = int(whole.count())
        if rows <= enough or not others.result():
            return Counts(rows, rows)
    return Counts(rows, int(whole.where(inside).count()))


def direct_files(lake: Lake, selection: Selection, counts: Counts) -> tuple[DataFile, ...]:
    """Return the files that hold the selection's rows, and possibly rows of other scopes.

    Delta's log may say more than its files: deleted rows, renamed or widened columns. So only the oldest
    reader protocol is accepted, and all files together must hold exactly the rows that Spark counts.

    Raises:
        NotDirectError: reading the files would not be, or is not known to be, reading the table.
    """
    if selection.narrow is not None:
        raise NotDirectError("Spark logic on top of it")
    _refuse_features(lake, selection.table)
    whole = lake.read(selection.table, None, selection.version)
    files = {path: _inspect(path, selection.table) for path in _paths(whole.inputFiles())}
    held = sum(file.rows for file in files.values())
    if held != counts.whole:
        raise NotDirectError(f"{held} rows in its files where Spark counts {counts.whole}")
    if counts.scope == counts.whole:
        return tuple(files.values())
    # Spark leaves out the files whose statistics say that they hold no row of the scope.
    return tuple(files[path] for path in _paths(selection.rows(lake).inputFiles()))


def _refuse_features(lake: Lake, table: Table) -> None:
    lake.open(table)
    detail = lake.spark.sql(f"DESCRIBE DETAIL {lake.identifier(table)}").first()
    features = dict.fromkeys(_FEATURES[name] for name in detail["tableFeatures"] or () if name in _FEATURES)
    if detail["minReaderVersion"] != 1:
        raise NotDirectError(" and ".join(features) or f"reader version {detail['minReaderVersion']}")
    if detail["partitionColumns"]:
        raise NotDirectError("partition columns, which its files do not hold")


def _paths(names: list[str]) -> list[Path]:
    # Delta writes `file:/a b/c.parquet`: no URI, a space is a space.
    if elsewhere := next((name for name in names if not name.startswith("file:/")), None):
        raise NotDirectError(f"files in {elsewhere.partition(':')[0]} instead of on a disk of this machine")
    return sorted(Path("/" + name.removeprefix("file:").lstrip("/")) for name in names)


def _inspect(path: Path, table: Table) -> DataFile:
    try:
        file, schema = inspect(path)
    except StageDamagedError as error:
        raise NotDirectError(f"a file that cannot be used ({error})") from None
    required = {column.name for column in table.columns if not column.nullable}
    # A table that had column mapping once still has files with other names.
    if not required <= set(schema.names) <= set(table.column_names):
        raise NotDirectError("files with other columns than it declares")
    return file
