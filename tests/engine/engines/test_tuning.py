"""Searches on Ray Tune: the same for any number of workers, quiet, and hard to kill."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ray.tune.experiment import Trial as RayTrial
from ray.tune.schedulers import ASHAScheduler, TrialScheduler

from acceleray.engines.ray.fanout import FanOut
from acceleray.engines.ray.proposals import Report, Search, Trial
from acceleray.engines.ray.tuning import resources, search
from acceleray.errors import PortfolioError
from engines.test_proposals import searched
from engines.trials import CODE, plan

pytestmark = pytest.mark.ray

TESTS = Path(__file__).parents[1]


@pytest.fixture
def run(fan_out: FanOut, tmp_path: Path) -> Callable[..., list[Trial]]:
    """Return a function that runs a search whose trials leave a file each in `tmp_path / "ran"`."""
    (tmp_path / "ran").mkdir()

    def call(workers: int = 3, kept: Any = None, keep: Any = lambda one: None, **more: Any) -> list[Trial]:
        folder = tmp_path / "state" / "_ray"
        timeout = more.pop("timeout_s", 1200)
        return search(
            CODE, (tmp_path / "ran",), Search(plan(**more)), folder, workers, timeout, kept or {}, keep
        )

    return call


def test_it_gives_the_same_as_one_process_and_leaves_nothing_behind(
    run: Callable[..., list[Trial]],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    before = dict(os.environ)
    (tmp_path / "alone").mkdir()
    alone = searched(tmp_path / "alone")
    found = run()
    assert found == alone
    said = capfd.readouterr()
    assert said.out + said.err == ""
    assert dict(os.environ) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["alone", "ran", "state"]
    assert list((tmp_path / "state").iterdir()) == []
    failed = [one for one in alone if one.fate and one.fate.status == "failed"]
    assert failed
    assert {one.reason for one in found if one.reason} == {"ValueError: x is too large"}


@pytest.mark.nightly
def test_trials_stop_early_in_truth_and_processes_are_used_again(
    run: Callable[..., list[Trial]], tmp_path: Path
) -> None:
    trials = run(workers=2)
    spent = sum(one.fate.rounds for one in trials if one.fate)
    assert spent < 0.6 * 20 * 100
    processes = {line for path in (tmp_path / "ran").iterdir() for line in path.read_text().split()}
    assert len(processes) <= 2


@pytest.mark.nightly
def test_a_killed_worker_costs_time_and_no_numbers(run: Callable[..., list[Trial]], tmp_path: Path) -> None:
    (tmp_path / "alone").mkdir()
    (tmp_path / "ran" / "kill").touch()
    assert run(workers=2) == searched(tmp_path / "alone")
    assert not (tmp_path / "ran" / "kill").exists()
    starts = [len(path.read_text().split()) for path in (tmp_path / "ran").iterdir()]
    assert sorted(starts)[-2:] == [1, 2]


@pytest.mark.nightly
def test_a_search_that_was_killed_goes_on_without_running_a_trial_again(
    run: Callable[..., list[Trial]], tmp_path: Path
) -> None:
    kept: dict[int, Trial] = {}

    def keep(one: Trial) -> None:
        kept[one.number] = copy.deepcopy(one)
        if len(kept) == 9:
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        run(workers=3, keep=keep)
    ended = {
        number: (tmp_path / "ran" / f"{one.parameters['x']!r}").read_text() for number, one in kept.items()
    }
    assert len(ended) == 9
    finished: list[int] = []
    (tmp_path / "alone").mkdir()
    assert run(workers=1, kept=kept, keep=lambda one: finished.append(one.number)) == searched(
        tmp_path / "alone"
    )
    for number, one in kept.items():
        assert (tmp_path / "ran" / f"{one.parameters['x']!r}").read_text() == ended[number]
    assert sorted(finished) == sorted(set(range(1, 21)) - set(kept))


@pytest.mark.nightly
def test_a_search_of_which_everything_is_kept_starts_nothing(run: Callable[..., list[Trial]]) -> None:
    kept: dict[int, Trial] = {}
    once = run(trials=8, keep=lambda one: kept.__setitem__(one.number, copy.deepcopy(one)))
    again: list[Trial] = []
    assert run(trials=8, kept=kept, keep=again.append) == once
    assert again == []


def test_a_search_that_stands_still_is_given_up_in_one_line(run: Callable[..., list[Trial]]) -> None:
    with pytest.raises(PortfolioError, match=r"No trial has reported for 0 s; raise ray.task_timeout_s"):
        run(timeout_s=0)


@pytest.mark.nightly
def test_one_worker_stops_trials_where_asha_of_ray_does() -> None:
    ours = Search(plan(60, learns_after=1))
    ray = ASHAScheduler(
        time_attr="rounds", metric="v", mode="max", max_t=100, grace_period=10, reduction_factor=3
    )
    ended = []
    for number in range(1, 61):
        ours.propose()
        other = RayTrial("none", stub=True)
        ray.on_trial_add(None, other)  # type: ignore[arg-type]
        for rounds in range(10, 101, 10):
            # A good spread of curves that cross.
            value = (number * 7919 % 101) / 101 + (number * 31 % 17) * rounds / 1000
            goes_on = ours.report(number, Report(rounds, value))
            said = ray.on_trial_result(None, other, {"rounds": rounds, "v": value})  # type: ignore[arg-type]
            assert goes_on == (said != TrialScheduler.STOP)
            if not goes_on:
                ended.append(rounds)
                break
    assert {10, 30, 90, 100} == set(ended)


def test_a_trial_asks_for_what_a_task_asks_for() -> None:
    fan_out = FanOut(workers=4, task_timeout_s=9, gpus=2)
    assert resources(fan_out.asks) == {"cpu": 1}
    assert resources(fan_out.on("cuda").asks) == {"cpu": 1, "gpu": 1}
