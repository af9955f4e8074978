"""Stress testing as people run it: on one worker, as a notebook that loses a worker, and on a cluster."""

from __future__ import annotations

from typing import Any

import pytest

from workloads.running import Ran, as_notebook, base, finished, in_other_blocks, on_a_cluster, written

# Three whole runs stand before the first assertion.
pytestmark = [pytest.mark.ray, pytest.mark.timeout(1500)]
WORKLOAD = "risk_stress_testing"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ran, ...]:
    home = tmp_path_factory.mktemp("runs")
    return tuple(way(WORKLOAD, home) for way in (in_other_blocks, as_notebook, on_a_cluster))


def test_one_worker_in_other_blocks_two_with_one_killed_and_a_cluster_of_four_give_the_same_bits(
    runs: tuple[Ran, ...], spark: Any
) -> None:
    for ran in runs:
        assert ran.code == 0, ran.error
    one, two, four = (written(spark, ran.state) for ran in runs)
    assert len(one) >= 25
    assert one == two == four


def test_the_last_line_is_a_report_that_is_there(runs: tuple[Ran, ...]) -> None:
    for ran in runs:
        page = ran.report.read_text(encoding="utf-8")
        assert page.startswith("<!DOCTYPE html>")
        assert "financial" in page


@pytest.mark.parametrize(
    ("table", "key"),
    [("gold.stress_losses", "portfolio_id=REFERENCE"), ("gold.backtest_verdicts", "model=ewma_normal")],
)
def test_a_row_resolves_to_what_made_it(runs: tuple[Ran, ...], table: str, key: str) -> None:
    said = finished([*base("lineage", runs[1].state), table, key], runs[1].state)
    assert said.code == 0, said.error
    for word in (
        "silver.prices",
        "silver.factors",
        "gold.calibration_history",
        "20260101",
        "risk_stress_testing",
    ):
        assert word in said.out
