"""Prices on the risk calendar: returns from risk day to risk day, the market's, and the one still to come."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from acceleray.engines.handoff.arrays import column
from acceleray.quant.spans import forward, spans

_SQL = (
    "instrument_id string, date date, day long, price double, return_1d double, span_d long, "
    "forward_return double"
)


def observed(
    prices: DataFrame,
    risk_days: NDArray[np.datetime64],
    horizon_d: int,
    longest_closed_d: int,
    arithmetic: Mapping[str, float] | None = None,
) -> DataFrame:
    """Return instrument_id, date, day, price, return_1d, span_d and forward_return of every risk day.

    `day` is the position in the calendar, `price` the last one known. See `quant.spans` for what a return
    spans.

    Args:
        prices: instrument_id, date and adjusted_price.
        risk_days: ascending.
        horizon_d: risk days that forward_return looks ahead.
        longest_closed_d: risk days without a price after which an instrument has no rows.
        arithmetic: `market_data.arithmetic`, levels of returns by instrument.
    """

    def rows(prices: pa.Table) -> pa.Table:
        level = (arithmetic or {}).get(prices.column("instrument_id")[0].as_py())
        return rows_of(prices, risk_days, horizon_d, longest_closed_d, level)

    return prices.groupBy("instrument_id").applyInArrow(rows, _SQL)


def rows_of(
    prices: pa.Table,
    risk_days: NDArray[np.datetime64],
    horizon_d: int,
    longest_closed_d: int,
    level: float | None = None,
) -> pa.Table:
    """Return the rows of one instrument, whose prices may come in any order; see `observed`."""
    prices = prices.sort_by("date").combine_chunks()
    dates, values = column(prices, "date").astype("datetime64[D]"), column(prices, "adjusted_price")
    found = spans(risk_days, dates, values, longest_closed_d, level)
    ahead = forward(risk_days, dates, values, horizon_d, level)[found.day]
    return pa.table(
        {
            "instrument_id": pa.repeat(prices.column("instrument_id")[0], found.day.size),
            "date": pa.array(risk_days[found.day]),
            "day": found.day,
            "price": found.price,
            "return_1d": pa.array(found.simple, from_pandas=True),
            "span_d": found.span_d,
            "forward_return": pa.array(ahead, from_pandas=True),
        }
    )


def with_market(rows: DataFrame, at_weekends: Collection[str] = ()) -> DataFrame:
    """Return rows of `observed` with market_return, the equal-weight mean of the returns known on the day.

    Instruments that trade at weekends are no part of it, unless all do; it is NULL on a day on which nothing
    has a return. All of it is known on the day itself.

    Args:
        rows: days without a price are no part of the mean.
        at_weekends: instruments that trade at weekends.
    """
    known = F.when(~F.col("instrument_id").isin(list(at_weekends)), F.col("return_1d"))
    # Sums of doubles depend on the order in which rows arrive; sorted, they have the same bits in every run.
    returns = F.sort_array(F.collect_list(known if at_weekends else F.col("return_1d")))
    total = F.aggregate(returns, F.lit(0.0), lambda sofar, value: sofar + value)
    mean = F.try_divide(total, F.size(returns)).alias("market_return")
    return rows.join(F.broadcast(rows.groupBy("day").agg(mean)), "day", "left")
