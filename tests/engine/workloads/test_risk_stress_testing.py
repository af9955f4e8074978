"""Stress testing as people run it: as a notebook on one worker and on two, one killed, and on a cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import pytest

from acceleray.stages.backtest.side_by_side import NAMES
from acceleray.stages.backtest.stage import MODELS
from acceleray.stages.simulate import tiles
from workloads.in_process import (
    fingerprints,
    in_other_blocks,
    losing_workers,
    project,
    refused,
    resolve,
    rows,
    run_notebook,
)
from workloads.running import Ran, command, commits, finished

pytestmark = [pytest.mark.ray, pytest.mark.nightly]
WORKLOAD = "risk_stress_testing"
SMALL = (
    "factors.source=sample",
    "calibration.window_d=900",
    "calibration.first_fit_d=900",
    "calibration.refit_every_d=30",
    "simulation.residual_window_d=900",
    # Four blocks of scenarios: by two, sums that were made task by task would round differently.
    "stress.scenarios=50000",
)
# Two fits an instrument, of which the second may not forecast another volatility than the first.
TWICE = ("calibration.first_fit_d=1240",)
WITHOUT_DRIFT = ("calibration.drifted_above=1e-9", "calibration.maximum_drifted_share=0")
# Two nodes of two CPUs.
FOUR = ("--profile", "cluster", "--set", "cluster.cores_per_worker=3", "--set", "ray.cpus_per_node=2")


@dataclass(frozen=True)
class Story:
    """Three runs, each over what the one before has left, and the commits after each."""

    one: Ran
    two: Ran
    cluster: Ran
    prints: dict[tuple[str, str], str]
    commits: tuple[list[str], ...]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory, spark: Any) -> Story:
    home = tmp_path_factory.mktemp("runs")
    with in_other_blocks(spark):
        one = run_notebook(WORKLOAD, home, spark, *SMALL, "ray.workers=1")
    prints, first = fingerprints(spark, one), commits(one.state)
    # In actors, of which one is killed: so few scenarios are searched by tasks otherwise. Fits and blocks of
    # the backtest are found again.
    with patch.object(tiles, "_AT_ONCE_NUMBERS", 1), losing_workers(home, "see"):
        two = run_notebook(WORKLOAD, home, spark, *SMALL, "ray.workers=2")
    second = commits(one.state)
    cluster = finished([*command(WORKLOAD, SMALL, project=project(home)), *FOUR], one.state)
    return Story(one, two, cluster, prints, (first, second, commits(one.state)))


def test_one_worker_in_other_blocks_two_with_one_killed_and_a_cluster_of_four_give_the_same_bits(
    story: Story,
) -> None:
    assert story.cluster.code == 0, story.cluster.error
    assert len(story.prints) >= 25
    # A table whose rows differ from those that are there would have been committed again.
    first, second, third = story.commits
    assert len(first) >= 25
    assert first == second == third
    assert "(ActorDiedError); one pass over scenarios starts again, attempt 2 of 4." in story.two.error


def test_the_last_line_is_a_report_that_is_there(story: Story) -> None:
    for ran in (story.one, story.two, story.cluster):
        page = ran.report.read_text(encoding="utf-8")
        assert page.startswith("<!DOCTYPE html>")
        assert "financial" in page


def test_notebook_and_command_show_every_model_with_its_counts_its_verdict_and_the_reason(
    story: Story, spark: Any
) -> None:
    kept = rows(spark, story.one, "gold.backtest_verdicts")
    assert sorted(row["model"] for row in kept) == sorted(MODELS)
    for ran in (story.one, story.two, story.cluster):
        said = [line.split() for line in ran.out.splitlines()]
        assert " ".join(NAMES).split() in said
        for row in kept:
            verdict = "passed" if row["passed"] else "failed"
            counted = [f"{row['days']:,}", f"{row['exceptions']}", f"{row['expected_exceptions']:.1f}"]
            tested = [f"{row[name]:.2g}" for name in ("kupiec_p", "dynamic_quantile_p")]
            last = ["nan" if row[name] is None else f"{row[name]:.2g}" for name in ("z2_p", "exceedance_p")]
            judged = [row["basel_zone"], f"{row['z2']:.2f}", *last, verdict, *row["decision"].split()]
            assert [row["model"], *counted, *tested, *judged] in said
            assert f"{row['model']}: {row['reason']}" in ran.out.splitlines()
        # The report's line stays the last.
        assert ran.report.is_file()


def test_a_row_of_every_table_of_results_resolves_to_what_made_it(story: Story, spark: Any) -> None:
    labels = sorted({name for _, name in story.prints if name.startswith("gold.")})
    assert len(labels) == 36
    resolve(story.two.state.parent, spark, labels, *SMALL)


def test_nothing_is_simulated_with_a_calibration_that_does_not_pass_its_gate(
    story: Story, spark: Any
) -> None:
    line, wrote = refused(story.two.state.parent, spark, WORKLOAD, *SMALL, *TWICE, *WITHOUT_DRIFT)
    assert line.startswith("Error: The calibration did not pass its gate, so no simulation uses it: ")
    assert "volatility forecasts moved" in line
    # Fits are kept for later runs, whatever the gate says of them.
    assert wrote == {"calibration", "calibration_history", "calibration_gate", "kept_work"}
