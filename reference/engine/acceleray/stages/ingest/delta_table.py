"""A Delta table of prices: long (instrument_id, date, price) or wide (date, one column per instrument)."""

from __future__ import annotations

from pathlib import Path

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from acceleray.errors import PortfolioError
from acceleray.settings import Settings
from acceleray.stages.ingest.frame import from_frame
from acceleray.stages.ingest.received import Received
from acceleray.tables.contract import literal, quoted


def from_table(spark: SparkSession, settings: Settings) -> Received:
    """Return the cells of the Delta table that `market_data.table` names, as text, at its newest version.

    Raises:
        PortfolioError: there is no such Delta table, or its columns are neither long nor wide prices.
    """
    name = settings.market_data.table
    parts = name.split(".")
    if not all(parts) or len(parts) > 3:
        raise PortfolioError(
            f"market_data.source is table: set market_data.table to catalog.schema.table, not '{name}'."
        )
    return from_frame(f"table {name}", _newest(spark, settings, name, parts))


def _newest(spark: SparkSession, settings: Settings, name: str, parts: list[str]) -> DataFrame:
    identifier = ".".join(quoted(part) for part in parts)
    try:
        if folder := _unregistered(settings, parts):
            schema = ".".join(quoted(part) for part in parts[:-1])
            if schema:
                spark.sql(f"CREATE SCHEMA IF NOT EXISTS {schema}")
            place = literal(folder.as_uri())
            spark.sql(f"CREATE TABLE IF NOT EXISTS {identifier} USING DELTA LOCATION {place}")
        latest = spark.sql(f"DESCRIBE HISTORY {identifier} LIMIT 1").first()
        if latest is None:
            raise PortfolioError(f"Table {name} has no history; is it a Delta table?")
        # One version for every look at it: somebody may write to the table while it is checked.
        return spark.sql(f"SELECT * FROM {identifier} VERSION AS OF {int(latest['version'])}")
    except PySparkException as error:
        why = f" ({condition})" if (condition := error.getCondition()) else ""
        raise PortfolioError(f"There is no Delta table {name} that can be read{why}.") from None


def _unregistered(settings: Settings, parts: list[str]) -> Path | None:
    """Return the folder of a table in the local warehouse, whose catalog starts empty in every session."""
    if settings.profile == "databricks":
        return None
    warehouse = settings.state_dir / "warehouse"
    schema = parts[-2] if len(parts) > 1 else "default"
    folders = [warehouse / schema, warehouse / f"{schema}.db"]
    for folder in [*folders, warehouse] if schema == "default" else folders:
        if (folder / parts[-1] / "_delta_log").is_dir():
            return folder / parts[-1]
    return None
