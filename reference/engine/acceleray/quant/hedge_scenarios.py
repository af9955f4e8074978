"""Which scenarios matter to a hedge: within an interval of amounts most are sure to be in the tail, or not.

A hedge that returns u, bought for an amount x, leaves the loss l - x u: a straight line in x, so that within
an interval each scenario loses between its losses at the two ends. Of a million scenarios some tens of
thousands are left that have to be looked at one by one; see ``acceleray.quant.best_hedge``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    losses, units = losses[kept], units[kept]
    # The loss of a scenario is a straight line in the amount: its ends are its extremes.
    one, other = losses - within.first * units, losses - within.last * units
    least, most = np.minimum(one, other), np.maximum(one, other)
    sure = least > within.high
    open_ = (most >= within.low) & ~sure
    sums = Sure(int(sure.sum()), float(losses[sure].sum()), float(units[sure].sum()))
    above = int((least >= within.low).sum()), int((most > within.high).sum())
    return Sorted(sums, losses[open_], units[open_], *above)


def all_sorted_out(
    run: Callable[..., int],
    losses: NDArray[np.float64],
    returns: NDArray[np.float64],
    rows: NDArray[np.int64],
    begin: int,
    within: Sequence[Interval],
) -> list[Sorted]:
    """Return the same for hedges that are rows of returns (instruments, scenarios), by `SORT_HEDGES`.

    losses (scenarios,) are those from the scenario ``begin`` on.
    """
    terms = np.array([_terms(each) for each in within]).reshape(len(within), 7)
    some, counts = np.empty((4, rows.size, losses.size)), np.empty((rows.size, 4), dtype=np.int64)
    run(losses, returns, rows, terms, *some, counts, rows.size, losses.size, *returns.shape, begin)
    found = []
    for hedge, (kept, sure, above, beyond) in enumerate(counts.tolist()):
        sums = Sure(sure, float(some[2, hedge, :sure].sum()), float(some[3, hedge, :sure].sum()))
        found.append(Sorted(sums, some[0, hedge, :kept].copy(), some[1, hedge, :kept].copy(), above, beyond))
    return found


def _terms(within: Interval) -> tuple[float, ...]:
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
