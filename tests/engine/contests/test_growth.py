"""Growth measured in several runs makes one plan: a work that was not measured again keeps its row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import capacity
import growth

NODE = capacity.Machine(cores=16, price=0.1)


def row(work: str, seconds: float, **size: int) -> dict[str, Any]:
    point = {"size": size, "start_s": 8.0, "median_s": seconds}
    return {"work": work, "points": [point], "workers": 2, "speed_up": 2.0}


CALIBRATION = row("calibration", 56.0, fits=5_000)
SIMULATION = row("simulation", 3.5, scenarios=1_000_000, portfolios=1_000)


def test_a_plan_is_made_from_all_works_in_whichever_run_they_were_measured(tmp_path: Path) -> None:
    results = tmp_path / "growth.json"
    growth.written(results, growth.with_kept([CALIBRATION, SIMULATION], results), [], [])
    rows = growth.with_kept(
        [row("scoring", 2.0, rows=2_000_000), row("calibration", 28.0, fits=5_000)], results
    )
    assert [one["work"] for one in rows] == ["calibration", "simulation", "scoring"]
    known = growth.constants(rows, dispatch_s=0.001, workers=2)
    # Two workers that lose nothing by being two: twice the seconds of one core.
    assert known.fit_s == pytest.approx(2 * 28.0 / 5_000)
    assert known.valuation_s == pytest.approx(2 * 3.5 / 1e9)
    assert {one.work for one in capacity.capacities(known, NODE)} > {
        "100,000,000 scenarios x 100,000 portfolios"
    }


def test_growth_in_proportion_has_the_exponent_one() -> None:
    assert growth.exponent([10, 100, 1_000], [0.2, 2.0, 20.0]) == pytest.approx(1.0)
    assert growth.exponent([10, 100, 1_000], [3.0, 3.0, 3.0]) == pytest.approx(0.0, abs=1e-12)
    assert growth.exponent([10], [3.0]) is None
