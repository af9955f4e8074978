"""Prices of a file, or of a folder of files, as Spark's cells."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from acceleray.errors import PortfolioError
from acceleray.settings import Settings
from acceleray.stages.ingest.reading.delivery import CELLS, deliver
from acceleray.stages.ingest.reading.wishes import wishes_of
from acceleray.stages.ingest.received import Received


def from_file(spark: SparkSession, settings: Settings) -> Received:
    """Return the cells of the file or folder that `market_data.path` names.

    A relative path starts at the project folder. It is read here and not by Spark: Spark's workers may not
    see it, its reader skips a file called _prices.csv, takes prices[1].csv for a pattern, and shifts the
    cells of a line that has too few.

    Raises:
        PortfolioError: there is nothing to read, it is not prices, or it allows more than one reading.
    """
    data = settings.market_data
    if not data.path:
        raise PortfolioError("market_data.source is csv: set market_data.path to a file of prices.")
    found = deliver(settings.project_dir / Path(data.path).expanduser(), wishes_of(settings))
    # Dates are unique by now; one row each is all there is to check about them.
    rows = spark.createDataFrame(pa.table({"date": pa.array(found.days)})).select(
        F.lit(0).alias("line"),
        F.lit("").alias("instrument_id"),
        F.col("date").cast("string").alias("date_text"),
        "date",
    )
    cells = spark.createDataFrame(pa.Table.from_batches(found.batches(), CELLS))
    return Received(found.origin, rows, cells, found.instruments, found.understood)
