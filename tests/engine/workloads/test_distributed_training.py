"""Training as people run it: promotion, a second run that changes nothing, another model, and rollback."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from workloads.in_process import ask, fingerprints, rows, run_notebook
from workloads.running import Ran, commits

pytestmark = [pytest.mark.ray, pytest.mark.nightly]

NAME = "distributed_training"
SMALL = (
    "train.folds=2",
    "train.minimum_train_d=400",
    "train.checkpoint_rounds=10",
    "model.rounds=30",
    # Five instruments rank by luck: whatever the rank IC is, this test is about what follows.
    *("train.minimum_rank_ic=-1", "train.minimum_gain=-1"),
    "leakage.maximum_rank_ic=0.9",
)
OTHER = (*SMALL, "model.max_depth=2", "train.shards=1")


@dataclass(frozen=True)
class Story:
    """What happened, one after the other, in one project."""

    home: Path
    first: Ran
    prints: dict[tuple[str, str], str]
    commits: list[str]
    again: Ran
    commits_after_again: list[str]
    other: Ran
    decisions: list[dict[str, Any]]
    rolled_back: Ran
    rolled_back_again: Ran


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory, spark: Any) -> Story:
    home = tmp_path_factory.mktemp("runs")
    first = run_notebook(NAME, home, spark, *SMALL, "ray.workers=1")
    prints, before = fingerprints(spark, first), commits(first.state)
    again = run_notebook(NAME, home, spark, *SMALL, "ray.workers=2")
    after = commits(first.state)
    other = run_notebook(NAME, home, spark, *OTHER)
    decided = rows(spark, other, "gold.model_decisions")
    back = ("rollback", "--reason", "it ranks upside down")
    one, two = ask(home, spark, *back), ask(home, spark, *back)
    return Story(home, first, prints, before, again, after, other, decided, one, two)


def test_a_model_that_passes_the_gate_is_champion_from_its_date_on(story: Story) -> None:
    row = next(row for row in story.decisions if row["model_version"] == 1)
    assert row["decision"] == "promoted"
    assert row["effective_from"] == row["as_of"] == date(2022, 12, 28)
    assert row["compared_with"] is None


def test_the_model_is_that_of_a_single_process_to_the_bit(story: Story, spark: Any) -> None:
    found = {row["shards"]: row for row in rows(spark, story.other, "gold.training")}
    assert found[2]["single_process_difference"] == 0.0
    assert found[1]["single_process_difference"] is None
    assert (found[2]["rounds"], found[2]["parameters_from"]) == (30, "model")
    assert found[2]["rows"] > 4000


def test_again_on_twice_the_workers_changes_nothing(story: Story, spark: Any) -> None:
    assert len(story.commits) > 10
    assert story.commits_after_again == story.commits
    assert {("train", "gold.training"), ("train", "gold.model_decisions")} <= set(story.prints)


def test_another_model_is_compared_with_the_champion_on_the_same_dates(story: Story) -> None:
    row = next(row for row in story.decisions if row["model_version"] == 2)
    assert row["decision"] == "promoted", row["reason"]
    assert row["compared_with"] == 1
    assert row["rank_ic_difference"] != 0.0
    assert "over the champion's hyperparameters (version 1)" in row["reason"]
    assert row["rank_ic_difference_lower"] < row["rank_ic_difference"]
    assert row["rank_ic_lower"] < row["rank_ic"]


def test_the_same_scores_stand_against_three_targets(story: Story, spark: Any) -> None:
    found = [row for row in rows(spark, story.other, "gold.signal_targets") if row["gated"]]
    assert [row["target"] for row in found] == ["rank"] * len(found)
    every = rows(spark, story.other, "gold.signal_targets")
    assert {row["target"] for row in every} == {"rank", "volatility_scaled", "residual"}
    assert all(row["dates"] > 100 and row["rank_ic"] is not None for row in every)


def test_rollback_is_one_command_and_twice_is_once(story: Story, spark: Any) -> None:
    assert story.rolled_back.code == 0, story.rolled_back.error
    assert "Version 2 withdrawn for dates from 2022-12-28 on; version 1 is champion" in story.rolled_back.out
    assert "Nothing was changed: version 1 is champion" in story.rolled_back_again.out
    decided = rows(spark, story.other, "gold.model_decisions")
    assert sorted((row["model_version"], row["decision"]) for row in decided) == [
        (1, "promoted"),
        (2, "promoted"),
        (2, "withdrawn"),
    ]
    lines = ask(story.home, spark, "models").out.splitlines()
    assert [line.split()[:4] for line in lines[1:]] == [
        ["csv:prices", "2", "withdrawn", "no"],
        ["csv:prices", "1", "promoted", "yes"],
    ]
    assert "it ranks upside down" in lines[1]


@pytest.mark.parametrize(
    ("table", "key", "words"),
    [
        ("gold.model_decisions", "decision=withdrawn", ("rollback", "gold.model_decisions", "models:/")),
        ("gold.training", "shards=2", ("silver.prices", "gold.features", NAME, "20260101", "models:/")),
    ],
)
def test_a_row_resolves_to_what_made_it(
    story: Story, spark: Any, table: str, key: str, words: tuple[str, ...]
) -> None:
    said = ask(story.home, spark, "lineage", table, key)
    assert said.code == 0, said.error
    for word in words:
        assert word in said.out


def test_the_page_the_card_and_nothing_unfinished_are_left(story: Story) -> None:
    for ran in (story.first, story.again, story.other):
        page = Path(ran.out.strip().splitlines()[-1].removeprefix("Report: ")).read_text(encoding="utf-8")
        assert page.startswith("<!DOCTYPE html>")
        assert "Promoted to champion" in page
    cards = sorted((story.home / "state" / "reports").glob("model-card-*.md"))
    assert [card.stem[-3:] for card in cards] == ["-v1", "-v2"]
    text = cards[0].read_text(encoding="utf-8")
    for word in ("**Promoted**", "1. momentum_12_1", "gold.features, Delta version", "## Limits"):
        assert word in text
    assert list((story.home / "state" / "unfinished").iterdir()) == []
