"""Hand-off: a Delta table of 20 columns of doubles to NumPy arrays, in Ray workers or in the process itself.

Spark's sides end with arrays in the driver; what it would cost to send them on to workers is left out, in
Spark's favour. The values are multiples of 2^-30, so that their sums are exact in any order of rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from acceleray.engines.delta.lake import Lake
from acceleray.engines.handoff.selection import Selection
from acceleray.engines.handoff.ways import handed_over
from acceleray.engines.profiles import spark_alone
from acceleray.settings import Settings
from acceleray.tables.contract import Column, Table, quoted, source_column
from arena.memory import sampled
from arena.opened import RaySide, SparkSide, local_state, stated
from arena.side import Answer, Setting, Side

NAME = "handoff"
TITLE = "Hand-off, Delta table to NumPy arrays"
SIZES: Mapping[str, Mapping[str, int]] = {
    "full": {"rows": 5_000_000, "columns": 20},
    "small": {"rows": 250_000, "columns": 20},
}
GROWTH: tuple[Mapping[str, int], ...] = (
    {"rows": 50_000, "columns": 20},
    {"rows": 500_000, "columns": 20},
    {"rows": 5_000_000, "columns": 20},
)
# Nothing is rounded on any side.
TOLERANCE = 0.0
# What most code does; `toArrow`, which holds half as much, is a side too and has a ratio of its own.
AGAINST = "spark_topandas"
TARGETS: Mapping[str, float] = {"spark_ratio": 5.0, "limit_ratio": 1.5, "ray_staged_spark_ratio": 1.0}

# `make` writes them with a Spark session of its own, which only this machine has.
TABLES_ARE_FILES = True

SOURCE = "simulated"
# What Delta's own OPTIMIZE would leave is larger; Spark and Ray both like some files a core.
FILES = 16
GRID = 2**30


def table(size: Mapping[str, int]) -> Table:
    """Return the declaration of the table."""
    return Table(
        layer="silver",
        name="numbers",
        comment="Simulated numbers to be handed over.",
        scope="source",
        key=("source", "row"),
        columns=(
            source_column(),
            Column("row", "long", "Row"),
            *(Column(name, "double", "Uniform random number") for name in value_names(size)),
        ),
    )


def value_names(size: Mapping[str, int]) -> tuple[str, ...]:
    """Return the names of the columns of doubles."""
    return tuple(f"value_{number:02d}" for number in range(size["columns"]))


def make(folder: Path, size: Mapping[str, int]) -> None:
    """Write the Delta table, with Spark."""
    project = {"project": {"name": "benchmark", "customer": "benchmark"}, "project_dir": str(folder)}
    settings = stated(Settings.model_validate(project), folder)
    declared = table(size)
    with spark_alone(settings) as spark:
        lake = Lake(spark, settings)
        lake.open(declared)
        values = [
            (F.pmod(F.xxhash64("id", F.lit(seed)), F.lit(GRID)) / F.lit(float(GRID))).alias(name)
            for seed, name in enumerate(value_names(size))
        ]
        rows = spark.range(0, size["rows"], 1, FILES)
        chosen = rows.select(F.lit(SOURCE).alias("source"), F.col("id").alias("row"), *values)
        chosen.writeTo(lake.identifier(declared)).append()


class Limit(Side):
    """One process: pyarrow reads the table's files with all its threads, a file after the other."""

    def start(self, setting: Setting) -> None:
        """Find the files; nothing was deleted from the table, so all of them belong to it."""
        pa.set_cpu_count(setting.workers)
        self.names = list(value_names(setting.size))
        location = local_state(setting).state_dir / "warehouse" / "silver" / "numbers"
        self.paths = sorted(location.glob("*.parquet"))

    def run(self) -> Answer:
        """Hold one file at a time: what sums are made of need not stay."""
        return answer(sums(pq.read_table(path, columns=self.names)) for path in self.paths)

    def stop(self) -> None:
        """Nothing is open."""


