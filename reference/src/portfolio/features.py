"""The features stage: one-day returns and cross-sectionally ranked features, in Spark."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

from portfolio.run import Run
from portfolio.tables import FEATURES, PRICES, RETURNS

WEEK, MONTH, QUARTER, HALF_YEAR, YEAR = 5, 21, 63, 126, 252
RANKED = (
    "momentum_12_1",
    "momentum_6_1",
    "momentum_3m",
    "reversal_1m",
    "reversal_1w",
    "volatility_3m",
    "downside_3m",
    "drawdown_12m",
)


def build_returns(run: Run) -> None:
    """Commit gold.returns of the run's source: all that a workload without signals needs."""
    run.commit(RETURNS, _returns(run, _observed(_prices(run), run.settings.features.horizon_d)))


def build_features(run: Run) -> None:
    """Commit gold.returns and gold.features of the run's source from silver.prices.

    Every row depends on prices up to its own date alone, except forward_return and target, which are what
    the model is asked to predict. So nothing here depends on the as-of date; readers filter by date. Rows in
    which every feature is NULL are left out.
    """
    observed = _observed(_prices(run), run.settings.features.horizon_d).persist()
    try:
        run.commit(RETURNS, _returns(run, observed))
        run.commit(FEATURES, _ranked(_raw(observed)).select(_source(run), "*"))
    finally:
        observed.unpersist()


def _prices(run: Run) -> DataFrame:
    # One source has one name: without it every sort below compares dates and names alone.
    return run.read(PRICES).select("instrument_id", "date", "price")


def _returns(run: Run, observed: DataFrame) -> DataFrame:
    return observed.where("return_1d IS NOT NULL").select(_source(run), "*")


def _source(run: Run) -> Column:
    return F.lit(run.source).alias("source")


def _observed(prices: DataFrame, horizon_d: int) -> DataFrame:
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


def _raw(observed: DataFrame) -> DataFrame:
    """Return features before ranking; NULL until an instrument has the full window behind it.

    Windows count the instrument's own prices, and its own one-day returns, not calendar days: a gap makes a
    window reach further back. On a day without a one-day return, volatility and downside are NULL.
    """
    series = Window.partitionBy("instrument_id").orderBy("day")
    has_return = F.col("return_1d").isNotNull()
    returns = Window.partitionBy("instrument_id", has_return).orderBy("day")
    quarter = returns.rowsBetween(1 - QUARTER, 0)
    full_quarter = has_return & F.lag("return_1d", QUARTER - 1).over(returns).isNotNull()
    full_year = F.lag("price", YEAR - 1).over(series).isNotNull()
    loss = F.least(F.col("return_1d"), F.lit(0.0))
    features = {
        "momentum_12_1": _change(series, YEAR, MONTH),
        "momentum_6_1": _change(series, HALF_YEAR, MONTH),
        "momentum_3m": _change(series, QUARTER),
        "reversal_1m": _change(series, MONTH),
        "reversal_1w": _change(series, WEEK),
        "volatility_3m": F.when(full_quarter, F.stddev_samp("return_1d").over(quarter)),
        "downside_3m": F.when(full_quarter, F.sqrt(F.avg(loss * loss).over(quarter))),
        "drawdown_12m": F.when(
            full_year, F.col("price") / F.max("price").over(series.rowsBetween(1 - YEAR, 0)) - 1
        ),
    }
    known = F.coalesce(*[F.col(name) for name in RANKED]).isNotNull()
    columns = ("instrument_id", "date", "forward_return", *RANKED)
    return observed.withColumns(features).where(known).select(*columns)


def _change(series: WindowSpec, since: int, until: int = 0) -> Column:
    end = F.lag("price", until).over(series) if until else F.col("price")
    return end / F.lag("price", since).over(series) - 1


def _ranked(raw: DataFrame) -> DataFrame:
    """Return features as ranks, -0.5 lowest to 0.5 highest, among the instruments with a value that day."""
    ranks = {name: _rank(name) for name in RANKED} | {"target": _rank("forward_return")}
    return raw.withColumns(ranks)


def _rank(name: str) -> Column:
    day = Window.partitionBy("date")
    count = F.count(name).over(day)
    # Missing values come last, so they move no rank; equal values share the lowest of their ranks.
    rank = F.rank().over(day.orderBy(F.col(name).asc_nulls_last()))
    share = F.when(count == 1, 0.0).otherwise((rank - 1) / (count - 1) - 0.5)
    return F.when(F.col(name).isNotNull(), share)
