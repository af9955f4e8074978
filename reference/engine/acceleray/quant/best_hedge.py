"""The amount of one hedge that lowers expected shortfall most, with a bound that proves it.

A hedge that returns u, bought for an amount x, leaves the losses l - x u. Their expected shortfall is a mean
of the largest with weights that never grow with the rank, so it is convex in x and made of straight pieces
(Rockafellar & Uryasev 2000, theorem 1; Acerbi 2002 for general weights). Tangents at both ends of an interval
around the minimum therefore bound it from below: the search ends when no amount can be better by more than
``TOLERANCE``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.hedge_scenarios import NONE_SURE, Interval, Sorted, Sure, parted

# Of NAV: what the amount found may be short of the best one.
TOLERANCE = 1e-10
# Times NAV: an amount that nobody would trade, where a hedge seems to lose in no scenario.
LARGEST = 100.0
_STEPS = 200

Point = tuple[float, float, float]
"""An amount, expected shortfall with it, and the slope there."""
Start = tuple[Point, Point]
# An interval so much smaller than the last one is worth leaving out what does not matter in it any more.
_NARROWER = 0.3


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
class Drawn:
    """Scenarios of equal weight: the worst `mass` of them are the tail, the last by its fraction.

    losses and units (scenarios,) are those that may or may not be in it; `sure` are the others.
    """

    losses: NDArray[np.float64]
    units: NDArray[np.float64]
    mass: float
    sure: Sure = NONE_SURE

    @classmethod
    def of(cls, found: Sorted, mass: float) -> Drawn | None:
        """Return the tail within an interval, or None where the interval's two losses were wrong."""
        whole = int(mass)
        right = found.least_above > whole >= found.most_above
        return cls(found.losses, found.units, mass, found.sure) if right else None

    def __call__(self, amount: float) -> tuple[float, float]:
        """Return expected shortfall with an amount of the hedge, and its slope."""
        after = self.losses - amount * self.units
        left = self.mass - self.sure.count
        place = after.size - 1 - int(left)
        edge = np.partition(after, place)[place]
        # One look at all of them; what is above and what ties is told apart among the few.
        tail = (after >= edge).nonzero()[0]
        worst, units_of = after.take(tail), self.units.take(tail)
        above = worst > edge
        rest = left - np.count_nonzero(above)
        tied = units_of[~above]
        total = self.sure.losses - amount * self.sure.units + float(worst[above].sum()) + rest * float(edge)
        units = float(units_of[above].sum()) + rest / tied.size * float(tied.sum())
        return total / self.mass, -(self.sure.units + units) / self.mass

    def between(self, first: float, last: float) -> Drawn:
        """Return the same curve between two amounts, from the scenarios alone that matter there."""
        one, other = self.losses - first * self.units, self.losses - last * self.units
        rank = int(self.mass - self.sure.count)
        least, most = np.minimum(one, other), np.maximum(one, other)
        low = _largest(least, rank)
        near = (most >= low).nonzero()[0]
        most = most.take(near)
        # The rank of the largest losses is among these: no loss at one end is below the least of both.
        parts = self.losses.take(near), self.units.take(near), least.take(near), most
        found = parted(*parts, low, _largest(most, rank))
        return Drawn(found.losses, found.units, self.mass, self.sure + found.sure)

    def around(self, amount: float) -> float:
        """Return the standard error of the slope at an amount, were these scenarios a sample; no `sure`."""
        after = self.losses - amount * self.units
        place = after.size - 1 - int(self.mass)
        tail = self.units[np.argpartition(after, place)[place:]]
        return float(np.sqrt(np.mean(tail * tail) / self.mass))


@dataclass(frozen=True)
class Near:
    """A curve that is looked at mostly between two amounts, from the scenarios alone that matter there."""

    whole: Drawn
    first: float
    last: float
    inside: Drawn
    guess: float

    @classmethod
    def of(cls, sample: Drawn) -> Near:
        """Return a sample around the amount that lowers its variance most."""
        guess = least_variance(sample.losses, sample.units)
        away = 0.5 * abs(guess) + 0.05
        first, last = guess - away, guess + away
        return cls(sample, first, last, sample.between(first, last), guess)

    def __call__(self, amount: float) -> tuple[float, float]:
        """Return expected shortfall with an amount of the hedge, and its slope."""
        return (self.inside if self.first <= amount <= self.last else self.whole)(amount)

    def between(self, first: float, last: float) -> Drawn:
        """Return the same curve between two amounts."""
        within = self.first <= first and last <= self.last
        return (self.inside if within else self.whole).between(first, last)


@dataclass(frozen=True)
class Weighed:
    """Outcomes of which the largest losses have separate weights, as in ``order_weights``.

    losses and units are of shape (outcomes,), weights (kept,) from the largest loss on, never growing.
    """

    losses: NDArray[np.float64]
    units: NDArray[np.float64]
    weights: NDArray[np.float64]

    def __call__(self, amount: float) -> tuple[float, float]:
        """Return expected shortfall with an amount of the hedge, and its slope."""
        after = self.losses - amount * self.units
        place = after.size - self.weights.size
        # Of days that tie at the end of the ranks, which one counts is a choice: the first, here as there.
        kept = np.flatnonzero(after >= np.partition(after, place)[place])
        worst = kept[np.argsort(-after[kept], kind="stable")[: self.weights.size]]
        value, units = np.sum(self.weights * after[worst]), np.sum(self.weights * self.units[worst])
        return float(value), -float(units)


