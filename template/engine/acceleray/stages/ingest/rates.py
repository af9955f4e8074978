"""Exchange rates from a separate source: a file, a folder or a table, joined to the prices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from acceleray.errors import PortfolioError
from acceleray.quant.currencies import CURRENCIES, pair_of
from acceleray.settings import Settings
from acceleray.stages.ingest.grouped import CELLS_SQL, Grouped, Here, packed, rows_of, unpacked
from acceleray.stages.ingest.other_series import read_series
from acceleray.stages.ingest.received import Received

_SHOWN = 5


def with_rates(spark: SparkSession, settings: Settings, prices: Received) -> Received:
    """Return prices and the rates of `fx.source`, which are instruments as if the prices had them.

    Raises:
        PortfolioError: the rates cannot be read as prices are, none of them is one, or prices have one too.
    """
    if settings.fx.source == "prices":
        return prices
    read = read_series(spark, settings, settings.fx, "fx", "rates")
    rates, left_out = _rates_of(read.cells, settings)
    if not rates:
        raise PortfolioError(
            f"{read.title} has no rate: {_some(left_out)} names no currency pair such as EURUSD;"
            " name its columns so, or set fx.pairs or fx.base."
        )
    _refuse_both(prices, read.origin, rates)
    said = f"rates from {read.origin}: {', '.join(rates)}; {read.understood}"
    if read.left_out:
        said += f"; {read.left_out}"
    if left_out:
        said += f"; skipped, no currency pair: {_some(left_out)}"
    return replace(
        prices,
        prices=_joined(spark, prices, rates),
        announced=(*prices.announced, *rates) if prices.announced else (),
        understood=(*prices.understood, said),
    )


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
    named, held = set(prices.announced), prices.prices
    if isinstance(held, Here):
        named |= {str(table["instrument_id"][0]) for table in held.tables if len(table)}
    elif not named and isinstance(held, DataFrame):
        found = held.where(F.col("instrument_id").isin(list(rates)))
        named = {row[0] for row in found.select("instrument_id").distinct().collect()}
    if both := sorted(named & set(rates)):
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
    return rows_of(held).unionByName(rows, allowMissingColumns=True)


def _some(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
