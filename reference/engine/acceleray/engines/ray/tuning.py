"""Ray Tune as the project uses it: trials of a search in processes that are used again, stopped early.

A trial is a generator that yields a report after every chunk of work; stopping it is not asking it for more.
What is proposed and which trial is stopped is decided in `acceleray.engines.ray.proposals`.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ray import tune
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from acceleray.engines.processes.cleanup import process_environment
from acceleray.engines.processes.signals import kept_signal_handlers
from acceleray.engines.ray.proposals import Report, Search, Trial
from acceleray.engines.ray.steps import Code, Steps
from acceleray.errors import PortfolioError

# A trial whose worker dies starts again; it gives the same numbers, so only time is lost.
_RESTARTS = 3
_ENVIRONMENT = {
    # Ray Tune would write a folder of CSV, JSON and TensorBoard files for every trial.
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    # Ctrl-C is for the run, which stops its engines in their own order.
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "RAY_AIR_NEW_OUTPUT": "0",
    # Ray Tune's own state is never read again: what a killed search needs is kept by `keep`.
    "TUNE_GLOBAL_CHECKPOINT_S": "86400",
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
}
_LOUD = ("ray.tune", "ray.train", "ray.air")
_ONE_CPU: Mapping[str, float] = {"num_cpus": 1}


def search(
    code: Code,
    shared: Sequence[Any],
    state: Search,
    folder: Path,
    workers: int,
    timeout_s: int,
    kept: Mapping[int, Trial],
    keep: Callable[[Trial], None],
    asks: Mapping[str, float] = _ONE_CPU,
) -> list[Trial]:
    """Return every trial of a search, in order, run on the Ray that is there.

    Args:
        code: what a trial does; one that raises has failed, with the reason, and the search goes on.
        shared: arguments of `code.prepare`, stored once for all processes.
        state: of a search that has not begun.
        folder: where Ray Tune may write while it works; every Ray node must see it; removed at the end.
        workers: how many trials can run at once.
        timeout_s: after so long without any report the search is given up.
        kept: trials that were given to `keep` before, by number; they are not run again.
        keep: called with every trial as soon as it has ended, before it is known how much of it counts.
        asks: what Ray keeps for a trial, as `FanOut.asks` says it.

    Raises:
        PortfolioError: workers died too often, or no report came in time.
    """
    workers = min(workers, state.plan.learns_after)
    proposals = _Proposals(state, kept, workers)
    proposals.look_ahead()
    if not proposals.state.ended:
        environment = _ENVIRONMENT | {"TUNE_MAX_PENDING_TRIALS_PG": str(workers)}
        with _quiet(), kept_signal_handlers(), process_environment(environment):
            _run(code, shared, proposals, folder, _Watch(timeout_s), keep, asks)
    return state.trials


def _run(
    code: Code,
    shared: Sequence[Any],
    proposals: _Proposals,
    folder: Path,
    watch: _Watch,
    keep: Callable[[Trial], None],
    asks: Mapping[str, float],
) -> None:
    try:
        steps = tune.with_parameters(Steps, code=code, plan=proposals.state.plan, shared=tuple(shared))
        tuner = tune.Tuner(
            tune.with_resources(steps, resources(asks)),
            tune_config=tune.TuneConfig(
                metric="value",
                mode="max",
                num_samples=proposals.left,
                search_alg=proposals,
                scheduler=_Scheduler(proposals, watch, keep),
                reuse_actors=True,
                trial_name_creator=_name,
                trial_dirname_creator=_name,
            ),
            run_config=tune.RunConfig(
                name=folder.name,
                storage_path=str(folder.parent),
                failure_config=tune.FailureConfig(max_failures=_RESTARTS),
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
                callbacks=[watch],
                verbose=0,
            ),
        )
        tuner.fit()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    watch.complain()
    if not proposals.state.ended:
        raise PortfolioError("The search ended before all trials finished; run again.")


def resources(asks: Mapping[str, float]) -> dict[str, float]:
    """Return what a task asks for, `num_cpus` and the like, by Ray Tune's own names."""
    return {name.removeprefix("num_").removesuffix("s"): count for name, count in asks.items()}


class _NotKept:
    """Has no state as far as Ray Tune is concerned, which would write it to disk; see `_ENVIRONMENT`."""

    def __getstate__(self) -> dict[str, Any]:
        return {}


