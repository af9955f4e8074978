"""Weights and contributions of many lines are kept sparse: the same numbers, to the bit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from acceleray.compiled import DEFAULT_FOLDER
from acceleray.quant import sparse_products
from acceleray.quant.sparse_products import FewHeld
from acceleray.quant.sparse_rows import SparseRows
from acceleray.stages.simulate import found as results
from acceleray.stages.simulate.engine import simulated
from acceleray.stages.simulate.found import Plan
from acceleray.stages.simulate.horizon import Horizon
from acceleray.stages.simulate.scenario_inputs import World
from simulate.serial import SerialFanOut, made_up_world

VAR, ES = 0.99, 0.975
PLAN = Plan(20_001, (1, 3), VAR, ES, betas=np.array([0.8, 1.0, 1.3]))
# A book with short holdings, in which only some hold everything.
WEIGHTS = np.array([[0.4, 0.3, 0.3], [1.2, -0.2, 0.0], [0.0, 0.0, -0.5], [0.0, 1.0, 0.0], [0.5, 0.5, 0.0]])


@pytest.fixture
def dense() -> World:
    return replace(made_up_world(), weights=WEIGHTS)


@pytest.fixture
def wide(dense: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Return the same world as one of more lines than are kept dense."""
    monkeypatch.setattr(results, "DENSE_COLUMNS", 2)
    return replace(dense, weights=SparseRows.of(WEIGHTS))


def found_of(world: World, plan: Plan = PLAN) -> tuple[Horizon, ...]:
    return simulated(SerialFanOut(), [world], plan, in_passes=True)


def test_sparse_weights_change_no_bit(dense: World, wide: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sparse = found_of(wide)
    monkeypatch.undo()
    for own, expected in zip(sparse, found_of(dense), strict=True):
        for name in ("value_at_risk_contributions", "expected_shortfall_contributions"):
            kept = getattr(own, name)
            assert isinstance(kept, SparseRows)
            np.testing.assert_array_equal(kept[:], getattr(expected, name))
            # Kept is what is held, long or short, and nothing else.
            assert kept.kept.nnz == np.count_nonzero(WEIGHTS)
        for level in (VAR, ES):
            np.testing.assert_array_equal(own.tail.value_at_risk(level), expected.tail.value_at_risk(level))
        np.testing.assert_array_equal(own.tail.expected_shortfall(ES), expected.tail.expected_shortfall(ES))
        np.testing.assert_array_equal(own.volatility, expected.volatility)
        for name in ("factor", "specific", "residual"):
            np.testing.assert_array_equal(getattr(own.attribution, name), getattr(expected.attribution, name))


def test_multiplying_only_what_is_held_finds_the_same_risk(
    dense: World, wide: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sparse_products, "_FEW", 1.0)
    held = SparseRows.of(WEIGHTS)
    few = replace(wide, weights=held, few=FewHeld.of(held, np.array([-1, 0, -1, -1, 0])))
    assert few.few is not None
    compiled = found_of(replace(few, compiled_in=DEFAULT_FOLDER))
    for own, other, expected in zip(found_of(few), compiled, found_of(dense), strict=True):
        for level in (VAR, ES):
            for measure in ("value_at_risk", "expected_shortfall"):
                one, two, three = (getattr(each.tail, measure)(level) for each in (own, other, expected))
                np.testing.assert_array_equal(one, two)
                np.testing.assert_allclose(one, three, rtol=1e-12)
        for name in ("value_at_risk_contributions", "expected_shortfall_contributions"):
            one, two, three = (np.asarray(getattr(each, name)[:]) for each in (own, other, expected))
            np.testing.assert_array_equal(one, two)
            np.testing.assert_allclose(one, three, rtol=0, atol=1e-13)


def test_contributions_that_no_table_shows_are_not_kept(dense: World, wide: World) -> None:
    explained = np.array([True, True, False, False, True])
    [one, several] = found_of(wide, replace(PLAN, explained=explained))
    for own in (one, several):
        held = own.expected_shortfall_contributions
        assert isinstance(held, SparseRows)
        assert held.kept.nnz == np.count_nonzero(WEIGHTS[explained])
        np.testing.assert_allclose(
            held[:].sum(axis=1), np.where(explained, own.tail.expected_shortfall(ES), 0.0), rtol=1e-12
        )


def test_some_portfolios_of_a_horizon_stay_sparse(wide: World) -> None:
    [one, _] = found_of(wide)
    some = one.part(slice(1, 3))
    assert isinstance(some.value_at_risk_contributions, SparseRows)
    np.testing.assert_array_equal(some.value_at_risk_contributions[:], one.value_at_risk_contributions[1:3])
