"""The portfolios of a backtest: today's positions on past days, as far as a past day knew their models.

Instruments without a calibration before a block are left out of it. What is left is brought to the gross
weight of all, so that forecasts and losses mean the whole NAV; how much that was is said with every day, and
where it is too little there is no forecast at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from acceleray.stages.book.lines import Lines

if TYPE_CHECKING:
    from acceleray.stages.book.book import Book

# Days whose returns of lines are made together.
_TOGETHER = 1024


@dataclass(frozen=True)
class Positions:
    """Portfolios to be backtested; all models are compared on the first.

    Attributes:
        lines: the columns of `weights`.
        weights: (portfolios, lines), share of NAV, long positive.
        equal: (portfolios,), those that are not these weights but equal ones over all instruments that were
            calibrated before a block: what one could have held and modelled on that day.
        least_covered: share of gross weight that must be covered on a day on which a portfolio is tested.
    """

    lines: Lines
    weights: NDArray[np.float64]
    equal: NDArray[np.bool_]
    least_covered: float = 0.9

    @classmethod
    def of(cls, book: Book, places: NDArray[np.int64], least_covered: float) -> Positions:
        """Return the portfolios of a book at some places."""
        equal = np.array([book.origins[place] == "reference" for place in places])
        return cls(book.lines, book.weights[places], equal, least_covered)

    @classmethod
    def reference(cls, instruments: int) -> Positions:
        """Return the one portfolio that is equally weighted over what was calibrated before each block."""
        lines = Lines(tuple(f"{place}" for place in range(instruments)))
        return cls(lines, np.zeros((1, instruments)), np.ones(1, dtype=np.bool_))

    def at(self, places: Sequence[int]) -> Positions:
        """Return some of the portfolios."""
        some = list(places)
        return Positions(self.lines, self.weights[some], self.equal[some], self.least_covered)

    def known(self, modelled: NDArray[np.bool_]) -> Held:
        """Return what of the portfolios a block can hold; `modelled` (instruments,) have a calibration."""
        places = self.lines.known(np.flatnonzero(modelled))
        weights = np.zeros(self.weights.shape)
        weights[:, places] = self.weights[:, places]
        weights[self.equal, : modelled.size] = modelled / modelled.sum()
        whole = np.where(self.equal, 1.0, np.abs(self.weights).sum(axis=1))
        # An equal portfolio is what was calibrated: nothing of it is ever left out.
        part = np.where(self.equal, 1.0, np.abs(weights).sum(axis=1))
        covered = np.divide(part, whole, out=np.zeros(len(whole)), where=whole > 0.0)
        return Held(self.lines, weights, self.equal, whole, covered, self.least_covered)


@dataclass(frozen=True)
class Held:
    """The part of portfolios that can be held in a block.

    Attributes:
        lines: the columns of `weights`.
        weights: (portfolios, lines) as they are held, zero on lines left out.
        equal: (portfolios,) see `Positions`.
        whole: (portfolios,) gross weight with what is left out.
        covered: (portfolios,) share of it that is calibrated.
        least_covered: see `Positions`.
    """

    lines: Lines
    weights: NDArray[np.float64]
    equal: NDArray[np.bool_]
    whole: NDArray[np.float64]
    covered: NDArray[np.float64]
    least_covered: float

    @property
    def instruments(self) -> int:
        """Return the number of instruments, with or without a calibration."""
        return len(self.lines.own)

    @property
    def tested(self) -> NDArray[np.int64]:
        """Return the places of the portfolios of which enough is covered."""
        return np.flatnonzero(self.covered >= self.least_covered)

    @property
    def scaled(self) -> NDArray[np.float64]:
        """Return weights (portfolios, lines) brought to the gross weight of the whole."""
        covered = np.where(self.covered > 0.0, self.covered, 1.0)
        return np.asarray(self.weights / covered[:, np.newaxis])

    def earned(
        self, place: int, returns: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return what a portfolio earns each day, and the share of gross weight behind it; both (days,).

        `returns` (days, instruments) have gaps. Earned is the return of the whole NAV: of what has a return,
        brought to the gross weight of all.
        """
        weights, whole = self.weights[place], float(self.whole[place])
        parts = [
            portfolio_returns(self.lines.of(returns[first : first + _TOGETHER]), weights, whole)
            for first in range(0, len(returns), _TOGETHER)
        ]
        earned, covered = (np.concatenate(each) for each in zip(*parts, strict=True))
        return earned, np.ones(len(earned)) if self.equal[place] else covered


def portfolio_returns(
    returns: NDArray[np.float64], weights: NDArray[np.float64], whole: float = 1.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what a portfolio earns each day and the share of its gross weight that has a return.

    `returns` are of shape (days, lines), `whole` is the gross weight of the portfolio. Weights are scaled up
    over the lines that have a return: one has from its listing on, zero on days on which its market is
    closed. A day on which none of them has a return counts as unchanged.
    """
    present = np.isfinite(returns)
    # Of sizes: the weights of a hedged portfolio may add up to nothing.
    covered = np.sum(present * np.abs(weights), axis=1) / whole
    earned = np.sum(np.where(present, returns, 0.0) * weights, axis=1)
    return np.asarray(np.divide(earned, covered, out=np.zeros(len(returns)), where=covered > 0)), covered


def replayed_losses(moves: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the losses (portfolios, days) of weights (portfolios, lines) in replayed moves (days, lines).

    Each portfolio is multiplied separately, so its bits do not depend on the other portfolios.
    """
    losses = np.empty((len(weights), len(moves)))
    for place, each in enumerate(weights):
        some = np.flatnonzero(each)
        held = moves if some.size == each.size else np.take(moves, some, axis=1)
        losses[place] = -(held @ each[some])
    return losses
