"""Rows that Spark keeps while they are needed more than once; serverless compute keeps none.

In profile `connect` nothing is kept: rows are computed again, or pass through this process once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.sql import DataFrame

from acceleray.engines.spark.frames import frame_of
from acceleray.settings import Settings


@contextmanager
def kept(rows: DataFrame, settings: Settings) -> Iterator[DataFrame]:
    """Have Spark keep rows, once computed, while the block runs."""
    if settings.profile == "connect":
        yield rows
        return
    rows.persist()
    try:
        yield rows
    finally:
        rows.unpersist()


def computed_once(rows: DataFrame, settings: Settings) -> DataFrame:
    """Return rows that are the same at every look, whatever they are computed from."""
    if settings.profile != "connect":
        return rows.localCheckpoint()
    return frame_of(rows.sparkSession, rows.toArrow().combine_chunks())