def likely_interval(sample: Drawn, share: float, deviations: float) -> Interval:
    """Return where the best amount for all scenarios very probably lies, given a sample of them.

    Args:
        sample: the first scenarios, with their own tail mass.
        share: of all scenarios that are in the tail.
        deviations: standard errors of the slope that the ends are away from the sample's own best amount, and
            of the numbers of scenarios by which `low` and `high` are to be on the safe side.
    """
    near = Near.of(sample)
    found = lowest(near, 1e-4)
    away = deviations * sample.around(found.amount)
    first, last = (_end(near, found.amount, sign, away) for sign in (-1.0, 1.0))
    one, other = sample.losses - first * sample.units, sample.losses - last * sample.units
    margin = deviations * (one.size * share * (1.0 - share)) ** 0.5 + 1.0
    low = _largest(np.minimum(one, other), int(sample.mass + margin))
    high = _largest(np.maximum(one, other), int(sample.mass - margin))
    return Interval(first, last, low, high, found.amount)


def lowest(curve: Drawn | Near | Weighed, tolerance: float = TOLERANCE, start: Start | None = None) -> Hedge:
    """Return the amount at which a curve is lowest, to within a tolerance in its value.

    The search is for where the slope changes its sign, by secants (the Illinois method), until tangents show
    that nothing is lower. No amount larger than ``LARGEST`` is looked at.

    Args:
        curve: convex.
        tolerance: in the unit of the curve.
        start: two points between which the lowest one lies; looked for if none are given.
    """
    first, last = start or _astride(curve)
    # A weight on the slope of each end: halved where an end stays, so that the other one moves.
    pull = [1.0, 1.0]
    size = last[0] - first[0]
    here: Drawn | Near | Weighed = curve
    for _ in range(_STEPS):
        best = first if first[1] <= last[1] else last
        bound = _bound(first, last)
        below, above = pull[0] * first[2], pull[1] * last[2]
        if best[1] - bound <= tolerance or above <= below:
            break
        middle = first[0] - below * (last[0] - first[0]) / (above - below)
        if not first[0] < middle < last[0]:
            break
        found = (middle, *here(middle))
        if found[2] < 0.0:
            first, pull = found, [1.0, pull[1] / 2.0]
        else:
            last, pull = found, [pull[0] / 2.0, 1.0]
        if isinstance(here, Drawn | Near) and (here is curve or last[0] - first[0] < _NARROWER * size):
            size = last[0] - first[0]
            here = here.between(first[0], last[0])
    return Hedge(best[0], best[1], min(bound, best[1]))


def least_variance(losses: NDArray[np.float64], units: NDArray[np.float64]) -> float:
    """Return the amount that lowers the variance most: close to the best one, were the tail elliptic."""
    deviation = units - units.mean()
    square = float(np.sum(deviation * deviation))
    guess = float(np.sum(deviation * losses)) / square if square > 0.0 else 0.0
    return min(max(guess, -LARGEST), LARGEST)


def _astride(curve: Drawn | Near | Weighed) -> Start:
    """Return two points between which the slope changes its sign, or the largest amounts there may be."""
    guess = curve.guess if isinstance(curve, Near) else least_variance(curve.losses, curve.units)
    step = 0.25 * abs(guess) + 0.01
    here: Point = (guess, *curve(guess))
    if here[2] == 0.0:
        return here, here
    sign = -1.0 if here[2] > 0.0 else 1.0
    while True:
        amount = min(max(guess + sign * step, -LARGEST), LARGEST)
        there: Point = (amount, *curve(amount))
        if there[2] * sign >= 0.0 or abs(amount) >= LARGEST:
            return (here, there) if sign > 0.0 else (there, here)
        here, step = there, 3.0 * step


def _bound(first: Point, last: Point) -> float:
    """Return what a convex curve cannot be below between two points, given their values and slopes."""
    if first[2] >= 0.0:
        return first[1]
    if last[2] <= 0.0:
        return last[1]
    meet = (last[1] - first[1] + first[2] * first[0] - last[2] * last[0]) / (first[2] - last[2])
    return first[1] + first[2] * (meet - first[0])


def _end(sample: Near, start: float, sign: float, away: float) -> float:
    """Return an amount from which the slope leads back to the best one by more than its error."""
    step = 0.02 * abs(start) + 0.002
    while step < LARGEST:
        slope = sign * sample(start + sign * step)[1]
        if slope >= away:
            return start + sign * step
        # As far as a straight slope would need, a little more, and never too far at once.
        step *= min(max(1.2 * away / slope, 1.5), 8.0) if slope > 0.0 else 8.0
    return sign * LARGEST


def _largest(values: NDArray[np.float64], rank: int) -> float:
    """Return the value of a rank, 0 the largest; infinite where there is none."""
    if not 0 <= rank < values.size:
        return -np.inf if rank > 0 else np.inf
    place = values.size - 1 - rank
    return float(np.partition(values, place)[place])
