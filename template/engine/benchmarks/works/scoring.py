"""Batch scoring: 200 trees over Parquet rows, to Parquet with key and score.

Features are doubles, as in every table of the project. All sides predict with `predict`: rows of single
precision, in place, without a matrix of XGBoost's own, which would cost as much as the trees.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pyspark.sql import functions as F

from arena.opened import RaySide, SparkSide
from arena.side import Answer, Setting, Side

NAME = "scoring"
TITLE = "Batch scoring, Parquet to Parquet"
SIZES: Mapping[str, Mapping[str, int]] = {
    "full": {"rows": 2_000_000, "features": 30, "trees": 200},
    "small": {"rows": 100_000, "features": 30, "trees": 50},
}
GROWTH: tuple[Mapping[str, int], ...] = (
    {"rows": 20_000, "features": 30, "trees": 200},
    {"rows": 200_000, "features": 30, "trees": 200},
    {"rows": 2_000_000, "features": 30, "trees": 200},
)
# Scores are of single precision, and each is the sum of the same leaves in the same order: equal bits. What
# may differ is the last digit of the sums of a block, with the order of its rows.
TOLERANCE = 1e-6
TARGETS: Mapping[str, float] = {"spark_ratio": 2.5, "limit_ratio": 0.8}

SEED, FILES, BLOCKS, SAMPLE = 20_240_229, 16, 16, 1_000
# Rows predicted at once: few enough that their matrix stays in the cache next to the trees.
TOGETHER = 16_384
ROWS, MODEL, LOGGED = "rows", "model.ubj", "logged_model"


def make(folder: Path, size: Mapping[str, int]) -> None:
    """Write simulated rows, a model fitted on some of them, and the same model as MLflow keeps it."""
    import mlflow.xgboost
    import xgboost

    (folder / ROWS).mkdir(parents=True)
    names = feature_names(size["features"])
    bounds = np.linspace(0, size["rows"], FILES + 1).astype(int)
    for number, (first, last) in enumerate(pairwise(bounds)):
        features = np.random.default_rng([SEED, number]).standard_normal((last - first, len(names)))
        columns = {"key": np.arange(first, last)} | dict(zip(names, features.T, strict=True))
        pq.write_table(pa.table(columns), folder / ROWS / f"part-{number:05d}.parquet")
    draws = np.random.default_rng(SEED).standard_normal((100_000, len(names))).astype(np.float32)
    half = len(names) // 2
    target = (draws[:, :half] * draws[:, half : 2 * half]).sum(axis=1)
    parameters = {"max_depth": 6, "eta": 0.1, "base_score": 0.0, "seed": SEED}
    matrix = xgboost.QuantileDMatrix(draws, target, feature_names=names)
    xgboost.train(parameters, matrix, size["trees"]).save_model(folder / MODEL)
    # Of the two kinds that MLflow keeps, this one predicts in place.
    regressor = xgboost.XGBRegressor()
    regressor.load_model(folder / MODEL)
    mlflow.xgboost.save_model(regressor, folder / LOGGED, model_format="ubj", pip_requirements=[])


def feature_names(features: int) -> list[str]:
    """Return the names of the features in their order."""
    return [f"feature_{number:02d}" for number in range(features)]


@lru_cache(maxsize=1)
def booster_of(model: bytes, threads: int) -> Any:
    """Return the booster of these bytes; a worker process makes it once."""
    import xgboost

    booster = xgboost.Booster(model_file=bytearray(model))
    booster.set_param({"nthread": threads})
    return booster


def predict(booster: Any, rows: pa.Table | pa.RecordBatch, names: list[str]) -> NDArray[np.float32]:
    """Return the score of each row: the same code on every side."""
    scores = [np.zeros(0, np.float32)]
    for first in range(0, len(rows), TOGETHER):
        some = rows.slice(first, TOGETHER)
        features = np.empty((len(some), len(names)), np.float32)
        for place, name in enumerate(names):
            features[:, place] = some.column(name).to_numpy()
        scores.append(booster.inplace_predict(features, validate_features=False))
    return np.concatenate(scores)


def emptied(setting: Setting, name: str) -> Path:
    """Return a new empty folder for the scores of one side."""
    folder = setting.folder / "out" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def answer(folder: Path, size: Mapping[str, int]) -> Answer:
    """Return what all files of scores hold: rows, the sum of each block of keys, and some scores."""
    found = pq.read_table(folder, columns=["key", "score"])
    keys, scores = found.column("key").to_numpy(), found.column("score").to_numpy()
    every = max(1, size["rows"] // SAMPLE)
    sampled = keys % every == 0
    order = np.argsort(keys[sampled])
    return {
        "rows": np.array([len(keys)]),
        "sums": np.bincount(keys * BLOCKS // size["rows"], weights=scores, minlength=BLOCKS),
        "sample": scores[sampled][order].astype(np.float64),
    }


class Limit(Side):
    """One process: pyarrow reads, XGBoost predicts with all its threads, pyarrow writes."""

    def start(self, setting: Setting) -> None:
        """Import what is needed and load the model."""
        self.setting = setting
        self.names = feature_names(setting.size["features"])
        pa.set_cpu_count(setting.workers)
        self.booster = booster_of((setting.folder / MODEL).read_bytes(), setting.workers)

    def run(self) -> Answer:
        """Score a file after the other, so that memory stays small."""
        folder = emptied(self.setting, "limit")
        for path in sorted((self.setting.folder / ROWS).iterdir()):
            rows = pq.read_table(path)
            write(folder / path.name, rows.column("key"), predict(self.booster, rows, self.names))
        return answer(folder, self.setting.size)

    def stop(self) -> None:
        """Nothing is open."""


class SparkMapInArrow(SparkSide):
    """Spark reads and writes; Python workers are given Arrow batches and have the model by broadcast."""

    def start(self, setting: Setting) -> None:
        """Open Spark and broadcast the model."""
        super().start(setting)
        tuned(self)
        self.model = self.spark.sparkContext.broadcast((setting.folder / MODEL).read_bytes())

    def run(self) -> Answer:
        """Read, score and write in one pass."""
        folder = emptied(self.setting, "spark_map_in_arrow")
        model, names = self.model, feature_names(self.setting.size["features"])

        def score(batches: Iterator[pa.RecordBatch]) -> Iterable[pa.RecordBatch]:
            booster = booster_of(model.value, 1)
            for batch in batches:
                found = [batch.column("key"), pa.array(predict(booster, batch, names))]
                yield pa.RecordBatch.from_arrays(found, ["key", "score"])

        rows = self.spark.read.parquet(uri(self.setting.folder / ROWS))
        scored = rows.mapInArrow(score, "key long, score float")
        scored.write.mode("append").parquet(uri(folder))
        return answer(folder, self.setting.size)


class SparkUdf(SparkSide):
    """The model as MLflow makes a function of Spark's from it."""

    def start(self, setting: Setting) -> None:
        """Open Spark and make the function."""
        import mlflow.pyfunc

        super().start(setting)
        tuned(self)
        logged = str(setting.folder / LOGGED)
        self.function = mlflow.pyfunc.spark_udf(self.spark, logged, result_type="float", env_manager="local")

    def run(self) -> Answer:
        """Read, score and write in one pass."""
        folder = emptied(self.setting, "spark_udf")
        rows = self.spark.read.parquet(uri(self.setting.folder / ROWS))
        names = feature_names(self.setting.size["features"])
        # As one structure, because the model refuses columns that have lost their names.
        scored = rows.select("key", self.function(F.struct(*names)).alias("score"))
        scored.write.mode("append").parquet(uri(folder))
        return answer(folder, self.setting.size)


