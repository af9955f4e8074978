"""Losses of portfolios on replayed days: linear in instrument returns, except for exchange rates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.replay import Replay, Tile
from acceleray.stages.book.lines import PRICE, Leg, Lines


@dataclass(frozen=True)
class InCurrency:
    """Effect of exchange rates: their growth minus one, times (a constant + weights times returns).

    weights: (instruments,) at their own price; constant: of all lines, cash included.
    """

    legs: tuple[Leg, ...]
    constant: float
    weights: NDArray[np.float64]


@dataclass(frozen=True)
class Exposure:
    """One portfolio: weights (instruments,) at their own price, and what exchange rates add."""

    weights: NDArray[np.float64]
    currencies: tuple[InCurrency, ...]

    @classmethod
    def of(cls, lines: Lines, weights: NDArray[np.float64]) -> Exposure:
        """Return what weights (lines,) come to; the lines are those of `Lines.of`, put together."""
        count = len(lines.own)
        own = weights[:count].copy()
        constants: dict[tuple[Leg, ...], float] = {}
        added: dict[tuple[Leg, ...], NDArray[np.float64]] = {}
        for line, weight in zip(lines.more, weights[count:].tolist(), strict=True):
            if weight == 0.0:
                continue
            into = own
            if line.part != PRICE:
                constants[line.legs] = constants.get(line.legs, 0.0) + weight
                into = added.setdefault(line.legs, np.zeros(count))
            if line.held >= 0:
                into[line.held] += weight * line.beta
        return cls(own, tuple(InCurrency(legs, constants[legs], added[legs]) for legs in constants))

    def losses(self, tile: Tile, growth: Growth) -> NDArray[np.float64]:
        """Return the losses (tile, past days) in replayed days."""
        losses = tile.earned(-self.weights)
        for each in self.currencies:
            with np.errstate(invalid="ignore"):
                losses -= growth(each.legs) * tile.earned(each.weights, each.constant)
        return losses


class Growth:
    """By how much rates multiply on the past days of a tile, less one: made once for all portfolios."""

    def __init__(self, tile: Tile) -> None:
        """Begin with none."""
        self._tile = tile
        self._made: dict[tuple[Leg, ...], NDArray[np.float64]] = {}

    def __call__(self, legs: tuple[Leg, ...]) -> NDArray[np.float64]:
        """Return the growth (tile, past days) of a product of rates; not to be changed."""
        if legs not in self._made:
            found: NDArray[np.float64] | None = None
            for rate, sign in legs:
                grown = 1.0 + self._tile.move(rate)
                # A tile has past days that lie ahead of some of its days: a rate may have ended by then.
                with np.errstate(divide="ignore", invalid="ignore"):
                    grown = grown if sign > 0 else 1.0 / grown
                    found = grown if found is None else found * grown
            self._made[legs] = np.zeros(1) if found is None else found - 1.0
        return self._made[legs]


def replayed(
    replay: Replay, lines: Lines, weights: NDArray[np.float64]
) -> Iterator[tuple[slice, int, NDArray[np.float64]]]:
    """Yield days of the block, the place of a portfolio, and its losses (days, longest) on replayed days.

    `weights` (portfolios, lines) are over the instruments that are replayed. A portfolio gets the bits it
    gets alone.
    """
    exposures = [Exposure.of(lines, each) for each in weights]
    for tile in replay.tiles():
        growth = Growth(tile)
        days = slice(tile.first, tile.first + len(tile.ends))
        for place, exposure in enumerate(exposures):
            yield days, place, tile.last_losses(exposure.losses(tile, growth))
