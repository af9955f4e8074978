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
from acceleray.quant.tails import Tail, TailAt
from acceleray.stages.simulate.attribution import attributed, log_returns
from acceleray.stages.simulate.found import Found, Plan, checked, without_zeros
from acceleray.stages.simulate.scenario_inputs import World
from acceleray.stages.simulate.tasks import Part


def every_outcome(part: Part, world: World, plan: Plan, edges: NDArray[np.float64]) -> Found:
    """Return what all outcomes of one day say about some portfolios, without a search for a reverse stress.

    Contributions are weighted with the days and weights of the measure itself: they add up to it, and are its
    derivatives by the positions (Tasche 1999). The histogram is of the part's first portfolio.
    Raises RuntimeError for losses that are not finite.
    """
    days = len(world.residuals)
    returns = world.returns((0, days), 1)
    values = np.hstack((-returns, log_returns(returns, world.arithmetic)))
    columns = returns.shape[1]
    at_var, beyond = quantile_weights(days, plan.var_confidence), shortfall_weights(days, plan.es_confidence)
    histogram = np.zeros(len(edges) - 1, dtype=np.int64)
    volatility, held, seen = [], [], []
    levels: dict[float, list[TailAt]] = {level.confidence: [] for level in plan.levels}
    for places, losses in part.losses(world, returns):
        if not bool(np.isfinite(losses).all()):
            raise RuntimeError("some simulated losses are not finite")
        order = _worst_first(losses, tuple(levels))
        worst = np.take_along_axis(losses, order, axis=1)
        for confidence, some in levels.items():
            some.append(_at(confidence, worst, days))
        volatility.append(losses.std(axis=1))
        held.append(_means(order, at_var, values[:, :columns]))
        seen.append(_means(order, beyond, values))
        if places.start == 0:
            # The outermost bins take everything beyond them.
            histogram += np.histogram(np.clip(losses[0], edges[0], edges[-1]), edges)[0]
    tail = Tail({confidence: TailAt.joined(some) for confidence, some in levels.items()})
    weights, means = world.weights[part.portfolios], np.concatenate(seen)
    shortfall = tail.expected_shortfall(plan.es_confidence)
    found = Found(
        tail=tail,
        volatility=np.concatenate(volatility),
        histogram=histogram,
        value_at_risk=checked(weights * np.concatenate(held), tail.value_at_risk(plan.var_confidence)),
        expected_shortfall=checked(weights * means[:, :columns], shortfall),
        attribution=attributed(shortfall, weights, means[:, columns:], plan.betas, plan.market),
        reached=None,
    )
    return without_zeros(found, world, plan, part.portfolios)


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
