"""A cheap stateless map from Delta to Delta: one expression a row; moving rows costs more than the work.

A governed table is committed by Spark. Through Ray, rows leave Spark, are written to a stage and come back.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyspark.sql import functions as F

from arena.opened import RaySide, SparkSide
from arena.side import Answer, Setting, Side

NAME = "cheap_map"
TITLE = "Cheap map, Delta to Delta (Spark should win here)"
SIZES: Mapping[str, Mapping[str, int]] = {"full": {"rows": 5_000_000}, "small": {"rows": 100_000}}
GROWTH: tuple[Mapping[str, int], ...] = ()
# Sums of a million values in other orders.
TOLERANCE = 1e-5
TARGETS: Mapping[str, float] = {}

SEED, FILES = 20_240_229, 16


def make(folder: Path, size: Mapping[str, int]) -> None:
    """Write simulated rows."""
    (folder / "rows").mkdir()
    for number, some in enumerate(np.array_split(np.arange(size["rows"]), FILES)):
        values = np.random.default_rng([SEED, number]).standard_normal(some.size)
        pq.write_table(
            pa.table({"key": some, "value": values}), folder / "rows" / f"part-{number:05d}.parquet"
        )


def mapped(rows: pa.Table) -> pa.Table:
    """Return key and the square of the value."""
    return pa.table({"key": rows["key"], "value": pc.multiply(rows["value"], rows["value"])})


def emptied(folder: Path) -> Path:
    """Return the folder, empty."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


class Limit(Side):
    """One process that reads and writes Parquet; nothing governs its files."""

    def start(self, setting: Setting) -> None:
        """Remember where the inputs are."""
        self.setting = setting

    def run(self) -> Answer:
        """Map a file after the other."""
        folder = emptied(self.setting.folder / "out" / "limit")
        for path in sorted((self.setting.folder / "rows").iterdir()):
            pq.write_table(mapped(pq.read_table(path)), folder / path.name)
        found = pq.read_table(folder)
        return {"rows": np.array([len(found)]), "sum": np.array([pc.sum(found["value"]).as_py()])}

    def stop(self) -> None:
        """Nothing is open."""


class Spark(SparkSide):
    """One expression of Spark's own."""

    def start(self, setting: Setting) -> None:
        """Open Spark and write the input as a Delta table."""
        super().start(setting)
        given(self)

    def run(self) -> Answer:
        """Read, map, commit."""
        rows = self.spark.read.format("delta").load(address(self, "given"))
        made = rows.select("key", (F.col("value") * F.col("value")).alias("value"))
        made.write.format("delta").mode("overwrite").save(address(self, "made"))
        return checked(self)


class Ray(RaySide):
    """Ray tasks read the table's files and write a stage, which Spark commits."""

    def start(self, setting: Setting) -> None:
        """Open the engines and write the input as a Delta table."""
        super().start(setting)
        given(self)

    def run(self) -> Answer:
        """Ask Spark for the files, map each on Ray, commit what came back."""
        files = self.spark.read.format("delta").load(address(self, "given")).inputFiles()
        stage = emptied(self.setting.folder / "out" / "stage")
        list(self.fan_out.map(map_file, [unquote(urlsplit(file).path) for file in files], folder=stage))
        made = self.spark.read.parquet(f"file://{stage}")
        made.write.format("delta").mode("overwrite").save(address(self, "made"))
        return checked(self)


def map_file(path: str, folder: Path) -> int:
    """Write one file of the stage; runs on Ray."""
    rows = mapped(pq.read_table(path, columns=["key", "value"], use_threads=False, partitioning=None))
    pq.write_table(rows, folder / Path(path).name)
    return len(rows)


def address(side: SparkSide | RaySide, name: str) -> str:
    """Return where a Delta table of a side is."""
    return f"file://{side.setting.folder / 'out' / type(side).__name__ / name}"


def given(side: SparkSide | RaySide) -> None:
    """Write the input as a Delta table."""
    rows = side.spark.read.parquet(f"file://{side.setting.folder / 'rows'}")
    rows.write.format("delta").mode("overwrite").save(address(side, "given"))


def checked(side: SparkSide | RaySide) -> Answer:
    """Return count and sum of what was committed."""
    found = side.spark.read.format("delta").load(address(side, "made"))
    row = found.agg(F.count("*").alias("rows"), F.sum("value").alias("total")).toPandas()
    return {"rows": row["rows"].to_numpy(), "sum": row["total"].to_numpy()}


SIDES: Mapping[str, type[Side]] = {"limit": Limit, "spark": Spark, "ray": Ray}
