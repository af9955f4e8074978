"""What is asked of one portfolio at each horizon, and what is known after it: shares of NAV throughout."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.best_hedge import Hedge
from acceleray.quant.what_if import Measures


@dataclass(frozen=True)
class Question:
    """Trades and candidates for a hedge, as lines of the book.

    Attributes:
        trades, hedges: (instruments, 2) the lines of each instrument; see `quant.what_if.Trades`.
        amounts: (trades,) bought, shares of NAV; a sale is negative.
    """

    trades: NDArray[np.int64]
    amounts: NDArray[np.float64]
    hedges: NDArray[np.int64]

    def weights(self, before: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return weights of lines (lines,) after the trades."""
        after = before.copy()
        for places, amount in zip(self.trades, self.amounts, strict=True):
            for place in places[places >= 0]:
                after[place] += amount
        return after


@dataclass(frozen=True)
class State:
    """Risk of a portfolio at one horizon: measures, and Euler contributions of its lines (lines,)."""

    measures: Measures
    value_at_risk: NDArray[np.float64]
    expected_shortfall: NDArray[np.float64]


@dataclass(frozen=True)
class Found:
    """What trades do at one horizon.

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
