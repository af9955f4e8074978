"""Governed tables: created from their declaration, read at a known version, replaced in one commit."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from time import sleep

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from acceleray.engines.delta.log import (
    UnreadableLogError,
    newest_version,
    open_table,
    readable,
    stored,
    table_folder,
    version_with,
)
from acceleray.engines.processes.signals import text_of
from acceleray.errors import PortfolioError
from acceleray.settings import Settings
from acceleray.tables.contract import Table, literal, quoted
from acceleray.tables.stored import Stored, evolution, misfit, properties, refuse_misfit, refuse_newer

# Delta remembers for a week which files it needs no more, and for longer only if the table says so; what it
# has forgotten, VACUUM takes for rubbish. A shorter time Delta refuses unless its safety check is off.
KEEPS_PROPERTY, DELTA_KEEPS_H = "delta.deletedFileRetentionDuration", 168
# How often a commit is tried again when another writer was faster, and the first wait; waits double.
_RETRIES, _WAIT_S = 5, 0.2
# Rows and fingerprint of nothing.
_EMPTY = (0, f"{0:016x}")


@dataclass(frozen=True)
class Commit:
    """What one commit did: the table's version, the rows in the scope, and their fingerprint."""

    table: Table
    version: int
    rows: int
    fingerprint: str
    changed: bool


