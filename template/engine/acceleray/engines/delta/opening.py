"""Tables made usable: created from their declaration, evolved into it, set aside or refused."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from pyspark.sql import SparkSession

from acceleray.engines.delta.delta_rs import NotHereError, create
from acceleray.engines.delta.log import UnreadableLogError, open_table, readable, stored, table_folder
from acceleray.settings import Settings
from acceleray.settings.topology import in_catalog
from acceleray.tables.catalogued import checks, clustering
from acceleray.tables.contract import Table, literal, quoted
from acceleray.tables.stored import (
    CHECK_PROPERTY,
    Stored,
    evolution,
    misfit,
    properties,
    refuse_misfit,
    refuse_newer,
)

# Delta remembers for a week which files it needs no more, and for longer only if the table says so; what it
# has forgotten, VACUUM takes for rubbish. A shorter time Delta refuses unless its safety check is off.
KEEPS_PROPERTY, DELTA_KEEPS_H = "delta.deletedFileRetentionDuration", 168


class Places:
    """Names and folders of the tables of one environment, and which of them were opened."""

    def __init__(self, spark: SparkSession, settings: Settings, say: Callable[[str], None] | None) -> None:
        """Keep the session and where tables live; see `Lake`."""
        self._spark = spark
        self._settings = settings
        self._say = say
        self._ready: set[str] = set()
        # By Spark, in its catalog.
        self._known: set[str] = set()
        # Schemas that are there.
        self._schemas: set[str] = set()
        # Created here, and nothing was committed to them yet.
        self.new: set[str] = set()

    def identifier(self, table: Table) -> str:
        """Return the table's full name as a quoted SQL identifier."""
        catalog = self._settings.catalog
        return ".".join(quoted(part) for part in (catalog.name, getattr(catalog, table.layer), table.name))

    def known(self, table: Table) -> str:
        """Return the full name after telling Spark of a table that was created without it."""
        if self.location(table) is not None and self.exists(table):
            self._register(table)
        return self.identifier(table)

    def location(self, table: Table) -> Path | None:
        """Return the folder of a table's files, or None where the catalog alone knows it."""
        if in_catalog(self._settings):
            return None
        return table_folder(self._settings, table)

    def exists(self, table: Table) -> bool:
        """Return whether the table has been created."""
        location = self.location(table)
        if location is not None:
            return (location / "_delta_log").is_dir()
        return self._spark.catalog.tableExists(self.identifier(table).replace("`", ""))

    def ready(self, table: Table) -> None:
        """Make a table usable: create it, let it evolve, set it aside if it cannot, or refuse it.

        A table on this machine is looked at and created without Spark, which need not know of it yet. Only a
        lake that was given `say`, as a run's is, sets aside: its caller holds the lock of the folder.

        Raises:
            PortfolioError: newer code wrote the table.
            MisfitError: it cannot evolve and may not be set aside.
        """
        if table.label in self._ready:
            return
        if self.exists(table):
            self._fit(table)
        if not self.exists(table):
            self._create(table)
            self.new.add(table.label)
        self._ready.add(table.label)

    def open(self, table: Table) -> None:
        """Make a table usable as `ready` does, and known to Spark by its name."""
        self.ready(table)
        self._register(table)

    def _register(self, table: Table) -> None:
        if table.label in self._known:
            return
        self._ensure_schema(table)
        if self.location(table) is not None:
            name, place = self.identifier(table), self._place(table)
            self._spark.sql(f"CREATE TABLE IF NOT EXISTS {name} USING DELTA{place}")
        self._known.add(table.label)

    def _schema(self, table: Table) -> str:
        catalog = self._settings.catalog
        return f"{quoted(catalog.name)}.{quoted(getattr(catalog, table.layer))}"

    def _place(self, table: Table) -> str:
        # Not a URI: Spark takes %20 for three characters, and the tables would lie in another folder.
        location = self.location(table)
        return "" if location is None else f" LOCATION {literal(f'file://{location.as_posix()}')}"

    def _fit(self, table: Table) -> None:
        """Let an existing table evolve into what is declared, or set it aside."""
        there = self._stored(table)
        refuse_newer(table, there)
        if self._say is None:
            refuse_misfit(table, there)
        elif reason := misfit(table, there):
            self._say(f"{table.label} is set aside as {self._set_aside(table)}: {reason}")
            return
        if clauses := evolution(table, there):
            self._register(table)
        for clause in clauses:
            self._spark.sql(f"ALTER TABLE {self.identifier(table)} {clause}")

    def _set_aside(self, table: Table) -> str:
        """Give a table and all its versions another name; return that name."""
        for number in itertools.count(1):
            aside = replace(table, name=f"{table.name}_set_aside_{number}")
            if not self.exists(aside):
                break
        folder = self.location(table)
        if folder is None:
            self._spark.sql(f"ALTER TABLE {self.identifier(table)} RENAME TO {self.identifier(aside)}")
        else:
            folder.rename(table_folder(self._settings, aside))
            # Spark only forgets the name: it knows the table by the folder, which has gone.
            if self._spark.catalog.databaseExists(self._schema(table).replace("`", "")):
                self._spark.sql(f"DROP TABLE IF EXISTS {self.identifier(table)}")
        self._known.discard(table.label)
        return aside.label

    def _stored(self, table: Table) -> Stored:
        if (location := self.location(table)) is not None and readable(location):
            with suppress(UnreadableLogError):
                return stored(open_table(location))
        self._register(table)
        rows = self._spark.sql(f"SHOW TBLPROPERTIES {self.identifier(table)}").collect()
        fields = self._spark.table(self.identifier(table)).schema.fields
        columns = {field.name: (field.dataType.typeName(), field.nullable) for field in fields}
        return Stored(columns, {row["key"]: row["value"] for row in rows})

    def _create(self, table: Table) -> None:
        recorded = properties(table)
        if self.location(table) is None:
            recorded = {key: value for key, value in recorded.items() if not key.startswith(CHECK_PROPERTY)}
        if (hours := self._settings.maintenance.vacuum_after_h) > DELTA_KEEPS_H:
            recorded[KEEPS_PROPERTY] = f"interval {hours} hours"
        if (location := self.location(table)) is not None and readable(location):
            with suppress(NotHereError):
                create(location, table, recorded)
                return
        listed = ", ".join(f"{literal(key)} = {literal(value)}" for key, value in recorded.items())
        columns = ", ".join(column.sql for column in table.columns)
        self._ensure_schema(table)
        begun = f"CREATE TABLE {self.identifier(table)} ({columns}) USING DELTA"
        if location is not None:
            self._spark.sql(
                f"{begun} COMMENT {literal(table.comment)}{self._place(table)} TBLPROPERTIES ({listed})"
            )
            return
        # Of a workspace's tables the checks are documented as constraints alone, not as properties.
        self._spark.sql(
            f"{begun} {clustering(table)} COMMENT {literal(table.comment)} TBLPROPERTIES ({listed})"
        )
        for clause in checks(table):
            self._spark.sql(f"ALTER TABLE {self.identifier(table)} {clause}")

    def _ensure_schema(self, table: Table) -> None:
        """Create a schema that is not there: to ask for one that is takes a right on the whole catalog."""
        schema = self._schema(table)
        if schema not in self._schemas and not self._spark.catalog.databaseExists(schema.replace("`", "")):
            self._spark.sql(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        self._schemas.add(schema)
