"""Returns of book lines in kept scenarios: prices, currency effects, and trades in both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CASH = -1
"""Placeholder for lines without a price."""

# Scenarios worked on together: some vectors of them fit into a processor's cache.
TOGETHER = 16_384


@dataclass(frozen=True)
class Unit:
    """Return of one book line, given instrument returns: a price, or a currency effect.

    Attributes:
        held: place of the instrument whose returns it takes, or `CASH`.
        legs: places of the exchange rates between its currency and the portfolio's, and +1 where one
            multiplies, else -1; none for a price.
        beta: on that instrument's returns; one where it is the instrument itself.
    """

    held: int
    legs: tuple[tuple[int, int], ...] = ()
    beta: float = 1.0

    def of(self, returns: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return its simple returns (scenarios,) from those of instruments (instruments, scenarios)."""
        own = None if self.held == CASH else returns[self.held].astype(np.float64, copy=False)
        if own is not None and self.beta != 1.0:
            own = self.beta * own
        if not self.legs:
            return np.zeros(returns.shape[1]) if own is None else own
        growth = np.ones(returns.shape[1])
        for rate, sign in self.legs:
            growth *= (1.0 + returns[rate].astype(np.float64)) ** sign
        growth -= 1.0
        return growth if own is None else growth * (1.0 + own)


Parts = tuple[tuple[float, Unit], ...]
"""Lines whose returns, each times its number, add up to what one unit of an instrument earns."""


def place_of(parts: Parts) -> int:
    """Return the instrument whose returns are those of a unit as they are, `CASH` for none."""
    if len(parts) > 1 or parts[0][0] != 1.0 or parts[0][1].legs or parts[0][1].beta != 1.0:
        return CASH
    return parts[0][1].held


def unit_returns(returns: NDArray[np.floating], units: Sequence[Parts]) -> list[NDArray[np.float64]]:
    """Return the simple returns (scenarios,) of each unit from those of instruments, not to be changed."""
    found = []
    for parts in units:
        each = [line.of(returns) if times == 1.0 else times * line.of(returns) for times, line in parts]
        found.append(each[0] if len(each) == 1 else np.sum(each, axis=0))
    return found


def line_returns(returns: NDArray[np.floating], lines: Sequence[Unit]) -> NDArray[np.float64]:
    """Return the simple returns of lines (lines, scenarios) from those of instruments."""
    return np.stack([line.of(returns) for line in lines])


def losses_before(
    returns: NDArray[np.floating], weights: NDArray[np.float64], more: Sequence[Unit]
) -> NDArray[np.float64]:
    """Return the losses (scenarios,) of one portfolio, shares of NAV.

    Args:
        returns: of instruments, (instruments, scenarios).
        weights: (instruments + more,) of the instruments at their own price, then of the other lines.
        more: those other lines.
    """
    losses = np.empty(returns.shape[1])
    count = returns.shape[0]
    # The last bits of a matrix product depend on its shape: that of a block of scenarios is given.
    for first in range(0, losses.size, TOGETHER):
        some = returns[:, first : first + TOGETHER].astype(np.float64, copy=False)
        earned = weights[:count] @ some
        if more:
            earned += weights[count:] @ line_returns(some, more)
        losses[first : first + TOGETHER] = -earned
    return losses


def losses_after(
    losses: NDArray[np.float64], units: Sequence[NDArray[np.float64]], amounts: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return losses (scenarios,) after trades of amounts (trades,) in instruments that return units.

    Added up trade by trade, and not by a matrix product, whose last bits depend on how many scenarios it
    has. A trade of zero changes no bit.
    """
    after = losses.copy()
    room = np.empty_like(after)
    for amount, unit in zip(amounts, units, strict=True):
        after -= np.multiply(unit, amount, out=room)
    return after
