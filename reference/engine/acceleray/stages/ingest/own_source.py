"""Prices from a project's own source: a function of the project that returns a Spark DataFrame."""

from __future__ import annotations

from pyspark.sql import DataFrame, SparkSession

from acceleray.engines.processes.signals import first_line
from acceleray.engines.spark.kept import computed_once
from acceleray.errors import PortfolioError
from acceleray.extend import PriceSource
from acceleray.settings import Settings
from acceleray.stages.ingest.frame import from_frame
from acceleray.stages.ingest.reading.wishes import wishes_of
from acceleray.stages.ingest.received import Received


def from_own(spark: SparkSession, settings: Settings, source: PriceSource) -> Received:
    """Return the cells that a project's own source delivers, as text.

    Its rows are computed once: a service that is asked twice may answer differently.

    Raises:
        PortfolioError: the source raised, did not return a DataFrame, or its columns are no prices.
    """
    try:
        prices = source.read(spark, settings)
    except PortfolioError:
        raise
    except Exception as error:
        raise PortfolioError(
            f"Price source '{source.name}' cannot be read: {type(error).__name__}: {first_line(error)}."
        ) from error
    if not isinstance(prices, DataFrame):
        raise PortfolioError(
            f"Price source '{source.name}' returned {type(prices).__name__}; return a Spark DataFrame."
        )
    origin = f"price source {source.name}"
    return from_frame(origin, computed_once(prices, settings), source.name, wishes_of(settings))
