"""Prices as a Spark DataFrame: long (instrument_id, date, price) or wide (date, a column per instrument)."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import NumericType, StringType

from acceleray.errors import PortfolioError
from acceleray.stages.ingest.received import Received, from_long, from_wide
from acceleray.tables.contract import quoted

_LONG = ("instrument_id", "date", "price")


def from_frame(origin: str, prices: DataFrame) -> Received:
    """Return the cells of a DataFrame of prices, as text.

    One with the columns instrument_id, date and price is long, its other columns are not looked at; any other
    is wide. Column names count in any letter case.

    Args:
        origin: how messages name the prices, such as `table main.market.prices`.
        prices: what was delivered.

    Raises:
        PortfolioError: the columns are neither long nor wide prices.
    """
    columns = {column.lower(): column for column in prices.columns}
    if all(column in columns for column in _LONG):
        found = [F.col(quoted(columns[column])).cast("string") for column in _LONG]
        instrument, date_text, price_text = found
        cells = prices.select(
            instrument.alias("instrument_id"), date_text.alias("date_text"), price_text.alias("price_text")
        )
        if cells.where("instrument_id IS NULL OR NOT instrument_id RLIKE r'\\S'").limit(1).count():
            raise PortfolioError(f"{_title(origin)} has a row without instrument_id; fill it in.")
        return from_long(origin, cells)
    return _wide(prices, origin, columns)


def _wide(prices: DataFrame, origin: str, columns: dict[str, str]) -> Received:
    if "date" not in columns:
        raise PortfolioError(f"{_title(origin)} has no column named date; long or wide, prices need one.")
    names = [column for column in prices.columns if column != columns["date"]]
    if not names:
        raise PortfolioError(f"{_title(origin)} has a date column and no instrument.")
    for column in names:
        kind = prices.schema[column].dataType
        if not isinstance(kind, NumericType | StringType):
            raise PortfolioError(f"Column {column} of {origin} holds {kind.simpleString()}, not prices.")
    safe = [f"c{number}" for number in range(len(names))]
    texts = [
        F.col(quoted(column)).cast("string").alias(alias) for column, alias in zip(names, safe, strict=True)
    ]
    wide = prices.select(F.col(quoted(columns["date"])).cast("string").alias("date_text"), *texts)
    return from_wide(origin, wide, safe, names)


def _title(origin: str) -> str:
    return origin[:1].upper() + origin[1:]
