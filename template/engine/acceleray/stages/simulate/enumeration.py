"""One day of filtered historical simulation: as many outcomes as residual days, so all of them, none drawn.

The residual days are a sample of days, so measures take the type-6 ranks of
``acceleray.quant.order_weights``, the estimator that the backtest judges, and their standard error is that of
the window: how far the number would move with other days of the same market.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from acceleray.quant.order_weights import quantile_weights, shortfall_weights, weighted_losses
from acceleray.quant.risk import (
    tail_depth,
    tail_expected_shortfall_error,
    tail_mass,
    tail_value_at_risk_error,
)
from acceleray.quant.tails import Tail, TailAt, joined
from acceleray.stages.simulate.attribution import attributed, log_returns
from acceleray.stages.simulate.found import Found, Plan, checked, without_zeros
from acceleray.stages.simulate.held_rows import HeldRows, Looked, Weighing
from acceleray.stages.simulate.horizon import Attribution
from acceleray.stages.simulate.scenario_inputs import World
from acceleray.stages.simulate.tasks import Part

# Days whose log returns are found at a time: of thousands of lines a few megabytes.
_DAYS_TOGETHER = 128


def every_outcome(part: Part, world: World, plan: Plan, edges: NDArray[np.float64]) -> Found:
    """Return what all outcomes of one day say about some portfolios, without a search for a reverse stress.

    Contributions are weighted with the days and weights of the measure itself: they add up to it, and are its
    derivatives by the positions (Tasche 1999). The histogram is of the part's first portfolio.
    Portfolios of one matrix product are finished before the next ones: of thousands of lines, dense sums of
    all would be a gigabyte.
    Raises RuntimeError for losses that are not finite.
    """
    days = len(world.residuals)
    returns = world.returns((0, days), 1)
    logs = np.empty(returns.shape)
    for first in range(0, days, _DAYS_TOGETHER):
        block = slice(first, first + _DAYS_TOGETHER)
        logs[block] = log_returns(returns[block], world.arithmetic)
    if world.few is not None:
        return _of_few_held(returns, logs, part, world, plan, edges)
    return Found.joined(
        [
            _outcomes(places, losses, returns, logs, part, world, plan, edges)
            for places, losses in part.losses(world, returns)
        ]
    )


def _of_few_held(
    returns: NDArray[np.float64],
    logs: NDArray[np.float64],
    part: Part,
    world: World,
    plan: Plan,
    edges: NDArray[np.float64],
) -> Found:
    """Return the same of portfolios that hold few of the lines, from what they hold alone."""
    days, levels = len(returns), tuple(level.confidence for level in plan.levels)
    market = (logs if plan.market is None else logs[:, plan.market]).mean(axis=1)
    ranks = quantile_weights(days, plan.var_confidence), shortfall_weights(days, plan.es_confidence)
    weights = np.zeros((max(each.size for each in ranks), 2))
    for place, each in enumerate(ranks):
        weights[: each.size, place] = each
    rows, tails, volatility = HeldRows(part, world, plan), [], []
    histogram = np.zeros(len(edges) - 1, dtype=np.int64)
    for places, losses in part.losses(world, returns):
        order, tail = _ranked(losses, levels)
        tails.append(tail)
        if places.start == 0:
            histogram = np.histogram(np.clip(losses[0], edges[0], edges[-1]), edges)[0]
        volatility.append(losses.std(axis=1))
        measures = tail.value_at_risk(plan.var_confidence), tail.expected_shortfall(plan.es_confidence)
        for worst, value_at_risk, shortfall in zip(order[:, : len(weights)], *measures, strict=True):
            if rows.wanted:
                seen = Weighing(weights, market[worst], _in_days(returns, worst))
                rows.take(seen, value_at_risk, shortfall, around=False)
            else:
                rows.skip()
    value_at_risk_parts, shortfall_parts, attribution = rows.found()
    return Found(
        tail=joined(tails),
        volatility=np.concatenate(volatility),
        histogram=histogram,
        value_at_risk=value_at_risk_parts,
        expected_shortfall=shortfall_parts,
        attribution=attribution,
        reached=None,
    )


def _in_days(returns: NDArray[np.float64], days: NDArray[np.int64]) -> Looked:
    """Return what looks up what lines lose on some days."""
    return lambda lines: np.negative(returns[days[:, np.newaxis], lines])


def _outcomes(
    places: slice,
    losses: NDArray[np.float64],
    returns: NDArray[np.float64],
    logs: NDArray[np.float64],
    part: Part,
    world: World,
    plan: Plan,
    edges: NDArray[np.float64],
) -> Found:
    """Return what all outcomes say about the portfolios at some places of a part, from their losses."""
    days = len(returns)
    own = slice(part.portfolios.start + places.start, part.portfolios.start + places.stop)
    weights = world.weights[own]
    levels = tuple(level.confidence for level in plan.levels)
    order, tail = _ranked(losses, levels)
    at_var, beyond = quantile_weights(days, plan.var_confidence), shortfall_weights(days, plan.es_confidence)
    shortfall = tail.expected_shortfall(plan.es_confidence)
    # What a line loses is minus its return, and so is a mean of losses, to the bit.
    held, seen = 0.0 - _means(order, at_var, returns), 0.0 - _means(order, beyond, returns)
    found = Found(
        tail=tail,
        volatility=losses.std(axis=1),
        # The outermost bins take everything beyond them.
        histogram=np.histogram(np.clip(losses[0], edges[0], edges[-1]), edges)[0],
        value_at_risk=checked(weights * held, tail.value_at_risk(plan.var_confidence)),
        expected_shortfall=checked(weights * seen, shortfall),
        attribution=_attributed(shortfall, weights, _means(order, beyond, logs), plan, part.size),
        reached=None,
    )
    return without_zeros(found, world, plan, own)


def _attributed(
    shortfall: NDArray[np.float64],
    weights: NDArray[np.float64],
    logs: NDArray[np.float64],
    plan: Plan,
    portfolios: int,
) -> Attribution:
    # NumPy adds a single row up in another order, so one that is left over is not alone.
    times = 2 if len(weights) == 1 < portfolios else 1
    tails, shares, moves = (np.repeat(each, times, axis=0) for each in (shortfall, weights, logs))
    return attributed(tails, shares, moves, plan.betas, plan.market).part(slice(0, len(weights)))


def _ranked(losses: NDArray[np.float64], levels: tuple[float, ...]) -> tuple[NDArray[np.int64], Tail]:
    """Return the days of the largest losses (portfolios, kept), and the measures at each level."""
    if not bool(np.isfinite(losses).all()):
        raise RuntimeError("some simulated losses are not finite")
    order = _worst_first(losses, levels)
    worst = np.take_along_axis(losses, order, axis=1)
    return order, Tail({level: _at(level, worst, losses.shape[1]) for level in levels})


def _worst_first(losses: NDArray[np.float64], confidences: tuple[float, ...]) -> NDArray[np.int64]:
    """Return the days of the largest losses (portfolios, kept), as many as all measures and errors need."""
    days = losses.shape[1]
    # One more than the errors need, for interpolating between (n + 1) (1 - c) and the next rank.
    kept = min(max(tail_depth(days, confidence) for confidence in confidences) + 1, days)
    # Stable, so that of days that tie the first one counts, whatever the machine.
    return np.asarray(np.argsort(-losses, axis=1, kind="stable")[:, :kept])


def _at(confidence: float, worst: NDArray[np.float64], days: int) -> TailAt:
    return TailAt(
        value_at_risk=weighted_losses(worst, quantile_weights(days, confidence)),
        value_at_risk_error=tail_value_at_risk_error(worst, days, confidence),
        expected_shortfall=weighted_losses(worst, shortfall_weights(days, confidence)),
        expected_shortfall_error=tail_expected_shortfall_error(
            worst, tail_mass(days, confidence), confidence
        ),
    )


def _means(
    order: NDArray[np.int64], weights: NDArray[np.float64], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the weighted means of values (days, columns) over each portfolio's worst days, worst first."""
    portfolios, kept = len(order), weights.size
    ends = np.arange(portfolios + 1) * kept
    chosen = csr_matrix(
        (np.tile(weights, portfolios), order[:, :kept].ravel(), ends), shape=(portfolios, len(values))
    )
    return np.asarray(chosen @ values)
