"""Prices from a project's own source: a function of the project that returns a Spark DataFrame."""

from __future__ import annotations

from pyspark.sql import DataFrame

from acceleray.engines.processes.signals import first_line
from acceleray.engines.spark.caching import computed_once
from acceleray.errors import PortfolioError
from acceleray.extend import PriceSource
from acceleray.runtime.run import Run
from acceleray.stages.ingest.as_delivered import as_delivered, keep_delivered
from acceleray.stages.ingest.frame import from_frame
from acceleray.stages.ingest.reading.wishes import wishes_of
from acceleray.stages.ingest.received import Received


def from_own(run: Run, source: PriceSource) -> Received:
    """Return the cells that a project's own source delivers, as text.

    Its rows are computed once and kept as they are: a service that is asked twice may answer differently.

    Raises:
        PortfolioError: the source raised, did not return a DataFrame, or its columns are no prices.
    """
    spark, settings = run.lake.spark, run.settings
    try:
        prices = (
            as_delivered(spark, settings) if settings.market_data.delivered else source.read(spark, settings)
        )
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
    rows = computed_once(prices, settings)
    if (kept := keep_delivered(rows, settings, source.name)) is not None:
        run.outside.append(kept)
    return from_frame(f"price source {source.name}", rows, source.name, wishes_of(settings))
