"""Tuning: time to the same rank IC, with trials that are stopped early and with trials that are not.

Every side tries as many proposals for the product's own trial: a model for each walk-forward fold, judged
every few rounds on simulated examples with a planted signal. Sides that run trials to the end are given the
very proposals that the product's search makes, so that what they find is at least as good; sides with an
Optuna of their own propose with the sampler of the product, and stop by successive halving and patience too.
"""

from __future__ import annotations

from collections.abc import Mapping

from arena.side import Side
from works.tuning.optuna_on_spark import SparkJournal, SparkMlflow
from works.tuning.problem import make
from works.tuning.search import Ray
from works.tuning.to_the_end import Limit, SparkFull

__all__ = ["GROWTH", "NAME", "SIDES", "SIZES", "TARGETS", "TITLE", "TOLERANCE", "make"]

NAME = "tuning"
TITLE = "Tuning to the same rank IC"
SIZES: Mapping[str, Mapping[str, int]] = {
    "full": {"trials": 60, "rounds": 300, "instruments": 50, "days": 1000},
    "small": {"trials": 6, "rounds": 40, "instruments": 20, "days": 300},
}
GROWTH: tuple[Mapping[str, int], ...] = (
    {"trials": 20, "rounds": 300, "instruments": 50, "days": 1000},
    {"trials": 60, "rounds": 300, "instruments": 50, "days": 1000},
    {"trials": 200, "rounds": 300, "instruments": 50, "days": 1000},
)
# In rank IC. Searches that learn in another order propose other trials; see `problem.make` for its error.
TOLERANCE = 0.003
# Against trials run to the end, against MLflow's study, and against the better of the two studies on Spark.
TARGETS: Mapping[str, float] = {"spark_full_ratio": 3.0, "spark_mlflow_ratio": 1.0, "spark_ratio": 1.0}
# What a user of MLflow would pick instead of a search of the engine's own.
USUAL = "spark_mlflow"

SIDES: Mapping[str, type[Side]] = {
    "limit": Limit,
    "spark_full": SparkFull,
    "spark_mlflow": SparkMlflow,
    "spark_journal": SparkJournal,
    "ray": Ray,
}
