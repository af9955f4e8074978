"""Optuna on Spark: a study that Spark tasks share, with pruning, in the two ways that there are.

`SparkMlflow` is MLflow's own study on Spark, whose trials are runs in MLflow. `SparkJournal` shares the study
through a file, which Optuna itself recommends for processes that see one disk, and is quicker. Both sample as
the product does, prune by successive halving with the product's rungs, and stop a trial without patience.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from acceleray.engines.ray.proposals import Plan
from arena.opened import SparkSide
from arena.side import Answer
from works.tuning.problem import answer, plan
from works.tuning.to_the_end import prepared_once

Objective = Callable[[optuna.Trial], float]
_SCORE = "rank_ic"


def objective(folder: Path, size: Mapping[str, int], run: int) -> Objective:
    """Return what a trial of Optuna does: the product's trial, asked after every chunk whether to go on."""

    def value(one: optuna.Trial) -> float:
        from acceleray.stages.tune.trial import trial

        search = plan(size)
        best, best_rounds = -1.0, 0
        for report in trial(suggested(one, search), prepared_once(folder, tuple(size.items()), run)):
            one.report(report.value, report.rounds)
            if report.value > best:
                best, best_rounds = report.value, report.rounds
            if report.rounds - best_rounds >= search.patience:
                break
            if one.should_prune():
                raise optuna.TrialPruned
        return best

    return value


def suggested(one: optuna.Trial, search: Plan) -> dict[str, float]:
    """Return the parameters that Optuna proposes within the product's space."""
    found: dict[str, float] = {}
    for name, limits in search.space.items():
        if limits.whole:
            found[name] = one.suggest_int(name, int(limits.low), int(limits.high), log=limits.log)
        else:
            found[name] = one.suggest_float(name, limits.low, limits.high, log=limits.log)
    return found


def sampler(seed: int) -> optuna.samplers.BaseSampler:
    """Return the product's sampler; each process draws from a seed of its own."""
    return optuna.samplers.TPESampler(seed=seed % 2**32, constant_liar=True)


def pruner(search: Plan) -> optuna.pruners.BasePruner:
    """Return Optuna's own asynchronous halving, with the product's rungs."""
    return optuna.pruners.SuccessiveHalvingPruner(
        min_resource=search.chunk, reduction_factor=search.factor, min_early_stopping_rate=0
    )


def best_of(study: optuna.Study) -> Answer:
    """Return the best rank IC that any trial reached, also one that was pruned later, as the product does."""
    reached = [one.intermediate_values.values() for one in study.get_trials(deepcopy=False)]
    return answer(max(value for values in reached for value in values))


class SparkMlflow(SparkSide):
    """MLflow's study on Spark, over an MLflow store in one file, as the product has in profile local."""

    runs = 0

    def run(self) -> Answer:
        """Optimise, in a study of its own."""
        import mlflow
        from mlflow.optuna.storage import MlflowStorage
        from mlflow.pyspark.optuna.study import MlflowSparkStudy

        self.runs += 1
        folder, size = self.setting.folder, dict(self.setting.size)
        search = plan(size)
        out = folder / "out"
        out.mkdir(exist_ok=True)
        mlflow.set_tracking_uri(f"sqlite:///{out / 'mlflow.db'}")
        name = uuid.uuid4().hex
        experiment = mlflow.create_experiment(name, artifact_location=(out / "artifacts").as_uri())
        storage = MlflowStorage(experiment_id=experiment)
        study = MlflowSparkStudy(name, storage, sampler(search.seed), pruner(search), direction="maximize")
        study.optimize(
            objective(folder, size, self.runs), n_trials=search.trials, n_jobs=self.setting.workers
        )
        return best_of(study)


class SparkJournal(SparkSide):
    """One Spark task for each worker, which takes trial after trial of a study that is kept in a file."""

    runs = 0

    def run(self) -> Answer:
        """Optimise, in a study of its own."""
        self.runs += 1
        folder, size, run = self.setting.folder, dict(self.setting.size), self.runs
        path = folder / "out" / f"{uuid.uuid4().hex}.journal"
        path.parent.mkdir(exist_ok=True)
        search, workers = plan(size), self.setting.workers
        study = optuna.create_study(storage=journal(path), study_name=_SCORE, direction="maximize")
        study.enqueue_trial(dict(search.first))

        def work(numbers: Iterable[int]) -> Iterator[int]:
            for number in numbers:
                optimise(path, objective(folder, size, run), search, number)
                yield number

        self.spark.sparkContext.parallelize(range(workers), workers).mapPartitions(work).collect()
        found = best_of(study)
        path.unlink()
        return found


def optimise(path: Path, value: Objective, search: Plan, number: int) -> None:
    """Take trials of the study in this file until all were begun."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.load_study(
        study_name=_SCORE,
        storage=journal(path),
        sampler=sampler(search.seed + number),
        pruner=pruner(search),
    )
    begun = optuna.study.MaxTrialsCallback(search.trials, states=None)
    study.optimize(value, n_trials=search.trials, callbacks=[begun])


def journal(path: Path) -> JournalStorage:
    """Return the storage in this file."""
    return JournalStorage(JournalFileBackend(str(path)))
