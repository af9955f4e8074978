"""Trials that are given, each run to its last round: in processes of joblib, and in tasks of Spark."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from acceleray.engines.processes.cleanup import process_environment
from acceleray.engines.ray.environment import ONE_THREAD
from acceleray.stages.tune.trial import Prepared, prepare, trial
from arena.opened import SparkSide, with_benchmarks
from arena.side import Answer, Setting, Side
from works.spark_worker import settled
from works.tuning.problem import answer, proposals, read


@lru_cache(maxsize=1)
def prepared_once(folder: Path, size: tuple[tuple[str, int], ...], run: int) -> Prepared:
    """Return the quantised folds, made once in a process for each run of a side."""
    return prepare(read(folder, dict(size)))


def best_of(parameters: Mapping[str, float], prepared: Prepared) -> float:
    """Return the best rank IC of one trial, run to the end."""
    return max(report.value for report in trial(parameters, prepared))


def run_given(parameters: Mapping[str, float], folder: Path, size: Mapping[str, int], run: int) -> float:
    """Return the best rank IC of one trial in whatever process this is."""
    return best_of(parameters, prepared_once(folder, tuple(size.items()), run))


class Limit(Side):
    """joblib's own processes (loky), which stay from one run to the next."""

    def start(self, setting: Setting) -> None:
        """Start the processes, each of one thread."""
        from joblib import Parallel, delayed

        self._setting, self._runs = setting, 0
        with process_environment({**ONE_THREAD, "PYTHONPATH": with_benchmarks()}):
            self._parallel = Parallel(n_jobs=setting.workers, pre_dispatch="all", batch_size=1)
            self._parallel(delayed(abs)(place) for place in range(setting.workers))

    def run(self) -> Answer:
        """Run every trial."""
        from joblib import delayed

        self._runs += 1
        folder, size = self._setting.folder, dict(self._setting.size)
        given = proposals(folder)
        return answer(max(self._parallel(delayed(run_given)(one, folder, size, self._runs) for one in given)))

    def stop(self) -> None:
        """End the processes."""
        from joblib.externals.loky import get_reusable_executor

        get_reusable_executor().shutdown(wait=True)


class SparkFull(SparkSide):
    """A Spark task for each trial; a Python worker prepares the folds once in a run."""

    runs = 0

    def run(self) -> Answer:
        """Run every trial."""
        self.runs += 1
        folder, size, run = self.setting.folder, dict(self.setting.size), self.runs
        given = proposals(folder)
        tasks = self.spark.sparkContext.parallelize(given, len(given))

        def run_one(one: dict[str, float]) -> float:
            settled()
            return run_given(one, folder, size, run)

        return answer(max(tasks.map(run_one).collect()))
