"""Sides whose engines are open from start to stop: Spark alone, or Spark and Ray as a run has them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from acceleray.engines.processes.cleanup import process_environment
from acceleray.engines.profiles import engines, spark_of_profile
from acceleray.settings import Settings
from arena.side import Setting, Side

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from acceleray.engines.ray.fanout import FanOut

# Where Python workers find the modules of these works.
BENCHMARKS = str(Path(__file__).resolve().parent.parent)


class SparkSide(Side):
    """Has the project's Spark session and nothing else; `options` are what an expert sets for the work."""

    options: Mapping[str, str] = {}

    def start(self, setting: Setting) -> None:
        """Open Spark."""
        self.setting = setting
        self._stack = ExitStack()
        self._stack.enter_context(process_environment({"PYTHONPATH": with_benchmarks()}))
        self.spark: SparkSession = self._stack.enter_context(spark_of_profile(local_state(setting)))
        for name, value in self.options.items():
            self.spark.conf.set(name, value)

    def stop(self) -> None:
        """Close Spark."""
        self._stack.close()


class RaySide(Side):
    """Has the project's Spark session and Ray, as every run of the project."""

    def start(self, setting: Setting) -> None:
        """Open both engines."""
        self.setting = setting
        self._stack = ExitStack()
        self._stack.enter_context(process_environment({"PYTHONPATH": with_benchmarks()}))
        opened = self._stack.enter_context(engines(local_state(setting)))
        self.spark: SparkSession = opened[0]
        self.fan_out: FanOut = opened[1]

    def stop(self) -> None:
        """Close both engines."""
        self._stack.close()


def with_benchmarks() -> str:
    """Return a PYTHONPATH with which workers also find the benchmarks."""
    return os.pathsep.join(filter(None, [BENCHMARKS, os.environ.get("PYTHONPATH")]))


def local_state(setting: Setting) -> Settings:
    """Return the settings with their state below the folder of the inputs, where `make` wrote its tables."""
    return stated(setting.settings, setting.folder)


def stated(settings: Settings, folder: Path) -> Settings:
    """Return the settings with their state below a folder."""
    paths = settings.paths.model_copy(update={"state": folder.resolve() / "state"})
    return settings.model_copy(update={"paths": paths})
