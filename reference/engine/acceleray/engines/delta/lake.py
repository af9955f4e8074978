"""Governed tables: created from their declaration, read at a known version, replaced in one commit."""

from __future__ import annotations

import json
import random
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
    readable,
    table_folder,
    version_with,
)
from acceleray.engines.processes.signals import text_of
from acceleray.errors import PortfolioError
from acceleray.settings import Settings
from acceleray.tables.contract import CONTRACT_VERSION, Table, literal, quoted

CONTRACT_PROPERTY = "portfolio.contract_version"
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

    def __init__(self, spark: SparkSession, settings: Settings) -> None:
        """Keep the session and where tables live; nothing is created yet."""
        self.spark = spark
        self.settings = settings
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

    def frame(self, table: Table, rows: DataFrame | pa.Table) -> DataFrame:
        """Return rows as a DataFrame with exactly the declared columns, in declared order."""
        if isinstance(rows, pa.Table):
            # Spark 4.1 loses the rows behind an empty chunk; in one chunk there is none.
            whole = rows.select(table.column_names).cast(table.arrow_schema).combine_chunks()
            rows = self.spark.createDataFrame(whole)
        return rows.select(*[F.col(quoted(name)) for name in table.column_names])

    def open(self, table: Table) -> None:
        """Make a table usable: create it, add what it lacks, or refuse it if newer code wrote it."""
        if table.label in self._open:
            return
        catalog = self.settings.catalog
        schema = f"{quoted(catalog.name)}.{quoted(getattr(catalog, table.layer))}"
        self.spark.sql(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        location = self.location(table)
        # Not a URI: Spark takes %20 for three characters, and the tables would lie in another folder.
        place = "" if location is None else f" LOCATION {literal(f'file://{location.as_posix()}')}"
        if not self.exists(table):
            self.spark.sql(self._ddl(table, place))
            self._new.add(table.label)
        else:
            if location is not None:
                self.spark.sql(f"CREATE TABLE IF NOT EXISTS {self.identifier(table)} USING DELTA{place}")
            self._evolve(table, self._refuse_newer(table))
        self._open.add(table.label)

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

    def _evolve(self, table: Table, written: int) -> None:
        """Add columns that the table lacks: NULL in the rows that are there.

        An older contract did not have them, or the project did not declare them then.
        """
        fields = {field.name: field for field in self.spark.table(self.identifier(table)).schema.fields}
        added = [replace(column, nullable=True) for column in table.columns if column.name not in fields]
        if added:
            columns = ", ".join(column.sql for column in added)
            self.spark.sql(f"ALTER TABLE {self.identifier(table)} ADD COLUMNS ({columns})")
        if written == CONTRACT_VERSION:
            return
        version = f"{literal(CONTRACT_PROPERTY)} = {literal(str(CONTRACT_VERSION))}"
        self.spark.sql(f"ALTER TABLE {self.identifier(table)} SET TBLPROPERTIES ({version})")

    def _refuse_newer(self, table: Table) -> int:
        rows = self.spark.sql(f"SHOW TBLPROPERTIES {self.identifier(table)}").collect()
        written = {row["key"]: row["value"] for row in rows}.get(CONTRACT_PROPERTY, "0")
        if int(written) > CONTRACT_VERSION:
            raise PortfolioError(
                f"Table {table.label} was written by contract {written}, this code knows {CONTRACT_VERSION}; "
                "update the project before running it here."
            )
        return int(written)

    def _ddl(self, table: Table, place: str) -> str:
        properties = {CONTRACT_PROPERTY: str(CONTRACT_VERSION)}
        if (hours := self.settings.maintenance.vacuum_after_h) > DELTA_KEEPS_H:
            properties[KEEPS_PROPERTY] = f"interval {hours} hours"
        properties |= {f"delta.constraints.{name}": condition for name, condition in table.checks}
        listed = ", ".join(f"{literal(key)} = {literal(value)}" for key, value in properties.items())
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
