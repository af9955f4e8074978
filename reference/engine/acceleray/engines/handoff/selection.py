"""Selection for the hand-off: columns of one pinned version of a governed table, in a fixed order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from acceleray.engines.delta.lake import Lake
from acceleray.tables.contract import Table, quoted

# A guess for text, which has no declared width.
_TEXT_BYTES = 24


@dataclass(frozen=True)
class Selection:
    """Columns of one Delta version of a table, of one source or run (`scope`) or of all (None).

    `narrow` is Spark logic on top: it is given the table's rows, all columns, and returns those to hand over.
    """

    table: Table
    version: int
    scope: str | None
    columns: tuple[str, ...]
    narrow: Callable[[DataFrame], DataFrame] | None = None

    def __post_init__(self) -> None:
        """Refuse columns that the table does not declare, and columns named twice."""
        unknown = set(self.columns) - set(self.table.column_names)
        if unknown or len(set(self.columns)) != len(self.columns) or not self.columns:
            raise ValueError(f"not columns of {self.table.label}, each once: {self.columns}")

    @property
    def schema(self) -> pa.Schema:
        """Return the Arrow schema of what is handed over; every column may hold NULL."""
        declared = self.table.arrow_schema
        return pa.schema([pa.field(name, declared.field(name).type) for name in self.columns])

    @property
    def row_bytes(self) -> int:
        """Return about how many bytes one row takes, by the declared types."""
        return sum(_width(field.type) for field in self.schema)

    def rows(self, lake: Lake) -> DataFrame:
        """Return the rows to hand over, all columns, before any is chosen."""
        frame = lake.read(self.table, self.scope, self.version)
        return frame if self.narrow is None else self.narrow(frame)

    def frame(self, lake: Lake) -> DataFrame:
        """Return the rows to hand over with the chosen columns, in no particular order of rows."""
        return self.rows(lake).select(*[F.col(quoted(name)) for name in self.columns])


def _width(kind: pa.DataType) -> int:
    return _TEXT_BYTES if pa.types.is_string(kind) else max(1, kind.bit_width // 8)
