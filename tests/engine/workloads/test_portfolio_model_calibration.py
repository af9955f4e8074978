"""Calibration as people run it: a notebook that goes on after a kill, loses a worker, and has four."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from workloads.in_process import (
    fingerprints,
    in_other_blocks,
    losing_workers,
    project,
    refused,
    resolve,
    run_notebook,
)
from workloads.running import IN_OTHER_BLOCKS, Ran, command, commits, interrupted

pytestmark = [pytest.mark.ray, pytest.mark.nightly]
WORKLOAD = "portfolio_model_calibration"
SMALL = (
    "factors.source=sample",
    "calibration.window_d=900",
    "calibration.first_fit_d=900",
    "calibration.refit_every_d=30",
)
# Two fits an instrument, of which the second may not forecast another volatility than the first.
WITHOUT_DRIFT = (
    "calibration.first_fit_d=1240",
    "calibration.drifted_above=1e-9",
    "calibration.maximum_drifted_share=0",
)


@dataclass(frozen=True)
class Story:
    """Three runs, each over what the one before has left, and the commits after each."""

    one: Ran
    two: Ran
    four: Ran
    prints: dict[tuple[str, str], str]
    commits: tuple[list[str], ...]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory, spark: Any) -> Story:
    home = tmp_path_factory.mktemp("runs")
    alone = (*SMALL, "ray.workers=1")
    interrupted(command(WORKLOAD, alone, IN_OTHER_BLOCKS, project(home)), "32 of 65 fits")
    with in_other_blocks(spark):
        one = run_notebook(WORKLOAD, home, spark, *alone)
    prints, first = fingerprints(spark, one), commits(one.state)
    with losing_workers(home, "fit_before"):
        two = run_notebook(WORKLOAD, home, spark, *SMALL, "ray.workers=2")
    second = commits(one.state)
    four = run_notebook(WORKLOAD, home, spark, *SMALL, "ray.workers=4")
    return Story(one, two, four, prints, (first, second, commits(one.state)))


def test_a_killed_run_goes_on_where_it_stopped(story: Story) -> None:
    # Parts of the usual size would have kept nothing yet; how many of twenty fits there were until the kill
    # is up to the machine.
    assert re.search("resumes an interrupted run: (20|40|60|65) of 65 fits", story.one.error)


def test_one_worker_in_other_blocks_two_with_one_killed_and_four_give_the_same_bits(story: Story) -> None:
    assert len(story.prints) >= 11
    # A table whose rows differ from those that are there would have been committed again. Nothing is kept
    # again either: the first run has kept the fits that it resumed, too.
    first, second, third = story.commits
    assert len(first) >= 11
    assert first == second == third


def test_the_last_line_is_a_report_that_is_there(story: Story) -> None:
    for ran in (story.one, story.two, story.four):
        page = ran.report.read_text(encoding="utf-8")
        assert page.startswith("<!DOCTYPE html>")
        assert "JPM" in page


def test_a_row_of_every_table_of_results_resolves_to_what_made_it(story: Story, spark: Any) -> None:
    labels = sorted({name for _, name in story.prints if name.startswith("gold.")})
    assert len(labels) == 11
    resolve(story.two.state.parent, spark, labels, *SMALL)


def test_a_calibration_that_does_not_pass_its_gate_has_its_tables_and_report_all_the_same(
    story: Story, spark: Any
) -> None:
    line, wrote = refused(story.two.state.parent, spark, WORKLOAD, *SMALL, *WITHOUT_DRIFT)
    found = re.fullmatch(
        "Error: The calibration did not pass its gate: (.*forecasts moved.*) Report: (.*)", line
    )
    assert found is not None, line
    assert "volatility forecasts moved" in Path(found[2]).read_text(encoding="utf-8")
    assert wrote >= {"calibration", "calibration_history", "calibration_gate", "runs", "run_tables"}