class Ray(RaySide):
    """Ray tasks read, score and write a file each; the model is shared."""

    def start(self, setting: Setting) -> None:
        """Open the engines and share the model."""
        super().start(setting)
        self.model = self.fan_out.share((setting.folder / MODEL).read_bytes())

    def run(self) -> Answer:
        """Score all files, as many at once as there are workers."""
        folder = emptied(self.setting, "ray")
        paths = sorted((self.setting.folder / ROWS).iterdir())
        names = feature_names(self.setting.size["features"])
        list(self.fan_out.map(score_file, paths, shared=(self.model,), folder=folder, names=names))
        return answer(folder, self.setting.size)


def score_file(path: Path, model: bytes, folder: Path, names: list[str]) -> int:
    """Write the scores of one file and return how many rows it has; runs on Ray, on one thread."""
    rows = pq.read_table(path, use_threads=False)
    write(folder / path.name, rows.column("key"), predict(booster_of(model, 1), rows, names))
    return len(rows)


def write(path: Path, keys: pa.ChunkedArray, scores: NDArray[np.float32]) -> None:
    """Write keys and scores as one file."""
    # Neither repeats: a dictionary of them would be made and thrown away.
    pq.write_table(pa.table({"key": keys, "score": scores}), path, use_dictionary=False)


def tuned(side: SparkSide) -> None:
    """Give Spark partitions of one file each, and batches as large as what is predicted at once."""
    largest = max(path.stat().st_size for path in (side.setting.folder / ROWS).iterdir())
    options = {
        "spark.sql.files.maxPartitionBytes": str(largest + 1),
        "spark.sql.files.openCostInBytes": str(largest),
        "spark.sql.execution.arrow.maxRecordsPerBatch": str(TOGETHER),
    }
    for name, value in options.items():
        side.spark.conf.set(name, value)


def uri(path: Path) -> str:
    """Return a path as Spark takes it."""
    return f"file://{path.as_posix()}"


SIDES: Mapping[str, type[Side]] = {
    "limit": Limit,
    "spark_map_in_arrow": SparkMapInArrow,
    "spark_udf": SparkUdf,
    "ray": Ray,
}
