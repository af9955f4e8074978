"""Cells of one instrument together, in this process (`Here`) or as Spark's workers see them (`Grouped`).

What this process holds is judged by it: a look at a series takes some milliseconds, and the first of Spark's
workers a second. Of more cells than `MOST_HERE` Spark gets one row per instrument, its cells packed as an
Arrow stream, and workers unpack and judge them in one step. Rows that come out of such a step stay
neighbours, which every later look at a whole series rests on. The functions that look are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from acceleray.engines.spark.frames import frame_of
from acceleray.stages.ingest.reading.delivery import CELLS

CELLS_SQL = "instrument_id string, date date, price_text string, number_text string, adjusted_text string"

_PACKED = pa.schema([("instrument_id", pa.string()), ("cells", pa.binary())])
MOST_HERE = 10_000_000
"""Cells that this process judges itself: some hundreds of megabytes."""


def few(cells: int) -> bool:
    """Return whether this process judges so many cells itself."""
    return cells <= MOST_HERE


# A function of whole series, one table each, that returns rows about them.
Look = Callable[[Iterable[pa.Table]], Iterator[pa.RecordBatch]]

# Bytes of packed cells that one task is given at most: some millions of prices.
_LARGEST = 64_000_000


@dataclass(frozen=True)
class Grouped:
    """Rows of any kind, and the function by which a worker makes cells of them.

    Attributes:
        frame: what is read.
        read: takes the batches of a partition and yields the rows of one instrument at a time, all of them;
            of a source with the schema `CELLS`.
    """

    frame: DataFrame
    read: Callable[[Iterable[pa.RecordBatch]], Iterator[pa.Table]]

    def rows(self, sql: str = CELLS_SQL) -> DataFrame:
        """Return all tables as rows with these columns in SQL."""
        return self.mapped(_as_they_are, sql)

    def mapped(
        self, function: Callable[[Iterator[pa.Table]], Iterator[pa.RecordBatch]], sql: str
    ) -> DataFrame:
        """Return what a function makes of the tables of each partition; no cell passes through Java."""
        read = self.read

        def worker(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            return function(read(batches))

        return self.frame.mapInArrow(worker, sql)

    def looked(self, function: Look, schema: pa.Schema, sql: str) -> pa.Table:
        """Return all rows that a function returns; `schema` and `sql` say their columns."""
        return self.mapped(function, sql).toArrow().cast(schema)


@dataclass(frozen=True)
class Here:
    """Rows of any kind that this process holds, all of one instrument in a separate table."""

    tables: tuple[pa.Table, ...]

    def looked(self, function: Look, schema: pa.Schema, sql: str) -> pa.Table:
        """Return all rows that a function returns; `schema` says their columns."""
        return pa.Table.from_batches(function(iter(self.tables)), schema)

    @classmethod
    def of(cls, cells: pa.Table) -> Here:
        """Return cells in any order, by instrument."""
        encoded = cells["instrument_id"].combine_chunks().dictionary_encode()
        codes = encoded.indices.to_numpy(zero_copy_only=False)
        order = np.argsort(codes, kind="stable")
        ends = np.cumsum(np.bincount(codes, minlength=len(encoded.dictionary))).tolist()
        cells = cells.take(pa.array(order)).combine_chunks()
        return cls(
            tuple(cells.slice(begin, end - begin) for begin, end in zip([0, *ends[:-1]], ends, strict=False))
        )


def cells_here(prices: DataFrame | Grouped | Here) -> pa.Table:
    """Return all cells in this process, from any holder."""
    if isinstance(prices, Here):
        return pa.concat_tables([CELLS.empty_table(), *prices.tables])
    return rows_of(prices).select(CELLS.names).toArrow().cast(CELLS)


def rows_of(prices: DataFrame | Grouped) -> DataFrame:
    """Return the cells that Spark holds as rows."""
    return prices.rows() if isinstance(prices, Grouped) else prices


def _as_they_are(tables: Iterable[pa.Table]) -> Iterator[pa.RecordBatch]:
    for table in tables:
        yield from table.to_batches()


def cells_of(instrument: str, days: pa.Array, texts: pa.Array) -> pa.Table:
    """Return the cells of one instrument whose price texts are plain numbers."""
    names, none = pa.repeat(instrument, len(texts)), pa.nulls(len(texts), pa.string())
    return pa.Table.from_arrays([names, days, texts, texts, none], schema=CELLS)


def packed(spark: SparkSession, cells: Iterable[tuple[str, pa.Table]], partitions: int) -> Grouped:
    """Return the cells of instruments, each with its name, as one row per instrument.

    There are as many partitions as given, more of very many cells.
    """
    found = [(name, _packed(table)) for name, table in cells]
    # Spark makes a partition of each batch, and each partition is a file of every table that comes of it.
    partitions = max(partitions, sum(len(one) for _, one in found) // _LARGEST)
    size = max(1, -(-len(found) // partitions))
    batches = [_batch(found[at : at + size]) for at in range(0, len(found), size)]
    return Grouped(frame_of(spark, pa.Table.from_batches(batches, _PACKED)), unpacked)


def pack(cells: Iterable[tuple[str, pa.Table]]) -> pa.RecordBatch:
    """Return one row per instrument, its cells as an Arrow stream; `unpacked` reads them."""
    return _batch([(name, _packed(table)) for name, table in cells])


def _batch(found: list[tuple[str, bytes]]) -> pa.RecordBatch:
    columns = [
        pa.array([name for name, _ in found], pa.string()),
        pa.array([one for _, one in found], pa.binary()),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=_PACKED)


def unpacked(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Yield the cells of each instrument in rows that `packed` made."""
    for batch in batches:
        for name, blob in zip(batch.column(0), batch.column(1), strict=True):
            table = pa.ipc.open_stream(blob.as_buffer()).read_all()
            text = table["price_text"]
            found = table.column_names
            columns = {
                "instrument_id": pa.repeat(name, len(table)),
                "date": table["date"],
                "price_text": text,
                "number_text": table["number_text"] if "number_text" in found else text,
                "adjusted_text": table["adjusted_text"]
                if "adjusted_text" in found
                else pa.nulls(len(table), pa.string()),
            }
            yield pa.table(columns, schema=CELLS)


