"""Joins and windows: volatility of every instrument by sector, where Spark is the right tool.

Simulated prices lie in files by date, as they arrive; a window by instrument needs them by instrument, so
rows must move between processes. Ray does it with Ray Data, its own library for tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import Window
from pyspark.sql import functions as F

from arena.opened import RaySide, SparkSide
from arena.side import Answer, Setting, Side

if TYPE_CHECKING:
    import pandas as pd

NAME = "etl"
TITLE = "Join and window (Spark should win here)"
SIZES: Mapping[str, Mapping[str, int]] = {
    "full": {"instruments": 800, "days": 2500},
    "small": {"instruments": 50, "days": 250},
}
GROWTH: tuple[Mapping[str, int], ...] = ()
# Variances are summed in other orders.
TOLERANCE = 1e-9
TARGETS: Mapping[str, float] = {}

SEED, FILES, SECTORS, WINDOW_D = 20_240_229, 16, 11, 21


def make(folder: Path, size: Mapping[str, int]) -> None:
    """Write simulated prices in files by date, and the sector of each instrument."""
    generator = np.random.default_rng(SEED)
    instruments, days = size["instruments"], size["days"]
    prices = 100.0 * np.exp(np.cumsum(0.01 * generator.standard_normal((days, instruments)), axis=0))
    (folder / "prices").mkdir()
    for number, some in enumerate(np.array_split(np.arange(days), FILES)):
        table = {
            "instrument": np.tile(np.arange(instruments), some.size),
            "day": np.repeat(some, instruments),
            "price": prices[some].ravel(),
        }
        pq.write_table(pa.table(table), folder / "prices" / f"part-{number:05d}.parquet")
    sectors = {"instrument": np.arange(instruments), "sector": np.arange(instruments) % SECTORS}
    pq.write_table(pa.table(sectors), folder / "sectors.parquet")


class Limit(Side):
    """One process: pandas."""

    def start(self, setting: Setting) -> None:
        """Remember where the inputs are."""
        self.setting = setting

    def run(self) -> Answer:
        """Read, join, sort, roll, group."""
        folder = self.setting.folder
        prices, sectors = (pq.read_table(folder / name).to_pandas() for name in ("prices", "sectors.parquet"))
        return answer(by_sector(volatility(prices), sectors))

    def stop(self) -> None:
        """Nothing is open."""


def volatility(prices: pd.DataFrame) -> pd.DataFrame:
    """Return the mean of the rolling standard deviation of returns of each instrument."""
    ordered = prices.sort_values(["instrument", "day"], kind="stable")
    returns = ordered.groupby("instrument")["price"].pct_change(fill_method=None)
    rolled = returns.groupby(ordered["instrument"]).rolling(WINDOW_D).std()
    return rolled.groupby(level=0).mean().rename("volatility").reset_index()


def by_sector(found: pd.DataFrame, sectors: pd.DataFrame) -> pd.DataFrame:
    """Return the mean of each sector."""
    joined = found.merge(sectors, on="instrument")
    return joined.groupby("sector", as_index=False)["volatility"].mean()


def answer(found: pd.DataFrame) -> Answer:
    """Return volatilities in the order of sectors."""
    return {"volatility": found.sort_values("sector")["volatility"].to_numpy()}


class Spark(SparkSide):
    """One query."""

    def run(self) -> Answer:
        """Read, roll, group, join."""
        folder = self.setting.folder
        prices, sectors = (
            self.spark.read.parquet(f"file://{folder / name}") for name in ("prices", "sectors.parquet")
        )
        ordered = Window.partitionBy("instrument").orderBy("day")
        returns = prices.withColumn("change", F.col("price") / F.lag("price").over(ordered) - 1.0)
        recent = ordered.rowsBetween(1 - WINDOW_D, 0)
        rolled = returns.select(
            "instrument",
            F.stddev("change").over(recent).alias("rolled"),
            F.count("change").over(recent).alias("known"),
        ).where(F.col("known") == WINDOW_D)
        each = rolled.groupBy("instrument").agg(F.mean("rolled").alias("volatility"))
        joined = each.join(F.broadcast(sectors), "instrument")
        found = joined.groupBy("sector").agg(F.mean("volatility").alias("volatility"))
        return answer(found.toPandas())


class Ray(RaySide):
    """Ray Data: groups are shuffled to where they are rolled."""

    def start(self, setting: Setting) -> None:
        """Open the engines; Ray Data draws no bars."""
        super().start(setting)
        import ray

        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        # Not more parts than make sense on this machine.
        context.default_hash_shuffle_parallelism = 4 * setting.workers

    def run(self) -> Answer:
        """Read, shuffle, roll, then join and group the few rows that are left."""
        import ray

        folder = self.setting.folder
        prices: Any = ray.data.read_parquet(str(folder / "prices"))
        found = prices.groupby("instrument").map_groups(volatility, batch_format="pandas").to_pandas()
        return answer(by_sector(found, pq.read_table(folder / "sectors.parquet").to_pandas()))


SIDES: Mapping[str, type[Side]] = {"limit": Limit, "spark": Spark, "ray": Ray}
