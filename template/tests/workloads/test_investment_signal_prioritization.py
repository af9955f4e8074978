"""Prioritization as people run it: a notebook, on one worker and on two, and again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from workloads.in_process import ask, fingerprints, rows, run_notebook
from workloads.running import Ran

# Two whole runs stand before the first assertion.
pytestmark = [pytest.mark.ray, pytest.mark.timeout(900)]

NAME = "investment_signal_prioritization"
SMALL = ("signals.horizons_d=[5, 21]", "signals.replications=600")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, spark: Any) -> tuple[Ran, Ran]:
    home = tmp_path_factory.mktemp("runs")
    one, two = (
        run_notebook(NAME, folder, spark, *SMALL, f"ray.workers={workers}")
        for folder, workers in ((home / "one", 1), (home / "two", 2))
    )
    return one, two


def test_one_worker_and_two_give_the_same_bits(runs: tuple[Ran, Ran], spark: Any) -> None:
    one, two = (fingerprints(spark, ran) for ran in runs)
    assert len(one) >= 9
    assert one == two
    assert rows(spark, runs[0], "gold.signal_ranks")


def test_every_signal_has_a_decision_and_a_reason(runs: tuple[Ran, Ran], spark: Any) -> None:
    ranks = rows(spark, runs[1], "gold.signal_ranks")
    assert len(ranks) == 14 * 2
    assert {row["decision"] for row in ranks} <= {"use", "watch", "suspect", "reject"}
    assert all(len(row["reason"]) > 20 for row in ranks)


def test_the_last_line_is_a_report_that_says_what_survives(runs: tuple[Ran, Ran]) -> None:
    for ran in runs:
        page = Path(ran.out.strip().splitlines()[-1].removeprefix("Report: ")).read_text(encoding="utf-8")
        assert page.startswith("<!DOCTYPE html>")
        assert "14 signals at 2 horizons, 28 tests in all" in page.replace("\u00a0", " ")
        assert "whatever this table says" in page


def test_a_rank_resolves_to_what_made_it(runs: tuple[Ran, Ran], spark: Any) -> None:
    home = runs[1].state.parent
    said = ask(home, spark, "lineage", "gold.signal_ranks", "signal_id=momentum_12_1", "horizon_d=5")
    assert said.code == 0, said.error
    for word in (NAME, "silver.prices", "gold.features", "20260101"):
        assert word in said.out
