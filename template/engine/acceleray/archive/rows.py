"""Rows of one version of a table as a Parquet file: by key, in groups of one size, with a fingerprint."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from acceleray.engines.delta.content import EMPTY, Content
from acceleray.engines.delta.delta_rs import content_here
from acceleray.engines.delta.lake import Lake
from acceleray.engines.delta.log import UnreadableLogError, logged, open_table, readable, stored, table_folder
from acceleray.engines.profiles import spark_alone
from acceleray.errors import PortfolioError
from acceleray.settings import Settings
from acceleray.settings.topology import in_catalog
from acceleray.tables.contract import Table, quoted

# Rows of one group: two files of the same rows can be compared a group at a time.
GROUP = 65_536
_SQL_TYPE = {"string": "VARCHAR", "long": "BIGINT", "timestamp": "TIMESTAMP"}


class GoneError(PortfolioError):
    """Delta does not hold a version of a table any more."""


class Rows:
    """The tables of an environment at any version that is still there."""

    def __init__(self, settings: Settings, stack: ExitStack) -> None:
        """Keep where tables live; on Databricks a Spark session is started when it is needed."""
        self._settings = settings
        self._stack = stack
        self._lake: Lake | None = None

    def newest(self, table: Table) -> int:
        """Return the newest version of a table."""
        if in_catalog(self._settings):
            return self._started().version(table)
        return open_table(table_folder(self._settings, table)).version()

    def keep(self, table: Table, scope: str, version: int, path: Path) -> Content:
        """Write the rows of a scope ('' for all) at a version to a file; return what they come to.

        Raises:
            GoneError: the version, or a file of it, is no longer there.
        """
        return write_rows(table, self._batches(table, scope, version), path)

    def _batches(self, table: Table, scope: str, version: int) -> Iterable[pa.Table]:
        if in_catalog(self._settings):
            frame = self._started().read(table, scope or None, version).orderBy(*map(quoted, table.key))
            return [frame.toArrow()]
        return stored_rows(table_folder(self._settings, table), table, scope, version)

    def _started(self) -> Lake:
        if self._lake is None:
            self._lake = Lake(self._stack.enter_context(spark_alone(self._settings)), self._settings)
        return self._lake


@contextmanager
def rows_at(settings: Settings) -> Iterator[Rows]:
    """Yield the tables of an environment; Spark is stopped at the end if it was started."""
    with ExitStack() as stack:
        yield Rows(settings, stack)


def stored_rows(folder: Path, table: Table, scope: str, version: int | None) -> Iterator[pa.Table]:
    """Yield the rows of a scope ('' for all) from a Delta table's folder, by key.

    Raises:
        GoneError: the version, or a file of it, is no longer there.
        PortfolioError: the folder cannot be read without Spark.
    """
    from deltalake import QueryBuilder

    if not readable(folder):
        raise PortfolioError(f"{folder} has a percent sign in its path; move the state folder (paths.state).")
    _refuse_gone(folder, table, scope, version)
    opened = open_table(folder, version)
    there = stored(opened).columns
    # A column that an older contract did not have is NULL in every row.
    columns = ", ".join(
        f'"{one.name}"'
        if one.name in there
        else f'CAST(NULL AS {_SQL_TYPE.get(one.type, one.type)}) AS "{one.name}"'
        for one in table.columns
    )
    text = scope.replace("'", "''")
    where = f" WHERE \"{table.scope}\" = '{text}'" if scope else ""
    order = ", ".join(f'"{name}"' for name in table.key)
    asked = QueryBuilder().register("stored", opened)
    stream = asked.execute(f"SELECT {columns} FROM stored{where} ORDER BY {order}")
    for batch in pa.RecordBatchReader.from_stream(stream):
        yield pa.Table.from_batches([batch])


def write_rows(table: Table, batches: Iterable[pa.Table], path: Path) -> Content:
    """Write rows to a Parquet file in groups of `GROUP` rows, and return what they come to."""
    schema = pa.schema([field.with_nullable(True) for field in table.arrow_schema])
    content, waiting = EMPTY, schema.empty_table()
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in batches:
            waiting = pa.concat_tables([waiting, batch.select(schema.names).cast(schema)])
            while len(waiting) >= GROUP:
                content += _written(table, writer, waiting.slice(0, GROUP))
                waiting = waiting.slice(GROUP)
        if len(waiting) or not content.rows:
            content += _written(table, writer, waiting)
    return content


def _written(table: Table, writer: pq.ParquetWriter, rows: pa.Table) -> Content:
    rows = rows.combine_chunks()
    writer.write_table(rows, row_group_size=GROUP)
    return content_here(table, rows) if len(rows) else EMPTY


def _refuse_gone(folder: Path, table: Table, scope: str, version: int | None) -> None:
    label = f"Version {version} of {table.label}"
    try:
        newest = open_table(folder).version() if version is None else version
        files = logged(folder, newest, table.scope).files
    except (UnreadableLogError, FileNotFoundError):
        raise GoneError(f"{label} is no longer in the Delta log") from None
    for file in files:
        if (not scope or file.may_hold(scope)) and not (folder / file.name).exists():
            raise GoneError(f"{label} is gone: VACUUM removed its files")
