"""One boosted model fitted by several processes at once, each with a share of the rows, on Ray Train.

After every so many rounds the model so far is kept in the state folder. A process that dies, or a run that
was killed, goes on from there. Another machine goes on from a copy, because Ray Train replaces and removes
files in its folder that a second training of the same model would still read.

How the rows are shared out, and so the order of every sum and the bits of the model, depends on the number of
shards alone, never on how many CPUs or nodes Ray has.
"""

from __future__ import annotations

import math
import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray

from acceleray.engines.handoff.unfinished import this_machine, unfinished_folder
from acceleray.engines.processes.cleanup import process_environment
from acceleray.engines.processes.signals import first_line
from acceleray.errors import PortfolioError
from acceleray.settings import Settings
from acceleray.settings.topology import ray_beside
from acceleray.whole_files import put_in_place

_PREFIX, _NOTE = "training-", "rounds"
# A worker that dies is replaced so often, and all go on from the last checkpoint.
_MAX_FAILURES = 3
_QUIET = {
    # Ray Train looks after its workers every two seconds otherwise, and each checkpoint waits for that.
    "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.2",
    "RAY_TRAIN_METRICS_ENABLED": "0",
    "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER": "0",
    # A worker stays in its own folder: relative paths are nobody's business here.
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
}


@dataclass(frozen=True)
class Boosting:
    """Specification of a fit: XGBoost parameters, rounds, feature names, shards, checkpoints.

    `key` names everything that decides the model, data included: work that was begun under another key is
    not gone on with.
    """

    parameters: Mapping[str, Any]
    rounds: int
    names: tuple[str, ...]
    shards: int
    checkpoint_rounds: int
    key: str

    @property
    def on_gpu(self) -> bool:
        """Return whether it is fitted on GPUs."""
        return bool(self.parameters.get("device") == "cuda")

    @property
    def resumable(self) -> bool:
        """Return whether an interrupted fit can be gone on with and end with the same model.

        Not where columns or rows are drawn for each tree: XGBoost keeps the state of its random numbers in no
        checkpoint, and would draw others. Such a fit begins again.
        """
        return all(
            value == 1.0
            for name, value in self.parameters.items()
            if name.startswith(("colsample", "subsample"))
        )


@dataclass(frozen=True)
class Fitted:
    """A model as bytes (UBJSON), and the round from which it went on after the last interruption, else 0."""

    content: bytes
    resumed_from: int


def fit_on_shards(
    settings: Settings,
    boosting: Boosting,
    data: Any,
    done: Callable[[int], None] = lambda rounds: None,
) -> Fitted:
    """Return a model fitted on all rows by `boosting.shards` processes, each on every so-manieth row.

    Args:
        settings: of the project.
        boosting: what to fit.
        data: an object reference (`FanOut.share`) to something with `features` of shape (rows, features) and
            `target` of shape (rows,).
        done: called with the number of rounds that are kept.

    Raises:
        PortfolioError: workers died too often, or no checkpoint followed the last in `ray.task_timeout_s`.
    """
    folder = checkpoint_folder(settings, boosting.key)
    begun = any(folder.iterdir())
    try:
        return _fit(settings, boosting, data, folder, done)
    except _FailedError as failed:
        if not begun:
            raise PortfolioError(f"Training failed: {failed}") from failed.__cause__
    # Leftovers of a killed run may be the cause: repeat from the first round.
    shutil.rmtree(folder, ignore_errors=True)
    try:
        return _fit(settings, boosting, data, folder, done)
    except _FailedError as failed:
        raise PortfolioError(f"Training failed: {failed}") from failed.__cause__


def forget(settings: Settings, key: str) -> None:
    """Remove this machine's checkpoints of a model whose result is committed; others may need theirs."""
    # Before there was a folder for each machine, all had one without a machine's name.
    for name in (_name(settings, key), f"{_PREFIX}{key}"):
        shutil.rmtree(settings.state_dir / "unfinished" / name, ignore_errors=True)


def checkpoint_folder(settings: Settings, key: str) -> Path:
    """Return this machine's folder of checkpoints; one that is empty gets a copy of another machine's.

    The other machine may be at work, and what is copied then incomplete: training begins again if it is.
    """
    folder = unfinished_folder(settings, _name(settings, key))
    if not any(folder.iterdir()):
        most = max(folder.parent.glob(f"{_PREFIX}{key}*"), key=_kept)
        if _kept(most):
            with suppress(OSError):
                # Times are not copied: a file as old as the other would be taken for abandoned.
                shutil.copytree(most, folder, copy_function=shutil.copyfile, dirs_exist_ok=True)
    return folder


def _name(settings: Settings, key: str) -> str:
    return f"{_PREFIX}{key}-{this_machine(settings)}"


class _FailedError(Exception):
    """Ray Train gave up."""


def _fit(
    settings: Settings, boosting: Boosting, data: Any, folder: Path, done: Callable[[int], None]
) -> Fitted:
    from ray.train.xgboost import RayTrainReportCallback

    with process_environment(_QUIET):
        trainer = _trainer(boosting, data, folder, loopback=ray_beside(settings))
        result = _watched(settings, boosting, trainer, folder, done)
    booster = RayTrainReportCallback.get_model(result.checkpoint)
    return Fitted(bytes(booster.save_raw("ubj")), int(result.metrics["resumed_from"]))


