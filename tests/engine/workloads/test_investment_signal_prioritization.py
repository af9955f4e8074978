"""Prioritization as people run it: a notebook, on one worker and on two, and again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from workloads.in_process import ask, fingerprints, rows, run_notebook
from workloads.running import Ran, commits

pytestmark = [pytest.mark.ray, pytest.mark.nightly]

NAME = "investment_signal_prioritization"
SMALL = ("signals.horizons_d=[5, 21]", "signals.replications=600")


@dataclass(frozen=True)
class Story:
    """A run on one worker, one on two over what it has left, and the commits after each."""

    one: Ran
    two: Ran
    prints: dict[tuple[str, str], str]
    commits: tuple[list[str], list[str]]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory, spark: Any) -> Story:
    home = tmp_path_factory.mktemp("runs")
    one = run_notebook(NAME, home, spark, *SMALL, "ray.workers=1")
    prints, first = fingerprints(spark, one), commits(one.state)
    two = run_notebook(NAME, home, spark, *SMALL, "ray.workers=2")
    return Story(one, two, prints, (first, commits(one.state)))


def test_one_worker_and_two_give_the_same_bits(story: Story, spark: Any) -> None:
    assert len(story.prints) >= 9
    # A table whose rows differ from those that are there would have been committed again.
    assert story.commits[0] == story.commits[1]
    assert rows(spark, story.one, "gold.signal_ranks")


def test_every_signal_has_a_decision_and_a_reason(story: Story, spark: Any) -> None:
    ranks = rows(spark, story.two, "gold.signal_ranks")
    assert len(ranks) == 14 * 2
    assert {row["decision"] for row in ranks} <= {"use", "watch", "suspect", "reject"}
    assert all(len(row["reason"]) > 20 for row in ranks)


def test_the_last_line_is_a_report_that_says_what_survives(story: Story) -> None:
    for ran in (story.one, story.two):
        page = Path(ran.out.strip().splitlines()[-1].removeprefix("Report: ")).read_text(encoding="utf-8")
        assert page.startswith("<!DOCTYPE html>")
        assert "14 signals at 2 horizons, 28 tests in all" in page.replace("\u00a0", " ")
        assert "whatever this table says" in page


def test_a_rank_resolves_to_what_made_it(story: Story, spark: Any) -> None:
    home = story.two.state.parent
    said = ask(home, spark, "lineage", "gold.signal_ranks", "signal_id=momentum_12_1", "horizon_d=5")
    assert said.code == 0, said.error
    for word in (NAME, "silver.prices", "gold.features", "20260101"):
        assert word in said.out
