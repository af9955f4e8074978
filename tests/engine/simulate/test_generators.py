"""`simulation.generator: tables` makes the scenarios of the t copula, and nothing but last digits differs."""

from __future__ import annotations

import pickle
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from acceleray.compiled import DEFAULT_FOLDER
from acceleray.quant.scenarios import (
    ParameterArrays,
    carried_variance,
    draw_days,
    filtered_historical_returns,
)
from acceleray.quant.table_copula import copula_tables
from acceleray.stages.simulate import scenario_inputs
from acceleray.stages.simulate.engine import simulated
from acceleray.stages.simulate.found import Plan
from acceleray.stages.simulate.horizon import Horizon
from acceleray.stages.simulate.scenario_inputs import World, with_copula
from simulate.serial import SerialFanOut, made_up_world, with_t_copula
from simulate.test_simulate_reverse import with_factors
from simulate.test_simulate_stage import settings

VAR, ES = 0.99, 0.975
PLAN = Plan(40_000, (1, 3), VAR, ES, betas=np.array([0.8, 1.0, 1.3]), targets=(0.02,))


@pytest.fixture(scope="module")
def standard() -> World:
    return replace(with_t_copula(with_factors(made_up_world())), compiled_in=DEFAULT_FOLDER)


@pytest.fixture(scope="module")
def tables(standard: World) -> World:
    assert standard.copula is not None
    return replace(standard, tables=copula_tables(standard.copula))


def found(world: World, *, in_passes: bool = False) -> tuple[Horizon, ...]:
    return simulated(SerialFanOut(), [world], PLAN, in_passes=in_passes)


def test_risk_is_the_same_to_a_hundred_millionth_and_not_to_the_bit(standard, tables) -> None:
    for one, other in zip(found(tables), found(standard), strict=True):
        for confidence in (VAR, ES):
            for measure in ("value_at_risk", "expected_shortfall"):
                pair = (getattr(each.tail, measure)(confidence) for each in (one, other))
                np.testing.assert_allclose(*pair, rtol=1e-8, atol=1e-12)
        assert not np.array_equal(one.tail.value_at_risk(VAR), other.tail.value_at_risk(VAR))
        assert (one.reverse is None) == (other.reverse is None)
    # The reverse stress goes through the same scenarios.
    assert one.reverse is not None
    assert other.reverse is not None
    np.testing.assert_array_equal(one.reverse.reaching, other.reverse.reaching)
    np.testing.assert_allclose(
        one.reverse.reference_returns, other.reverse.reference_returns, rtol=1e-7, atol=1e-10
    )
    assert not np.array_equal(one.reverse.reference_returns, other.reverse.reference_returns)


def test_one_pass_finds_what_three_find_in_numpy_alone(tables) -> None:
    for one, three in zip(
        found(tables), found(replace(tables, compiled_in=None), in_passes=True), strict=True
    ):
        for confidence in (VAR, ES):
            pair = one.tail.value_at_risk(confidence), three.tail.value_at_risk(confidence)
            np.testing.assert_array_equal(*pair)


def test_atoms_have_the_same_bits_whoever_makes_them_and_in_which_order(tables) -> None:
    elsewhere = pickle.loads(pickle.dumps(tables))
    forwards = [tables.returns((atom, 4096), 10) for atom in (0, 1, 2)]
    backwards = [elsewhere.returns((atom, 4096), 10) for atom in (2, 1, 0)]
    for one, other in zip(forwards, reversed(backwards), strict=True):
        assert one.tobytes() == other.tobytes()


def test_past_days_are_replayed_by_either_generator_alike(standard, tables) -> None:
    for horizon_d in (1, 10):
        one, other = (replace(each, copula=None).returns((0, 500), horizon_d) for each in (standard, tables))
        assert one.tobytes() == other.tobytes()


def test_what_past_days_hand_on_is_found_once_and_never_that_of_another_world(monkeypatch) -> None:
    world, found_for = made_up_world(), []

    def counted(residuals: np.ndarray, parameters: ParameterArrays) -> np.ndarray:
        found_for.append(len(residuals))
        return carried_variance(residuals, parameters)

    monkeypatch.setattr(scenario_inputs, "carried_variance", counted)
    other = replace(world, residuals=2.0 * world.residuals[:500])
    for each in (world, other):
        terms = each.residuals, each.parameters, each.next_sigma
        for atom in (0, 1):
            days = draw_days(each.seed, atom, 300, 10, len(each.residuals))
            expected = filtered_historical_returns(days, *terms)
            assert each.returns((atom, 300), 10).tobytes() == expected.tobytes()
    assert found_for == [700, 500]


@pytest.mark.parametrize("generator", ["standard", "tables"])
def test_the_setting_decides_whether_a_copula_has_tables(generator: str) -> None:
    fits = [SimpleNamespace(parameters=SimpleNamespace(nu=nu)) for nu in (5.0, 6.0, 7.0)]
    calibration: Any = SimpleNamespace(usable=np.arange(3), fits=fits)
    dependence: Any = SimpleNamespace(copula_nu=4.0, correlation=np.eye(3))
    chosen = settings().simulation.model_copy(update={"generator": generator}).generator
    world = with_copula(SerialFanOut(), made_up_world(), calibration, dependence, chosen)  # type: ignore[arg-type]
    assert (world.tables is not None) == (generator == "tables")
    assert world.copula is not None
    assert world.copula.nu == 4.0


def test_the_generator_is_part_of_what_decides_a_run() -> None:
    plain = settings()
    simulation = plain.simulation.model_copy(update={"generator": "tables"})
    assert plain.simulation.generator == "standard"
    assert plain.model_copy(update={"simulation": simulation}).numbers() != plain.numbers()
