"""Which scenarios matter to a hedge: within an interval of amounts most are sure to be in the tail, or not.

A hedge that returns u, bought for an amount x, leaves the loss l - x u: a straight line in x, so that within
an interval each scenario loses between its losses at the two ends. Of a million scenarios some tens of
thousands are left that have to be looked at one by one; see ``acceleray.quant.best_hedge``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Sure:
    """Scenarios that are in the tail at every amount looked at: how many, sum of losses and of returns."""

    count: int = 0
    losses: float = 0.0
    units: float = 0.0

    def __add__(self, other: Sure) -> Sure:
        """Return both together; add in the order of scenarios, on which the last bits depend."""
        return Sure(self.count + other.count, self.losses + other.losses, self.units + other.units)


NONE_SURE = Sure()


@dataclass(frozen=True)
class Interval:
    """Two amounts between which the best one lies, and two losses that tell which scenarios matter there.

    A scenario that loses less than ``low`` at both ends is not in the tail; one that loses more than ``high``
    at both is. ``middle`` is the most likely amount, where one is known.
    """

    first: float
    last: float
    low: float = -np.inf
    high: float = np.inf
    middle: float | None = None


@dataclass(frozen=True)
class Sorted:
    """Scenarios within an interval of amounts: certain ones as a sum, critical ones one by one.

    least_above counts scenarios that lose ``low`` or more whatever the amount, most_above those that lose
    more than ``high`` at some amount: they tell whether the interval's two losses were right.
    """

    sure: Sure
    losses: NDArray[np.float64]
    units: NDArray[np.float64]
    least_above: int
    most_above: int

    @classmethod
    def joined(cls, parts: list[Sorted]) -> Sorted:
        """Return what several groups of scenarios are together, in the order given."""
        sure = Sure()
        for part in parts:
            sure = sure + part.sure
        return cls(
            sure,
            np.concatenate([part.losses for part in parts]),
            np.concatenate([part.units for part in parts]),
            sum(part.least_above for part in parts),
            sum(part.most_above for part in parts),
        )


def sorted_out(losses: NDArray[np.float64], units: NDArray[np.float64], within: Interval) -> Sorted:
    """Return what scenarios of these losses and hedge returns, both (scenarios,), are within an interval."""
    kept = _perhaps(losses, units, within)
    losses, units = losses.take(kept), units.take(kept)
    # The loss of a scenario is a straight line in the amount: its ends are its extremes.
    one, other = losses - within.first * units, losses - within.last * units
    least, most = np.minimum(one, other), np.maximum(one, other)
    return parted(losses, units, least, most, within.low, within.high)


def parted(
    losses: NDArray[np.float64],
    units: NDArray[np.float64],
    least: NDArray[np.float64],
    most: NDArray[np.float64],
    low: float,
    high: float,
) -> Sorted:
    """Return the same of scenarios whose smallest and largest losses in the interval are known."""
    certain = least > high
    sure, open_ = certain.nonzero()[0], ((most >= low) & ~certain).nonzero()[0]
    sums = Sure(sure.size, float(losses.take(sure).sum()), float(units.take(sure).sum()))
    above = int(np.count_nonzero(least >= low)), int(np.count_nonzero(most > high))
    return Sorted(sums, losses.take(open_), units.take(open_), *above)


def terms_of(within: Interval) -> tuple[float, ...]:
    """Return the seven numbers of an interval that machine code takes; see `hedge_scans.look_through`."""
    half = (within.last - within.first) / 2.0
    ends = within.first, within.last, within.low, within.high
    return *ends, half, within.first + half, _worth(within)


def _worth(within: Interval) -> float:
    """Return the least loss worth a closer look."""
    # A little less, because rounding must not leave one out: of NAV, of which losses are shares.
    return within.low - 1e-11 * (1.0 + abs(within.low)) if np.isfinite(within.low) else -np.inf


def _perhaps(losses: NDArray[np.float64], units: NDArray[np.float64], within: Interval) -> NDArray[np.int64]:
    """Return the places of all scenarios that may lose `low` or more at an end of the interval.

    The larger loss of the two ends is that in the middle and half the interval times the size of the return.
    In one pass over few temporaries, because most scenarios are left out here.
    """
    if not np.isfinite(within.low):
        return np.arange(losses.size)
    half = 0.5 * (within.last - within.first)
    most = np.abs(units)
    most *= half
    most += losses
    most -= (within.first + half) * units
    return (most >= _worth(within)).nonzero()[0]
