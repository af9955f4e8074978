"""Training: one boosted model of 100 rounds on Parquet rows, by one process or by one process a core.

Features have 201 distinct values, fewer than XGBoost has bins: then all sides split at the same points, and
what differs is the order in which the shards' histograms are added up (see `acceleray.quant.bins`).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from acceleray.engines.ray.training import Boosting, fit_on_shards, forget
from acceleray.quant import bins
from acceleray.quant.boosting import restored
from arena.opened import RaySide, SparkSide, local_state
from arena.side import Answer, Setting, Side

NAME = "training"
TITLE = "Training of one model"
SIZES: Mapping[str, Mapping[str, int]] = {
    "full": {"rows": 1_000_000, "features": 30, "rounds": 100},
    "small": {"rows": 50_000, "features": 30, "rounds": 20},
}
GROWTH: tuple[Mapping[str, int], ...] = (
    {"rows": 10_000, "features": 30, "rounds": 100},
    {"rows": 100_000, "features": 30, "rounds": 100},
    {"rows": 1_000_000, "features": 30, "rounds": 100},
)
TOLERANCE = bins.TOLERANCE
# One process is expected to win: the row is there to say so.
TARGETS: Mapping[str, float] = {}

SEED, FILES, SAMPLE = 20_240_301, 16, 10_000
ROWS = "rows"
PARAMETERS: Mapping[str, Any] = {
    "objective": "reg:squarederror",
    "tree_method": "hist",
    "max_depth": 6,
    "learning_rate": 0.1,
    "max_bin": 256,
    "base_score": 0.0,
}


@dataclass(frozen=True)
class Rows:
    """Features of shape (rows, features) and target of shape (rows,), both of single precision."""

    features: NDArray[np.float32]
    target: NDArray[np.float32]


def make(folder: Path, size: Mapping[str, int]) -> None:
    """Write simulated rows: products of features, and noise."""
    (folder / ROWS).mkdir(parents=True)
    names = feature_names(size)
    half = len(names) // 2
    bounds = np.linspace(0, size["rows"], FILES + 1).astype(int)
    for number, (first, last) in enumerate(pairwise(bounds)):
        generator = np.random.default_rng([SEED, number])
        features = (generator.integers(-100, 101, (last - first, len(names))) / 50).astype(np.float32)
        noise = generator.standard_normal(last - first)
        target = (features[:, :half] * features[:, half : 2 * half]).sum(axis=1) + noise
        columns = {"target": target.astype(np.float32)} | dict(zip(names, features.T, strict=True))
        pq.write_table(pa.table(columns), folder / ROWS / f"part-{number:05d}.parquet")


def feature_names(size: Mapping[str, int]) -> list[str]:
    """Return the names of the features in their order."""
    return [f"feature_{number:02d}" for number in range(size["features"])]


def read(setting: Setting) -> Rows:
    """Return all rows as arrays, a file at a time so that they are held once."""
    names = feature_names(setting.size)
    rows = Rows(np.empty((setting.size["rows"], len(names)), np.float32), np.empty(0, np.float32))
    targets, first = [], 0
    for path in sorted((setting.folder / ROWS).iterdir()):
        found = pq.read_table(path)
        for place, name in enumerate(names):
            rows.features[first : first + len(found), place] = found.column(name).to_numpy()
        targets.append(found.column("target").to_numpy())
        first += len(found)
    return Rows(rows.features, np.concatenate(targets))


def answer(booster: Any, setting: Setting) -> Answer:
    """Return the model's scores of some rows that are the same on every side."""
    shape = (SAMPLE, setting.size["features"])
    sample = (np.random.default_rng(SEED).integers(-100, 101, shape) / 50).astype(np.float32)
    scores = booster.inplace_predict(sample, validate_features=False)
    return {"scores": np.asarray(scores, dtype=np.float64)}


class Limit(Side):
    """XGBoost in one process with all its threads."""

    def start(self, setting: Setting) -> None:
        """Import what is needed."""
        import xgboost

        self.setting = setting
        self.xgboost = xgboost
        pa.set_cpu_count(setting.workers)

    def run(self) -> Answer:
        """Read, fit, and score the sample."""
        rows, names = read(self.setting), feature_names(self.setting.size)
        threads = {"nthread": self.setting.workers}
        matrix = self.xgboost.QuantileDMatrix(rows.features, rows.target, feature_names=names, **threads)
        booster = self.xgboost.train(PARAMETERS | threads, matrix, self.setting.size["rounds"])
        return answer(booster, self.setting)

    def stop(self) -> None:
        """Nothing is open."""


class SparkXgboost(SparkSide):
    """XGBoost's own estimator for Spark, a worker a core."""

    def start(self, setting: Setting) -> None:
        """Open Spark, and have it read a partition a worker, so that nothing is shuffled."""
        super().start(setting)
        total = sum(path.stat().st_size for path in (setting.folder / ROWS).iterdir())
        self.spark.conf.set("spark.sql.files.openCostInBytes", "0")
        self.spark.conf.set("spark.sql.files.minPartitionNum", str(setting.workers))
        self.spark.conf.set("spark.sql.files.maxPartitionBytes", str(2 * total // setting.workers))
        self.spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "100000")

    def run(self) -> Answer:
        """Fit where the rows are read, and score the sample in the driver."""
        from xgboost.collective import Config
        from xgboost.spark import SparkXGBRegressor

        size = self.setting.size
        rows = self.spark.read.parquet(f"file://{(self.setting.folder / ROWS).as_posix()}")
        regressor = SparkXGBRegressor(
            features_col=feature_names(size),
            label_col="target",
            num_workers=self.setting.workers,
            n_estimators=size["rounds"],
            coll_cfg=Config(tracker_host_ip=self.spark.conf.get("spark.driver.host")),
            verbosity=0,
            **{name: value for name, value in PARAMETERS.items() if name != "objective"},
        )
        return answer(regressor.fit(rows).get_booster(), self.setting)


class Ray(RaySide):
    """The project's training on Ray Train: a shard a core, the model kept at the end."""

    def run(self) -> Answer:
        """Read, share the rows, fit on shards, and score the sample."""
        size, settings = self.setting.size, local_state(self.setting)
        boosting = Boosting(
            parameters=PARAMETERS | {"nthread": 1},
            rounds=size["rounds"],
            names=tuple(feature_names(size)),
            shards=self.setting.workers,
            checkpoint_rounds=size["rounds"],
            # Another key each time: nothing of an earlier run is gone on with.
            key=f"benchmark-{uuid.uuid4().hex[:8]}",
        )
        fitted = fit_on_shards(settings, boosting, self.fan_out.share(read(self.setting)))
        forget(settings, boosting.key)
        return answer(restored(fitted.content), self.setting)


SIDES: Mapping[str, type[Side]] = {"limit": Limit, "spark_xgboost": SparkXgboost, "ray": Ray}
