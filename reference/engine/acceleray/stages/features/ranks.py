"""Features and target as ranks among the instruments of a day."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F


def ranked(raw: DataFrame, features: Sequence[str]) -> DataFrame:
    """Return features as ranks, and target, the rank of forward_return; forward_return stays as it is.

    A rank goes from -0.5 (lowest) to 0.5 among the instruments with a value that day, and is 0 for one alone.
    """
    ranks = {name: _rank(name) for name in features} | {"target": _rank("forward_return")}
    return raw.withColumns(ranks)


def _rank(name: str) -> Column:
    day = Window.partitionBy("date")
    count = F.count(name).over(day)
    # Missing values come last, so they move no rank; equal values share the lowest of their ranks.
    rank = F.rank().over(day.orderBy(F.col(name).asc_nulls_last()))
    share = F.when(count == 1, 0.0).otherwise((rank - 1) / (count - 1) - 0.5)
    return F.when(F.col(name).isNotNull(), share)
