"""A real contest of one side, without engines; and every work declares what the contest asks for."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from arena.contest import Order, contest
from bench import found_works
from portfolio.settings import Settings

SETTINGS = Settings.model_validate({"project": {"name": "contest", "customer": "tests"}})
WORKS = list(found_works())


@pytest.mark.parametrize("name", WORKS)
def test_every_work_has_sides_sizes_and_a_tolerance(name: str) -> None:
    work = import_module(f"works.{name}")
    assert name == work.NAME
    assert {"full", "small"} <= set(work.SIZES)
    assert {"limit", "ray"} <= set(work.SIDES)
    assert any(side.startswith("spark") for side in work.SIDES)
    assert work.TOLERANCE >= 0.0
    assert set(work.TARGETS) <= {"limit_ratio", "spark_ratio"} | {f"{side}_ratio" for side in work.SIDES}


def test_a_contest_times_every_round_and_names_what_failed(tmp_path: Path) -> None:
    simulation = pytest.importorskip("works.simulation")
    size = {"scenarios": 20_000, "instruments": 4, "portfolios": 70}
    simulation.make(tmp_path, size)
    said: list[str] = []
    found = contest(Order("simulation", tmp_path, size, 2, SETTINGS), ["limit", "nobody"], 2, said.append)
    limit = found["limit"]
    assert len(limit.warm_s) == 2
    assert min(limit.start_s, limit.cold_s, *limit.warm_s) > 0.0
    assert limit.peak_mb > 10.0
    assert limit.error == ""
    assert found["nobody"].error.startswith("KeyError: ")
    assert any("nobody did not start" in line for line in said)
