"""Prices of a file, or of a folder of files, as Spark's cells."""

from __future__ import annotations

from pathlib import Path

from pyspark.sql import SparkSession

from acceleray.errors import PortfolioError
from acceleray.settings import Settings
from acceleray.stages.ingest.grouped import Grouped, Here, few, packed
from acceleray.stages.ingest.reading.delivery import deliver
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
    prices: Here | Grouped
    if few(sum(block.days.size for block in found.blocks)):
        prices = Here(tuple(cells for _, cells in found.by_instrument()))
    else:
        prices = packed(spark, found.by_instrument(), settings.spark.shuffle_partitions)
    # Dates are unique by now: nothing is left to check about them.
    return Received(found.origin, None, prices, found.instruments, found.understood)
