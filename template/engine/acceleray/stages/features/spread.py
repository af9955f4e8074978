"""Rows of all parts: made here if they are few, else by Spark."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from acceleray.stages.features.part import Part
from acceleray.tables.contract import Table, quoted

# Up to so many rows this process is done before Spark has started another.
HERE_ROWS = 200_000


def rows_of(
    spark: SparkSession,
    table: Table,
    make: Callable[[Part], pa.Table],
    wanted: Sequence[Part],
    instruments: int,
    constants: Mapping[str, Any],
) -> DataFrame | pa.Table:
    """Return the rows of all parts with the columns that a table declares.

    Args:
        spark: the session.
        table: the declaration.
        make: from a part to its rows; what it holds travels to every process of Spark.
        wanted: parts.
        instruments: how many rows a day may have.
        constants: columns with the same value in every row, which `make` leaves out.
    """
    schema = table.arrow_schema
    expected = instruments * sum(part.stop - part.first for part in wanted)

    def whole(part: Part) -> pa.Table:
        rows = make(part)
        for name, value in constants.items():
            rows = rows.append_column(name, pa.repeat(pa.scalar(value), rows.num_rows))
        return rows.select(schema.names).cast(schema)

    if expected <= HERE_ROWS:
        return pa.concat_tables([schema.empty_table(), *map(whole, wanted)])

    def made(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for number in batch.column("id").to_pylist():
                yield from whole(wanted[number]).to_batches(max_chunksize=10_000)

    # One task a part, so that a file of the table has consecutive days: replacing the last touches few.
    numbers = spark.range(0, len(wanted), 1, len(wanted))
    columns = (f"{quoted(column.name)} {column.type}" for column in table.columns)
    return numbers.mapInArrow(made, ", ".join(columns))
