"""Request for one portfolio at each horizon, and its result: shares of NAV throughout."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.best_hedge import Hedge
from acceleray.quant.line_returns import Parts, Unit
from acceleray.quant.what_if import Measures


@dataclass(frozen=True)
class Question:
    """Trades and candidates for a hedge in one portfolio.

    Attributes:
        trades, hedges: one unit of what is traded, and of what may be.
        amounts: (trades,) bought, shares of NAV; a sale is negative.
        after: (lines,) weights after the trades.
        more: the lines of `after` behind those of instruments at their own price; the portfolio's own first.
    """

    trades: tuple[Parts, ...]
    amounts: NDArray[np.float64]
    hedges: tuple[Parts, ...]
    after: NDArray[np.float64]
    more: tuple[Unit, ...] = ()


@dataclass(frozen=True)
class State:
    """Risk of a portfolio at one horizon: measures, and Euler contributions of its lines (lines,)."""

    measures: Measures
    value_at_risk: NDArray[np.float64]
    expected_shortfall: NDArray[np.float64]


@dataclass(frozen=True)
class Tail:
    """What scenarios weigh in both measures, and what `gathered` says of them.

    Attributes:
        chosen: of each block the scenarios that weigh something, (some,), and their weights, (some, 2).
        sums: of each block, (2, lines).
        more: lines behind those of instruments.
    """

    chosen: list[tuple[NDArray[np.int64], NDArray[np.float64]]]
    sums: list[NDArray[np.float64]]
    more: tuple[Unit, ...]


@dataclass(frozen=True)
class Found:
    """Effect of trades at one horizon.

    Attributes:
        horizon_d: trading days.
        scenarios: outcomes looked at: all there are at one day, else those drawn.
        before, after: the trades.
        incremental: (trades, 2) VaR and ES after all trades less those after all but this one.
        hedges: the best amount of each candidate on top of the trades.
    """

    horizon_d: int
    scenarios: int
    before: State
    after: State
    incremental: NDArray[np.float64]
    hedges: tuple[Hedge, ...]
