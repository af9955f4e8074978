"""Simulate: joint scenarios of every instrument, priced into every portfolio, in constant memory.

Two methods: filtered historical simulation, and a t copula with GJR-t margins. Scenarios come in atoms with
their own random numbers; nothing depends on which task or worker makes one. They are not stored: the seed
makes them again, in every pass.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from acceleray.quant.stress import implied_factor_moves
from acceleray.runtime.run import Run
from acceleray.stages.book.book import Book
from acceleray.stages.calibrate.stage import Calibration
from acceleray.stages.simulate import details, rows
from acceleray.stages.simulate.attribution import market_betas
from acceleray.stages.simulate.engine import Plan, simulated
from acceleray.stages.simulate.horizon import Attribution, Horizon, Reverse
from acceleray.stages.simulate.scenario_inputs import FILTERED_HISTORICAL, T_COPULA, build_world, with_copula
from acceleray.tables import (
    ACTIVE_CONTRIBUTIONS,
    ACTIVE_RISK,
    GROUP_RISK,
    LOSS_DISTRIBUTION,
    POSITION_RISK,
    RISK_ATTRIBUTION,
    RISK_CONTRIBUTIONS,
    RISK_MEASURES,
    SCENARIO_SETS,
)

if TYPE_CHECKING:
    from acceleray.stages.calibrate.dependence import Dependence
    from acceleray.stages.calibrate.factor_model import FactorModel

__all__ = ["FILTERED_HISTORICAL", "T_COPULA", "Attribution", "Horizon", "Reverse", "simulate"]


def simulate(
    run: Run,
    calibration: Calibration,
    book: Book,
    *,
    scenarios: int | None = None,
    dependence: Dependence | None = None,
    targets: tuple[float, ...] = (),
    factors: FactorModel | None = None,
) -> tuple[Horizon, ...]:
    """Simulate by each method over every horizon, commit scenario sets and risk tables, and return them.

    The residual window ends at the as-of date; parameters and volatility are those of `calibration`.

    Args:
        run: what is read and written.
        calibration: returns and fits up to the as-of date.
        book: the portfolios.
        scenarios: how many; `simulation.scenarios` by default.
        dependence: with it the t copula follows filtered historical simulation.
        targets: losses as shares of NAV for the reverse stress at the longest horizon.
        factors: with them the reverse stress says how far the factors move; only with targets.
    """
    settings, usable = run.settings, calibration.usable
    world, days = build_world(calibration, book, settings)
    if factors is not None and factors.factors:
        own = factors.betas[usable], factors.specific_volatility[usable]
        implied = implied_factor_moves(*own)
        # A currency line says no more than its rates, which are instruments.
        more = np.zeros((world.weights.shape[1] - len(implied), implied.shape[1]))
        world = replace(world, implied=np.concatenate((implied, more)))
    worlds = [world]
    if dependence is not None:
        generator = settings.simulation.generator
        worlds.append(with_copula(run.fan_out, world, calibration, dependence, generator))
    lines, places = book.lines.among(usable), book.lines.known(usable)
    returns = lines.of(calibration.returns.values[-settings.simulation.residual_window_d :, usable])
    members = lines.where(np.ones(usable.size, dtype=np.bool_)) if lines.more else None
    plan = Plan(
        scenarios=settings.simulation.scenarios if scenarios is None else scenarios,
        horizons_d=settings.simulation.horizons_d,
        var_confidence=settings.risk.var_confidence,
        es_confidence=settings.risk.es_confidence,
        betas=market_betas(returns, world.arithmetic, members),
        market=members,
        targets=targets,
        explained=details.explained(book),
    )
    every = simulated(run.fan_out, worlds, plan, run.reporter.counter, say=run.reporter.say)
    result = tuple(each.part(slice(0, len(book.portfolios))) for each in every)
    run.commit(SCENARIO_SETS, rows.scenario_sets(settings.seed, result, days, usable.size))
    run.commit(LOSS_DISTRIBUTION, rows.loss_distribution(book, result))
    run.commit_parts(RISK_MEASURES, rows.risk_measures(settings.risk, book, result))
    # Of a large book millions of rows, which this process commits as they come.
    run.commit_parts(RISK_CONTRIBUTIONS, lambda: rows.risk_contributions(settings.risk, book, places, result))
    run.commit_parts(RISK_ATTRIBUTION, rows.risk_attribution(settings.risk, book, result))
    if book.details is not None:
        run.commit(ACTIVE_RISK, details.active_risk(settings.risk, book, every))
        run.commit(ACTIVE_CONTRIBUTIONS, details.active_contributions(settings.risk, book, places, every))
        run.commit(GROUP_RISK, details.group_risk(settings.risk, book, places, every))
        run.commit(POSITION_RISK, details.position_risk(settings.risk, book, places, every))
    return result
