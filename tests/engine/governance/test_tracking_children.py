"""Runs below a stage's run, in a real MLflow store."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from acceleray.governance.tracking import began_before, close_abandoned, tracked_run
from acceleray.settings import Settings


def test_a_trial_is_a_child_of_its_stage_which_is_a_child_of_the_run(
    settings: Callable[..., Settings],
) -> None:
    with tracked_run(settings(), "search") as tracker:
        with tracker.stage("tune") as stage:
            good = stage.child(
                "trial 1",
                tags={"status": "stopped", "reason": ""},
                parameters={"max_depth": 3},
                curves={"rank_ic": [(10, 0.1), (20, 0.3)]},
            )
            bad = stage.child("trial 2", {"reason": "broke"}, {}, {}, failed=True)
        client = tracker.client
        runs = {run.info.run_id: run for run in client.search_runs([tracker.experiment_id])}
        assert set(runs) == {tracker.run_id, stage.run_id, good, bad}
        parents = {name: run.data.tags.get("mlflow.parentRunId") for name, run in runs.items()}
        assert parents == {
            tracker.run_id: None,
            stage.run_id: tracker.run_id,
            good: stage.run_id,
            bad: stage.run_id,
        }
        assert runs[good].data.params == {"max_depth": "3"}
        assert "reason" not in runs[good].data.tags
        history = client.get_metric_history(good, "rank_ic")
        assert [(one.step, one.value) for one in history] == [(10, 0.1), (20, 0.3)]
        assert (runs[good].info.status, runs[bad].info.status) == ("FINISHED", "FAILED")


def killed(project: Settings, told: list[str]) -> None:
    with tracked_run(project, "search") as tracker, tracker.stage("tune") as stage:
        told += [tracker.run_id, stage.run_id, stage.child("trial 1", {}, {}, {"rank_ic": [(10, 0.1)]})]
        raise KeyboardInterrupt


def test_trials_of_a_run_that_is_killed_keep_their_parents(settings: Callable[..., Settings]) -> None:
    project, told = settings(), list[str]()
    with pytest.raises(KeyboardInterrupt):
        killed(project, told)
    with tracked_run(project, "search") as again:
        run, stage, trial = (again.client.get_run(name) for name in told)
        assert [one.info.status for one in (run, stage, trial)] == ["KILLED", "FAILED", "FINISHED"]
        assert trial.data.tags["mlflow.parentRunId"] == stage.info.run_id
        assert stage.data.tags["mlflow.parentRunId"] == run.info.run_id


def test_a_run_that_a_dead_process_left_open_is_closed_by_the_next_unless_it_may_be_another_clusters(
    settings: Callable[..., Settings],
) -> None:
    with tracked_run(settings(), "first") as tracker:
        client, now = tracker.client, int(time.time() * 1000)
        left, of_today = (
            client.create_run(tracker.experiment_id, start_time=now - hours * 3_600_000).info.run_id
            for hours in (30, 3)
        )
        close_abandoned(client, tracker.experiment_id, began_before(settings("profile=databricks")))
        assert [client.get_run(one).info.status for one in (left, of_today)] == ["KILLED", "RUNNING"]
    with tracked_run(settings(), "second") as tracker:
        assert tracker.client.get_run(of_today).info.status == "KILLED"
