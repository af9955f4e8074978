"""A Delta table of prices: long (instrument_id, date, price) or wide (date, one column an instrument)."""

from __future__ import annotations

from pathlib import Path

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import NumericType, StringType

from acceleray.errors import PortfolioError
from acceleray.settings import Settings
from acceleray.stages.ingest.received import Received, from_long, from_wide
from acceleray.tables.contract import literal, quoted

_LONG = ("instrument_id", "date", "price")


def from_table(spark: SparkSession, settings: Settings) -> Received:
    """Return the cells of the Delta table that `market_data.table` names, as text, at its newest version.

    A table with the columns instrument_id, date and price is long, its other columns are not looked at; any
    other table is wide. Column names count in any letter case.

    Raises:
        PortfolioError: there is no such Delta table, or its columns are neither long nor wide prices.
    """
    name = settings.market_data.table
    parts = name.split(".")
    if not all(parts) or len(parts) > 3:
        raise PortfolioError(
            f"market_data.source is table: set market_data.table to catalog.schema.table, not '{name}'."
        )
    table = _newest(spark, settings, name, parts)
    columns = {column.lower(): column for column in table.columns}
    if all(column in columns for column in _LONG):
        found = [F.col(quoted(columns[column])).cast("string") for column in _LONG]
        instrument, date_text, price_text = found
        cells = table.select(
            instrument.alias("instrument_id"), date_text.alias("date_text"), price_text.alias("price_text")
        )
        if cells.where("instrument_id IS NULL OR NOT instrument_id RLIKE r'\\S'").limit(1).count():
            raise PortfolioError(f"Table {name} has a row without instrument_id; fill it in.")
        return from_long(f"table {name}", cells)
    return _wide(table, name, columns)


def _wide(table: DataFrame, name: str, columns: dict[str, str]) -> Received:
    if "date" not in columns:
        raise PortfolioError(f"Table {name} has no column named date; long or wide, prices need one.")
    names = [column for column in table.columns if column != columns["date"]]
    if not names:
        raise PortfolioError(f"Table {name} has a date column and no instrument.")
    for column in names:
        kind = table.schema[column].dataType
        if not isinstance(kind, NumericType | StringType):
            raise PortfolioError(f"Column {column} of table {name} holds {kind.simpleString()}, not prices.")
    safe = [f"c{number}" for number in range(len(names))]
    texts = [
        F.col(quoted(column)).cast("string").alias(alias) for column, alias in zip(names, safe, strict=True)
    ]
    wide = table.select(F.col(quoted(columns["date"])).cast("string").alias("date_text"), *texts)
    return from_wide(f"table {name}", wide, safe, names)


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
