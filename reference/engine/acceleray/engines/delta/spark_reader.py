"""Rows of a table for a person who asks, read by Spark: in a catalog, and where delta-rs cannot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pyarrow as pa
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame

from acceleray.engines.delta.files import ConditionError
from acceleray.engines.delta.lake import Lake
from acceleray.engines.delta.log import Overview
from acceleray.engines.processes.signals import first_line
from acceleray.engines.profiles import spark_alone
from acceleray.settings import Settings
from acceleray.tables.contract import Table


class SparkReader:
    """The tables of one environment, as Spark reads them."""

    def __init__(self, lake: Lake) -> None:
        """Keep the tables."""
        self._lake = lake

    @classmethod
    @contextmanager
    def opened(cls, settings: Settings) -> Iterator[SparkReader]:
        """Yield a reader on a Spark session without Ray, and stop what was started."""
        with spark_alone(settings) as session:
            yield cls(Lake(session, settings))

    def exists(self, table: Table) -> bool:
        """Return whether the table has been created."""
        return self._lake.exists(table)

    def overview(self, table: Table) -> Overview:
        """Return rows, version and time of the last commit."""
        rows = self._lake.read(table).count()
        history = self._lake.spark.sql(f"DESCRIBE HISTORY {self._lake.identifier(table)} LIMIT 1")
        newest = history.selectExpr("version", "timestamp").toArrow().to_pylist()[0]
        return Overview(rows, int(newest["version"]), newest["timestamp"])

    def count(self, table: Table, where: str | None = None) -> int:
        """Return how many rows meet a condition.

        Raises:
            ConditionError: the condition is not one that Spark understands.
        """
        with _condition(where):
            return self._matching(table, where).count()

    def rows(
        self,
        table: Table,
        columns: Sequence[str] = (),
        where: str | None = None,
        limit: int | None = None,
        distinct: bool = False,
    ) -> pa.Table:
        """Return rows in the order of the key; all declared columns if none are given.

        Raises:
            ConditionError: the condition is not one that Spark understands.
        """
        with _condition(where):
            found = self._matching(table, where)
            if columns:
                found = found.select(*columns)
            if distinct:
                found = found.distinct()
            if order := [name for name in table.key if not distinct or name in columns]:
                found = found.orderBy(*order)
            return (found if limit is None else found.limit(limit)).toArrow()

    def _matching(self, table: Table, where: str | None) -> DataFrame:
        rows = self._lake.read(table)
        return rows if where is None else rows.where(where)


@contextmanager
def _condition(where: str | None) -> Iterator[None]:
    """Say in one line what Spark does not like about a condition."""
    try:
        yield
    except PySparkException as error:
        if where is None:
            raise
        raise ConditionError(first_line(error).partition(" SQLSTATE:")[0]) from None
