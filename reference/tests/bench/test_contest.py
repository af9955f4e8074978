"""A real contest of one side, without engines; and every work declares what the contest asks for."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from arena.contest import Order, contest
from bench import found_works
from portfolio.quant.risk import expected_shortfall, value_at_risk
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


@pytest.mark.parametrize("total", [20_000, 3_000])
def test_tails_found_by_a_pilot_are_those_of_all_losses(tmp_path: Path, total: int) -> None:
    simulation = pytest.importorskip("works.simulation")
    simulation.make(tmp_path, {"scenarios": total, "instruments": 5, "portfolios": 70})
    market, weights = simulation.read(tmp_path)
    returns = simulation.every_scenario(market, total)

    found = simulation.tails(weights, returns)
    losses = -(weights @ returns).T
    np.testing.assert_allclose(found[:, 0], value_at_risk(losses, 0.99), rtol=1e-12)
    np.testing.assert_allclose(found[:, 1], expected_shortfall(losses, 0.975), rtol=1e-12)


def test_a_pilot_that_misleads_costs_time_and_no_exactness(tmp_path: Path) -> None:
    simulation = pytest.importorskip("works.simulation")
    generator = np.random.default_rng(1)
    # Calm after a pilot of crashes: hardly a loss of the rest lies beyond the pilot's tail.
    pilot = generator.standard_normal((3, simulation.PILOT)) * 0.1
    returns = np.concatenate([pilot, generator.standard_normal((3, 80_000)) * 0.001], axis=1)
    weights = np.full((2, 3), 1 / 3)
    losses = -(weights @ returns).T
    found = simulation.tails(weights, returns)
    np.testing.assert_allclose(found[:, 1], expected_shortfall(losses, 0.975), rtol=1e-12)
