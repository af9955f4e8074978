"""What a workload is, and how one is executed: lock, engines, evidence, and what it says at the end."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from acceleray.engines.delta.lake import Lake
from acceleray.engines.delta.upkeep import needs_upkeep, upkeep
from acceleray.engines.environment_checks import refuse_unsupported_environment
from acceleray.engines.handoff.stage import sweep_stages
from acceleray.engines.processes.lock import run_lock
from acceleray.engines.processes.signals import first_line
from acceleray.engines.profiles import engines
from acceleray.engines.ray.gpus import refuse_without_gpu
from acceleray.governance.tracking import tracked_run
from acceleray.runtime.progress import Reporter
from acceleray.runtime.project import NOTHING_ADDED, Project
from acceleray.runtime.run import Run
from acceleray.settings import Settings

_STARTING = {
    "local": "Start MLflow, Spark and Ray",
    "cluster": "Start MLflow, Spark on its cluster and Ray inside it",
    "databricks": "Start MLflow and Ray inside Spark",
}


@dataclass(frozen=True)
class Comparison:
    """Models side by side: names of columns, cells and words for each model; its name is the first cell."""

    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: tuple[str, ...]

    def lines(self) -> list[str]:
        """Return a line of names and one for each model, aligned, and below them the words on each."""
        widths = [max(map(len, column)) for column in zip(self.names, *self.rows, strict=True)]
        grid = []
        for first, *others in (self.names, *self.rows):
            cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
            grid.append("  ".join([first.ljust(widths[0]), *cells]))
        said = [f"{row[0]}: {words}" for row, words in zip(self.rows, self.words, strict=True)]
        return [*grid, "", *said]


@dataclass(frozen=True)
class Conclusion:
    """What a workload says at its end: headline numbers in words, a verdict, a report, models compared."""

    headline: tuple[tuple[str, str], ...]
    verdict: str
    report: Path | None
    verdict_on: str = "Backtest"
    comparison: Comparison | None = None


@dataclass(frozen=True)
class Outcome:
    """One finished run: stage, rows written and seconds for each stage, and the conclusion."""

    run_id: str
    stages: tuple[tuple[str, int, float], ...]
    conclusion: Conclusion


@dataclass(frozen=True)
class Workload:
    """One recipe over the stages; `run` does the work, and `fits` says that it fits the signal model.

    Only such a workload knows of `model.device`: the others run on the CPU whatever is set.
    `check` refuses with a PortfolioError what can be seen to be wrong before any engine has started.
    """

    name: str
    title: str
    engine: Literal["spark", "ray"]
    run: Callable[[Run], Conclusion]
    check: Callable[[Settings], object] = lambda settings: None
    fits: bool = False


def execute(
    workload: Workload, settings: Settings, reporter: Reporter, project: Project = NOTHING_ADDED
) -> Outcome:
    """Run a workload under the lock of its folder and return what it concluded.

    Raises:
        PortfolioError: the profile is not available here, or anything the user can put right.
    """
    settings = settings if workload.fits else settings.on_cpu()
    workload.check(settings)
    reporter.say(f"{workload.title}, as of {settings.as_of or 'the last price'}")
    # Before MLflow, which would complain about credentials where there is only the wrong profile.
    refuse_unsupported_environment(settings.profile)
    refuse_without_gpu(settings)
    with run_lock(settings.machine_dir), project.importable(), ExitStack() as stack:
        sweep_stages(settings)
        with reporter.stage(_STARTING[settings.profile]):
            tracker = stack.enter_context(tracked_run(settings, workload.name))
            spark, fan_out = stack.enter_context(engines(settings))
        run = Run(settings, Lake(spark, settings), fan_out, tracker, reporter, workload.name, project)
        conclusion = workload.run(run)
        _keep_up(run)
    return Outcome(run.identity.run_id, stages(run), conclusion)


def _keep_up(run: Run) -> None:
    """Tidy the tables that this run changed, where they need it; most runs find nothing to do."""
    changed = {t.table.label: t.table for t in run.touches if t.direction == "wrote" and t.changed}
    try:
        worn = [table for table in changed.values() if needs_upkeep(run.lake, table)]
        if worn:
            with run.reporter.stage("Tidy tables of many files"):
                for table in worn:
                    upkeep(run.lake, table)
    except Exception as error:
        # The run's results are committed; that tables could not be tidied must not make them a failure.
        run.reporter.say(f"    tables were not tidied: {first_line(error)}")


def stages(run: Run) -> tuple[tuple[str, int, float], ...]:
    """Return stage, rows written and seconds, in the order in which stages ran."""
    return tuple(
        (name, sum(t.rows for t in run.touches if t.stage == name and t.direction == "wrote"), seconds)
        for name, seconds in run.seconds.items()
    )
