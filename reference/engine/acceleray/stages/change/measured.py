"""Value at risk and expected shortfall of given inputs, as the run would report them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acceleray.engines.ray.fanout import FanOut
from acceleray.settings import Settings
from acceleray.stages.change.steps import Inputs
from acceleray.stages.simulate.engine import Plan, simulated
from acceleray.stages.simulate.horizon import Horizon
from acceleray.stages.simulate.rows import EXPECTED_SHORTFALL, VALUE_AT_RISK
from acceleray.stages.simulate.scenario_inputs import build_world

# Scenarios x days x instruments of one step: seconds on two cores. Beyond, only what is enumerated is split.
LARGEST_STEP = 400_000_000
LARGEST_DRAW = 100_000


@dataclass(frozen=True)
class Asked:
    """One measure at one horizon."""

    measure: str
    confidence: float
    horizon_d: int


Values = dict[Asked, NDArray[np.float64]]
"""By measure and horizon the values of all portfolios (portfolios,), in % of NAV."""


def asked(settings: Settings, horizons: Sequence[Horizon]) -> list[Asked]:
    """Return the measures that are reported: both, at every horizon."""
    levels = (
        (VALUE_AT_RISK, settings.risk.var_confidence),
        (EXPECTED_SHORTFALL, settings.risk.es_confidence),
    )
    return [Asked(measure, level, each.horizon_d) for each in horizons for measure, level in levels]


def values_of(settings: Settings, horizons: Sequence[Horizon]) -> Values:
    """Return the measures of simulated horizons."""
    risk, found = settings.risk, {}
    for each in horizons:
        var = each.tail.value_at_risk(risk.var_confidence)
        shortfall = each.tail.expected_shortfall(risk.es_confidence)
        found[Asked(VALUE_AT_RISK, risk.var_confidence, each.horizon_d)] = 100.0 * var
        found[Asked(EXPECTED_SHORTFALL, risk.es_confidence, each.horizon_d)] = 100.0 * shortfall
    return found


def too_large(horizon: Horizon, instruments: int) -> str:
    """Return why a horizon is not simulated once more for each step, or nothing.

    With fewer scenarios than were reported the parts would be smaller than what another draw changes.
    """
    if horizon.horizon_d == 1:
        return ""
    if horizon.scenarios > LARGEST_DRAW:
        return f"drawn from {horizon.scenarios:,} scenarios: only up to {LARGEST_DRAW:,} are drawn again"
    if horizon.scenarios * horizon.horizon_d * instruments > LARGEST_STEP:
        return f"{instruments:,} instruments over {horizon.horizon_d} days are not simulated once more"
    return ""


def measured(fan_out: FanOut, inputs: Inputs, horizons: Sequence[Horizon], settings: Settings) -> Values:
    """Return the measures of inputs at the horizons given, each with as many scenarios and the same seed."""
    world, _ = build_world(inputs.calibration, inputs.book, settings)
    found: Values = {}
    for each in horizons:
        plan = Plan(
            scenarios=each.scenarios,
            horizons_d=(each.horizon_d,),
            var_confidence=settings.risk.var_confidence,
            es_confidence=settings.risk.es_confidence,
            # Nothing is attributed to the market here, nor to lines.
            betas=np.zeros(world.weights.shape[1]),
            explained=np.zeros(len(world.weights), dtype=np.bool_),
        )
        found |= values_of(settings, simulated(fan_out, [world], plan))
    return found
