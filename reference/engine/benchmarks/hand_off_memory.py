"""Measure how much memory the driver needs to hand a large Delta table from Spark to Ray.

Writes a table of random doubles into a temporary folder, hands it over by each way that bounds the driver's
memory (direct, staged) to Ray tasks that sum its columns, and prints what each way took. The Java heap of the
driver is 1 GB whatever the size; in profile local that Java executes as well, in profile cluster it does not.
Run it from the project:
`PYTHONPATH=src:engine .venv/bin/python engine/benchmarks/hand_off_memory.py --gb 4`.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from acceleray.engines.delta.lake import Lake
from acceleray.engines.handoff.selection import Selection
from acceleray.engines.handoff.ways import handed_over
from acceleray.engines.profiles import engines
from acceleray.engines.ray.fanout import FanOut
from acceleray.errors import PortfolioError
from acceleray.settings import Settings
from acceleray.tables.contract import Column, Table, source_column
from arena.memory import Roles, sampled

NAMES = tuple(f"value_{number:02d}" for number in range(20))
TABLE = Table(
    layer="silver",
    name="numbers",
    comment="Random numbers to be handed over.",
    scope="source",
    key=("source", "row"),
    columns=(
        source_column(),
        Column("row", "long", "Row"),
        *(Column(name, "double", "Uniform random number") for name in NAMES),
    ),
)
SOURCE = "random"
ROW_BYTES = 8 * (len(NAMES) + 1)


def main() -> None:
    """Write the table, hand it over each way, print one line for each."""
    options = parsed()
    folder = Path(tempfile.mkdtemp(prefix="hand-off-memory-", dir=options.folder))
    try:
        settings = Settings.model_validate(
            {
                "project": {"name": "hand-off", "customer": "benchmark"},
                "project_dir": str(folder),
                "profile": options.profile,
                "spark": {"driver_memory": options.heap},
                "ray": {"workers": options.workers, "object_store_mb": 128},
            }
        )
        with engines(settings) as (spark, fan_out):
            measure(spark, fan_out, settings, round(options.gb * 1e9 / ROW_BYTES), options.ways)
    except PortfolioError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(2)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def parsed() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(
        description="Measure the driver's memory while a large Delta table goes from Spark to Ray.",
        epilog="Needs about three times --gb of free disk; everything written is removed at the end.",
    )
    parser.add_argument("--gb", type=float, default=1.0, help="size of the table in memory (default: 1)")
    parser.add_argument("--heap", default="1g", help="Java heap of the driver (default: 1g)")
    parser.add_argument(
        "--profile",
        choices=("local", "cluster"),
        default="local",
        help="where Spark executes: the driver's own Java, or executors (default: %(default)s)",
    )
    parser.add_argument(
        "--workers", type=int, default=0, help="Ray workers in profile local (default: all processors)"
    )
    parser.add_argument("--folder", type=Path, help="where the temporary folder goes (default: the system's)")
    parser.add_argument(
        "--ways",
        nargs="+",
        choices=("direct", "staged", "small"),
        default=("direct", "staged"),
        help="ways to measure; small goes through the driver and holds everything (default: direct staged)",
    )
    return parser.parse_args()


def measure(spark: SparkSession, fan_out: FanOut, settings: Settings, rows: int, ways: list[str]) -> None:
    """Print a table of what writing and each way took."""
    lake = Lake(spark, settings)
    java_pid = spark.sparkContext._gateway.proc.pid
    print(f"{'':10}{'rows':>12}{'GB':>7}{'seconds':>9}{'Python GB':>11}{'Java GB':>9}{'worker GB':>11}")
    with timed("write", rows, java_pid):
        lake.open(TABLE)
        numbers(spark, rows).writeTo(lake.identifier(TABLE)).append()
    # The order of summation differs between the ways only by where files end.
    totals = {}
    for way in ways:
        chosen = settings.model_copy(update={"hand_off": settings.hand_off.model_copy(update={"way": way})})
        selection = Selection(TABLE, lake.version(TABLE), SOURCE, ("row", *NAMES))
        with timed(way, rows, java_pid), handed_over(lake, selection, chosen) as handed:
            totals[way] = np.sum([done.result for done in handed.map(fan_out, sums)], axis=0)
    expected = rows * (rows - 1) / 2
    for way, total in totals.items():
        if total[0] != expected or not np.allclose(total, next(iter(totals.values())), rtol=1e-9):
            sys.exit(f"{way} gave other sums: {total}")


def numbers(spark: SparkSession, rows: int) -> DataFrame:
    """Return rows of hash-based doubles between 0 and 1."""
    uniform = [
        (F.abs(F.xxhash64("id", F.lit(seed))) / F.lit(2.0**63)).alias(name) for seed, name in enumerate(NAMES)
    ]
    # Small partitions: each writer holds one row group in the driver's heap.
    parts = max(2, round(rows * ROW_BYTES / 64e6))
    return spark.range(0, rows, 1, parts).select(
        F.lit(SOURCE).alias("source"), F.col("id").alias("row"), *uniform
    )


def sums(rows: pa.Table) -> list[float]:
    """Return the sum of each column of one fragment."""
    return [pc.sum(column).as_py() for column in rows.columns]


@contextmanager
def timed(label: str, rows: int, java_pid: int) -> Iterator[None]:
    """Print a line with seconds and peak memory when the block ends."""
    peak, started = Roles(java_pid), time.monotonic()
    with sampled(peak.look):
        yield
    seconds, size = time.monotonic() - started, rows * ROW_BYTES / 1e9
    memory = f"{peak.python_mb / 1e3:>11.2f}{peak.java_mb / 1e3:>9.2f}{peak.worker_mb / 1e3:>11.2f}"
    print(f"{label:10}{rows:>12,}{size:>7.2f}{seconds:>9.1f}{memory}", flush=True)


if __name__ == "__main__":
    main()
