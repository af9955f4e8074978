"""What-if questions: 20 trades and 20 candidates for a hedge, on a million scenarios that stay in memory.

All sides answer with the same code, block by block; they differ in where the blocks are and in how a look at
all of them is started. Scenarios lie in memory before the clock runs: in Ray's object store; in the cache of
Spark's executors, column by column, so that a look reads what it needs; or in files that Python workers of
Spark map into memory, which works where all of them see one folder.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Mapping
from dataclasses import replace
from multiprocessing.pool import Pool
from typing import Any

import numpy as np

from acceleray.compiled import DEFAULT_FOLDER
from acceleray.engines.processes.cleanup import process_environment
from acceleray.engines.ray.environment import ONE_THREAD
from acceleray.stages.what_if.drawn import Kept, Resident
from acceleray.stages.what_if.found import Found
from arena.opened import RaySide, SparkSide
from arena.side import Answer, Setting, Side
from works.what_if_blocks import (
    HORIZON_D,
    LEVELS,
    WEIGHTS,
    CachedBlocks,
    MappedBlocks,
    PoolBlocks,
    StoreBlocks,
    make,
    questions,
)

# What the arena asks of a work; data are made by the module of blocks.
__all__ = ["GROWTH", "NAME", "SIDES", "SIZES", "TARGETS", "TITLE", "TOLERANCE", "USUAL", "make"]

NAME = "what_if"
TITLE = "What-if questions on scenarios in memory"
SIZES: Mapping[str, Mapping[str, int]] = {
    "full": {"scenarios": 1_000_000, "instruments": 200, "questions": 10},
    "small": {"scenarios": 100_000, "instruments": 50, "questions": 3},
}
GROWTH: tuple[Mapping[str, int], ...] = ()
# The same code on the same blocks; arrays that are not aligned alike may differ in a last bit.
TOLERANCE = 1e-9
TARGETS: Mapping[str, float] = {}
# Caching is the usual choice in Spark; mapped files are faster, where every worker sees one folder.
USUAL = "spark_cached"


class Desk:
    """A portfolio, its scenarios in memory, and questions about it."""

    def __init__(self, setting: Setting, blocks: Any) -> None:
        """Keep the portfolio's losses and risk, as a session does when it opens."""
        weights = np.load(setting.folder / WEIGHTS)
        self._resident = Resident(blocks, HORIZON_D, LEVELS, DEFAULT_FOLDER)
        self._kept: Kept = self._resident.keep(weights)
        self._questions = questions(weights, setting.size["questions"])

    def answers(self) -> Answer:
        """Return the answers to all questions, one after the other."""
        found: list[Found] = [
            self._resident.answer(self._kept, asked, lambda: None)[0] for asked in self._questions
        ]
        measures = [each.after.measures for each in found]
        return {
            "value_at_risk": np.array([each.value_at_risk for each in measures]),
            "expected_shortfall": np.array([each.expected_shortfall for each in measures]),
            "contributions": np.array([each.after.expected_shortfall for each in found]),
            "incremental": np.array([each.incremental for each in found]),
            "hedged": np.array([[one.expected_shortfall for one in each.hedges] for each in found]),
        }


class Limit(Side):
    """Processes that map files into memory."""

    def start(self, setting: Setting) -> None:
        """Start the processes, and look at every block once."""
        with process_environment(ONE_THREAD):
            # Started afresh, because only then do libraries read how many threads they may use.
            self._pool: Pool = multiprocessing.get_context("spawn").Pool(setting.workers)
        self._desk = Desk(setting, PoolBlocks(setting, self._pool))

    def run(self) -> Answer:
        """Answer all questions."""
        return self._desk.answers()

    def stop(self) -> None:
        """End the processes."""
        self._pool.terminate()
        self._pool.join()


class SparkCached(SparkSide):
    """Scenarios in the executors' cache."""

    # A block is a row: a batch of many would be copied at once.
    options: Mapping[str, str] = {"spark.sql.execution.arrow.maxRecordsPerBatch": "1"}

    def start(self, setting: Setting) -> None:
        """Open Spark and fill the cache."""
        super().start(setting)
        self._desk = Desk(setting, CachedBlocks(setting, self.spark))

    def run(self) -> Answer:
        """Answer all questions."""
        return self._desk.answers()


class SparkMapped(SparkSide):
    """Scenarios in files that Spark's Python workers map into memory."""

    def start(self, setting: Setting) -> None:
        """Open Spark, and look at every block once."""
        super().start(setting)
        self._desk = Desk(setting, MappedBlocks(setting, self.spark.sparkContext))

    def run(self) -> Answer:
        """Answer all questions."""
        return self._desk.answers()


class Ray(RaySide):
    """Scenarios in Ray's object store."""

    def start(self, setting: Setting) -> None:
        """Open both engines and fill the store."""
        wide = setting.settings.ray.model_copy(update={"object_store_mb": 2048 + 512})
        super().start(replace(setting, settings=setting.settings.model_copy(update={"ray": wide})))
        self._desk = Desk(setting, StoreBlocks(setting, self.fan_out))

    def run(self) -> Answer:
        """Answer all questions."""
        return self._desk.answers()


SIDES: Mapping[str, type[Side]] = {
    "limit": Limit,
    "spark_cached": SparkCached,
    "spark_mapped": SparkMapped,
    "ray": Ray,
}
