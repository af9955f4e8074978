"""The amount of one hedge that lowers expected shortfall most, with a bound that proves it.

A hedge that returns u, bought for an amount x, leaves the losses l - x u. Their expected shortfall is a mean
of the largest with weights that never grow with the rank, so it is convex in x and made of straight pieces
(Rockafellar & Uryasev 2000, theorem 1; Acerbi 2002 for general weights). Tangents at both ends of an interval
around the minimum therefore bound it from below: the search ends when no amount can be better by more than
``TOLERANCE``.

Of a million scenarios few matter: within an interval of amounts each loses between its losses at the two
ends, so most are either sure to be in the tail, or sure not to be. Only the others are looked at one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Of NAV: what the amount found may be short of the best one.
TOLERANCE = 1e-10
# Times NAV: an amount that nobody would trade, where a hedge seems to lose in no scenario.
LARGEST = 100.0
_STEPS = 200

Curve = Callable[[float], tuple[float, float]]
"""Expected shortfall at an amount, and its slope there."""


@dataclass(frozen=True)
class Hedge:
    """An amount as a share of NAV, the expected shortfall with it, and what no amount gets below."""

    amount: float
    expected_shortfall: float
    bound: float

    def worthwhile(self, nothing: float) -> Hedge:
        """Return the same, or no hedge where that is as good, given the expected shortfall without one."""
        idle = self.expected_shortfall > nothing - TOLERANCE
        return Hedge(0.0, nothing, min(self.bound, nothing)) if idle else self


@dataclass(frozen=True)
class Sure:
    """Scenarios that are in the tail at every amount looked at: how many, sum of losses and of returns."""

    count: int = 0
    losses: float = 0.0
    units: float = 0.0

    def __add__(self, other: Sure) -> Sure:
        """Return both together; add in the order of scenarios, on which the last bits depend."""
        return Sure(self.count + other.count, self.losses + other.losses, self.units + other.units)


@dataclass(frozen=True)
class Drawn:
    """Scenarios of equal weight: the worst `mass` of them are the tail, the last by its fraction.

    losses and units (scenarios,) are those that may or may not be in it; `sure` are the others.
    """

    losses: NDArray[np.float64]
    units: NDArray[np.float64]
    mass: float
    sure: Sure = Sure()

    def __call__(self, amount: float) -> tuple[float, float]:
        """Return expected shortfall with an amount of the hedge, and its slope."""
        after = self.losses - amount * self.units
        left = self.mass - self.sure.count
        place = after.size - 1 - int(left)
        edge = np.partition(after, place)[place]
        above, tied = np.flatnonzero(after > edge), np.flatnonzero(after == edge)
        rest = left - above.size
        total = self.sure.losses - amount * self.sure.units + float(after[above].sum()) + rest * float(edge)
        units = float(self.units[above].sum()) + rest / tied.size * float(self.units[tied].sum())
        return total / self.mass, -(self.sure.units + units) / self.mass

    def around(self, amount: float) -> float:
        """Return the standard error of the slope at an amount, were these scenarios a sample; no `sure`."""
        after = self.losses - amount * self.units
        place = after.size - 1 - int(self.mass)
        tail = self.units[np.argpartition(after, place)[place:]]
        return float(np.sqrt(np.mean(tail * tail) / self.mass))


@dataclass(frozen=True)
class Weighed:
    """Outcomes of which the largest losses have weights of their own, as in ``order_weights``.

    losses and units are of shape (outcomes,), weights (kept,) from the largest loss on, never growing.
    """

    losses: NDArray[np.float64]
    units: NDArray[np.float64]
    weights: NDArray[np.float64]

    def __call__(self, amount: float) -> tuple[float, float]:
        """Return expected shortfall with an amount of the hedge, and its slope."""
        after = self.losses - amount * self.units
        worst = np.argsort(-after, kind="stable")[: self.weights.size]
        value, units = np.sum(self.weights * after[worst]), np.sum(self.weights * self.units[worst])
        return float(value), -float(units)


@dataclass(frozen=True)
class Interval:
    """Two amounts between which the best one lies, and two losses that tell which scenarios matter there.

    A scenario that loses less than ``low`` at both ends is not in the tail; one that loses more than ``high``
    at both is.
    """

    first: float
    last: float
    low: float = -np.inf
    high: float = np.inf


@dataclass(frozen=True)
class Sorted:
    """What some scenarios are within an interval: sure ones in sum, those that matter one by one.

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

    def tail(self, mass: float) -> Drawn | None:
        """Return the tail within the interval, or None where its two losses were wrong."""
        whole = int(mass)
        right = self.least_above > whole >= self.most_above
        return Drawn(self.losses, self.units, mass, self.sure) if right else None