def _packed(cells: pa.Table) -> bytes:
    """Return the cells of one instrument as a stream, without what is the same as another column."""
    names = ["date", "price_text"]
    if not cells["number_text"].equals(cells["price_text"]):
        names.append("number_text")
    if cells["adjusted_text"].null_count < len(cells):
        names.append("adjusted_text")
    sink = pa.BufferOutputStream()
    kept = cells.select(names).combine_chunks()
    with pa.ipc.new_stream(sink, kept.schema) as stream:
        stream.write_table(kept)
    return bytes(sink.getvalue().to_pybytes())


def neighbours(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Yield the rows of one instrument at a time out of the batches of a partition.

    Raises:
        RuntimeError: its rows are not neighbours.
    """
    held: list[pa.RecordBatch] = []
    name, seen = None, set[str]()
    for batch in batches:
        if not batch.num_rows:
            continue
        encoded = batch.column("instrument_id").dictionary_encode()
        codes = encoded.indices.to_numpy(zero_copy_only=False)
        begins = [0, *(np.flatnonzero(np.diff(codes)) + 1).tolist()]
        for begin, end in zip(begins, [*begins[1:], batch.num_rows], strict=True):
            its = encoded.dictionary[int(codes[begin])].as_py()
            if its != name:
                if held:
                    yield pa.Table.from_batches(held)
                if its in seen:
                    raise RuntimeError(f"the rows of {its} are not neighbours")
                seen.add(its)
                held, name = [], its
            held.append(batch.slice(begin, end - begin))
    if held:
        yield pa.Table.from_batches(held)
