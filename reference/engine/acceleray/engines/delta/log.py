"""The Delta log of a table on this machine, read by delta-rs: versions, files, and what the files hold.

Asking Spark takes a tenth of a second or more, for planning and a job of its own; the log takes some
milliseconds. Files are never read or written this way.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from deltalake import DeltaTable


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
    """

    name: str
    rows: int | None
    lowest: str | None
    highest: str | None
    nulls: int | None

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
    return _opened(table).version()


def version_with(table: Path, metadata: str, among: int = 100) -> int | None:
    """Return the newest version whose commit carries this user metadata, or None.

    Args:
        table: the table's folder.
        metadata: what was given as `userMetadata`.
        among: how many of the newest versions are looked at.
    """
    history = _opened(table).history(among)
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
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    try:
        opened = DeltaTable(str(table), version=version)
    except DeltaError as error:
        raise UnreadableLogError(str(error).splitlines()[0]) from None
    protocol = opened.protocol()
    added = pa.table(opened.get_add_actions(flatten=True))

    def said(name: str) -> list[Any]:
        return added.column(name).to_pylist() if name in added.column_names else [None] * len(added)

    columns = ("path", "num_records", f"min.{column}", f"max.{column}", f"null_count.{column}")
    return Logged(
        protocol.min_reader_version,
        tuple(protocol.reader_features or ()),
        tuple(opened.metadata().partition_columns),
        tuple(LoggedFile(*one) for one in zip(*map(said, columns), strict=True)),
    )


def _opened(table: Path) -> DeltaTable:
    # Every process imports this module, and none but the driver reads a log.
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError, TableNotFoundError

    try:
        return DeltaTable(str(table))
    except TableNotFoundError:
        raise FileNotFoundError(f"{table} has no version") from None
    except DeltaError as error:
        raise UnreadableLogError(str(error).splitlines()[0]) from None