def sorted_out(losses: NDArray[np.float64], units: NDArray[np.float64], within: Interval) -> Sorted:
    """Return what scenarios of these losses and hedge returns, both (scenarios,), are within an interval."""
    # The loss of a scenario is a straight line in the amount: its ends are its extremes.
    one, other = losses - within.first * units, losses - within.last * units
    kept = np.flatnonzero(np.maximum(one, other) >= within.low)
    least = np.minimum(one[kept], other[kept])
    most = np.maximum(one[kept], other[kept])
    sure, open_ = kept[least > within.high], kept[least <= within.high]
    sums = Sure(sure.size, float(losses[sure].sum()), float(units[sure].sum()))
    above = int((least >= within.low).sum()), int((most > within.high).sum())
    return Sorted(sums, losses[open_], units[open_], *above)


def likely_interval(sample: Drawn, share: float, deviations: float) -> Interval:
    """Return where the best amount for all scenarios very probably lies, given a sample of them.

    Args:
        sample: the first scenarios, with their own tail mass.
        share: of all scenarios that are in the tail.
        deviations: standard errors of the slope that the ends are away from the sample's own best amount, and
            of the numbers of scenarios by which `low` and `high` are to be on the safe side.
    """
    found = lowest(sample, 1e-4)
    away = deviations * sample.around(found.amount)
    first = _end(sample, found.amount, -1.0, away)
    last = _end(sample, found.amount, 1.0, away)
    one, other = sample.losses - first * sample.units, sample.losses - last * sample.units
    count = one.size
    margin = deviations * (count * share * (1.0 - share)) ** 0.5 + 1.0
    low = _largest(np.minimum(one, other), int(sample.mass + margin))
    high = _largest(np.maximum(one, other), int(sample.mass - margin))
    return Interval(first, last, low, high)


def lowest(curve: Curve, tolerance: float = TOLERANCE, within: Interval | None = None) -> Hedge:
    """Return the amount at which a curve is lowest, to within a tolerance in its value.

    The search is for where the slope changes its sign, by secants (the Illinois method), until tangents show
    that nothing is lower. No amount larger than ``LARGEST`` is looked at.

    Args:
        curve: convex.
        tolerance: in the unit of the curve.
        within: where the lowest point lies; without it, it is looked for from zero on.
    """
    if within is None:
        first, last = _astride(curve)
    else:
        first, last = ((x, *curve(x)) for x in (within.first, within.last))
    # A weight on the slope of each end: halved where an end stays, so that the other one moves.
    pull = [1.0, 1.0]
    for _ in range(_STEPS):
        best = first if first[1] <= last[1] else last
        bound = _bound(first, last)
        if best[1] - bound <= tolerance:
            break
        below, above = pull[0] * first[2], pull[1] * last[2]
        middle = first[0] - below * (last[0] - first[0]) / (above - below)
        if not first[0] < middle < last[0]:
            break
        found = (middle, *curve(middle))
        if found[2] < 0.0:
            first, pull = found, [1.0, pull[1] / 2.0]
        else:
            last, pull = found, [pull[0] / 2.0, 1.0]
    return Hedge(best[0], best[1], min(bound, best[1]))


Point = tuple[float, float, float]


def _astride(curve: Curve) -> tuple[Point, Point]:
    """Return two points, with amount, value and slope, between which the slope changes its sign."""
    start: Point = (0.0, *curve(0.0))
    if start[2] == 0.0:
        return start, start
    sign = -1.0 if start[2] > 0.0 else 1.0
    before, step = start, 0.125
    while True:
        here: Point = (sign * step, *curve(sign * step))
        if here[2] * sign >= 0.0 or step >= LARGEST:
            return (before, here) if sign > 0.0 else (here, before)
        before, step = here, min(2.0 * step, LARGEST)


def _bound(first: Point, last: Point) -> float:
    """Return what a convex curve cannot be below between two points, given their values and slopes."""
    if first[2] >= 0.0:
        return first[1]
    if last[2] <= 0.0:
        return last[1]
    meet = (last[1] - first[1] + first[2] * first[0] - last[2] * last[0]) / (first[2] - last[2])
    return first[1] + first[2] * (meet - first[0])


def _end(sample: Drawn, start: float, sign: float, away: float) -> float:
    """Return an amount from which the slope leads back to the best one by more than its error."""
    step = 0.01 * max(abs(start), 0.01)
    while step < LARGEST:
        amount = start + sign * step
        if sign * sample(amount)[1] >= away:
            return amount
        step *= 2.0
    return sign * LARGEST


def _largest(values: NDArray[np.float64], rank: int) -> float:
    """Return the value of a rank, 0 the largest; infinite where there is none."""
    if not 0 <= rank < values.size:
        return -np.inf if rank > 0 else np.inf
    place = values.size - 1 - rank
    return float(np.partition(values, place)[place])
