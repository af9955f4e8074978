"""Simulate: filtered historical simulation of every instrument, priced into every portfolio.

Scenarios come in atoms with their own random numbers; a Ray task takes some atoms, and nothing depends on
which task or worker that was. Scenarios are not stored: the seed makes them again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray

from portfolio.book import Book
from portfolio.calibrate import Calibration
from portfolio.run import Run
from portfolio.settings import Settings
from portfolio.simulate import rows
from portfolio.simulate.rows import Horizon
from portfolio.simulate.tasks import attribute, blocks, collect, joined
from portfolio.simulate.world import Atom, World, build_world
from portfolio.tables import LOSS_DISTRIBUTION, RISK_CONTRIBUTIONS, RISK_MEASURES, SCENARIO_SETS

__all__ = ["Horizon", "simulate"]

_BINS = 80


def simulate(run: Run, calibration: Calibration, book: Book) -> tuple[Horizon, ...]:
    """Simulate every horizon, commit scenario sets, risk measures and contributions, and return them.

    The residual window ends at the as-of date; parameters and volatility are those of `calibration`.
    """
    settings = run.settings
    world, window = build_world(calibration, book, settings.simulation.residual_window_d, settings.seed)
    shared = run.fan_out.share(world)
    groups = blocks(settings.simulation.scenarios)
    passes = 2 * len(settings.simulation.horizons_d)
    done = run.reporter.counter(passes * len(groups), "blocks of scenarios")
    finished = 0

    def fan_out(function: Callable[..., Any], tasks: Sequence[Any]) -> Iterator[Any]:
        nonlocal finished
        for result in run.fan_out.map(function, tasks, (shared,)):
            finished += 1
            done(finished)
            yield result

    result = tuple(
        _horizon(settings, world, each, groups, fan_out) for each in settings.simulation.horizons_d
    )
    run.commit(SCENARIO_SETS, rows.scenario_sets(settings, result, window, len(calibration.usable)))
    run.commit(LOSS_DISTRIBUTION, rows.loss_distribution(book, result))
    run.commit(RISK_MEASURES, rows.risk_measures(settings.risk, book, result))
    run.commit(RISK_CONTRIBUTIONS, rows.risk_contributions(settings.risk, book, calibration.usable, result))
    return result


def _horizon(
    settings: Settings,
    world: World,
    horizon_d: int,
    groups: Sequence[Sequence[Atom]],
    fan_out: Callable[[Callable[..., Any], Sequence[Any]], Iterator[Any]],
) -> Horizon:
    scenarios, risk = settings.simulation.scenarios, settings.risk
    confidence = min(risk.var_confidence, risk.es_confidence)
    edges = _edges(world, horizon_d)
    tasks = [(group, horizon_d, scenarios, confidence, edges) for group in groups]
    first = joined(fan_out(collect, tasks), len(world.weights), scenarios, confidence)
    # Scenarios are made a second time, now that the edge of each tail is known: cheaper than keeping them.
    edge = first.tail.value_at_risk(risk.es_confidence)
    parts = fan_out(attribute, [(group, horizon_d, edge) for group in groups])
    sums = reduce(add, (atom for part in parts for atom in part))
    mean = np.sum(first.sums, axis=0) / scenarios
    variance = np.sum(first.squares, axis=0) / scenarios - mean * mean
    return Horizon(
        horizon_d=horizon_d,
        tail=first.tail,
        volatility=np.sqrt(np.maximum(variance, 0.0)),
        edges=edges,
        histogram=first.histogram,
        contributions=sums.contributions(scenarios, risk.es_confidence, world.weights),
    )


def _edges(world: World, horizon_d: int) -> NDArray[np.float64]:
    shocks = world.residuals * world.next_sigma + world.parameters.mu
    scale = float(np.std(shocks @ world.weights[0])) * horizon_d**0.5
    return np.linspace(-6.0, 8.0, _BINS + 1) * (scale or 1e-6)
