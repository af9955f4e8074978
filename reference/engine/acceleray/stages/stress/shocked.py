"""Hypothetical and supervisory scenarios: factor shocks, what follows from them, and what instruments do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from acceleray.errors import PortfolioError
from acceleray.quant.stress import (
    conditional_mean,
    from_logs,
    smallest_eigenvalue,
    with_correlations,
)
from acceleray.stages.stress.definitions import SMALLEST_EIGENVALUE, Definitions, ShockScenario, Variable
from acceleray.stages.stress.distance import measured
from acceleray.stages.stress.outcome import SHOCKED, UNPRICED, Assumption, Outcome, not_run, outcome
from acceleray.stages.stress.replay import STANDSTILL, last_move

if TYPE_CHECKING:
    from acceleray.stages.calibrate.factor_model import FactorModel

# A level in per cent below this was meant as a fraction: no market's volatility is 1 % a year.
_SMALLEST_PERCENT = 1.0


def refuse_impossible(definitions: Definitions, model: FactorModel) -> None:
    """Refuse what only the factors of a run can show to be impossible.

    Raises:
        PortfolioError: with its correlations replaced, a scenario's matrix is not positive definite (the line
            gives the smallest eigenvalue), or a level in per cent is given for a factor measured otherwise.
    """
    live = model
    for scenario in definitions.shocks:
        model = _priced_by(scenario, live)
        if _missing(scenario, model):
            continue
        where = f"{definitions.file}, {scenario.scenario_id}"
        for variable in scenario.variables:
            if variable.shock is not None and variable.shock.is_percent_level:
                level = float(_today(model)[model.factors.index(str(variable.factor))])
                if level < _SMALLEST_PERCENT:
                    raise PortfolioError(
                        f"{where}, {variable.factor}: '{variable.shock.text}' wants levels in per cent, but"
                        f" the last one is {level:.6g}; multiply them by 100 in factors.path."
                    )
        smallest = smallest_eigenvalue(_covariance(scenario, model)) if scenario.correlations else 1.0
        if smallest < SMALLEST_EIGENVALUE:
            raise PortfolioError(
                f"{where}, correlations: with the estimated ones around them they are not positive definite,"
                f" the smallest eigenvalue is {smallest:.4f} and must be above zero; move them towards the"
                f" estimates in gold.{'ended_' if model.ended else ''}factor_covariances."
            )


def shocked(scenario: ShockScenario, model: FactorModel) -> Outcome:
    """Return what each instrument does when the core factors change by their shocks, from today's levels.

    The other factors follow by their conditional mean; an instrument returns exp(beta' x) - 1 and is unpriced
    without betas. Nothing specific happens to an instrument. A scenario that names a factor whose data has
    ended is priced by the model of the months in which it exists, every other one by the live model.
    """
    model = _priced_by(scenario, model)
    given = [(each.factor, each.shock) for each in scenario.variables if each.factor and each.shock]
    missing = _missing(scenario, model)
    if not given:
        reason = "none of its variables is mapped to a factor"
    elif missing:
        reason = f"no data of factor {', '.join(missing)} in this run"
    else:
        reason = ""
    as_published = tuple(_as_published(each) for each in scenario.variables)
    if reason:
        return not_run(scenario, reason, as_published, model.betas.shape[0])
    core = np.array([model.factors.index(factor) for factor, _ in given])
    shocks = np.array(
        [
            shock.change(model.points[place], float(model.levels[-1, place]))
            for place, (_, shock) in zip(core, given, strict=True)
        ]
    )
    covariance = _covariance(scenario, model)
    try:
        changes = conditional_mean(covariance, core, shocks)
        distance = measured(model, changes, scenario.horizon_m, covariance)
    except ValueError as error:
        reason = f"factors cannot be told apart: {error}"
        return not_run(scenario, reason, as_published, model.betas.shape[0])
    has_betas = np.isfinite(model.betas).all(axis=1)
    explained = np.where(has_betas, np.sum(model.betas * changes, axis=1), np.nan)
    origin = np.where(has_betas, SHOCKED, UNPRICED)
    assumptions = tuple(_assumptions(scenario, model, core, changes))
    simple = from_logs(explained, model.arithmetic)
    return outcome(scenario, assumptions, simple, explained, origin, distance, model)


def _priced_by(scenario: ShockScenario, model: FactorModel) -> FactorModel:
    """Return the live model, or that with ended factors for a scenario that names one of them."""
    return model.widest if _named(scenario) & set(model.widest.ended) else model


def _named(scenario: ShockScenario) -> set[str]:
    named = {each.factor for each in scenario.variables if each.factor is not None}
    return named | {factor for one, other, _ in scenario.correlations for factor in (one, other)}


def _missing(scenario: ShockScenario, model: FactorModel) -> list[str]:
    """Return the factors a scenario names that have no level today in this run."""
    known = {name for name, level in zip(model.factors, _today(model), strict=True) if np.isfinite(level)}
    return sorted(_named(scenario) - known)


def _today(model: FactorModel) -> NDArray[np.float64]:
    return model.levels[-1] if len(model.levels) else np.full(len(model.factors), np.nan)


def _covariance(scenario: ShockScenario, model: FactorModel) -> NDArray[np.float64]:
    replaced = [
        (model.factors.index(one), model.factors.index(other), value)
        for one, other, value in scenario.correlations
    ]
    return with_correlations(model.covariance, replaced)


def _as_published(variable: Variable, change: float = np.nan, standing: str = "") -> Assumption:
    return Assumption(
        variable.name,
        variable.published,
        variable.factor,
        None if variable.shock is None else variable.shock.text,
        change,
        "not mapped" if variable.factor is None else "core",
        f"{variable.mapping}{standing}",
    )


def _assumptions(
    scenario: ShockScenario, model: FactorModel, core: NDArray[np.int64], changes: NDArray[np.float64]
) -> list[Assumption]:
    rows = []
    for each in scenario.variables:
        if each.factor is None:
            rows.append(_as_published(each))
        else:
            place = model.factors.index(each.factor)
            rows.append(_as_published(each, float(changes[place]), _standing(model, place)))
    stressed = ", with correlations of the scenario's own" if scenario.correlations else ""
    words = f"Follows from the core factors by the conditional mean over {model.window}{stressed}."
    for place, name in enumerate(model.factors):
        if place not in core:
            change = float(changes[place])
            rows.append(Assumption(f"{name} (implied)", "", name, None, change, "implied", words))
    return rows


def _standing(model: FactorModel, place: int) -> str:
    """Return today's level of a factor, and since when it stands there if its data have ended."""
    level, since = model.levels[-1, place], last_move(model, place, len(model.dates) - 1)
    old = model.dates[-1] - since > STANDSTILL
    return f" Level at the as-of date {level:.6g}" + (f", unchanged since {since}." if old else ".")
