"""A Delta table or a view of prices: long, wide, or the fields of one instrument."""

from __future__ import annotations

from pathlib import Path

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from acceleray.engines.spark.caching import computed_once
from acceleray.errors import PortfolioError
from acceleray.settings import Settings
from acceleray.settings.topology import in_catalog
from acceleray.stages.ingest.frame import from_frame
from acceleray.stages.ingest.reading.wishes import wishes_of
from acceleray.stages.ingest.received import Received
from acceleray.tables.contract import literal, quoted


def from_table(spark: SparkSession, settings: Settings) -> Received:
    """Return the cells of the view or Delta table (at its newest version) that `market_data.table` names.

    Raises:
        PortfolioError: there is no such table or view, or it has no prices that can be read in one way only.
    """
    name = settings.market_data.table
    found = newest(spark, settings, name, "market_data.table")
    return from_frame(f"table {name}", found, name.split(".")[-1], wishes_of(settings))


def newest(spark: SparkSession, settings: Settings, name: str, setting: str) -> DataFrame:
    """Return the rows of a view or of a Delta table at its newest version, one and the same for every look.

    Args:
        spark: the session.
        settings: the run's settings.
        name: catalog.schema.table; the first two may be left out.
        setting: the setting that names it.

    Raises:
        PortfolioError: there is no such table or view.
    """
    parts = name.split(".")
    if not all(parts) or len(parts) > 3:
        section = setting.partition(".")[0]
        raise PortfolioError(
            f"{section}.source is table: set {setting} to catalog.schema.table, not '{name}'."
        )
    identifier = ".".join(quoted(part) for part in parts)
    try:
        if folder := _unregistered(settings, parts):
            schema = ".".join(quoted(part) for part in parts[:-1])
            if schema:
                spark.sql(f"CREATE SCHEMA IF NOT EXISTS {schema}")
            place = literal(folder.as_uri())
            spark.sql(f"CREATE TABLE IF NOT EXISTS {identifier} USING DELTA LOCATION {place}")
        latest = _latest(spark, identifier)
        if latest is None:
            # No versions there: its rows are computed once, so that every look sees the same.
            return computed_once(spark.table(identifier), settings)
        # One version for every look at it: somebody may write to the table while it is checked.
        return spark.sql(f"SELECT * FROM {identifier} VERSION AS OF {latest}")
    except PySparkException as error:
        why = f" ({condition})" if (condition := error.getCondition()) else ""
        raise PortfolioError(
            f"There is no Delta table or view {name} that can be read{why}; set {setting} to one."
        ) from None


def _latest(spark: SparkSession, identifier: str) -> int | None:
    """Return the newest version of a Delta table, None for a view or a table of another format."""
    try:
        row = spark.sql(f"DESCRIBE HISTORY {identifier} LIMIT 1").first()
    except PySparkException:
        return None
    return int(row["version"]) if row else None


def _unregistered(settings: Settings, parts: list[str]) -> Path | None:
    """Return the folder of a table in the local warehouse, whose catalog starts empty in every session."""
    if in_catalog(settings):
        return None
    warehouse = settings.state_dir / "warehouse"
    schema = parts[-2] if len(parts) > 1 else "default"
    folders = [warehouse / schema, warehouse / f"{schema}.db"]
    for folder in [*folders, warehouse] if schema == "default" else folders:
        if (folder / parts[-1] / "_delta_log").is_dir():
            return folder / parts[-1]
    return None
