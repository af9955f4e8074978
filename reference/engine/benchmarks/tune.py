"""Measure the gain of early stopping: a search, and the same trials run to the end, on the same workers.

Ingests prices and builds features as the workload does, searches once, and then runs the very trials that
were proposed to their last round, in parallel, in the same way. Prints seconds, boosting rounds and the best
rank IC of both, and the ratio. The search goes first, so that it pays for whatever is cold.
Run it from the project:
`PYTHONPATH=src:engine .venv/bin/python engine/benchmarks/tune.py --set market_data.source=simulated`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from acceleray.engines.delta.lake import Lake
from acceleray.engines.profiles import engines
from acceleray.engines.ray.fanout import FanOut
from acceleray.engines.ray.proposals import Search, Trial
from acceleray.engines.ray.steps import Code
from acceleray.engines.ray.tuning import search
from acceleray.errors import PortfolioError
from acceleray.governance.tracking import tracked_run
from acceleray.runtime.progress import Reporter
from acceleray.runtime.run import Run
from acceleray.settings import Settings, load
from acceleray.stages.features.definitions import FEATURE_NAMES
from acceleray.stages.features.examples import load_examples
from acceleray.stages.features.stage import build_features
from acceleray.stages.ingest.stage import ingest
from acceleray.stages.tune.problem import Problem, build_problem
from acceleray.stages.tune.selection import best_trial, judged_at_best
from acceleray.stages.tune.stage import plan_of
from acceleray.stages.tune.trial import prepare, trial

MOST_OF_THE_TIME = 1.0 / 3.0


@dataclass(frozen=True)
class Side:
    """The cost and result of one side."""

    seconds: float
    rounds: int
    best: Trial
    rank_ic: float
    standard_error: float


class Given(Search):
    """Proposes what another search did, and stops no trial."""

    def __init__(self, searched: Search) -> None:
        """Take over the proposals of a finished search."""
        last = searched.plan.last
        super().__init__(replace(searched.plan, chunk=last, patience=last))
        self._given = [one.parameters for one in searched.trials]

    def propose(self) -> Trial | None:
        """Return the next trial, whatever is known of those before."""
        if self.proposed_all:
            return None
        self.trials.append(Trial(self._halving.add(), self._given[len(self.trials)]))
        return self.trials[-1]


def main() -> int:
    """Run both sides and print one line for each; return 1 where the search was not fast or good enough."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--project", type=Path, default=Path(), help="project folder (default: this one)")
    parser.add_argument("--set", action="append", default=[], metavar="section.key=value", dest="overrides")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as state:
        settings = load(options.project.resolve(), overrides=[*options.overrides, f"paths.state={state}"])
        with tracked_run(settings, "benchmark") as tracker, engines(settings) as (spark, fan_out):
            run = Run(settings, Lake(spark, settings), fan_out, tracker, Reporter(quiet=True), "benchmark")
            problem = prepared(run)
            said = f"{len(problem.examples.target):,} rows, {settings.tune.trials} trials"
            print(f"{said} of {problem.rounds} rounds, {fan_out.workers} workers, source {run.source}")
            both = compared(settings, problem, fan_out, Path(state))
    return judged(*both)


def prepared(run: Run) -> Problem:
    """Return the problem that the workload would search."""
    loaded = ingest(run)
    run.identify(loaded.load_id, loaded.as_of)
    build_features(run)
    return build_problem(run.settings, load_examples(run), FEATURE_NAMES)


def compared(settings: Settings, problem: Problem, fan_out: FanOut, state: Path) -> tuple[Side, Side]:
    """Return the search, and its trials run to the end."""
    stopping = Search(plan_of(settings))
    one = timed(stopping, settings, problem, fan_out, state)
    print(line("stopped early", one), flush=True)
    other = timed(Given(stopping), settings, problem, fan_out, state)
    print(line("run to the end", other), flush=True)
    return one, other


def timed(state: Search, settings: Settings, problem: Problem, fan_out: FanOut, folder: Path) -> Side:
    """Return what a search took and found."""
    started = time.monotonic()
    trials = search(
        Code(prepare, trial),
        (problem,),
        state,
        folder / "unfinished" / "_ray",
        fan_out.workers,
        settings.ray.task_timeout_s,
        {},
        lambda one: None,
    )
    seconds = time.monotonic() - started
    best = best_trial(trials)
    if best is None:
        raise PortfolioError("Not one trial could be run.")
    judged = judged_at_best(trials)[best.number]
    error = judged.rank_ic / judged.rank_ic_t if judged.rank_ic_t else np.nan
    rounds = sum(one.fate.rounds for one in trials if one.fate)
    return Side(seconds, rounds, best, judged.rank_ic, float(error))


def line(name: str, side: Side) -> str:
    """Return what one side took and found, in one line."""
    rounds = side.best.best.rounds if side.best.best else 0
    best = f"trial {side.best.number} at {rounds} rounds"
    spent = f"{side.seconds:7.1f} s {side.rounds:>9,} rounds"
    return f"{name:<15} {spent}   best rank IC {side.rank_ic:.5f} ({best})"


def judged(one: Side, other: Side) -> int:
    """Print how they compare, and return the exit code."""
    ratio, behind = one.seconds / other.seconds, (other.rank_ic - one.rank_ic) / other.standard_error
    print(f"time {ratio:.2f} of the other, rounds {one.rounds / other.rounds:.2f}; rank IC", end=" ")
    print("the same" if behind <= 0 else f"{behind:.2f} of its standard errors lower")
    return int(ratio > MOST_OF_THE_TIME or behind > 0.25)


if __name__ == "__main__":
    sys.exit(main())
