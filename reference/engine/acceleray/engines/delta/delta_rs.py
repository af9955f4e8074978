"""Rows of this process committed to a table on this machine by delta-rs: without Spark, in some milliseconds.

The guarantees are Delta's: one atomic commit, checks and NOT NULL enforced, writers of the same rows told
apart. Whatever delta-rs does not do, it does not begin, and Spark does it or says what is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pyarrow as pa

from acceleray.engines.delta.content import EMPTY, Content, hashed_columns
from acceleray.engines.delta.log import UnreadableLogError, open_table
from acceleray.engines.delta.row_hash import hash_total
from acceleray.tables.contract import Table

if TYPE_CHECKING:
    from deltalake import DeltaTable

# delta-rs supports the writer requirements of these protocols; checks from the third on.
_READER, _WRITERS, _WRITER_OF_CHECKS = 1, (2, 3), 3
_CHECK = "delta.constraints."
# Spark begins a checkpoint at every tenth commit.
_CHECKPOINT_EVERY = 10
# Parts come in the order of a table's days, mostly: who replaces the last of them need not write all again.
# But a table of more files than some dozens is compacted, which takes longer than to write it.
_STREAMED_FILE_BYTES, _STREAMED_FILES, _VALUE_BYTES = 4_000_000, 20, 2
# Spark and delta-rs differ in: names in backticks, text in double quotes, and backslashes.
_SPARKS_OWN = re.compile(r'[`"\\]')

Parts: TypeAlias = Callable[[], Iterable[pa.Table]]
"""Rows with all declared columns that are made a part at a time, the same at every call."""


class NotHereError(Exception):
    """delta-rs does not do this; Spark may, or says what is wrong."""


class OvertakenError(Exception):
    """Another writer changed the same rows meanwhile."""


def condition(table: Table, scope: str | None, where: str | None) -> str:
    """Return in DataFusion's SQL which rows of a scope, or of all, are meant.

    Raises:
        NotHereError: `where` may mean something else there.
    """
    if where is not None and _SPARKS_OWN.search(where):
        raise NotHereError(f"{where} is Spark's SQL")
    parts = [] if where is None else [f"({where})"]
    if scope is not None:
        text = scope.replace("'", "''")
        parts.insert(0, f"\"{table.scope}\" = '{text}'")
    return " AND ".join(parts) or "true"


def create(folder: Path, table: Table, properties: Mapping[str, str]) -> None:
    """Create a table as Spark's CREATE TABLE would.

    Raises:
        NotHereError: it could not be created; nothing is there.
    """
    from deltalake import DeltaTable, Field, Schema
    from deltalake.schema import PrimitiveType

    fields = [
        Field(one.name, PrimitiveType(one.type), nullable=one.nullable, metadata={"comment": one.description})
        for one in table.columns
    ]
    protocol = {
        "delta.minReaderVersion": str(_READER),
        "delta.minWriterVersion": str(_WRITER_OF_CHECKS if table.checks else _WRITERS[0]),
    }
    try:
        DeltaTable.create(
            str(folder),
            Schema(fields),
            description=table.comment,
            configuration={**protocol, **properties},
            raise_if_key_not_exists=False,
        )
    except Exception as error:
        raise NotHereError(str(error)) from None


def content_here(table: Table, rows: pa.Table | Parts) -> Content:
    """Return what rows of this process come to, as Spark would tell."""
    return looked_through(table, rows).content


@dataclass(frozen=True)
class Seen:
    """What rows come to, and the columns whose extremes would mislead Spark."""

    content: Content
    misleading: frozenset[str]


def looked_through(table: Table, rows: pa.Table | Parts) -> Seen:
    """Return what is to be known of rows before they are committed; parts are made once for all of it."""
    content, columns, misleading = EMPTY, hashed_columns(table), set[str]()
    for part in _parts(rows):
        content += Content(part.num_rows, hash_total(part, *columns))
        misleading.update(_without_extremes(part))
    return Seen(content, frozenset(misleading))


def content_there(folder: Path, table: Table, version: int, chosen: str) -> Content:
    """Return what rows of a version come to that meet a condition; they pass through memory in batches.

    Raises:
        NotHereError: they cannot be read here.
    """
    from deltalake import QueryBuilder

    opened = _opened(folder, table, version)
    listed = ", ".join(f'"{name}"' for name in table.column_names)
    try:
        stream = (
            QueryBuilder().register("stored", opened).execute(f"SELECT {listed} FROM stored WHERE {chosen}")
        )
        content = EMPTY
        for batch in pa.RecordBatchReader.from_stream(stream):
            content += content_here(table, pa.Table.from_batches([batch]).cast(_nullable(table)))
    except Exception as error:
        raise NotHereError(str(error)) from None
    return content


def rows_there(folder: Path, table: Table, version: int, columns: Sequence[str], chosen: str) -> pa.Table:
    """Return columns of the rows of a version that meet a condition, in no particular order.

    Raises:
        NotHereError: they cannot be read here.
    """
    from deltalake import QueryBuilder

    opened = _opened(folder, table, version)
    there = {field.name for field in opened.schema().fields}
    if not set(columns) <= there:
        raise NotHereError(f"{table.label} has columns that its files have not")
    listed = ", ".join(f'"{name}"' for name in columns)
    wanted = pa.schema([_nullable(table).field(name) for name in columns])
    try:
        stream = (
            QueryBuilder().register("stored", opened).execute(f"SELECT {listed} FROM stored WHERE {chosen}")
        )
        return pa.RecordBatchReader.from_stream(stream).read_all().cast(wanted).combine_chunks()
    except Exception as error:
        raise NotHereError(str(error)) from None


def without_keys(table: Table, rows: pa.Table, there: pa.Table) -> pa.Table:
    """Return the rows whose key is not among those of `there`, in their order."""
    key = list(table.key)
    numbered = rows.select(key).append_column("_place", pa.array(range(rows.num_rows), pa.int64()))
    # Types that differ in a detail, such as the unit of a time, would be refused.
    new = numbered.join(there.select(key).cast(rows.select(key).schema), key, join_type="left anti")
    return rows.take(new.column("_place").sort())


def commit_here(
    folder: Path,
    table: Table,
    rows: pa.Table | Parts,
    replaced: str | None,
    metadata: str,
    seen: Seen | None = None,
) -> int:
    """Commit rows with all declared columns, and return the version.

    Args:
        folder: of the table.
        table: the declaration.
        rows: all must meet `replaced`; of parts, memory holds only some.
        replaced: which rows they replace, as `condition` returns it; None adds them.
        metadata: what the commit carries as `userMetadata`.
        seen: the rows looked through, where that has been done.

    Raises:
        NotHereError: nothing was committed.
        OvertakenError: nothing was committed; another writer changed the same rows.
    """
    from deltalake import ColumnProperties, CommitProperties, WriterProperties, write_deltalake
    from deltalake.exceptions import CommitFailedError

    opened = _opened(folder, table)
    carried = CommitProperties(custom_metadata={"userMetadata": metadata} if metadata else None)
    untold = ColumnProperties(statistics_enabled="NONE", dictionary_enabled=False)
    seen = seen or looked_through(table, rows)
    written = WriterProperties(column_properties=dict.fromkeys(sorted(seen.misleading), untold))
    mode = "append" if replaced is None else "overwrite"
    try:
        write_deltalake(
            opened,
            _in_order(rows, opened) if isinstance(rows, pa.Table) else _streamed(rows, opened),
            mode=mode,
            predicate=replaced,
            commit_properties=carried,
            writer_properties=written,
            target_file_size=None if isinstance(rows, pa.Table) else _file_bytes(table, seen.content.rows),
        )  # type: ignore[call-overload]
    except CommitFailedError as error:
        raise OvertakenError(str(error)) from None
    except Exception as error:
        raise NotHereError(str(error)) from None
    version = opened.version()
    if version and version % _CHECKPOINT_EVERY == 0:
        # The rows are committed: without a checkpoint the log is only longer to read.
        with suppress(Exception):
            opened.create_checkpoint()
    return version


def _opened(folder: Path, table: Table, version: int | None = None) -> DeltaTable:
    try:
        opened = open_table(folder, version)
    except (FileNotFoundError, UnreadableLogError) as error:
        raise NotHereError(str(error)) from None
    protocol = opened.protocol()
    if protocol.min_reader_version != _READER or protocol.min_writer_version not in _WRITERS:
        raise NotHereError(f"{table.label} has features of its own")
    checked = any(name.startswith(_CHECK) for name in opened.metadata().configuration)
    if checked and protocol.min_writer_version < _WRITER_OF_CHECKS:
        raise NotHereError(f"{table.label} has checks that delta-rs would pass over")
    return opened


def _without_extremes(rows: pa.Table) -> list[str]:
    """Return the columns of numbers whose least and greatest value, or values listed, would mislead Spark.

    It skips files by them. To Spark -0.0 equals 0.0 and NaN lies above all numbers; in what delta-rs writes,
    -0.0 lies below and NaN does not exist.
    """
    found = []
    for field in rows.schema:
        if pa.types.is_floating(field.type):
            values = rows.column(field.name).drop_null().to_numpy()
            if (np.isnan(values) | (np.signbit(values) & (values == 0.0))).any():
                found.append(field.name)
    return found


def _parts(rows: pa.Table | Parts) -> Iterable[pa.Table]:
    return [rows] if isinstance(rows, pa.Table) else rows()


def _file_bytes(table: Table, rows: int) -> int | None:
    """Return how large the files of streamed rows become, None for as large as delta-rs makes any.

    Rows of a run are replaced together or not at all. A compressed value takes about two bytes.
    """
    if table.scope == "run_id":
        return None
    whole = rows * len(table.column_names) * _VALUE_BYTES
    return max(_STREAMED_FILE_BYTES, whole // _STREAMED_FILES)


def _streamed(rows: Parts, opened: DeltaTable) -> pa.RecordBatchReader:
    parts = (_in_order(part, opened) for part in rows())
    first = next(parts)
    batches = (batch for part in chain([first], parts) for batch in part.to_batches())
    return pa.RecordBatchReader.from_batches(first.schema, batches)


def _in_order(rows: pa.Table, opened: DeltaTable) -> pa.Table:
    """Return rows in the order of the stored columns, with NULL in those that are no longer declared."""
    stored = pa.schema(opened.schema())
    for field in stored:
        if field.name not in rows.column_names:
            rows = rows.append_column(field, pa.nulls(rows.num_rows, field.type))
    return rows.select(stored.names)


def _nullable(table: Table) -> pa.Schema:
    return pa.schema([field.with_nullable(True) for field in table.arrow_schema])
