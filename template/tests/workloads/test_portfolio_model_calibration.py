"""Calibration as people run it: killed and resumed, and as a notebook that loses a worker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from workloads.running import Ran, as_notebook, base, finished, killed_and_resumed, written

# Two whole runs stand before the first assertion.
pytestmark = [pytest.mark.ray, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ran, Ran]:
    home = tmp_path_factory.mktemp("runs")
    return killed_and_resumed("portfolio_model_calibration", home), as_notebook(
        "portfolio_model_calibration", home
    )


def test_killed_and_resumed_or_losing_a_worker_it_ends_with_the_same_bits(
    runs: tuple[Ran, Ran], spark: Any
) -> None:
    for ran in runs:
        assert ran.code == 0, ran.error
    assert "goes on where a run before stopped" in runs[0].error
    one, other = (written(spark, ran.state) for ran in runs)
    assert len(one) >= 11
    assert one == other


def test_the_last_line_is_a_report_that_is_there(runs: tuple[Ran, Ran]) -> None:
    for ran in runs:
        page = Path(ran.out.strip().splitlines()[-1].removeprefix("Report: ")).read_text(encoding="utf-8")
        assert page.startswith("<!DOCTYPE html>")
        assert "JPM" in page


def test_a_row_resolves_to_what_made_it(runs: tuple[Ran, Ran]) -> None:
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
