"""Calibration as people run it: killed and resumed, as a notebook that loses a worker, on four workers."""

from __future__ import annotations

import re
from typing import Any

import pytest

from workloads.running import (
    Ran,
    as_notebook,
    base,
    finished,
    killed_and_resumed,
    on_four_workers,
    written,
)

# Three whole runs and most of a fourth stand before the first assertion.
pytestmark = [pytest.mark.ray, pytest.mark.timeout(1500)]
WORKLOAD = "portfolio_model_calibration"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ran, ...]:
    home = tmp_path_factory.mktemp("runs")
    return tuple(way(WORKLOAD, home) for way in (killed_and_resumed, as_notebook, on_four_workers))


def test_a_killed_run_goes_on_where_it_stopped(runs: tuple[Ran, ...]) -> None:
    assert runs[0].code == 0, runs[0].error
    # Parts of the usual size would have kept nothing yet.
    assert re.search("goes on where a run before stopped: (40|60) of 65 fits", runs[0].error)


def test_one_worker_in_other_blocks_two_with_one_killed_and_four_give_the_same_bits(
    runs: tuple[Ran, ...], spark: Any
) -> None:
    for ran in runs:
        assert ran.code == 0, ran.error
    one, two, four = (written(spark, ran.state) for ran in runs)
    assert len(one) >= 11
    assert one == two == four


def test_the_last_line_is_a_report_that_is_there(runs: tuple[Ran, ...]) -> None:
    for ran in runs:
        page = ran.report.read_text(encoding="utf-8")
        assert page.startswith("<!DOCTYPE html>")
        assert "JPM" in page


def test_a_row_resolves_to_what_made_it(runs: tuple[Ran, ...]) -> None:
    asked = [*base("lineage", runs[1].state), "gold.factor_betas", "instrument_id=JPM"]
    said = finished(asked, runs[1].state)
    assert said.code == 0, said.error
    for word in (
        "silver.prices",
        "silver.factors",
        "gold.calibration_history",
        "20260101",
        "portfolio_model_calibration",
    ):
        assert word in said.out
