"""Prices on the trading calendar: one-day returns, the market's return, and the return still to come."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F


def observed(prices: DataFrame, horizon_d: int) -> DataFrame:
    """Return instrument_id, date, day, price, return_1d and forward_return of every price.

    The trading calendar is the set of dates on which the source has any price, `day` the position in it. A
    return exists only between consecutive trading days, so a missing price loses the two returns around it.
    """
    calendar = prices.select("date").distinct()
    calendar = calendar.withColumn("day", F.row_number().over(Window.orderBy("date")))
    series = Window.partitionBy("instrument_id").orderBy("day")
    before = F.lag("price").over(series)
    consecutive = F.lag("day").over(series) == F.col("day") - 1
    ahead = F.max("price").over(series.rangeBetween(horizon_d, horizon_d))
    return prices.join(F.broadcast(calendar), "date").select(
        "instrument_id",
        "date",
        "day",
        "price",
        F.when(consecutive, F.col("price") / before - 1).alias("return_1d"),
        (ahead / F.col("price") - 1).alias("forward_return"),
    )


def with_market(rows: DataFrame) -> DataFrame:
    """Return rows of `observed` with market_return, the equal-weight mean of the day's one-day returns.

    It is NULL on a day on which nothing has a return. All of it is known on the day itself.
    """
    # Sums of doubles depend on the order in which rows arrive; sorted, they have the same bits in every run.
    returns = F.sort_array(F.collect_list("return_1d"))
    total = F.aggregate(returns, F.lit(0.0), lambda sofar, value: sofar + value)
    mean = F.try_divide(total, F.size(returns)).alias("market_return")
    return rows.join(F.broadcast(rows.groupBy("day").agg(mean)), "day", "left")
