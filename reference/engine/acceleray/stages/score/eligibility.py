"""Which rows of features are to be scored, and what cannot be, with the reason: decided by Spark alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from acceleray.runtime.run import Run
from acceleray.tables import PRICES

# A feature is a rank among the instruments of a day.
LOWEST, HIGHEST = -0.5, 0.5


@dataclass(frozen=True)
class Window:
    """The dates that count, up to `last`: rows from `first` on, and newest rows not older than `oldest`."""

    first: date
    oldest: date
    last: date
    stale_after_d: int


def wanted(run: Run, window: Window) -> DataFrame:
    """Return one row for each instrument with a price up to the as-of date: what of it is to be scored.

    Columns: instrument_id; last_price, date of it; since, date from which on its feature rows are scored,
    NULL if there is none; feature_rows, how many these are; reason why there is none, NULL otherwise.

    An instrument without a row in the window is scored by its newest row, if that is young enough.
    """
    until = f"date <= DATE'{window.last}'"
    priced = run.read(PRICES, until).groupBy("instrument_id").agg(F.max("date").alias("last_price"))
    inside = F.col("date") >= F.lit(window.first)
    rows = run.read(run.project.features_table(), until).groupBy("instrument_id")
    known = rows.agg(F.max("date").alias("newest"), F.count_if(inside).alias("inside"))
    arithmetic = F.col("instrument_id").isin(list(run.settings.market_data.arithmetic))
    since = F.when(F.col("inside") > 0, F.lit(window.first)).when(
        F.col("newest") >= F.lit(window.oldest), F.col("newest")
    )
    return (
        priced.join(known, "instrument_id", "left")
        .withColumn("since", since)
        .withColumn("feature_rows", F.when(F.col("since").isNotNull(), F.greatest("inside", F.lit(1))))
        .withColumn("reason", F.when(F.col("since").isNull(), _without_rows(window, arithmetic)))
        .select("instrument_id", "last_price", "since", "feature_rows", "reason")
    )


def quarantined(run: Run, plan: DataFrame, window: Window, least: date) -> DataFrame:
    """Return instrument_id, feature_date and reason of all that cannot be scored.

    These are instruments without a row, and rows that break the contract of features. `least` is the first
    date from which on any instrument is wanted: of ten years of rows Spark reads those of a day.
    """
    none = plan.where("since IS NULL").select(
        "instrument_id", F.col("last_price").alias("feature_date"), "reason"
    )
    rows = run.read(run.project.features_table(), f"date BETWEEN DATE'{least}' AND DATE'{window.last}'")
    # Nothing else of it is needed, and a feature may have any name.
    rows = rows.select("instrument_id", "date", broken(run.project.feature_names()).alias("broken"))
    rows = rows.where("broken IS NOT NULL").join(
        F.broadcast(plan.where("since IS NOT NULL")), "instrument_id"
    )
    rows = rows.where("date >= since")
    return none.union(rows.select("instrument_id", "date", "broken"))


def broken(names: Sequence[str]) -> Column:
    """Return what is wrong with a row of the named features, NULL if nothing: a value that is no rank.

    A value that is missing is no fault: the model knows what to do without it.
    """
    faults = []
    for name in names:
        value = F.col(name)
        outside = ~F.isnan(value) & ~value.between(LOWEST, HIGHEST)
        text = F.concat(
            F.lit(f"{name} is "), value.cast("string"), F.lit(f", not from {LOWEST} to {HIGHEST}")
        )
        faults.append(F.when(outside, text))
    return F.coalesce(*faults)


def _without_rows(window: Window, arithmetic: Column) -> Column:
    ended = F.concat(
        F.lit("ended on "),
        F.col("last_price").cast("string"),
        F.lit(f": no price for more than {window.stale_after_d} trading days"),
    )
    stopped = F.concat(F.lit("its features ended on "), F.col("newest").cast("string"))
    return (
        F.when(F.col("last_price") < F.lit(window.oldest), ended)
        .when(arithmetic, F.lit("no features: its prices change arithmetically"))
        .when(F.col("newest").isNull(), F.lit("no features: its history is too short"))
        .otherwise(stopped)
    )
