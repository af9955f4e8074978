"""Governed tables: read at a known version, and replaced in one commit, a scope or a part of it at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from functools import partial
from pathlib import Path

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from acceleray.engines.delta.content import EMPTY, Content, content_of, refuse_count, whole_rows
from acceleray.engines.delta.content import Commit as Commit
from acceleray.engines.delta.delta_rs import (
    NotHereError,
    OvertakenError,
    Parts,
    commit_here,
    condition,
    content_here,
    content_there,
    looked_through,
    rows_there,
    without_keys,
)
from acceleray.engines.delta.held import Record, held, record
from acceleray.engines.delta.history import version_of
from acceleray.engines.delta.log import UnreadableLogError, newest_version, readable
from acceleray.engines.delta.opening import Places
from acceleray.engines.delta.retrying import retried
from acceleray.engines.spark.caching import kept
from acceleray.engines.spark.frames import frame_of
from acceleray.settings import Settings
from acceleray.tables.contract import Table, literal, quoted


class Lake:
    """The Delta tables of one environment."""

    def __init__(
        self, spark: SparkSession, settings: Settings, say: Callable[[str], None] | None = None
    ) -> None:
        """Keep the session and where tables live; nothing is created yet.

        `say` is told in a line of each table that is set aside; without it such a table is refused.
        """
        self.spark = spark
        self.settings = settings
        # Where Spark has other machines, every commit is its own.
        self._commits = settings.profile == "local"
        self._places = Places(spark, settings, say)
        # Rows read at the current state and not at a version, by label and scope ('' for all rows).
        self.looked_up: dict[tuple[str, str], Table] = {}

    def identifier(self, table: Table) -> str:
        """Return the full name by which Spark knows a table, as a quoted SQL identifier."""
        return self._places.known(table)

    def location(self, table: Table) -> Path | None:
        """Return the folder of a table's files, or None where the catalog alone knows it."""
        return self._places.location(table)

    def exists(self, table: Table) -> bool:
        """Return whether the table has been created."""
        return self._places.exists(table)

    def read(self, table: Table, scope: str | None = None, version: int | None = None) -> DataFrame:
        """Return the declared columns of a table, of one source or run if `scope` is given.

        Args:
            table: the declaration.
            scope: value of the table's scope column, or None for all rows.
            version: Delta version to pin, or None for the newest, which `looked_up` then names.
        """
        self.open(table)
        self._note(table, scope, version)
        pinned = "" if version is None else f" VERSION AS OF {int(version)}"
        columns = ", ".join(quoted(name) for name in table.column_names)
        where = "" if scope is None else f" WHERE {self._predicate(table, scope)}"
        return self.spark.sql(f"SELECT {columns} FROM {self.identifier(table)}{pinned}{where}")

    def rows(
        self,
        table: Table,
        scope: str | None = None,
        version: int | None = None,
        where: str | None = None,
        columns: Sequence[str] = (),
    ) -> pa.Table:
        """Return what `read` gives in this process, in no particular order: without Spark where that can be.

        `where` is as for `commit`; without `columns` all that are declared come.
        """
        names = tuple(columns) or table.column_names
        self._note(table, scope, version)
        if (folder := self._here(table)) is not None:
            pinned = newest_version(folder) if version is None else version
            with suppress(NotHereError):
                return rows_there(folder, table, pinned, names, condition(table, scope, where))
        rows = self.read(table, scope, version)
        return (rows if where is None else rows.where(where)).select(*map(quoted, names)).toArrow()

    def version(self, table: Table) -> int:
        """Return the newest Delta version of a table."""
        if (folder := self._here(table)) is not None:
            # Spark may read tables that delta-rs cannot, and reports errors in one line.
            with suppress(UnreadableLogError):
                return newest_version(folder)
        self.open(table)
        return int(self.spark.sql(f"DESCRIBE HISTORY {self.identifier(table)} LIMIT 1").first()["version"])

    def commit(
        self,
        table: Table,
        rows: DataFrame | pa.Table,
        scope: str,
        rows_expected: int | None = None,
        keep: bool = True,
        where: str | None = None,
    ) -> Commit:
        """Replace the rows of one source or run, or some of them, in one atomic commit.

        If the table already holds exactly these rows nothing is written, so that running twice
        changes nothing. Columns declared volatile do not count as a difference. If another writer of the
        same table was faster, the commit is tried again: the scope is this writer's alone.

        Args:
            table: the declaration.
            rows: all declared columns.
            scope: value of the table's scope column; every row must have it.
            rows_expected: the number of rows there must be, or None if it is not known.
            keep: whether Spark keeps the rows once computed; not worth it for rows that lie in files.
            where: comparisons of columns with literals, in SQL. Only rows of the scope that meet them are
                replaced, and every given row must. The commit tells of the whole scope all the same.

        Raises:
            PortfolioError: the table belongs to a newer contract, there are not as many rows as expected, or
                other writers were faster every time.
        """
        if table.append_only:
            raise RuntimeError(f"{table.label} is append only: rows are added with append, never replaced")
        if isinstance(rows, pa.Table):
            rows = whole_rows(table, rows)
            refuse_count(table, Content(rows.num_rows), rows_expected)
            if (done := self.commit_here(table, rows, scope, where)) is not None:
                return done
        self.open(table)
        frame = self.frame(table, rows)
        with kept(frame, self.settings) if keep else nullcontext():
            new = content_of(table, frame)
            refuse_count(table, new, rows_expected)
            predicate, writer = (
                F.expr(self._predicate(table, scope, where)),
                frame.writeTo(self.identifier(table)),
            )
            return self._replace(
                table,
                new,
                scope,
                where,
                lambda told: writer.option("userMetadata", told).overwrite(predicate),
            )

    def commit_here(
        self, table: Table, rows: pa.Table | Parts, scope: str, where: str | None = None
    ) -> Commit | None:
        """Commit whole rows of this process as `commit` does; None, and nothing, where that takes Spark."""
        if not self._commits or (folder := self._here(table)) is None:
            return None
        with suppress(NotHereError):
            seen, chosen = looked_through(table, rows), condition(table, scope, where)
            write = partial(commit_here, folder, table, rows, chosen, seen=seen)
            return self._replace(table, seen.content, scope, where, write)
        return None

    def append(self, table: Table, rows: DataFrame | pa.Table, scope: str) -> Commit:
        """Add rows to a table that is append only, in one atomic commit; all that are there stay as they are.

        Rows whose key is there are left out, so that adding twice changes nothing. Every row has `scope`.
        """
        base = self.version(table)
        if isinstance(rows, pa.Table) and self._commits and (folder := self._here(table)) is not None:
            with suppress(NotHereError, OvertakenError):
                there = rows_there(folder, table, base, table.key, condition(table, scope, None))
                new = without_keys(table, whole_rows(table, rows), there)
                added = content_here(table, new)
                return self._added(
                    table, scope, base, added, lambda told: commit_here(folder, table, new, None, told)
                )
        self.open(table)
        keys = self.read(table, scope, base).select(*map(quoted, table.key))
        frame = self.frame(table, self.frame(table, rows).join(keys, list(table.key), "left_anti"))
        added, writer = content_of(table, frame), frame.writeTo(self.identifier(table))
        return self._added(
            table, scope, base, added, lambda told: writer.option("userMetadata", told).append()
        )

    def add(self, table: Table, rows: pa.Table) -> None:
        """Add rows to a table in one atomic commit, whatever it holds; its readers pass over doubles."""
        rows = whole_rows(table, rows)
        if self._commits and (folder := self._here(table)) is not None:
            with suppress(NotHereError):
                commit_here(folder, table, rows, None, "")
                return
        self.open(table)
        self.frame(table, rows).writeTo(self.identifier(table)).append()
        self._places.new.discard(table.label)

    def frame(self, table: Table, rows: DataFrame | pa.Table) -> DataFrame:
        """Return rows as a DataFrame with exactly the declared columns, in declared order."""
        if isinstance(rows, pa.Table):
            rows = frame_of(self.spark, whole_rows(table, rows))
        return rows.select(*[F.col(quoted(name)) for name in table.column_names])

    def ready(self, table: Table) -> None:
        """Make a table usable, as `Places.ready` does: only a lake that was given `say` sets one aside."""
        self._places.ready(table)

    def open(self, table: Table) -> None:
        """Make a table usable as `ready` does, and known to Spark by its name."""
        self._places.open(table)

    def _note(self, table: Table, scope: str | None, version: int | None) -> None:
        if version is None:
            self.looked_up.setdefault((table.label, scope or ""), table)

    def _here(self, table: Table) -> Path | None:
        """Return the folder of a usable table that this process reads and writes without Spark."""
        self.ready(table)
        location = self.location(table)
        return location if location is not None and readable(location) else None

    def _replace(
        self, table: Table, new: Content, scope: str, where: str | None, write: Callable[[str], int | None]
    ) -> Commit:
        """Commit rows of a known content, unless what they replace is the same.

        `write` is given what the commit carries, and may return its version.
        """

        def attempt() -> Commit:
            # Held rows refer to one version, which may change with each try.
            base = self.version(table)
            before = replaced = self._held(table, scope, base)
            if where is not None:
                replaced = self._content(table, scope, base, where)
            if new == replaced:
                return Commit(table, base, before.rows, before.fingerprint, changed=False)
            told = record(table, scope, before - replaced + new, None if where is None else base)
            return self._committed(table, told, write(told.text))

        return retried(attempt, table.label)

    def _added(
        self, table: Table, scope: str, base: int, added: Content, write: Callable[[str], int | None]
    ) -> Commit:
        """Commit rows of a known content that come to those that are there, unless there are none."""
        before = self._held(table, scope, base)
        if not added.rows:
            return Commit(table, base, before.rows, before.fingerprint, changed=False)
        told = record(table, scope, before + added, base)
        return self._committed(table, told, write(told.text))

    def _committed(self, table: Table, told: Record, version: int | None) -> Commit:
        """Return what a commit did; without its version it is found by what it recorded."""
        self._places.new.discard(table.label)
        if version is None:
            version = version_of(self.spark, self.identifier(table), self.location(table), told.text)
        content = told.content
        if told.base is not None and version != told.base + 1:
            # Another commit came between, and may have been one of the same scope.
            content = self._held(table, told.scope, version)
        return Commit(table, version, content.rows, content.fingerprint, changed=True)

    def _held(self, table: Table, scope: str, version: int) -> Content:
        if table.label in self._places.new:
            return EMPTY
        folder = self._here(table)
        if folder is not None and (found := held(folder, table, scope, version)) is not None:
            return found
        return self._content(table, scope, version, None)

    def _content(self, table: Table, scope: str, version: int, where: str | None) -> Content:
        """Return what rows of a version come to, by looking at them."""
        if (folder := self._here(table)) is not None:
            with suppress(NotHereError):
                return content_there(folder, table, version, condition(table, scope, where))
        rows = self.read(table, scope, version)
        return content_of(table, rows if where is None else rows.where(where))

    def _predicate(self, table: Table, scope: str, where: str | None = None) -> str:
        return f"{quoted(table.scope)} = {literal(scope)}" + ("" if where is None else f" AND ({where})")