def _trainer(boosting: Boosting, data: Any, folder: Path, loopback: bool) -> Any:
    from ray.train import CheckpointConfig, FailureConfig, RunConfig, ScalingConfig
    from ray.train.xgboost import XGBoostTrainer

    from acceleray.engines.ray.collective import Collective

    return XGBoostTrainer(
        _train_shard,
        train_loop_config={"boosting": boosting, "data": data, "folder": str(folder)},
        xgboost_config=Collective(loopback=loopback),
        scaling_config=ScalingConfig(
            num_workers=boosting.shards,
            use_gpu=boosting.on_gpu,
            resources_per_worker=resources_per_shard(boosting, _cpus_of_nodes()),
        ),
        run_config=RunConfig(
            name=folder.name,
            storage_path=str(folder.parent),
            failure_config=FailureConfig(max_failures=_MAX_FAILURES),
            # The last but one is kept too: a run may be killed while the last is being written.
            checkpoint_config=CheckpointConfig(num_to_keep=2),
        ),
    )


def resources_per_shard(boosting: Boosting, cpus: Sequence[float]) -> dict[str, float]:
    """Return what Ray keeps for each shard; XGBoost's processes that train together cannot share a GPU."""
    gpu = {"GPU": 1.0} if boosting.on_gpu else {}
    return {"CPU": cpus_per_shard(cpus, boosting.shards)} | gpu


def cpus_per_shard(cpus: Sequence[float], shards: int) -> float:
    """Return how much of a CPU each shard may claim so that all of them fit on nodes with so many CPUs."""
    on_a_node = math.ceil(shards / len(cpus))
    return math.floor(min(1.0, min(cpus) / on_a_node) * 1e4) / 1e4


def _cpus_of_nodes() -> list[float]:
    cpus = [node["Resources"].get("CPU", 0.0) for node in ray.nodes() if node["Alive"]]
    return [count for count in cpus if count > 0] or [1.0]


def _watched(
    settings: Settings, boosting: Boosting, trainer: Any, folder: Path, done: Callable[[int], None]
) -> Any:
    """Return the trainer's result; `done` hears of every checkpoint meanwhile."""
    outcome: list[Any] = []

    def work() -> None:
        try:
            outcome.append(trainer.fit())
        except BaseException as error:
            outcome.append(error)

    # In the main thread Ray Train would take Ctrl-C for itself and never give it back.
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    rounds = 0
    due = time.monotonic() + settings.ray.task_timeout_s
    while thread.is_alive():
        thread.join(0.2)
        if (now := _kept(folder)) != rounds:
            done(rounds := now)
            due = time.monotonic() + settings.ray.task_timeout_s
        if time.monotonic() > due:
            raise PortfolioError(
                f"Training reached no checkpoint in {settings.ray.task_timeout_s} s; raise "
                "ray.task_timeout_s or lower train.checkpoint_rounds."
            )
    (found,) = outcome
    if isinstance(found, Exception):
        raise _FailedError(_reason(found)) from found
    if isinstance(found, BaseException):
        raise found
    return found


def _reason(error: Exception) -> str:
    failures = getattr(error, "worker_failures", None) or {}
    cause = next(iter(failures.values()), None) or getattr(error, "controller_failure", None) or error
    return f"{type(cause).__name__}: {first_line(cause)}"


def _train_shard(config: dict[str, Any]) -> None:
    """Train with the other shards; runs in a separate process, which XGBoost connects to theirs."""
    import ray.train
    import xgboost
    from ray.train.xgboost import RayTrainReportCallback

    boosting: Boosting = config["boosting"]
    context = ray.train.get_context()
    mine = slice(context.get_world_rank(), None, context.get_world_size())
    data = ray.get(config["data"])
    matrix = xgboost.QuantileDMatrix(
        data.features[mine], data.target[mine], feature_names=list(boosting.names), nthread=1
    )
    checkpoint = ray.train.get_checkpoint() if boosting.resumable else None
    begun = RayTrainReportCallback.get_model(checkpoint) if checkpoint else None
    kept = begun.num_boosted_rounds() if begun is not None else 0
    folder, reported = Path(config["folder"]), 0

    class Checkpoints(RayTrainReportCallback):
        """Reports with each checkpoint only, and each of them once: a report waits for the controller."""

        def _report_metrics(self, report_dict: dict[str, Any]) -> None:
            return None

        def _save_and_report_checkpoint(self, report_dict: dict[str, Any], model: Any) -> None:
            nonlocal reported
            rounds = model.num_boosted_rounds()
            if rounds == reported:
                return
            super()._save_and_report_checkpoint({"resumed_from": kept}, model)
            reported = rounds
            if context.get_world_rank() == 0:
                _note(folder, rounds)

    keep = Checkpoints(frequency=boosting.checkpoint_rounds)
    left = boosting.rounds - kept
    xgboost.train(dict(boosting.parameters), matrix, left, xgb_model=begun, callbacks=[keep])


def _note(folder: Path, rounds: int) -> None:
    """Leave word of how many rounds are kept; files of Ray Train have a private format."""
    unfinished = folder / f"{_NOTE}.unfinished"
    unfinished.write_text(str(rounds), encoding="ascii")
    put_in_place(unfinished, folder / _NOTE)


def _kept(folder: Path) -> int:
    try:
        return int((folder / _NOTE).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0
