"""The prices that ship with skfolio: twenty S&P 500 stocks, 1990 to 2022."""

from __future__ import annotations

import pyarrow as pa
from pyspark.sql import SparkSession

from acceleray.stages.ingest.received import Received, from_wide


def from_sample(spark: SparkSession) -> Received:
    """Return the sample prices, each as the shortest text that reads back to the same number."""
    from skfolio.datasets import load_sp500_dataset

    prices = load_sp500_dataset()
    columns = [f"c{number}" for number in range(len(prices.columns))]
    texts: dict[str, list[str]] = {"date_text": prices.index.strftime("%Y-%m-%d").tolist()}
    for column, name in zip(columns, prices.columns, strict=True):
        # A missing price is an empty cell; NaN is the only number that differs from itself.
        texts[column] = [repr(price) if price == price else "" for price in prices[name].tolist()]
    return from_wide("the sample", spark.createDataFrame(pa.table(texts)), columns, list(prices.columns))
