"""The direct way: Ray reads a pinned version's files itself, where that is the same as reading the table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from acceleray.engines.delta.lake import Lake
from acceleray.engines.delta.log import Logged, LoggedFile, UnreadableLogError, logged, readable
from acceleray.engines.handoff.files import DataFile, StageDamagedError, inspect
from acceleray.engines.handoff.selection import Selection
from acceleray.tables.contract import Table

# Features of a Delta table that change what its files mean to a reader, and before there were features the
# one that reader version 2 stands for.
_FEATURES = {
    "deletionVectors": "deletion vectors",
    "columnMapping": "column mapping",
    "typeWidening": "type widening",
    "typeWidening-preview": "type widening",
}
_VERSION_2 = ("columnMapping",)


class NotDirectError(Exception):
    """The table cannot be read directly; the message says why, as in 'the table has <message>'."""


@dataclass(frozen=True)
class Known:
    """Facts about a pinned version, before Spark logic on top of it.

    Attributes:
        whole: its rows.
        scope: those of the selection's scope.
        log: what Delta's log says, or why that is not known.
    """

    whole: int
    scope: int
    log: Logged | str


def known(lake: Lake, selection: Selection, enough: int) -> Known:
    """Return how many rows there are; if the whole table has no more than `enough`, the scope is not counted.

    Delta's log knows the rows of a version, and of most files whether they hold another scope's rows. Only
    where it does not know, or there are some, does Spark count.
    """
    table, scope = selection.table, selection.scope
    lake.ready(table)
    log = _log(lake, selection)
    rows = None if isinstance(log, str) else _rows(log)
    whole = lake.read(table, None, selection.version).count() if rows is None else rows
    alone = isinstance(log, Logged) and scope is not None and all(f.holds_only(scope) for f in log.files)
    if scope is None or alone or whole <= enough:
        return Known(whole, whole, log)
    return Known(whole, lake.read(table, scope, selection.version).count(), log)


def direct_files(lake: Lake, selection: Selection, facts: Known) -> tuple[DataFile, ...]:
    """Return the files that hold the selection's rows, and possibly rows of other scopes.

    Delta's log may say more than its files: deleted rows, renamed or widened columns. So only the oldest
    reader protocol is accepted, and all files together must hold exactly the rows that the log counts.

    Raises:
        NotDirectError: reading the files would not be, or is not known to be, reading the table.
    """
    if selection.narrow is not None:
        raise NotDirectError("Spark logic on top of it")
    folder = lake.location(selection.table)
    if isinstance(facts.log, str) or folder is None:
        raise NotDirectError(str(facts.log))
    _refuse_features(facts.log)
    scope = selection.scope
    named = sorted(facts.log.files, key=lambda file: file.name)
    files = [_inspect(_place(folder, file), selection.table) for file in named]
    held = sum(file.rows for file in files)
    if held != facts.whole:
        raise NotDirectError(f"{held} rows in its files where its log counts {facts.whole}")
    wanted = [scope is None or file.may_hold(scope) for file in named]
    return tuple(file for file, want in zip(files, wanted, strict=True) if want)


def _log(lake: Lake, selection: Selection) -> Logged | str:
    folder = lake.location(selection.table)
    if folder is None:
        return "files whose place only its catalog knows"
    if not readable(folder):
        return _asked(lake, selection)
    try:
        return logged(folder, selection.version, selection.table.scope)
    except UnreadableLogError as error:
        return f"a log that cannot be read ({error})"


def _asked(lake: Lake, selection: Selection) -> Logged:
    """Return what Spark says of the log, which is less."""
    whole = lake.read(selection.table, None, selection.version)
    detail = lake.spark.sql(f"DESCRIBE DETAIL {lake.identifier(selection.table)}").first()
    assert detail is not None
    return Logged(
        detail["minReaderVersion"],
        tuple(detail["tableFeatures"] or ()),
        tuple(detail["partitionColumns"]),
        tuple(LoggedFile(name.rpartition("/")[2], None, None, None, None) for name in whole.inputFiles()),
    )


def _rows(log: Logged) -> int | None:
    rows = [file.rows for file in log.files]
    return None if None in rows else sum(filter(None, rows))


def _refuse_features(log: Logged) -> None:
    names = log.features or (_VERSION_2 if log.reader_version == 2 else ())
    features = dict.fromkeys(_FEATURES[name] for name in names if name in _FEATURES)
    if log.reader_version != 1:
        raise NotDirectError(" and ".join(features) or f"reader version {log.reader_version}")
    if log.partition_columns:
        raise NotDirectError("partition columns, which its files do not hold")


def _place(folder: Path, file: LoggedFile) -> Path:
    # A clone of a table names files of another one, as a URI.
    if ":" in file.name or file.name.startswith("/"):
        raise NotDirectError(f"files in {file.name.partition(':')[0]} instead of in its own folder")
    return folder / file.name


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
