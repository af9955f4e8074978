"""One small fit: a boosted model of 50 rounds on a few thousand rows, where no cluster is needed.

Spark's expert collects the rows and fits in the driver, with all its threads. Ray gives the fit to a worker:
what it adds is start-up and one thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from arena.opened import RaySide, SparkSide
from arena.side import Answer, Setting, Side

NAME = "small_fit"
TITLE = "One small fit (no cluster needed)"
SIZES: Mapping[str, Mapping[str, int]] = {
    "full": {"rows": 50_000, "features": 15, "rounds": 50},
    "small": {"rows": 5_000, "features": 15, "rounds": 20},
}
GROWTH: tuple[Mapping[str, int], ...] = ()
# Histograms are summed in another order by another number of threads.
TOLERANCE = 1e-3
TARGETS: Mapping[str, float] = {}

SEED, ROWS, SAMPLE = 20_240_302, "rows.parquet", 1_000
PARAMETERS: Mapping[str, Any] = {"tree_method": "hist", "max_depth": 3, "eta": 0.1, "base_score": 0.0}


def make(folder: Path, size: Mapping[str, int]) -> None:
    """Write simulated rows: the sum of two products of features, and noise."""
    generator = np.random.default_rng(SEED)
    # Few distinct values, so that every side finds the same bins.
    features = (generator.integers(-50, 51, (size["rows"], size["features"])) / 25).astype(np.float32)
    signal = features[:, 0] * features[:, 1] + features[:, 2] * features[:, 3]
    target = (signal + generator.standard_normal(size["rows"])).astype(np.float32)
    columns = {f"feature_{place:02d}": features[:, place] for place in range(size["features"])}
    pq.write_table(pa.table({"target": target} | columns), folder / ROWS)


def fitted(rows: pa.Table, rounds: int, threads: int) -> np.ndarray[Any, Any]:
    """Return the scores that a model of the rows gives the first of them: the same code on every side."""
    import xgboost

    names = [name for name in rows.column_names if name != "target"]
    features = np.column_stack([rows.column(name).to_numpy() for name in names])
    settings = {**PARAMETERS, "nthread": threads}
    matrix = xgboost.QuantileDMatrix(features, rows.column("target").to_numpy(), nthread=threads)
    booster = xgboost.train(settings, matrix, rounds)
    return np.asarray(booster.inplace_predict(features[:SAMPLE]), dtype=np.float64)


class Limit(Side):
    """One process: pyarrow reads, XGBoost fits."""

    def start(self, setting: Setting) -> None:
        """Import what is needed."""
        import xgboost

        assert xgboost.__version__
        self.setting = setting

    def run(self) -> Answer:
        """Read and fit."""
        rows = pq.read_table(self.setting.folder / ROWS)
        return {"scores": fitted(rows, self.setting.size["rounds"], self.setting.workers)}

    def stop(self) -> None:
        """Nothing is open."""


class Spark(SparkSide):
    """The rows collected as Arrow, the fit in the driver."""

    def run(self) -> Answer:
        """Read, collect and fit."""
        rows = self.spark.read.parquet(f"file://{(self.setting.folder / ROWS).as_posix()}").toArrow()
        return {"scores": fitted(rows, self.setting.size["rounds"], self.setting.workers)}


class Ray(RaySide):
    """A Ray task that reads and fits."""

    def run(self) -> Answer:
        """Ask one worker."""
        path, rounds = self.setting.folder / ROWS, self.setting.size["rounds"]
        return {"scores": next(iter(self.fan_out.map(fit_file, [path], rounds=rounds)))}


def fit_file(path: Path, rounds: int) -> np.ndarray[Any, Any]:
    """Return the scores of a model fitted on a file; runs on Ray, on one thread."""
    return fitted(pq.read_table(path, use_threads=False), rounds, 1)


SIDES: Mapping[str, type[Side]] = {"limit": Limit, "spark": Spark, "ray": Ray}