class Lake:
    """The Delta tables of one environment."""

    def __init__(
        self, spark: SparkSession, settings: Settings, say: Callable[[str], None] | None = None
    ) -> None:
        """Keep the session and where tables live; nothing is created yet.

        Args:
            spark: the session.
            settings: of the project.
            say: told in a line of each table that is set aside; without it such a table is refused.
        """
        self.spark = spark
        self.settings = settings
        self._say = say
        self._open: set[str] = set()
        self._new: set[str] = set()

    def identifier(self, table: Table) -> str:
        """Return the table's full name as a quoted SQL identifier."""
        catalog = self.settings.catalog
        return ".".join(quoted(part) for part in (catalog.name, getattr(catalog, table.layer), table.name))

    def location(self, table: Table) -> Path | None:
        """Return the folder of a table's files, or None where the catalog alone knows it."""
        if self.settings.profile == "databricks":
            return None
        return table_folder(self.settings, table)

    def exists(self, table: Table) -> bool:
        """Return whether the table has been created."""
        location = self.location(table)
        if location is not None:
            return (location / "_delta_log").is_dir()
        return self.spark.catalog.tableExists(self.identifier(table).replace("`", ""))

    def read(self, table: Table, scope: str | None = None, version: int | None = None) -> DataFrame:
        """Return the declared columns of a table, of one source or run if `scope` is given.

        Args:
            table: the declaration.
            scope: value of the table's scope column, or None for all rows.
            version: Delta version to pin, or None for the newest.
        """
        self.open(table)
        pinned = "" if version is None else f" VERSION AS OF {int(version)}"
        columns = ", ".join(quoted(name) for name in table.column_names)
        where = "" if scope is None else f" WHERE {self._predicate(table, scope)}"
        return self.spark.sql(f"SELECT {columns} FROM {self.identifier(table)}{pinned}{where}")

    def version(self, table: Table) -> int:
        """Return the newest Delta version of a table."""
        self.open(table)
        if (location := self.location(table)) is not None and readable(location):
            # What delta-rs cannot read, Spark may; and it says what is wrong in one line.
            with suppress(UnreadableLogError):
                return newest_version(location)
        return int(self.spark.sql(f"DESCRIBE HISTORY {self.identifier(table)} LIMIT 1").first()["version"])

    def commit(
        self,
        table: Table,
        rows: DataFrame | pa.Table,
        scope: str,
        rows_expected: int | None = None,
        keep: bool = True,
    ) -> Commit:
        """Replace the rows of one source or run in one atomic commit.

        If the table already holds exactly these rows nothing is written, so that running twice
        changes nothing. Columns declared volatile do not count as a difference. If another writer of the
        same table was faster, the commit is tried again: the scope is this writer's alone.

        Args:
            table: the declaration.
            rows: all declared columns.
            scope: value of the table's scope column; every row must have it.
            rows_expected: the number of rows there must be, or None if it is not known.
            keep: whether Spark keeps the rows once computed; not worth it for rows that lie in files.

        Raises:
            PortfolioError: the table belongs to a newer contract, there are not as many rows as expected, or
                other writers were faster every time.
        """
        if table.append_only:
            raise RuntimeError(f"{table.label} is append only: rows are added with append, never replaced")
        self.open(table)
        frame = self.frame(table, rows)
        if keep:
            frame.persist()
        try:
            count, fingerprint = self._fingerprint(table, frame)
            if rows_expected is not None and count != rows_expected:
                raise PortfolioError(
                    f"{table.label} was to be given {rows_expected} rows, but Spark read {count}; run again."
                )
            if (count, fingerprint) == self._held(table, scope):
                return Commit(table, self.version(table), count, fingerprint, changed=False)
            metadata = json.dumps({"scope": scope, "rows": count, "fingerprint": fingerprint})
            self._overwrite(table, frame, scope, metadata)
            self._new.discard(table.label)
        finally:
            if keep:
                frame.unpersist()
        return Commit(table, self._version_of(table, metadata), count, fingerprint, changed=True)

    def append(self, table: Table, rows: DataFrame | pa.Table, scope: str) -> Commit:
        """Add rows to a table that is append only, in one atomic commit; all that are there stay as they are.

        Rows whose key is there are left out, so that adding twice changes nothing. Every row has `scope`.
        """
        self.open(table)
        keys = self.read(table, scope).select(*map(quoted, table.key))
        new = self.frame(table, rows).join(keys, list(table.key), "left_anti")
        changed = bool(new.take(1))
        if changed:
            self.frame(table, new).writeTo(self.identifier(table)).append()
            self._new.discard(table.label)
        count, fingerprint = self._held(table, scope)
        return Commit(table, self.version(table), count, fingerprint, changed)

    def add(self, table: Table, rows: pa.Table) -> None:
        """Add rows to a table in one atomic commit, whatever it holds; its readers pass over doubles."""
        self.open(table)
        self.frame(table, rows).writeTo(self.identifier(table)).append()
        self._new.discard(table.label)

    def frame(self, table: Table, rows: DataFrame | pa.Table) -> DataFrame:
        """Return rows as a DataFrame with exactly the declared columns, in declared order."""
        if isinstance(rows, pa.Table):
            # Spark 4.1 loses the rows behind an empty chunk; in one chunk there is none.
            whole = rows.select(table.column_names).cast(table.arrow_schema).combine_chunks()
            rows = self.spark.createDataFrame(whole)
        return rows.select(*[F.col(quoted(name)) for name in table.column_names])

    def open(self, table: Table) -> None:
        """Make a table usable: create it, let it evolve, set it aside if it cannot, or refuse it.

        Only a lake that was given `say`, as a run's is, sets aside: its caller holds the lock of the folder.

        Raises:
            PortfolioError: newer code wrote the table.
            MisfitError: it cannot evolve and may not be set aside.
        """
        if table.label in self._open:
            return
        catalog = self.settings.catalog
        schema = f"{quoted(catalog.name)}.{quoted(getattr(catalog, table.layer))}"
        self.spark.sql(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        location = self.location(table)
        # Not a URI: Spark takes %20 for three characters, and the tables would lie in another folder.
        place = "" if location is None else f" LOCATION {literal(f'file://{location.as_posix()}')}"
        if self.exists(table):
            if location is not None:
                self.spark.sql(f"CREATE TABLE IF NOT EXISTS {self.identifier(table)} USING DELTA{place}")
            self._fit(table)
        if not self.exists(table):
            self.spark.sql(self._ddl(table, place))
            self._new.add(table.label)
        self._open.add(table.label)

    def _fit(self, table: Table) -> None:
        """Let an existing table evolve into what is declared, or set it aside."""
        there = self._stored(table)
        refuse_newer(table, there)
        if self._say is None:
            refuse_misfit(table, there)
        elif reason := misfit(table, there):
            self._say(f"{table.label} is set aside as {self._set_aside(table)}: {reason}")
            return
        for clause in evolution(table, there):
            self.spark.sql(f"ALTER TABLE {self.identifier(table)} {clause}")

    def _set_aside(self, table: Table) -> str:
        """Give a table and all its versions another name; return that name."""
        for number in itertools.count(1):
            aside = replace(table, name=f"{table.name}_set_aside_{number}")
            if not self.exists(aside):
                break
        folder = self.location(table)
        if folder is None:
            self.spark.sql(f"ALTER TABLE {self.identifier(table)} RENAME TO {self.identifier(aside)}")
        else:
            folder.rename(table_folder(self.settings, aside))
            # Spark only forgets the name: it knows the table by the folder, which has gone.
            self.spark.sql(f"DROP TABLE IF EXISTS {self.identifier(table)}")
        return aside.label

    def _stored(self, table: Table) -> Stored:
        if (location := self.location(table)) is not None and readable(location):
            with suppress(UnreadableLogError):
                return stored(open_table(location))
        rows = self.spark.sql(f"SHOW TBLPROPERTIES {self.identifier(table)}").collect()
        fields = self.spark.table(self.identifier(table)).schema.fields
        columns = {field.name: (field.dataType.typeName(), field.nullable) for field in fields}
        return Stored(columns, {row["key"]: row["value"] for row in rows})

    def _overwrite(self, table: Table, frame: DataFrame, scope: str, metadata: str) -> None:
        writer = frame.writeTo(self.identifier(table)).option("userMetadata", metadata)
        for retry in range(_RETRIES + 1):
            try:
                writer.overwrite(F.expr(self._predicate(table, scope)))
                return
            except Exception as error:
                if "[DELTA_CONCURRENT_" not in text_of(error):
                    raise
            if retry < _RETRIES:
                # Two writers that wait equally long would meet again.
                sleep(_WAIT_S * 2**retry * random.uniform(0.5, 1.5))
        raise PortfolioError(
            f"Other writers changed {table.label} during each of {_RETRIES + 1} tries to commit; run again."
        )

    def _version_of(self, table: Table, metadata: str) -> int:
        # Another writer may have committed since, so the newest version need not be this one's.
        if (location := self.location(table)) is not None and readable(location):
            with suppress(UnreadableLogError):
                found_here = version_with(location, metadata)
                return newest_version(location) if found_here is None else found_here
        for limit in (1, 100):
            history = self.spark.sql(f"DESCRIBE HISTORY {self.identifier(table)} LIMIT {limit}").collect()
            if found := [row["version"] for row in history if row["userMetadata"] == metadata]:
                return int(max(found))
        return int(history[0]["version"])

    def _ddl(self, table: Table, place: str) -> str:
        recorded = properties(table)
        if (hours := self.settings.maintenance.vacuum_after_h) > DELTA_KEEPS_H:
            recorded[KEEPS_PROPERTY] = f"interval {hours} hours"
        listed = ", ".join(f"{literal(key)} = {literal(value)}" for key, value in recorded.items())
        columns = ", ".join(column.sql for column in table.columns)
        return (
            f"CREATE TABLE {self.identifier(table)} ({columns}) USING DELTA"
            f" COMMENT {literal(table.comment)}{place} TBLPROPERTIES ({listed})"
        )

    def _predicate(self, table: Table, scope: str) -> str:
        return f"{quoted(table.scope)} = {literal(scope)}"

    def _held(self, table: Table, scope: str) -> tuple[int, str]:
        if table.label in self._new:
            return _EMPTY
        return self._fingerprint(table, self.read(table, scope))

    def _fingerprint(self, table: Table, frame: DataFrame) -> tuple[int, str]:
        columns = [F.col(quoted(name)) for name in table.compared_names]
        # The hash passes over NULLs, so where they stand is hashed as well.
        columns += [F.col(quoted(c.name)).isNull() for c in table.columns if c.nullable]
        # A sum does not depend on the order of rows; a decimal does not overflow as a long would.
        total = F.sum(F.xxhash64(*columns).cast("decimal(38,0)"))
        row = frame.agg(F.count(F.lit(1)).alias("rows"), total.alias("total")).first()
        return int(row["rows"]), f"{int(row['total'] or 0) % 2**64:016x}"
