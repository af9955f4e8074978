"""Exchange rates from a source of their own: a file, a folder or a table, joined to the prices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from acceleray.errors import PortfolioError
from acceleray.quant.currencies import CURRENCIES, pair_of
from acceleray.settings import Settings
from acceleray.stages.ingest.delta_table import newest
from acceleray.stages.ingest.frame import from_frame
from acceleray.stages.ingest.grouped import CELLS_SQL, Grouped, Here, packed, unpacked
from acceleray.stages.ingest.reading.delivery import CELLS, deliver
from acceleray.stages.ingest.reading.wishes import Wishes
from acceleray.stages.ingest.received import Received, refuse_dates

_SHOWN = 5


def with_rates(spark: SparkSession, settings: Settings, prices: Received) -> Received:
    """Return prices and the rates of `fx.source`, which are instruments as if the prices had them.

    Raises:
        PortfolioError: the rates cannot be read as prices are, none of them is one, or prices have one too.
    """
    if settings.fx.source == "prices":
        return prices
    try:
        origin, cells, understood = _read(spark, settings)
    except PortfolioError as refusal:
        # The reader of prices names its own settings; those of rates have the same names.
        message = str(refusal).replace("market_data.", "fx.").replace("file of prices", "file of rates")
        raise PortfolioError(message) from None
    rates, left_out = _rates_of(cells, settings)
    if not rates:
        raise PortfolioError(
            f"{_title(origin)} has no rate: {_some(left_out)} names no pair of currencies such as EURUSD;"
            " name its columns so, or set fx.pairs or fx.base."
        )
    _refuse_both(prices, origin, rates)
    said = f"rates from {origin}: {', '.join(rates)}; {understood}"
    if left_out:
        said += f"; left out, no pair of currencies: {_some(left_out)}"
    return replace(
        prices,
        prices=_joined(spark, prices, rates),
        announced=(*prices.announced, *rates) if prices.announced else (),
        understood=(*prices.understood, said),
    )


def _read(spark: SparkSession, settings: Settings) -> tuple[str, dict[str, pa.Table], str]:
    """Return the origin, the cells of each series, and how the source was read."""
    fx = settings.fx
    wishes = Wishes({key: name for key, name in fx.columns.model_dump().items() if name}, fx.decimal)
    if fx.source == "csv":
        if not fx.path:
            raise PortfolioError("fx.source is csv: set fx.path to a file of rates.")
        found = deliver(settings.project_dir / Path(fx.path).expanduser(), wishes)
        return found.origin, dict(found.by_instrument()), found.understood[0]
    frame = newest(spark, settings, fx.table, "fx.table")
    received = from_frame(f"table {fx.table}", frame, fx.table.split(".")[-1], wishes)
    refuse_dates(received)
    prices = received.prices
    series = Here.of(prices.toArrow()) if isinstance(prices, DataFrame) else prices
    assert isinstance(series, Here)
    filled = (
        one.select(CELLS.names).cast(CELLS).filter(pc.field("price_text").is_valid()) for one in series.tables
    )
    cells = {one["instrument_id"][0].as_py(): one for one in filled if len(one)}
    return received.origin, {name: cells[name] for name in sorted(cells)}, received.understood[0]


def _rates_of(cells: Mapping[str, pa.Table], settings: Settings) -> tuple[dict[str, pa.Table], list[str]]:
    """Return the cells of rates by their names, and the names of series that are none."""
    named, base = set(settings.fx.pairs.values()), settings.fx.base
    rates: dict[str, pa.Table] = {}
    left_out = []
    for name, rows in cells.items():
        code = name.strip().upper()
        if name in named or pair_of(name) is not None:
            rates[name] = rows
        elif base and code in CURRENCIES - {base}:
            at, whose = rows.schema.get_field_index("instrument_id"), f"{base}{code}"
            rates[whose] = rows.set_column(at, "instrument_id", pa.repeat(whose, len(rows)))
        else:
            left_out.append(name)
    return rates, left_out


def _refuse_both(prices: Received, origin: str, rates: Mapping[str, pa.Table]) -> None:
    """Refuse a rate that the prices have too: which of the two counts is nobody's guess."""
    both = sorted(set(prices.announced) & set(rates))
    if not both and isinstance(prices.prices, DataFrame):
        found = prices.prices.where(F.col("instrument_id").isin(list(rates)))
        both = sorted(row[0] for row in found.select("instrument_id").distinct().collect())
    if isinstance(prices.prices, Here):
        both = sorted(
            {one["instrument_id"][0].as_py() for one in prices.prices.tables if len(one)} & set(rates)
        )
    if both:
        raise PortfolioError(f"{both[0]} is in {prices.origin} and in {origin}; keep it in one of them.")


def _joined(
    spark: SparkSession, prices: Received, rates: Mapping[str, pa.Table]
) -> DataFrame | Grouped | Here:
    held = prices.prices
    if isinstance(held, Here):
        return Here((*held.tables, *rates.values()))
    if isinstance(held, Grouped) and held.read is unpacked:
        return Grouped(held.frame.unionByName(packed(spark, rates.items(), 1).frame), unpacked)
    rows = spark.createDataFrame(pa.concat_tables(rates.values()), CELLS_SQL)
    cells = held.rows() if isinstance(held, Grouped) else held
    return cells.unionByName(rows, allowMissingColumns=True)


def _title(origin: str) -> str:
    return origin[:1].upper() + origin[1:]


def _some(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
