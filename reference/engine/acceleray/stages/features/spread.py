"""Rows of all parts: made here if they are few, else by the Python workers of Spark."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame

from acceleray.engines.delta.delta_rs import Parts
from acceleray.engines.delta.lake import Lake
from acceleray.engines.handoff.arrays import column
from acceleray.engines.handoff.files import DataFile, Piece, read_piece, write_part
from acceleray.engines.handoff.stage import new_stage
from acceleray.settings.topology import shares_stage
from acceleray.stages.features.origin import MADE_FROM
from acceleray.stages.features.part import Part
from acceleray.tables.contract import Table, quoted

# Up to so many rows this process is done before Spark has started another.
HERE_ROWS = 200_000


@dataclass(frozen=True)
class Making:
    """How rows of a table are made.

    Attributes:
        make: from a part to its rows; what it holds travels to every process of Spark.
        days: the risk calendar.
        origins: what the rows of each day are made from.
        constants: columns with the same value in every row.
    """

    make: Callable[[Part], pa.Table]
    days: NDArray[np.datetime64]
    origins: tuple[str, ...]
    constants: Mapping[str, str]

    def rows(self, table: Table, part: Part) -> pa.Table:
        """Return the rows of a part with the columns that a table declares."""
        rows = self.make(part)
        day = np.searchsorted(self.days, column(rows, "date").astype("datetime64[D]"))
        rows = rows.append_column(MADE_FROM, pa.array(self.origins, pa.string()).take(pa.array(day)))
        for name, value in self.constants.items():
            rows = rows.append_column(name, pa.repeat(pa.scalar(value), rows.num_rows))
        return rows.select(table.column_names).cast(table.arrow_schema)


def few(wanted: Sequence[Part], instruments: int) -> bool:
    """Return whether this process makes the rows of parts sooner than others would begin."""
    return instruments * sum(part.stop - part.first for part in wanted) <= HERE_ROWS


@contextmanager
def in_files(lake: Lake, table: Table, making: Making, wanted: Sequence[Part]) -> Iterator[Parts]:
    """Yield the rows of all parts, a part at a time, in files of a stage that Spark's Python workers write.

    No row passes through Java, whose heap would be filled by some millions of them. While the block runs they
    may be read again and again.
    """
    with new_stage(lake.settings) as stage:

        def made(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for batch in batches:
                for number in batch.column("id").to_pylist():
                    file = write_part(stage, number, making.rows(table, wanted[number]))
                    yield pa.RecordBatch.from_pydict({"number": [number], "file": [json.dumps(asdict(file))]})

        numbers = lake.spark.range(0, len(wanted), 1, len(wanted))
        found = numbers.mapInArrow(made, "number long, file string").toArrow().sort_by("number")
        if found["number"].to_pylist() != list(range(len(wanted))):
            raise RuntimeError(f"{stage} has not each of {len(wanted)} parts once")
        told = [json.loads(text) for text in found["file"].to_pylist()]
        files = [DataFile(**one | {"group_rows": tuple(one["group_rows"])}) for one in told]
        whole = [Piece(file, tuple(range(len(file.group_rows)))) for file in files]
        yield lambda: (read_piece(piece, table.arrow_schema, None) for piece in whole)


def rows_of(
    lake: Lake, table: Table, making: Making, wanted: Sequence[Part], instruments: int
) -> DataFrame | pa.Table:
    """Return the rows of all parts.

    Args:
        lake: the tables.
        table: the declaration.
        making: how they are made.
        wanted: parts.
        instruments: how many rows a day may have.
    """
    # Workers of a Spark elsewhere, which a client reaches, may not have this package.
    if few(wanted, instruments) or not shares_stage(lake.settings):
        every = (making.rows(table, part) for part in wanted)
        return pa.concat_tables([table.arrow_schema.empty_table(), *every])

    def made(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for number in batch.column("id").to_pylist():
                yield from making.rows(table, wanted[number]).to_batches(max_chunksize=10_000)

    # One task a part, so that a file of the table has consecutive days: replacing the last touches few.
    numbers = lake.spark.range(0, len(wanted), 1, len(wanted))
    columns = (f"{quoted(each.name)} {each.type}" for each in table.columns)
    return numbers.mapInArrow(made, ", ".join(columns))
