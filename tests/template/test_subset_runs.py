"""The subsets that run for real every night are worth it: all stages, and a gap in each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import yaml

from conftest import Answers
from render import ROOT
from subsets import SMALL, SUBSETS, steps
from test_ownership import WORKLOADS
from test_subsets import with_what_it_needs


def test_each_stage_runs_in_one_subset_and_is_missing_in_another() -> None:
    every = {stage for workload in WORKLOADS for stage in workload["stages"]} - {
        "ingest",
        "features",
        "report",
    }
    run = [
        {
            stage
            for workload in WORKLOADS
            if workload["name"] in with_what_it_needs(tuple(chosen))
            for stage in workload["stages"]
        }
        for chosen in SUBSETS.values()
    ]
    assert set().union(*run) >= every
    assert not [stage for stage in every if all(stage in stages for stages in run)]
    assert any(with_what_it_needs(tuple(chosen)) != tuple(chosen) for chosen in SUBSETS.values())


def test_a_subset_is_tested_and_then_each_of_its_workloads_runs_in_order(
    rendered: Callable[[Answers], Path],
) -> None:
    tests, *runs = steps(rendered({"workloads": SUBSETS["inference"]}))
    assert tests[:3] == ["make", "--no-print-directory", "test"]
    assert [run[4] for run in runs] == ["distributed_training", "batch_inference"]


def test_small_settings_are_settings_of_the_project(defaults: Path) -> None:
    known = yaml.safe_load((defaults / "conf/base.yml").read_text(encoding="utf-8"))
    for section, key in (setting.split("=")[0].split(".") for setting in SMALL):
        assert key in known[section]


def test_subsets_run_every_night() -> None:
    nightly = yaml.safe_load((ROOT / ".github/workflows/nightly.yml").read_text(encoding="utf-8"))
    assert {"test-all"} <= set(nightly["jobs"]["endure"]["strategy"]["matrix"]["command"])
