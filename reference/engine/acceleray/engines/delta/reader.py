"""Tables as the reading commands ask for them: from files of this machine where that works, else by Spark."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import pyarrow as pa

from acceleray.engines.delta.files import FilesReader
from acceleray.engines.delta.log import Overview, UnreadableLogError
from acceleray.settings import Settings
from acceleray.settings.topology import in_catalog
from acceleray.tables.contract import Table

if TYPE_CHECKING:
    from acceleray.engines.delta.spark_reader import SparkReader

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
T = TypeVar("T")


class Source(Protocol):
    """Interface of both readers."""

    def exists(self, table: Table) -> bool:
        """Return whether the table has been created."""

    def overview(self, table: Table) -> Overview:
        """Return rows, version and time of the last commit; `rows` is None where they have to be counted."""

    def count(self, table: Table, where: str | None = None) -> int:
        """Return how many rows meet a condition."""

    def rows(
        self,
        table: Table,
        columns: Sequence[str] = (),
        where: str | None = None,
        limit: int | None = None,
        distinct: bool = False,
    ) -> pa.Table:
        """Return rows in the order of the key; all declared columns if none are given."""


class Reader:
    """Answers from files; what delta-rs cannot read, and everything in a catalog, Spark is asked for."""

    def __init__(self, settings: Settings, stack: ExitStack) -> None:
        """Keep what Spark would be started with; the stack closes it."""
        self._settings = settings
        self._stack = stack
        self._files = None if in_catalog(settings) else FilesReader(settings)
        self._spark: SparkReader | None = None
        self._unreadable: set[str] = set()

    def exists(self, table: Table) -> bool:
        """Return whether the table has been created."""
        return (self._files or self._started()).exists(table)

    def overview(self, table: Table) -> Overview:
        """Return rows, version and time of the last commit."""

        def ask(source: Source) -> Overview:
            found = source.overview(table)
            rows = source.count(table) if found.rows is None else found.rows
            return Overview(rows, found.version, found.committed)

        return self._asked(table, ask)

    def count(self, table: Table, where: str | None = None) -> int:
        """Return how many rows meet a condition.

        Raises:
            ConditionError: the condition does not fit the table.
        """
        if where is None:
            return self.overview(table).rows or 0
        return self._asked(table, lambda source: source.count(table, where))

    def rows(
        self,
        table: Table,
        columns: Sequence[str] = (),
        where: str | None = None,
        limit: int | None = None,
        distinct: bool = False,
    ) -> pa.Table:
        """Return rows in the order of the key.

        Args:
            table: the declaration.
            columns: which columns, or none for all that are declared.
            where: a condition in SQL.
            limit: how many rows at most.
            distinct: whether rows that are alike in these columns are returned once.

        Raises:
            ConditionError: the condition does not fit the table.
        """
        return self._asked(table, lambda source: source.rows(table, columns, where, limit, distinct))

    def _asked(self, table: Table, question: Callable[[Source], T]) -> T:
        if self._files is None or table.label in self._unreadable:
            return question(self._started())
        try:
            return question(self._files)
        except (UnreadableLogError, FileNotFoundError) as error:
            self._unreadable.add(table.label)
            reason = re.sub(r"\s+", " ", str(error)).strip()[:200].rstrip(".")
            print(f"{table.label} is read by Spark, because it cannot be without: {reason}.", file=sys.stderr)
        return question(self._started())

    def _started(self) -> Source:
        if self._spark is None:
            from acceleray.engines.delta.spark_reader import SparkReader

            self._spark = self._stack.enter_context(SparkReader.opened(self._settings))
        return self._spark


@contextmanager
def reader(settings: Settings) -> Iterator[Reader]:
    """Yield the tables of an environment; Spark is started when it is needed, and stopped at the end."""
    with ExitStack() as stack:
        yield Reader(settings, stack)


def columns_of(rows: pa.Table) -> list[list[Any]]:
    """Return the values of each column; pyarrow's own way loads pandas where there is a timestamp."""
    return [
        [_moment(value) for value in column.cast("int64").to_pylist()]
        if pa.types.is_timestamp(column.type)
        else column.to_pylist()
        for column in rows.columns
    ]


def _moment(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else _EPOCH + timedelta(microseconds=microseconds)


def records(rows: pa.Table) -> list[dict[str, Any]]:
    """Return each row as a mapping from column to value."""
    return [dict(zip(rows.column_names, row, strict=True)) for row in zip(*columns_of(rows), strict=True)]
