"""Where ranks lie among more losses than memory can hold, found by counting in passes over them.

Each pass counts losses in the bins of an interval that is known to hold the ranks, so a pass narrows it a
thousandfold, and one or two passes leave few enough losses to look at one by one (Munro & Paterson 1980,
"Selection and sorting with limited storage"). Counts are whole numbers: the order of adding does not matter.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.euler import value_at_risk_window
from acceleray.quant.risk import tail_depth, tail_mass

BINS = 1024
# Losses in the bins of one portfolio that are looked at one by one; with more, another pass is cheaper.
_CROWD = 1024
# How far a pilot's ranks may be off, in standard deviations, before losses must be counted again.
_DEVIATIONS = 6.0
_WIDEN = 64.0
# Narrower bins than this share of the loss would be rounding.
_NARROWEST = 1e-9


@dataclass(frozen=True)
class Level:
    """One confidence level of so many scenarios, and the ranks its measures need; rank 0 is the largest."""

    scenarios: int
    confidence: float

    @property
    def mass(self) -> float:
        """Return the scenarios in the tail, possibly fractional."""
        return tail_mass(self.scenarios, self.confidence)

    @property
    def edge(self) -> int:
        """Return the rank of the value-at-risk, the scenario that may count by a fraction."""
        return int(self.mass)

    @property
    def spread(self) -> tuple[int, int]:
        """Return the ranks a binomial deviation above and below, as in ``risk.value_at_risk_error``."""
        lower = tail_depth(self.scenarios, self.confidence) - 1
        return max(math.floor(self.mass - self.deviation), 0), lower

    @property
    def deviation(self) -> float:
        """Return the standard deviation of the number of scenarios beyond the true quantile."""
        return math.sqrt(self.scenarios * self.confidence * (1.0 - self.confidence))

    @property
    def window(self) -> tuple[int, int]:
        """Return the first and last rank whose scenarios carry Euler value-at-risk contributions."""
        return value_at_risk_window(self.scenarios, self.confidence)

    @property
    def ranks(self) -> tuple[int, ...]:
        """Return edge, spread and window, in this order."""
        return (self.edge, *self.spread, *self.window)

    def pilot_ranks(self, pilot: int) -> tuple[int, int]:
        """Return two ranks among the first ``pilot`` scenarios between which all ``ranks`` should lie.

        The first is -1 where the pilot has too few scenarios to bound them from above.
        """
        if pilot == self.scenarios:
            return min(self.ranks), max(self.ranks)
        bounds = []
        for rank, side in ((min(self.ranks), -1.0), (max(self.ranks) + 1, 1.0)):
            share = rank / self.scenarios
            # How many of the largest are among the first is hypergeometric (Feller 1968, vol. I, II.6).
            left = 1.0 - pilot / self.scenarios
            slack = _DEVIATIONS * math.sqrt(pilot * share * (1.0 - share) * left) + _DEVIATIONS
            bounds.append(pilot * share + side * slack)
        return max(math.floor(bounds[0]), -1), min(math.ceil(bounds[1]), pilot - 1)


@dataclass(frozen=True)
class Brackets:
    """An interval of losses for each portfolio, from low (portfolios,), cut into bins of width (portfolios,).

    Bins are numbered 0 to BINS - 1; -1 is below and BINS above. A larger loss never has a smaller number.
    No bin is narrower than ``least`` (portfolios,): losses that tie cannot be told apart by narrower ones.
    """

    low: NDArray[np.float64]
    width: NDArray[np.float64]
    least: NDArray[np.float64]

    def bins(self, rows: NDArray[np.int64], losses: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the bin of each loss of the portfolio in the same place of ``rows``."""
        place = (losses - self.low[rows]) / self.width[rows]
        return np.asarray(np.clip(np.floor(place), -1, BINS), dtype=np.int64)

    def floor(self, bins: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return about the smallest loss in one bin of each portfolio; half a bin lower is surely outside."""
        return np.asarray(self.low + bins * self.width)

    def part(self, portfolios: slice) -> "Brackets":
        """Return the brackets of some of the portfolios."""
        return Brackets(self.low[portfolios], self.width[portfolios], self.least[portfolios])


def pilot_bounds(losses: NDArray[np.float64], levels: Sequence[Level]) -> list[NDArray[np.float64]]:
    """Return for each level losses (2, portfolios) between which its ranks should lie, out of a pilot's.

    ``losses`` are those of the first scenarios, of shape (portfolios, scenarios); they are put in disorder.
    """
    count = losses.shape[1]
    ranks = [level.pilot_ranks(count) for level in levels]
    # Few values lie above the lowest rank, and sorting them is quick.
    lowest = count - 1 - max(lower for _, lower in ranks)
    losses.partition(lowest, axis=1)
    tail = np.sort(losses[:, lowest:], axis=1)
    bounds = []
    for upper, lower in ranks:
        low, high = tail[:, -1 - lower], tail[:, -1 - max(upper, 0)]
        # The largest of a few says little about the largest of many.
        bounds.append(np.stack((low, high if upper >= 0 else high + 2.0 * (high - low))))
    return bounds


def brackets_over(bounds: NDArray[np.float64], least: NDArray[np.float64] | None = None) -> Brackets:
    """Return brackets that hold losses from bounds[0] to bounds[1], each (portfolios,), a bin to spare."""
    low, high = bounds
    if least is None:
        size = np.maximum(np.abs(low), np.abs(high))
        least = np.where(size > 0.0, _NARROWEST * size, 1.0) / (BINS - 2)
    width = np.maximum((high - low) / (BINS - 2), least)
    # A bin to spare, because the same loss may differ in its last bit from one matrix product to another.
    return Brackets(low - width, width, least)


def counted(brackets: Brackets, rows: NDArray[np.int64], losses: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return how many of the losses lie in each bin and above all, of shape (portfolios, BINS + 1)."""
    portfolios = brackets.low.size
    bins = brackets.bins(rows, losses)
    # The first column takes what lies below, and is dropped.
    places = rows * (BINS + 2) + bins + 1
    counts = np.bincount(places, minlength=portfolios * (BINS + 2)).reshape(portfolios, BINS + 2)
    return counts[:, 1:]


@dataclass(frozen=True)
class Places:
    """Which bins hold the ranks of a level: bins (portfolios, ranks), in the order of ``Level.ranks``.

    above (portfolios,) counts the losses in bins above that of the edge; from_top (portfolios, BINS + 2)
    those in each bin or a higher one.
    """

    bins: NDArray[np.int64]
    from_top: NDArray[np.int64]

    @property
    def above(self) -> NDArray[np.int64]:
        """Return the number of losses in bins above that of the edge, of shape (portfolios,)."""
        return np.take_along_axis(self.from_top, self.bins[:, :1] + 1, axis=1)[:, 0]


def placed(level: Level, counts: NDArray[np.int64]) -> Places:
    """Return the bins of a level's ranks, out of counts (portfolios, BINS + 1); -1 or BINS is outside."""
    from_top = np.zeros((len(counts), BINS + 2), dtype=np.int64)
    from_top[:, :-1] = np.cumsum(counts[:, ::-1], axis=1)[:, ::-1]
    bins = np.stack([(from_top > rank).sum(axis=1) - 1 for rank in level.ranks], axis=1)
    return Places(bins, from_top)


def improved(brackets: Brackets, places: Places, narrow: bool) -> Brackets | None:
    """Return better brackets to count in, or None where these will do.

    A bracket that misses a rank grows on that side. With ``narrow``, one whose bins are crowded shrinks to
    those around the ranks; without, as where few distinct losses exist, it stays.
    """
    lowest, highest = places.bins.min(axis=1), places.bins.max(axis=1)
    too_high, too_low = lowest < 0, highest == BINS
    reach = brackets.width * BINS
    low = np.where(too_high, brackets.low - _WIDEN * reach, brackets.low)
    high = brackets.low + reach + np.where(too_low, _WIDEN * reach, 0.0)
    changed = too_high | too_low
    if narrow:
        inside = np.sort(np.clip(places.bins, 0, BINS), axis=1)
        new = np.diff(inside, axis=1, prepend=-1) > 0
        upto = np.take_along_axis(places.from_top, inside, axis=1)
        beyond = np.take_along_axis(places.from_top, np.minimum(inside + 1, BINS + 1), axis=1)
        crowded = ~changed & (((upto - beyond) * new).sum(axis=1) > _CROWD)
        crowded &= (highest - lowest < BINS // 8) & (brackets.width > brackets.least)
        low = np.where(crowded, brackets.floor(lowest - 1), low)
        high = np.where(crowded, brackets.floor(highest + 2), high)
        changed |= crowded
    if not bool(changed.any()):
        return None
    found = brackets_over(np.stack((low, high)), brackets.least)
    width = np.where(changed, found.width, brackets.width)
    return Brackets(np.where(changed, found.low, brackets.low), width, brackets.least)
