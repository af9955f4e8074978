"""The change of a number in parts: what did not change has exactly none, and they add up."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from acceleray.quant.garch import GjrParameters
from acceleray.stages.change.measured import Asked, measured, too_large
from acceleray.stages.change.split import PARTS, Split, split
from acceleray.stages.change.steps import Inputs, steps
from change.two_days import NAMES, PARAMETERS, SETTINGS, doubled, fitted, inputs, returns
from simulate.serial import SerialFanOut

VAR, ES = Asked("value_at_risk", 0.99, 1), Asked("expected_shortfall", 0.975, 1)
TEN = Asked("value_at_risk", 0.99, 10)
HORIZONS: Any = [SimpleNamespace(horizon_d=1, scenarios=250), SimpleNamespace(horizon_d=10, scenarios=5000)]
HALVES = [0.5, 0.5, 0.0]


def valued(one: Inputs) -> dict[Asked, np.ndarray]:
    fan_out: Any = SerialFanOut()
    return measured(fan_out, one, HORIZONS, SETTINGS)


def parts(before: Inputs, today: Inputs, which: Asked = VAR) -> dict[str, float]:
    """Return every part in % of NAV, and the change and the two values."""
    chain = [valued(each)[which] for each in steps(before, today, SETTINGS)]
    then, now = valued(before)[which], valued(today)[which]
    found = split(then, chain, now)
    known = {name: float(getattr(found, name)[0]) for name in (*PARTS, "remainder")}
    return known | {"change": float((now - then)[0]), "then": float(then[0])}


def alone(found: dict[str, float], name: str) -> None:
    """Assert that one part has the whole change, and all others are exactly zero."""
    others = {part: found[part] for part in (*PARTS, "remainder") if part != name}
    assert others == dict.fromkeys(others, 0.0)
    assert found[name] == found["change"] != 0.0


@pytest.mark.parametrize("which", [VAR, ES, TEN])
def test_only_a_position_changed_and_twice_the_position_is_twice_the_risk(which: Asked) -> None:
    panel = returns()
    found = parts(inputs(panel, HALVES), inputs(panel, [1.0, 1.0, 0.0]), which)
    alone(found, "positions")
    assert found["positions"] == pytest.approx(found["then"], rel=1e-12)


@pytest.mark.parametrize("which", [VAR, ES, TEN])
def test_only_one_more_day_came_and_all_of_it_is_market(which: Asked) -> None:
    before, today = returns(700), returns(701)
    alone(parts(inputs(before, HALVES), inputs(today, HALVES), which), "market")


def test_a_day_of_large_moves_raises_risk_by_the_volatility_that_follows() -> None:
    before, today = returns(700), returns(701)
    values = today.values.copy()
    values[-1] = -0.2
    found = parts(inputs(before, HALVES), inputs(replace(today, values=values), HALVES))
    assert found["market"] > 1.0
    assert found["positions"] == found["instruments"] == found["parameters"] == 0.0


def test_only_the_forecast_of_the_models_changed_and_all_of_it_is_parameters() -> None:
    panel = returns()
    found = parts(inputs(panel, HALVES), inputs(panel, HALVES, **doubled(panel, "A", "B", "C")))
    alone(found, "parameters")
    # Without a drift a day is volatility times a residual.
    assert found["parameters"] == pytest.approx(found["then"], rel=1e-12)


def test_a_new_instrument_is_no_position_that_changed() -> None:
    panel = returns()
    alone(parts(inputs(panel, HALVES, without="C"), inputs(panel, [0.5, 0.5, 0.5])), "instruments")


def test_an_instrument_that_ended_is_no_position_that_changed() -> None:
    panel = returns()
    alone(parts(inputs(panel, HALVES), inputs(panel, [0.5, 0.0, 0.0], without="B")), "instruments")


def test_a_new_name_in_the_book_that_had_a_model_before_is_a_position() -> None:
    panel = returns()
    alone(parts(inputs(panel, HALVES), inputs(panel, [0.5, 0.5, 0.5])), "positions")


@pytest.mark.parametrize("which", [VAR, ES, TEN])
def test_parts_add_up_where_everything_changed(which: Asked) -> None:
    before, today = returns(700), returns(703)
    steeper = GjrParameters(mu=2e-4, omega=3e-6, alpha=0.03, gamma=0.1, beta=0.9, nu=5.0)
    fits = {name: fitted(today, place, steeper) for place, name in enumerate(NAMES)}
    found = parts(inputs(before, [0.4, 0.6, 0.0], without="C"), inputs(today, [0.5, 0.2, 0.3], **fits), which)
    assert all(found[name] != 0.0 for name in PARTS)
    assert sum(found[name] for name in PARTS) + found["remainder"] == pytest.approx(
        found["change"], abs=1e-12
    )


def test_what_was_reported_before_and_is_not_found_again_is_remainder() -> None:
    panel = returns()
    then = valued(inputs(panel, HALVES))[VAR]
    found = split(then + 0.25, [then] * 4, then)
    assert (float(found.remainder[0]), float(found.positions[0])) == (pytest.approx(-0.25), 0.0)
    whole = split(then + 0.25, (), then)
    assert float(whole.remainder[0]) == pytest.approx(-0.25)
    assert isinstance(whole, Split)


def test_the_steps_swap_one_input_at_a_time() -> None:
    before, today = inputs(returns(700), HALVES), inputs(returns(701), [1.0, 0.0, 0.0])
    first, second, third, fourth = steps(before, today, SETTINGS)
    assert first is before
    assert second.calibration is before.calibration
    assert second.book.weights.tolist() == today.book.weights.tolist()
    assert len(third.calibration.returns.dates) == 700
    assert len(fourth.calibration.returns.dates) == 701
    assert all(fit.parameters == PARAMETERS for fit in fourth.calibration.fits)


@pytest.mark.parametrize(
    ("days", "scenarios", "instruments", "says"),
    [
        (1, 2000, 100_000, ""),
        (10, 100_000, 400, ""),
        (10, 100_001, 20, "drawn from 100,001 scenarios: only up to 100,000 are drawn again"),
        (10, 100_000, 401, "401 instruments over 10 days are not simulated once more"),
    ],
)
def test_what_takes_long_is_not_simulated_again(
    days: int, scenarios: int, instruments: int, says: str
) -> None:
    horizon: Any = SimpleNamespace(horizon_d=days, scenarios=scenarios)
    assert too_large(horizon, instruments) == says
