"""Prices that nobody ever paid: a universe of any size, simulated from the sample and always called that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyspark.sql import SparkSession

from acceleray.quant.universe import OneFactorModel, Plan, market_path, one_factor_model, price_path
from acceleray.settings import Settings
from acceleray.stages.ingest.grouped import Grouped, Here, cells_of, few
from acceleray.stages.ingest.received import Received
from acceleray.stages.ingest.shipped import sample_prices

# The last business day of the year in which the sample ends.
LAST_DAY = "2022-12-30"
# As fine as prices are accepted; and the last bits of a computed price may differ between processors.
_DECIMALS = 6
# Instruments that one Spark task simulates: a few seconds, and a task holds one of them at a time.
_PER_TASK = 250
_ORIGIN = "the simulated universe"


def from_simulation(spark: SparkSession, settings: Settings) -> Received:
    """Return the simulated prices that `universe` and `seed` describe; Spark computes very many.

    The returns of an instrument depend on its number only, not on the number of instruments or the process.
    Days are Monday to Friday and end on `LAST_DAY`.
    """
    size = settings.universe
    model = one_factor_model(sample_prices().to_numpy())
    plan = Plan(size.days, size.transient_share, size.half_life_d, settings.seed)
    market = market_path(model, plan)
    days = business_days(size.days)

    def simulate(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
        for batch in batches:
            for number in batch.column(0).to_pylist():
                yield _cells(model, plan, market, days, number)

    if few(size.instruments * size.days):
        cells = (_cells(model, plan, market, days, number) for number in range(size.instruments))
        return Received(_ORIGIN, None, Here(tuple(cells)))
    tasks = max(settings.spark.shuffle_partitions, -(-size.instruments // _PER_TASK))
    numbers = spark.range(0, size.instruments, 1, tasks)
    # Dates are unique by construction: there is nothing to check about them.
    return Received(_ORIGIN, None, Grouped(numbers, simulate))


def business_days(count: int) -> NDArray[np.datetime64]:
    """Return the last `count` days from Monday to Friday up to `LAST_DAY`, ascending."""
    last = np.datetime64(LAST_DAY, "D")
    return np.asarray(np.busday_offset(last, np.arange(1 - count, 1)), dtype="datetime64[D]")


def instrument_name(number: int) -> str:
    """Return the name of a simulated instrument, which says what it is."""
    return f"SIM-{number + 1:06d}"


def _cells(
    model: OneFactorModel,
    plan: Plan,
    market: NDArray[np.float64],
    days: NDArray[np.datetime64],
    number: int,
) -> pa.Table:
    prices = np.round(price_path(model, plan, market, number), _DECIMALS)
    # The shortest text that reads back to the same number, as in every other source.
    return cells_of(instrument_name(number), pa.array(days), pc.cast(pa.array(prices), pa.string()))
