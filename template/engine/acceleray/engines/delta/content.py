"""Content of rows: their number, and a fingerprint that does not depend on their order.

The fingerprint is the sum of the rows' hashes modulo 2^64, so those of parts add up to that of the whole.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from acceleray.errors import PortfolioError
from acceleray.tables.contract import Table, quoted

_MODULUS = 2**64


@dataclass(frozen=True)
class Content:
    """Rows and the sum of their hashes."""

    rows: int = 0
    total: int = 0

    def __add__(self, other: Content) -> Content:
        """Return what both come to together."""
        return Content(self.rows + other.rows, (self.total + other.total) % _MODULUS)

    def __sub__(self, other: Content) -> Content:
        """Return what is left of this without the other, which is part of it."""
        return Content(self.rows - other.rows, (self.total - other.total) % _MODULUS)

    @property
    def fingerprint(self) -> str:
        """Return the sum in 16 hexadecimal digits."""
        return f"{self.total:016x}"


EMPTY = Content()


@dataclass(frozen=True)
class Commit:
    """Result of one commit: version of the table, rows in the scope, and their fingerprint."""

    table: Table
    version: int
    rows: int
    fingerprint: str
    changed: bool


def hashed_columns(table: Table) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the columns whose values are hashed, and those whose missing values are.

    The hash passes over NULLs, so where they stand is hashed as well.
    """
    return table.compared_names, tuple(column.name for column in table.columns if column.nullable)


def hashed_by(table: Table) -> str:
    """Return a name for the way a table's rows are hashed: fingerprints of two ways cannot be compared."""
    kinds = {column.name: column.type for column in table.columns}
    values, missing = hashed_columns(table)
    text = json.dumps([[[name, kinds[name]] for name in values], missing])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def aggregates(table: Table) -> tuple[Column, Column]:
    """Return what Spark counts and sums up to tell the content of rows: `rows` and `total`."""
    values, missing = hashed_columns(table)
    columns = [F.col(quoted(name)) for name in values] + [F.col(quoted(name)).isNull() for name in missing]
    # A decimal does not overflow as a long would.
    total = F.sum(F.xxhash64(*columns).cast("decimal(38,0)"))
    return F.count(F.lit(1)).alias("rows"), total.alias("total")


def refuse_count(table: Table, new: Content, expected: int | None) -> None:
    """Refuse rows that are not as many as expected; None expects nothing.

    Raises:
        PortfolioError: there are more or fewer.
    """
    if expected is not None and new.rows != expected:
        raise PortfolioError(
            f"{table.label} was to be given {expected} rows, but Spark read {new.rows}; run again."
        )


def content_of(table: Table, frame: DataFrame) -> Content:
    """Return what rows come to, computed by Spark in one action."""
    found = frame.agg(*aggregates(table)).first()
    assert found is not None
    return Content(int(found["rows"]), int(found["total"] or 0) % _MODULUS)


def whole_rows(table: Table, rows: pa.Table) -> pa.Table:
    """Return rows with the declared columns and types, in one chunk."""
    # Spark 4.1 loses the rows behind an empty chunk; in one chunk there is none.
    return rows.select(table.column_names).cast(table.arrow_schema).combine_chunks()