class _Proposals(_NotKept, Searcher):
    """Hands Ray Tune the proposals of a search, less those that were run before.

    Never more than there are workers: Ray Tune would let a trial that waits for its own process to start take
    over one that becomes free, and throw away the process on its way. Where processes start more slowly than
    trials end, no second one would ever come up.
    """

    def __init__(self, state: Search, kept: Mapping[int, Trial], workers: int) -> None:
        super().__init__(metric="value", mode="max")
        self.state = state
        self.free = workers
        self._kept = kept
        self._next: Trial | None = None

    def look_ahead(self) -> None:
        """Replay what was kept, up to the first trial that has to be run."""
        while self._next is None and (trial := self.state.propose()) is not None:
            known = self._kept.get(trial.number)
            if known is None or known.parameters != trial.parameters:
                self._next = trial
                return
            for report in known.reports:
                self.state.report(trial.number, report)
            if known.reason:
                self.state.fail(trial.number, known.reason)

    @property
    def left(self) -> int:
        """Return how many trials may still have to be run."""
        return self.state.plan.trials - len(self.state.trials) + (self._next is not None)

    def suggest(self, trial_id: str) -> Any:
        if not self.free:
            return None
        self.look_ahead()
        if self._next is None:
            return Searcher.FINISHED if self.state.proposed_all else None
        trial, self._next = self._next, None
        self.free -= 1
        return {"number": trial.number, "parameters": trial.parameters}

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Do nothing: the scheduler has told the search."""

    def save(self, checkpoint_path: str) -> None:
        """Do nothing: see `_ENVIRONMENT`."""

    def restore(self, checkpoint_path: str) -> None:
        """Do nothing: see `_ENVIRONMENT`."""


class _Scheduler(_NotKept, FIFOScheduler):
    """Stops a trial when the search says so."""

    def __init__(self, proposals: _Proposals, watch: _Watch, keep: Callable[[Trial], None]) -> None:
        super().__init__()
        self._proposals = proposals
        self._watch = watch
        self._keep = keep

    def choose_trial_to_run(self, tune_controller: Any) -> None:
        """Choose none, so that Ray Tune starts trials itself, in order; see `_Proposals`."""

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        try:
            return self._decided(trial, result)
        except Exception as error:
            # Raised from here, it would come out as the text of a traceback.
            self._watch.error = error
            return str(TrialScheduler.STOP)

    def _decided(self, trial: Any, result: dict[str, Any]) -> str:
        number, state = trial.config["number"], self._proposals.state
        # All reports count for waiting trials, including those after the decision to stop.
        goes_on = [state.report(number, Report(*report)) for report in result["reports"]]
        if result["failed"]:
            state.fail(number, result["failed"])
        elif all(goes_on):
            return str(TrialScheduler.CONTINUE)
        self._keep(state.trials[number - 1])
        self._proposals.free += 1
        return str(TrialScheduler.STOP)


class _Watch(tune.Callback):
    """Ends a search that stands still, whose trial cannot be run at all, or whose results cannot be kept."""

    def __init__(self, timeout_s: int) -> None:
        self._timeout_s = timeout_s
        self._last = time.monotonic()
        self._lost = ""
        self.error: Exception | None = None

    def complain(self) -> None:
        """Raise what went wrong, if anything did."""
        if self.error:
            raise self.error
        if self._lost:
            raise PortfolioError(f"A trial was lost more than {_RESTARTS} times ({self._lost}); run again.")

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        self._last = time.monotonic()

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        text = Path(trial.error_file).read_text(encoding="utf-8") if trial.error_file else ""
        self._lost = self._lost or (text.strip().splitlines() or ["unknown reason"])[-1]

    def on_step_begin(self, iteration: int, trials: list[Any], **info: Any) -> None:
        self.complain()
        if time.monotonic() - self._last > self._timeout_s:
            late = f"No trial has reported for {self._timeout_s} s"
            raise PortfolioError(f"{late}; raise ray.task_timeout_s or look at its data.")


def _name(trial: Any) -> str:
    return f"trial-{trial.config['number']}"


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Ray Tune's own progress out of the terminal; what goes wrong is raised."""
    loggers = [logging.getLogger(name) for name in _LOUD]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
