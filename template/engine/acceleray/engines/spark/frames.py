"""Rows of this process as a DataFrame, through Spark Connect as through the JVM."""

from __future__ import annotations

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession


def frame_of(session: SparkSession, rows: pa.Table) -> DataFrame:
    """Return rows as a DataFrame with their columns and types.

    Without Spark Connect each chunk is a partition, and Spark 4.1 loses the rows behind an empty one.
    """
    if len(rows):
        return session.createDataFrame(rows)
    from pyspark.sql.pandas.types import from_arrow_schema

    # Spark Connect finds no column types in a table without rows.
    return session.createDataFrame([], from_arrow_schema(rows.schema))
