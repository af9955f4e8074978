"""External inputs of a run: files, external tables, and rows of earlier runs.

Prices and positions of yesterday are no longer where they were tomorrow. So a run records what it read, with
the hash of each file, and `portfolio archive` keeps exactly that or says what has changed since.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from acceleray.settings import Settings
from acceleray.tables import RUN_INPUTS
from acceleray.tables.contract import Table, quoted

# Each setting of a file or folder, or of a table, and the section whose `source` says that it counts.
_PATHS = (
    *("market_data.path", "fx.path", "factors.path", "liquidity.path", "pnl.path"),
    *("book.path", "book.portfolios_path", "book.instruments_path"),
)
_TABLES = (
    *("market_data.table", "fx.table", "liquidity.table", "pnl.table"),
    *("book.table", "book.portfolios_table", "book.instruments_table"),
)
DELIVERED = "market_data.delivered"
"""The name under which the answer of a project's own price source is recorded, and its setting."""
CONF = "conf"
"""The name under which files of conf/ are recorded that decide numbers."""


@dataclass(frozen=True)
class Input:
    """One input from outside; see `gold.run_inputs`."""

    kind: str
    name: str
    part: str
    path: str
    version: int | None = None
    bytes: int | None = None
    sha256: str = ""

    def location(self, project: Path) -> Path:
        """Return where a file is, or was."""
        place = project / Path(self.path).expanduser()
        return place / self.part if self.kind == "folder" else place


def outside(settings: Settings, spark: SparkSession) -> list[Input]:
    """Return the files and tables of others that the settings name, with hash or version as they are now."""
    found = list(_files(settings))
    for name in _TABLES:
        if table := _named(settings, name, "table"):
            found.append(Input("table", name, "", table, _newest(spark, table)))
    return found


def history(
    looked_up: Mapping[tuple[str, str], Table],
    run_id: str,
    exists: Callable[[Table], bool],
    version: Callable[[Table], int],
) -> list[Input]:
    """Return the rows of earlier runs that a run has read, by table and scope.

    Args:
        looked_up: what its lake was asked for as it is now; see `Lake`.
        run_id: of the run, whose own rows are no input.
        exists: whether a table has been created.
        version: of a table, after the run: rows of other runs are those that it saw.
    """
    return [
        Input("history", label, scope, "", version(table))
        for (label, scope), table in sorted(looked_up.items())
        if scope != run_id and exists(table)
    ]


def rows_of(inputs: Iterable[Input]) -> pa.Table:
    """Return inputs as rows of gold.run_inputs, without the run's own columns."""
    names = [field.name for field in RUN_INPUTS.arrow_schema if field.name not in ("run_id", "as_of")]
    schema = pa.schema([RUN_INPUTS.arrow_schema.field(name) for name in names])
    return pa.Table.from_pylist([asdict(each) for each in inputs], schema)


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _files(settings: Settings) -> Iterator[Input]:
    project = settings.project_dir
    conf = ("book.yml", settings.stress.definitions, settings.limits.definitions)
    named = [(CONF, f"conf/{name}") for name in conf]
    named.append(("market_data.corrections", settings.market_data.corrections))
    named += [(name, path) for name in _PATHS if (path := _named(settings, name, "csv"))]
    for name, path in named:
        place = project / Path(path).expanduser()
        if place.is_dir():
            for file in sorted(one for one in place.rglob("*") if one.is_file()):
                part = file.relative_to(place).as_posix()
                yield Input("folder", name, part, path, None, file.stat().st_size, file_digest(file))
        elif path and place.is_file():
            yield Input("file", name, place.name, path, None, place.stat().st_size, file_digest(place))


def _named(settings: Settings, name: str, source: str) -> str:
    """Return the value of a setting if its section takes its data from such a source, else nothing."""
    section, _, key = name.partition(".")
    of: Any = getattr(settings, section)
    return str(getattr(of, key)) if of.source == source else ""


def _newest(spark: SparkSession, table: str) -> int | None:
    """Return the newest version of a Delta table, None of a view."""
    name = ".".join(quoted(part) for part in table.split("."))
    try:
        row = spark.sql(f"DESCRIBE HISTORY {name} LIMIT 1").first()
    except PySparkException:
        return None
    return int(row["version"]) if row else None