class _SparkFrame(SparkSide):
    """Has the table's columns of doubles as a DataFrame."""

    def start(self, setting: Setting) -> None:
        """Open Spark and the table."""
        super().start(setting)
        # Frees Arrow's memory column by column while pandas takes it over.
        self.spark.conf.set("spark.sql.execution.arrow.pyspark.selfDestruct.enabled", "true")
        self.spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "100000")
        self.lake = Lake(self.spark, local_state(setting))

    def frame(self) -> DataFrame:
        """Return the columns of doubles of the newest version."""
        size = self.setting.size
        rows = self.lake.read(table(size), SOURCE, self.lake.version(table(size)))
        return rows.select(*[quoted(name) for name in value_names(size)])


class SparkToPandas(_SparkFrame):
    """`toPandas`, with Arrow."""

    def run(self) -> Answer:
        """Collect everything, then sum."""
        frame = self.frame().toPandas()
        totals = np.array([frame[name].to_numpy().sum() for name in frame.columns])
        return answer([(len(frame), totals)])


class SparkToArrow(_SparkFrame):
    """`toArrow`."""

    def run(self) -> Answer:
        """Collect everything, then sum."""
        return answer([sums(self.frame().toArrow())])


class Ray(RaySide):
    """The project's hand-off, the direct way: Ray tasks read the files of the pinned version."""

    way = "direct"

    def start(self, setting: Setting) -> None:
        """Open the engines and the table."""
        super().start(setting)
        settings = local_state(setting)
        chosen = settings.hand_off.model_copy(update={"way": self.way})
        self.settings = settings.model_copy(update={"hand_off": chosen})
        self.lake = Lake(self.spark, self.settings)

    def run(self) -> Answer:
        """Hand the newest version over and sum in the tasks."""
        declared = table(self.setting.size)
        names = value_names(self.setting.size)
        selection = Selection(declared, self.lake.version(declared), SOURCE, names)
        with handed_over(self.lake, selection, self.settings) as handed:
            return answer(done.result for done in handed.map(self.fan_out, sums))


class RayStaged(Ray):
    """The staged way: Spark writes the rows as Parquet, Ray tasks read that."""

    way = "staged"

    def start(self, setting: Setting) -> None:
        """Open the engines and the table."""
        super().start(setting)
        self._python_mb = self._java_mb = 0.0

    def run(self) -> Answer:
        """Hand the newest version over, and look at the driver's memory meanwhile."""
        with sampled(self._look):
            return super().run()

    def note(self) -> str:
        """Return the largest memory of the driver's two processes in all runs so far."""
        role = "JVM (driver and executor)" if self.settings.profile == "local" else "JVM"
        java = f"{role} {self._java_mb:,.0f} MB"
        return f"peak memory of the driver: Python {self._python_mb:,.0f} MB, {java}"

    def _look(self) -> None:
        # Executors of a cluster on this machine are Java as well, but not the driver's.
        java = psutil.Process(self.spark.sparkContext._gateway.proc.pid)
        self._java_mb = max(self._java_mb, java.memory_info().rss / 1e6)
        self._python_mb = max(self._python_mb, psutil.Process().memory_info().rss / 1e6)


def sums(rows: pa.Table) -> tuple[int, NDArray[np.float64]]:
    """Return the number of rows and the sum of each column, as an array of NumPy's."""
    return len(rows), np.array([np.asarray(column.to_numpy()).sum() for column in rows.columns])


def answer(parts: Iterable[tuple[int, NDArray[np.float64]]]) -> Answer:
    """Return rows and sums of all parts."""
    found = list(parts)
    totals = np.sum([part for _, part in found], axis=0)
    return {"rows": np.array([sum(rows for rows, _ in found)]), "sums": totals}


SIDES: Mapping[str, type[Side]] = {
    "limit": Limit,
    "spark_topandas": SparkToPandas,
    "spark_toarrow": SparkToArrow,
    "ray": Ray,
    "ray_staged": RayStaged,
}
