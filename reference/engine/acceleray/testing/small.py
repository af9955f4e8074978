"""A project's recipes and notebooks on a small slice of real prices, in one process.

One Spark session, one Ray and one MLflow store serve them all: what takes long is starting those.
"""

from __future__ import annotations

import io
import runpy
import shlex
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pyarrow as pa

from acceleray.engines.profiles import engines
from acceleray.runtime.progress import Reporter
from acceleray.runtime.project import Project
from acceleray.runtime.run import Run
from acceleray.runtime.session import close_open, session
from acceleray.settings import Settings, load
from acceleray.stages.ingest.shipped import sample_prices
from acceleray.tables import RUN_INPUTS, RUN_NOTICES, RUN_TABLES, RUN_WORK, RUNS
from acceleray.tables.contract import Table

INSTRUMENTS = ("AAPL", "JPM", "XOM", "WMT", "PFE")
DAYS = 900
# Small enough for seconds. Five instruments rank by luck: no gate on ranks is to decide what is tested.
SMALL = (
    *("market_data.source=csv", "market_data.name=small", "market_data.minimum_history_d=700"),
    *("factors.source=sample", "book.portfolios=10", "leakage.maximum_rank_ic=0.9", "model.rounds=10"),
    *("spark.cores=2", "spark.driver_memory=1g", "spark.shuffle_partitions=1"),
    *("ray.workers=2", "ray.object_store_mb=128"),
    *("calibration.window_d=700", "calibration.first_fit_d=700", "calibration.refit_every_d=200"),
    *("train.folds=2", "train.minimum_train_d=300", "train.minimum_rank_ic=-1", "train.checkpoint_rounds=5"),
    *("tune.trials=3", "tune.maximum_rounds=10", "tune.chunk_rounds=5", "tune.parallel_trials=2"),
    *("tune.folds=2", "tune.minimum_train_d=300", "tune.holdout_d=150"),
    *("signals.horizons_d=[5, 21]", "signals.replications=200"),
    *("simulation.scenarios=5000", "simulation.residual_window_d=700", "stress.scenarios=5000"),
)
# A stage, read or wrote, a table, its Delta version, rows.
Step = tuple[str, str, str, int, int]


class SmallProject:
    """Runs a project's recipes and notebooks, one after the other, on one small state.

    A run on what another has left commits nothing unless its numbers differ, so versions show a difference.
    """

    def __init__(self, project: Project, folder: Path, home: Path, notebooks: Path | None = None) -> None:
        """Write the slice of prices into `home`, which the state goes to as well; use `small_project`."""
        self.project = project
        self.folder = folder
        self.notebooks = notebooks or folder / "notebooks"
        prices = f"market_data.path={write_prices(home / 'prices.csv')}"
        self.chosen = (*SMALL, prices, f"paths.state={home / 'state'}")
        self.said = ""
        self._once: dict[str, tuple[Run, str]] = {}

    def settings(self, *overrides: str) -> Settings:
        """Return the project's settings of environment `local`, made small."""
        return load(self.folder, "local", (*self.chosen, *overrides))

    def recipe(self, workload: str, *overrides: str) -> Run:
        """Run a recipe and return its run; overrides have the form `section.key=value`."""
        chosen = self.project.workload(workload)
        with session(chosen, self.settings(*overrides), Reporter(quiet=True), self.project) as run:
            chosen.run(run)
        return run

    def notebook(self, workload: str, *overrides: str) -> Run:
        """Run a recipe's notebook as a script would, and return its run; `said` is what it printed."""
        (path,) = self.notebooks.glob(f"*_{workload}.py")
        chosen = shlex.join((*self.chosen, *overrides))
        arguments = [str(path), f"project={self.folder}", "environment=local", f"set={chosen}"]
        out = io.StringIO()
        with patch.object(sys, "argv", arguments), redirect_stdout(out), redirect_stderr(io.StringIO()):
            found = run_as_script(path)
        self.said = out.getvalue()
        run: Run = found["run"]
        return run

    def notebook_once(self, workload: str) -> Run:
        """Run a recipe's notebook unless this method has, and return its run; sets `said` as well."""
        if workload not in self._once:
            self._once[workload] = (self.notebook(workload), self.said)
        run, self.said = self._once[workload]
        return run

    @staticmethod
    def steps(run: Run) -> list[Step]:
        """Return what a run read and wrote, in order, without the evidence about itself."""
        evidence = (RUN_TABLES, RUN_INPUTS, RUN_NOTICES, RUN_WORK, RUNS)
        return [
            (t.stage, t.direction, t.table.label, t.version, t.rows)
            for t in run.touches
            if t.table not in evidence
        ]

    @staticmethod
    def rows(run: Run, table: Table) -> pa.Table:
        """Return the rows that a run made of a table, as they are now."""
        return run.rows(table)


@contextmanager
def small_project(
    project: Project, folder: Path, home: Path, notebooks: Path | None = None, started: Any = None
) -> Iterator[SmallProject]:
    """Yield a project that runs small, with engines that stay up for all runs in the block.

    Args:
        project: its recipes and tables.
        folder: with its `conf/`.
        home: an empty folder for prices and state.
        notebooks: their folder, `notebooks` in the project's unless given.
        started: a Spark session and a fan-out that are there already.
    """
    small = SmallProject(project, folder, home, notebooks)
    with (
        project.importable(),
        nullcontext(started) if started else _interpreting(engines(small.settings())) as up,
        patch("acceleray.runtime.session.engines", lambda settings: nullcontext(up)),
    ):
        yield small


@contextmanager
def _interpreting(start: AbstractContextManager[tuple[Any, Any]]) -> Iterator[tuple[Any, Any]]:
    with start as up:
        interpret(up[0])
        yield up


def interpret(spark: Any) -> None:
    """Let a Spark session interpret its plans: compiling or improving them takes longer than few rows do."""
    spark.conf.set("spark.sql.adaptive.enabled", "false")
    spark.conf.set("spark.sql.codegen.wholeStage", "false")
    spark.conf.set("spark.sql.codegen.factoryMode", "NO_CODEGEN")


def run_as_script(path: Path) -> dict[str, Any]:
    """Run a notebook in this process and return its names; if it raises, its session is closed first."""
    try:
        return runpy.run_path(str(path), run_name="__main__")
    except BaseException as error:
        close_open(error)
        raise


def write_prices(path: Path) -> Path:
    """Write real prices of five instruments over 900 days, one of them listed late, as a wide CSV file."""
    prices = sample_prices().iloc[-DAYS:][list(INSTRUMENTS)].astype(object)
    prices.iloc[: DAYS - 300, -1] = ""
    prices.index.name = "date"
    prices.to_csv(path, lineterminator="\n")
    return path
