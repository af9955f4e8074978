"""The Delta log of a table on this machine, read by delta-rs: versions, files, and what the files hold.

Asking Spark takes a tenth of a second or more, for planning and a separate job; the log takes some
milliseconds. Rows are read by `handoff` for runs and by `engines.delta.files` for people, not here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from acceleray.settings import Settings
from acceleray.tables.contract import Table
from acceleray.tables.stored import Stored

if TYPE_CHECKING:
    from deltalake import DeltaTable

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class UnreadableLogError(Exception):
    """Delta's log cannot be read, or has no such version; the message says why in one line."""


@dataclass(frozen=True)
class LoggedFile:
    """A file of a version: its name in the table's folder, its rows, and values of one column of text.

    Attributes:
        name: relative to the table's folder, unless the file lies elsewhere.
        rows: None where the log does not say.
        lowest: a value that none in the file is below, None where the log does not say.
        highest: a value that none in the file is above, None where the log does not say.
        nulls: None where the log does not say.
        bytes: its length, None where the log does not say.
    """

    name: str
    rows: int | None
    lowest: str | None
    highest: str | None
    nulls: int | None
    bytes: int | None = None

    def holds_only(self, value: str) -> bool:
        """Return whether every row is known to have this value; never of one so long that the log cuts it."""
        return self.lowest == self.highest == value and self.nulls == 0

    def may_hold(self, value: str) -> bool:
        """Return whether some row may have this value."""
        low, high = self.lowest, self.highest
        return (low is None or low <= value) and (high is None or value <= high)


@dataclass(frozen=True)
class Logged:
    """A version of a table: what its reader must know, what it is partitioned by, and its files."""

    reader_version: int
    features: tuple[str, ...]
    partition_columns: tuple[str, ...]
    files: tuple[LoggedFile, ...]


@dataclass(frozen=True)
class Overview:
    """The newest version of a table: its rows, its number, and when it was committed.

    Attributes:
        rows: None where the log does not say.
        version: of Delta.
        committed: None where the log does not say.
    """

    rows: int | None
    version: int
    committed: datetime | None


def table_folder(settings: Settings, table: Table) -> Path:
    """Return the folder of a table's files in the profiles that keep them in the state folder."""
    return settings.state_dir / "warehouse" / getattr(settings.catalog, table.layer) / table.name


def readable(table: Path) -> bool:
    """Return whether delta-rs finds a table in this folder: 1.6 takes %20 in a name for a space."""
    return "%" not in str(table)


def newest_version(table: Path) -> int:
    """Return the newest version of a table.

    Args:
        table: the table's folder.

    Raises:
        FileNotFoundError: there is no Delta table in the folder.
        UnreadableLogError: its log cannot be read.
    """
    return open_table(table).version()


def overview(table: Path) -> Overview:
    """Return what the log says of a table's newest version.

    Args:
        table: the table's folder.

    Raises:
        FileNotFoundError: there is no Delta table in the folder.
        UnreadableLogError: its log cannot be read.
    """
    from deltalake.exceptions import DeltaError

    opened = open_table(table)
    try:
        newest = opened.history(1)
        files = arrow(opened.get_add_actions()).column("num_records").to_pylist()
    except DeltaError as error:
        raise UnreadableLogError(str(error).splitlines()[0]) from None
    # Where rows are marked as deleted, the files still count them.
    marked = "deletionVectors" in (opened.protocol().reader_features or ())
    at = newest[0].get("timestamp") if newest else None
    return Overview(
        None if marked or None in files else sum(files),
        opened.version(),
        None if at is None else _EPOCH + timedelta(milliseconds=at),
    )


def stored(opened: DeltaTable) -> Stored:
    """Return the columns and properties of a table that `open_table` has opened."""
    columns = {f.name: (str(getattr(f.type, "type", f.type)), f.nullable) for f in opened.schema().fields}
    return Stored(columns, dict(opened.metadata().configuration))


def version_with(table: Path, metadata: str, among: int = 100) -> int | None:
    """Return the newest version whose commit carries this user metadata, or None.

    Args:
        table: the table's folder.
        metadata: what was given as `userMetadata`.
        among: how many of the newest versions are looked at.
    """
    history = open_table(table).history(among)
    return max((int(one["version"]) for one in history if one.get("userMetadata") == metadata), default=None)


def logged(table: Path, version: int, column: str) -> Logged:
    """Return what the log says of a version, and of a column of text in each of its files.

    Args:
        table: the table's folder.
        version: of which version.
        column: whose lowest and highest values are wanted.

    Raises:
        UnreadableLogError: there is no such version, or its log cannot be read.
    """
    opened = open_table(table, version)
    protocol = opened.protocol()
    added = arrow(opened.get_add_actions(flatten=True))

    def said(name: str) -> list[Any]:
        return added.column(name).to_pylist() if name in added.column_names else [None] * len(added)

    columns = ("path", "num_records", f"min.{column}", f"max.{column}", f"null_count.{column}", "size_bytes")
    return Logged(
        protocol.min_reader_version,
        tuple(protocol.reader_features or ()),
        tuple(opened.metadata().partition_columns),
        tuple(LoggedFile(*one) for one in zip(*map(said, columns), strict=True)),
    )


def arrow(stream: Any) -> pa.Table:
    """Return what delta-rs gives as an Arrow table; `pyarrow.table` would load pandas to tell what it is."""
    return pa.RecordBatchReader.from_stream(stream).read_all()


def open_table(table: Path, version: int | None = None) -> DeltaTable:
    """Return a table as delta-rs sees it, at its newest version if none is given.

    Raises:
        FileNotFoundError: there is no Delta table in the folder.
        UnreadableLogError: its log cannot be read, or has no such version.
    """
    # Every process imports this module, and none but the driver reads a log.
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError, TableNotFoundError

    try:
        return DeltaTable(str(table), version=version)
    except TableNotFoundError:
        raise FileNotFoundError(f"{table} has no version") from None
    except DeltaError as error:
        raise UnreadableLogError(str(error).splitlines()[0]) from None
