"""The contest's simulation finds the tails that all losses have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from acceleray.quant.risk import expected_shortfall, value_at_risk
from works import simulation, simulation_tails


@pytest.mark.parametrize("total", [20_000, 3_000])
def test_tails_found_by_a_pilot_are_those_of_all_losses(tmp_path: Path, total: int) -> None:
    simulation.make(tmp_path, {"scenarios": total, "instruments": 5, "portfolios": 70})
    market, weights = simulation.read(tmp_path)
    returns = simulation.every_scenario(market, total)

    found = simulation_tails.tails(weights, returns)
    np.testing.assert_allclose(simulation_tails.sorted_tails(weights, returns), found, rtol=1e-12)
    losses = -(weights @ returns).T
    np.testing.assert_allclose(found[:, 0], value_at_risk(losses, 0.99), rtol=1e-12)
    np.testing.assert_allclose(found[:, 1], expected_shortfall(losses, 0.975), rtol=1e-12)


def test_a_pilot_that_misleads_costs_time_and_no_exactness(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    # Calm after a pilot of crashes: hardly a loss of the rest lies beyond the pilot's tail.
    pilot = generator.standard_normal((3, simulation_tails.PILOT)) * 0.1
    returns = np.concatenate([pilot, generator.standard_normal((3, 80_000)) * 0.001], axis=1)
    weights = np.full((2, 3), 1 / 3)
    losses = -(weights @ returns).T
    found = simulation_tails.tails(weights, returns)
    np.testing.assert_allclose(found[:, 1], expected_shortfall(losses, 0.975), rtol=1e-12)
