"""The search as people run it: a notebook, killed and started again."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import mlflow
import pytest

from acceleray.engines.delta.lake import Lake
from acceleray.engines.ray.proposals import Search, Trial
from acceleray.runtime.progress import Reporter
from acceleray.runtime.run import Identity, Run
from acceleray.settings import load
from acceleray.stages.features.definitions import FEATURE_NAMES
from acceleray.stages.features.examples import load_examples
from acceleray.stages.tune.checkpoints import KeptTrials
from acceleray.stages.tune.problem import build_problem
from acceleray.stages.tune.space import SPACE
from acceleray.stages.tune.stage import plan_of
from acceleray.stages.tune.trial import evaluate, prepare, trial
from workloads.in_process import ask, project, rows, run_notebook
from workloads.running import Ran

pytestmark = [pytest.mark.ray, pytest.mark.nightly]

TRIALS, KILLED_AFTER = 8, 4
SMALL = (
    f"tune.trials={TRIALS}",
    "tune.maximum_rounds=40",
    "tune.patience_rounds=30",
    "tune.chunk_rounds=5",
    "tune.parallel_trials=3",
    "tune.folds=2",
    "tune.minimum_train_d=300",
    "tune.holdout_d=150",
    # Among five instruments noise alone goes beyond 0.1.
    "leakage.maximum_rank_ic=0.5",
)


def elsewhere() -> set[str]:
    """Return what lies where Ray Tune keeps its results unless told otherwise; others may use it too."""
    return {path.name for path in Path.home().glob("ray_results/*")}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, spark: Any) -> Ran:
    """Return a run on two workers that goes on where one that was killed stopped."""
    home = tmp_path_factory.mktemp("home")
    kept, keep, before = [], KeptTrials.keep, elsewhere()

    def kept_and_killed(self: KeptTrials, trial: Trial) -> None:
        keep(self, trial)
        kept.append(trial.number)
        if len(kept) == KILLED_AFTER:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(KeptTrials, "keep", kept_and_killed)
        with pytest.raises(KeyboardInterrupt):
            run_notebook("hyperparameter_tuning", home, spark, *SMALL)
        resumed = run_notebook("hyperparameter_tuning", home, spark, *SMALL)
    assert len(kept) == TRIALS
    assert elsewhere() == before
    return resumed


def test_a_killed_run_goes_on_and_leaves_nothing_unfinished(ran: Ran) -> None:
    assert f"resumes an interrupted run: {KILLED_AFTER} of {TRIALS} trials are done" in ran.error
    assert list((ran.state / "unfinished").iterdir()) == []


def test_two_workers_and_a_kill_give_what_one_process_without_ray_gives(ran: Ran, spark: Any) -> None:
    settings = load(project(ran.state.parent), overrides=SMALL)
    nothing: Any = None
    run = Run(settings, Lake(spark, settings), nothing, nothing, Reporter(quiet=True))
    run._identity = Identity("", "", "", date(2100, 1, 1), "")
    problem = build_problem(settings, load_examples(run), FEATURE_NAMES)
    search, prepared = Search(plan_of(settings)), prepare(problem)
    while one := search.propose():
        steps = trial(one.parameters, prepared)
        while search.report(one.number, next(steps)):
            pass
    found = sorted(rows(spark, ran, "gold.trials"), key=lambda row: row["trial"])
    for row, one in zip(found, search.trials, strict=True):
        assert one.fate
        assert one.best
        assert (row["status"], row["rounds_spent"]) == (one.fate.status, one.fate.rounds)
        assert (row["rounds"], row["rank_ic"]) == (one.best.rounds, one.best.value)
        assert {name: row[name] for name in one.parameters} == one.parameters
    # Any of them can be computed again from its row alone.
    row = next(row for row in found if row["sharpe"] is not None)
    again = evaluate(problem, {name: row[name] for name in SPACE}, row["rounds"])
    assert (again.rank_ic, again.sharpe) == (row["rank_ic"], row["sharpe"])


def test_every_trial_is_in_its_table_with_its_end_and_one_is_chosen(ran: Ran, spark: Any) -> None:
    trials = rows(spark, ran, "gold.trials")
    (evidence,) = rows(spark, ran, "gold.tuning_evidence")
    assert sorted(one["trial"] for one in trials) == list(range(1, TRIALS + 1))
    assert [one["trial"] for one in trials if one["proposed_by"] == "settings"] == [1]
    ends = Counter(one["status"] for one in trials)
    assert (ends["completed"], ends["stopped"]) == (evidence["completed"], evidence["stopped"])
    assert evidence["rounds_spent"] == sum(one["rounds_spent"] for one in trials)
    assert evidence["rounds_spent"] < evidence["rounds_full"] == TRIALS * 40
    (chosen,) = (one for one in trials if one["chosen"])
    assert chosen["rank_ic"] == max(one["rank_ic"] for one in trials) == evidence["validation_rank_ic"]
    progress = rows(spark, ran, "gold.trial_progress")
    assert len(progress) * 5 == evidence["rounds_spent"]
    assert len(rows(spark, ran, "gold.leakage_checks")) > 20


def test_every_trial_is_a_run_in_mlflow_below_the_stage(ran: Ran) -> None:
    client = mlflow.MlflowClient(f"sqlite:///{ran.state / 'mlflow' / 'mlflow.db'}")
    found = client.search_runs([one.experiment_id for one in client.search_experiments()])
    known = {run.info.run_id for run in found}
    stages = [run for run in found if run.data.tags.get("stage") == "tune"]
    assert sorted(run.info.status for run in stages) == ["FAILED", "FINISHED"]
    (stage,) = (run for run in stages if run.info.status == "FINISHED")
    trials = [run for run in found if run.data.tags.get("mlflow.parentRunId") == stage.info.run_id]
    assert sorted(int(run.data.tags["trial"]) for run in trials) == list(range(1, TRIALS + 1))
    parents = [run.data.tags["mlflow.parentRunId"] for run in found if "mlflow.parentRunId" in run.data.tags]
    assert set(parents) <= known


def test_the_verdict_is_the_last_line_before_a_report_that_is_there(ran: Ran) -> None:
    page = Path(ran.out.strip().splitlines()[-1].removeprefix("Report: ")).read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "Probability of backtest overfitting" in page


def test_a_trial_resolves_to_what_made_it(ran: Ran, spark: Any) -> None:
    said = ask(ran.state.parent, spark, "lineage", "gold.trials", "trial=1")
    assert said.code == 0, said.error
    for word in ("silver.prices", "gold.features", "20260101", "hyperparameter_tuning"):
        assert word in said.out


def test_training_with_what_it_chose_is_judged_on_later_dates_alone(ran: Ran, spark: Any) -> None:
    train = ("train.folds=2", "train.minimum_train_d=300", "train.shards=1", "train.parameters=tuned")
    trained = run_notebook("distributed_training", ran.state.parent, spark, *SMALL, *train)
    (evidence,) = rows(spark, ran, "gold.tuning_evidence")
    assert (evidence["tried"], evidence["tried_before"]) == (len(rows(spark, ran, "gold.trial_progress")), 0)
    assert evidence["searched_last"] < evidence["holdout_first"]
    tested = rows(spark, trained, "gold.signal_validation")
    assert len(tested) == 2
    assert min(row["test_first"] for row in tested) == evidence["holdout_first"]
    (decision,) = rows(spark, trained, "gold.model_decisions")
    assert decision["unseen_from"] == evidence["holdout_first"]
    assert decision["decision"] == "refused"
    # An interval over 21 days wants nine horizons; the search kept back 150 days.
    assert "which the search never saw, are too few: an interval needs 189" in decision["reason"]
