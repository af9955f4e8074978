"""Prices as a Spark DataFrame of any size: decided here, computed by Spark."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, DateType, NumericType, StringType, TimestampNTZType, TimestampType

from acceleray.counts import counted
from acceleray.engines.spark.frames import frame_of
from acceleray.errors import PortfolioError
from acceleray.stages.ingest.frame_numbers import with_numbers
from acceleray.stages.ingest.grouped import Here, few
from acceleray.stages.ingest.reading.grid import BLANK, Grid, clean
from acceleray.stages.ingest.reading.layout import Layout, Look, layout_of
from acceleray.stages.ingest.reading.row_days import row_days
from acceleray.stages.ingest.reading.wishes import Wishes
from acceleray.stages.ingest.received import Received

_LOOK = 50
# A century of days; more different dates than this are times of day.
_MOST_DATES = 100_000


def from_frame(origin: str, prices: DataFrame, name: str, wishes: Wishes | None = None) -> Received:
    """Return the cells of a DataFrame of prices.

    Args:
        origin: how messages name the prices, such as `table main.market.prices`.
        prices: what was delivered: long, wide, or fields of one instrument.
        name: of that one instrument.
        wishes: what the settings say about columns and numbers.

    Raises:
        PortfolioError: the columns are no prices, or dates or numbers allow more than one reading.
    """
    wishes = wishes or Wishes()
    # Positions for names: an instrument may have any name, also one that differs in the case of letters only.
    safe = prices.toDF(*[f"c{at}" for at in range(len(prices.columns))])
    layout = layout_of(_look(origin, prices.columns, safe, name), wishes.columns)
    dated, wording, days, left_out = _dated(origin, safe, layout.date)
    cells = _long(origin, dated, layout) if layout.instrument is not None else _wide(dated, layout)
    text = _has_text(origin, prices.columns, safe, layout)
    cells, numbers = with_numbers(origin, cells, wishes.decimal, text)
    key = F.col("instrument_id") if layout.instrument is not None else F.lit("")
    keyed = _rows(dated, layout).select(
        F.lit(0).alias("line"), key.alias("instrument_id"), "date_text", "date"
    )
    names = tuple(one.instrument for one in layout.series)
    series = f"{counted(len(names), 'instrument')}, " if names else ""
    kind = "table of one instrument" if layout.kind == "one instrument" else f"{layout.kind} table"
    adjusted = layout.adjusted is not None or any(one.adjusted is not None for one in layout.series)
    words = [kind, wording, *numbers, *(["close and adjusted close"] if adjusted else [])]
    prices = Here.of(cells.toArrow()) if few(safe.count() * max(1, len(names))) else cells
    second = f"{series}{counted(days, 'date')}{left_out}"
    return Received(origin, keyed, prices, names, (", ".join(words), second))


def _rows(dated: DataFrame, layout: Layout) -> DataFrame:
    """Return the rows with their instrument, where they have one each."""
    if layout.instrument is None:
        return dated
    return dated.withColumn("instrument_id", _instrument(layout))


def _look(origin: str, columns: list[str], safe: DataFrame, name: str) -> Look:
    types = tuple(_arrow(field.dataType) for field in safe.schema.fields)
    rows = tuple(tuple(row) for row in safe.limit(_LOOK).collect())

    def repeats(at: int) -> bool:
        return bool(safe.groupBy(f"c{at}").count().where("count > 1").limit(1).count())

    header = tuple(clean(column) for column in columns)
    return Look(_title(origin), name, header, rows, types, repeats, "its columns")


def _arrow(kind: DataType) -> pa.DataType:
    if isinstance(kind, StringType):
        return pa.string()
    if isinstance(kind, DateType):
        return pa.date32()
    if isinstance(kind, TimestampType | TimestampNTZType):
        return pa.timestamp("us")
    return pa.float64() if isinstance(kind, NumericType) else pa.bool_()


def _dated(origin: str, safe: DataFrame, at: int) -> tuple[DataFrame, str, int, str]:
    """Return the rows with their day and its text, how dates are written, how many, and what is left out."""
    column = F.col(f"c{at}")
    kind = safe.schema[f"c{at}"].dataType
    # A timestamp is an instant, whatever the zone of the session makes of it.
    instant = isinstance(kind, TimestampType)
    key = F.unix_micros(column) if instant else column.cast("string")
    keyed = safe.withColumn("date_key", key).withColumn("date_text", column.cast("string"))
    found = keyed.select("date_key").distinct().limit(_MOST_DATES + 1).toArrow().column(0)
    if len(found) > _MOST_DATES:
        raise PortfolioError(
            f"{_title(origin)} has more than {_MOST_DATES:,} different dates; provide one price per day."
        )
    stamps = found.cast(pa.timestamp("us", "UTC")) if instant else found.cast(pa.string())
    grid = Grid(origin, "", ("date",), (stamps,), np.zeros(len(stamps), np.int64), "")
    read = row_days([(grid, 0)])
    days = read.days[0]
    table = pa.table({"date_key": found, "date": pa.array(days.astype("datetime64[D]"))})
    mapping = F.broadcast(frame_of(safe.sparkSession, table))
    dated = keyed.join(mapping, "date_key").where("date IS NOT NULL")
    live = np.isnat(days)
    return dated, read.wording, int(np.unique(days[~live]).size), _left_out(found, live)


def _left_out(texts: pa.ChunkedArray, live: NDArray[np.bool_]) -> str:
    """Return which of the dates (dates,) are left out, in words that follow others; empty without any."""
    if not live.any():
        return ""
    one, more = texts[int(live.argmax())], int(live.sum()) - 1
    if not more:
        return f"; '{one}' is left out, a live price and no close"
    return f"; '{one}' and {counted(more, 'other')} are left out, live prices and no closes"


def _instrument(layout: Layout) -> Column:
    return F.btrim(F.col(f"c{layout.instrument}").cast("string"), F.lit(BLANK))


def _text(at: int | None) -> Column:
    return (F.lit(None) if at is None else F.col(f"c{at}")).cast("string")


def _long(origin: str, dated: DataFrame, layout: Layout) -> DataFrame:
    instrument = _instrument(layout)
    if dated.where(instrument.isNull() | (instrument == "")).limit(1).count():
        raise PortfolioError(f"{_title(origin)} has a row without instrument_id; fill it in.")
    return dated.select(
        instrument.alias("instrument_id"),
        "date",
        _text(layout.price).alias("price_text"),
        _text(layout.adjusted).alias("adjusted_text"),
    )


def _wide(dated: DataFrame, layout: Layout) -> DataFrame:
    # Exploding arrays keeps the plan small for thousands of instruments, where an unpivot does not.
    arrays = {"price_text": [_text(one.price) for one in layout.series]}
    if any(one.adjusted is not None for one in layout.series):
        arrays["adjusted_text"] = [_text(one.adjusted) for one in layout.series]
    zipped = F.arrays_zip(*[F.array(*columns).alias(name) for name, columns in arrays.items()])
    spread = dated.select("date", F.posexplode(zipped).alias("position", "cell"))
    names = F.lit([one.instrument for one in layout.series])
    adjusted = F.col("cell.adjusted_text") if len(arrays) > 1 else _text(None)
    return spread.select(
        F.get(names, F.col("position")).alias("instrument_id"),
        "date",
        F.col("cell.price_text").alias("price_text"),
        adjusted.alias("adjusted_text"),
    )


def _has_text(origin: str, columns: list[str], safe: DataFrame, layout: Layout) -> bool:
    """Return whether any price is text, in which marks must be understood."""
    pairs = [(one.price, one.adjusted) for one in layout.series] or [(layout.price, layout.adjusted)]
    text = False
    for at in (at for pair in pairs for at in pair if at is not None):
        kind = safe.schema[f"c{at}"].dataType
        if not isinstance(kind, NumericType | StringType):
            raise PortfolioError(
                f"Column {columns[at]} of {origin} contains {kind.simpleString()}, not prices."
            )
        text |= isinstance(kind, StringType)
    return text


def _title(origin: str) -> str:
    return origin[:1].upper() + origin[1:]
