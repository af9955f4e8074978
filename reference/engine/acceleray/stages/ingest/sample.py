"""The prices that ship with skfolio: twenty S&P 500 stocks, 1990 to 2022."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
from pyspark.sql import SparkSession

from acceleray.stages.ingest.grouped import cells_of, packed
from acceleray.stages.ingest.received import Received


def from_sample(spark: SparkSession) -> Received:
    """Return the sample prices, each as the shortest text that reads back to the same number."""
    from skfolio.datasets import load_sp500_dataset

    prices = load_sp500_dataset()
    days = pa.array(prices.index.to_numpy().astype("datetime64[D]"))

    def cells() -> Iterator[tuple[str, pa.Table]]:
        for name in prices.columns:
            # A missing price is an empty cell; NaN is the only number that differs from itself.
            texts = pa.array([repr(price) if price == price else None for price in prices[name].tolist()])
            kept = texts.is_valid()
            yield name, cells_of(name, days.filter(kept), texts.filter(kept))

    # A data set of daily closes: its dates are unique.
    return Received("the sample", None, packed(spark, cells(), 2), tuple(prices.columns))
