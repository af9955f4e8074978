"""One day: every residual day once, so that all outcomes are at hand and measures are weighted ranks.

The estimator is that of ``acceleray.stages.simulate.enumeration``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.best_hedge import Weighed, lowest
from acceleray.quant.line_returns import Unit, line_returns, losses_after, losses_before, unit_returns
from acceleray.quant.order_weights import quantile_weights, shortfall_weights, weighted_losses
from acceleray.quant.risk import (
    largest_first,
    tail_expected_shortfall_error,
    tail_mass,
    tail_value_at_risk_error,
)
from acceleray.quant.what_if import Levels, Measures
from acceleray.stages.what_if.found import Found, Question, State


@dataclass(frozen=True)
class Outcomes:
    """All outcomes of one day: returns of instruments (instruments, days), and levels of both measures."""

    returns: NDArray[np.float64]
    levels: Levels

    @property
    def count(self) -> int:
        """Return the number of outcomes."""
        return int(self.returns.shape[1])

    def measures(self, losses: NDArray[np.float64]) -> Measures:
        """Return both measures of losses (days,) with the errors of the window."""
        at, beyond = self.levels.value_at_risk, self.levels.expected_shortfall
        top = largest_first(losses[np.newaxis])
        return Measures(
            float(weighted_losses(top, quantile_weights(self.count, at))[0]),
            float(tail_value_at_risk_error(top, self.count, at)[0]),
            float(weighted_losses(top, shortfall_weights(self.count, beyond))[0]),
            float(tail_expected_shortfall_error(top, tail_mass(self.count, beyond), beyond)[0]),
        )

    def state(
        self, losses: NDArray[np.float64], weights: NDArray[np.float64], more: tuple[Unit, ...]
    ) -> State:
        """Return measures, and contributions of lines weighted with the days of the measure itself."""
        # Stable, so that of days that tie the first one counts.
        worst = np.argsort(-losses, kind="stable")
        parts = []
        for ranks in (
            quantile_weights(self.count, self.levels.value_at_risk),
            shortfall_weights(self.count, self.levels.expected_shortfall),
        ):
            days = self.returns[:, worst[: ranks.size]]
            if more:
                days = np.concatenate((days, line_returns(days, more)))
            parts.append(np.asarray(-weights * np.sum(days * ranks, axis=1)))
        return State(self.measures(losses), *parts)


def one_day(
    outcomes: Outcomes, weights: NDArray[np.float64], more: tuple[Unit, ...], asked: Question
) -> Found:
    """Return what trades do at one day to a portfolio with weights (lines,), shares of NAV."""
    before = losses_before(outcomes.returns, weights, more)
    units, trades = unit_returns(outcomes.returns, (*asked.trades, *asked.hedges)), len(asked.trades)
    after = losses_after(before, units[:trades], asked.amounts)
    state = outcomes.state(after, asked.after, asked.more)
    incremental = np.zeros((trades, 2))
    for number, amount in enumerate(asked.amounts):
        without = outcomes.measures(after + amount * units[number])
        incremental[number] = (
            state.measures.value_at_risk - without.value_at_risk,
            state.measures.expected_shortfall - without.expected_shortfall,
        )
    ranks = shortfall_weights(outcomes.count, outcomes.levels.expected_shortfall)
    nothing = state.measures.expected_shortfall
    hedges = tuple(lowest(Weighed(after, unit, ranks)).worthwhile(nothing) for unit in units[trades:])
    return Found(1, outcomes.count, outcomes.state(before, weights, more), state, incremental, hedges)
