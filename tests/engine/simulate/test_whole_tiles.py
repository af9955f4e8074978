"""Books of few held lines: scenarios are stored once, and a tile has all of its losses at hand."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from acceleray.compiled import DEFAULT_FOLDER
from acceleray.quant import sparse_products
from acceleray.quant.risk import expected_shortfall, expected_shortfall_error, value_at_risk
from acceleray.quant.sparse_products import FewHeld
from acceleray.quant.sparse_rows import SparseRows
from acceleray.quant.stress import implied_factor_moves
from acceleray.stages.simulate import found as results
from acceleray.stages.simulate import tiles, whole_tiles
from acceleray.stages.simulate.engine import simulated
from acceleray.stages.simulate.found import Plan
from acceleray.stages.simulate.horizon import Horizon
from acceleray.stages.simulate.scenario_inputs import World
from simulate.serial import SerialFanOut, all_returns, made_up_world

VAR, ES, TARGETS = 0.99, 0.975, (0.02, 0.05)
SCENARIOS, LINES, PORTFOLIOS = 9_001, 12, 70
BETAS = np.linspace(0.5, 1.5, LINES)
PLAN = Plan(SCENARIOS, (1, 3), VAR, ES, betas=BETAS, targets=TARGETS, market=np.arange(LINES) < 10)
MEASURES = ("value_at_risk", "value_at_risk_error", "expected_shortfall", "expected_shortfall_error")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """Return portfolios of four of twelve lines, the first of eight, two that differ from it in one."""
    monkeypatch.setattr(tiles, "_MOST_LINES", 2)
    monkeypatch.setattr(results, "DENSE_COLUMNS", 2)
    monkeypatch.setattr(sparse_products, "_FEW", 1.0)
    made = made_up_world(PORTFOLIOS, LINES)
    kept = np.random.default_rng(8).permuted(np.tile(np.arange(LINES) < 4, (PORTFOLIOS, 1)), axis=1)
    weights = np.where(kept, made.weights - 0.04, 0.0)
    weights[0, :8] = made.weights[0, :8]
    weights[1] = 0.0
    weights[3:5] = weights[0]
    weights[3, 2] = weights[4, 5] = 0.0
    bases = np.full(PORTFOLIOS, -1)
    bases[3:5] = 0
    held = SparseRows.of(weights)
    implied = implied_factor_moves(BETAS[:, np.newaxis], np.full(LINES, 0.05))
    return replace(made, weights=held, few=FewHeld.of(held, bases), implied=implied)


def found_of(world: World, plan: Plan = PLAN, in_passes: bool = False) -> tuple[SerialFanOut, list[Horizon]]:
    fan_out = SerialFanOut()
    return fan_out, list(simulated(fan_out, [world], plan, in_passes=in_passes))


def numbers(horizon: Horizon) -> dict[str, np.ndarray]:
    assert horizon.reverse is not None or horizon.horizon_d == 1
    parts = {
        "var": horizon.value_at_risk_contributions[:],
        "shortfall": horizon.expected_shortfall_contributions[:],
        "volatility": horizon.volatility,
        "histogram": horizon.histogram,
    }
    parts |= {name: getattr(horizon.attribution, name) for name in ("factor", "specific", "residual")}
    for level, at in horizon.tail.levels.items():
        parts |= {f"{name} {level}": getattr(at, name) for name in MEASURES}
    if horizon.reverse is not None:
        names = ("reaching", "inside", "loss", "factor_distance", "reference_returns")
        parts |= {name: getattr(horizon.reverse, name) for name in names}
    return parts


def test_what_is_found_is_that_of_three_passes(world: World) -> None:
    fan_out, own = found_of(world)
    # Three atoms, each generated once.
    assert fan_out.ran.count("stored") == 3
    assert "searched" in fan_out.ran
    _, expected = found_of(world, in_passes=True)
    for one, other in zip(own, expected, strict=True):
        at_var = one.tail.value_at_risk(VAR)
        np.testing.assert_array_equal(at_var, other.tail.value_at_risk(VAR))
        assert np.count_nonzero(at_var) == PORTFOLIOS - 1
        for (name, value), reference in zip(numbers(one).items(), numbers(other).values(), strict=True):
            np.testing.assert_allclose(value, reference, rtol=1e-11, atol=1e-13, err_msg=name)


def test_measures_are_those_of_all_losses_at_once(world: World) -> None:
    _, [_, found] = found_of(world)
    losses = -(all_returns(world, SCENARIOS, 3) @ world.weights[:].T)
    np.testing.assert_allclose(found.tail.value_at_risk(VAR), value_at_risk(losses, VAR), rtol=1e-12)
    at = found.tail.at(ES)
    np.testing.assert_allclose(at.expected_shortfall, expected_shortfall(losses, ES), rtol=1e-12)
    np.testing.assert_allclose(at.expected_shortfall_error, expected_shortfall_error(losses, ES), rtol=1e-10)
    np.testing.assert_allclose(found.volatility, losses.std(axis=0), rtol=1e-12)


@pytest.mark.parametrize("compiled", [False, True], ids=["numpy", "machine code"])
def test_no_bit_depends_on_how_portfolios_are_cut(
    world: World, monkeypatch: pytest.MonkeyPatch, compiled: bool
) -> None:
    _, whole = found_of(world)
    monkeypatch.setattr(whole_tiles, "_TILE_NUMBERS", 1)
    monkeypatch.setattr(whole_tiles, "_ROWS", 3)
    fan_out, cut = found_of(replace(world, compiled_in=DEFAULT_FOLDER if compiled else None))
    assert fan_out.ran.count("searched") == 24
    for one, other in zip(whole, cut, strict=True):
        for (name, value), reference in zip(numbers(one).items(), numbers(other).values(), strict=True):
            np.testing.assert_array_equal(value, reference, err_msg=name)


def test_only_rows_that_a_table_explains_are_explained(world: World) -> None:
    explained = np.arange(PORTFOLIOS) % 3 == 0
    (_, every), (_, some) = found_of(world), found_of(world, replace(PLAN, explained=explained))
    for whole, own in zip(every, some, strict=True):
        for level in (VAR, ES):
            np.testing.assert_array_equal(own.tail.value_at_risk(level), whole.tail.value_at_risk(level))
        for name in ("value_at_risk_contributions", "expected_shortfall_contributions"):
            expected = np.where(explained[:, np.newaxis], getattr(whole, name)[:], 0.0)
            np.testing.assert_array_equal(getattr(own, name)[:], expected)
        expected = np.where(explained, whole.attribution.specific, np.nan)
        np.testing.assert_array_equal(own.attribution.specific, expected)


def test_losses_that_are_not_finite_are_refused(world: World) -> None:
    broken = replace(world, next_sigma=np.where(np.arange(LINES) == 3, 1e308, world.next_sigma))
    with pytest.raises(RuntimeError, match="not finite"):
        found_of(
            replace(broken, residuals=np.abs(world.residuals)), replace(PLAN, horizons_d=(3,), targets=())
        )


def test_more_scenarios_than_can_be_stored_go_through_passes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole_tiles, "_STORED_NUMBERS", SCENARIOS * LINES - 1)
    fan_out, _ = found_of(world)
    assert "stored" not in fan_out.ran
    assert "attribute" in fan_out.ran


def test_tiles_follow_each_other_and_hold_few_numbers(world: World) -> None:
    plan = replace(PLAN, scenarios=20_000)
    held = SparseRows.of(np.ones((1_000, 3)))
    made = whole_tiles.WholeTiles(SerialFanOut(), replace(world, weights=held), plan, 10)
    cut = [each.portfolios for each in made._tiles]
    assert made.steps == len(cut) == 3
    assert [cut[0].start, cut[-1].stop] == [0, 1_000]
    assert all(one.stop == other.start for one, other in pairwise(cut))
    assert max(each.stop - each.start for each in cut) == 384
