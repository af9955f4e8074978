"""Effect of trades on the risk of one portfolio, from kept scenarios.

Losses before any trade are kept with the scenarios, so a question reads the returns of what it trades, and
nothing of the rest: losses after are those before less amount times return, summed over the trades. Each
block of scenarios is looked through once for the largest losses after all trades and after all but one; only
the few scenarios that trades bring into the tail, or take out of it, are then looked up in every instrument,
for its Euler contributions.

Everything that is summed is summed within blocks, and blocks are added in their order: the answer has the
same bits for any number of workers. Measures are those of ``acceleray.quant.risk`` on all losses at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.euler import adding_up, value_at_risk_window
from acceleray.quant.line_returns import Unit, line_returns
from acceleray.quant.risk import (
    largest_first,
    tail_depth,
    tail_expected_shortfall,
    tail_expected_shortfall_error,
    tail_mass,
    tail_value_at_risk,
    tail_value_at_risk_error,
)


@dataclass(frozen=True)
class Levels:
    """Confidence of value-at-risk and of expected shortfall."""

    value_at_risk: float
    expected_shortfall: float

    def depth(self, count: int) -> int:
        """Return how many of the largest of so many losses both measures and their errors need."""
        return max(tail_depth(count, self.value_at_risk), tail_depth(count, self.expected_shortfall))


@dataclass(frozen=True)
class Measures:
    """Both measures of one portfolio with their standard errors, as shares of NAV."""

    value_at_risk: float
    value_at_risk_error: float
    expected_shortfall: float
    expected_shortfall_error: float


def measures_of(largest: NDArray[np.float64], count: int, levels: Levels) -> Measures:
    """Return both measures from the largest of `count` losses, in any order, at least `levels.depth`."""
    top = largest_first(largest[np.newaxis])
    at, beyond = levels.value_at_risk, levels.expected_shortfall
    mass = tail_mass(count, beyond)
    return Measures(
        float(tail_value_at_risk(top, tail_mass(count, at))[0]),
        float(tail_value_at_risk_error(top, count, at)[0]),
        float(tail_expected_shortfall(top, mass)[0]),
        float(tail_expected_shortfall_error(top, mass, beyond)[0]),
    )


def without_errors(largest: NDArray[np.float64], count: int, levels: Levels) -> tuple[float, float]:
    """Return value-at-risk and expected shortfall as `measures_of` does, to the bit."""
    top = largest_first(largest[np.newaxis])
    masses = tail_mass(count, levels.value_at_risk), tail_mass(count, levels.expected_shortfall)
    return float(tail_value_at_risk(top, masses[0])[0]), float(tail_expected_shortfall(top, masses[1])[0])


def likely_losses(pilot: NDArray[np.float64], depth: int, count: int, deviations: float) -> float:
    """Return a loss that more than `depth` of `count` scenarios very probably reach, told by the first ones.

    `deviations` are standard errors on the safe side; without enough first ones every loss is taken.
    """
    share = depth / count
    rank = int(pilot.size * share + deviations * (pilot.size * share * (1.0 - share)) ** 0.5) + 1
    if rank >= pilot.size:
        return -np.inf
    place = pilot.size - 1 - rank
    return float(np.partition(pilot, place)[place])


def scenario_weights(largest: NDArray[np.float64], count: int, levels: Levels) -> NDArray[np.float64]:
    """Return the weight of each of the largest losses (kept,) in both measures, of shape (kept, 2).

    In the first column that of the scenarios around the value-at-risk, as ``euler_value_at_risk`` takes them,
    in the second that of the tail of the expected shortfall. Scenarios that tie share. Each sums to one.
    """
    descending = -np.sort(-largest)
    first, last = value_at_risk_window(count, levels.value_at_risk)
    window = _shared(largest, descending, first, float(last + 1))
    mass = tail_mass(count, levels.expected_shortfall)
    return np.column_stack((window / (last + 1 - first), _shared(largest, descending, 0, mass) / mass))


def differences(
    before: tuple[NDArray[np.int64], NDArray[np.float64]],
    after: tuple[NDArray[np.int64], NDArray[np.float64]],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the rows of a block whose weights are other ones, (some,), and by how much, (some, 2).

    Both are rows, each there once, and their weights; a row that is not there weighs nothing.
    """
    rows, weights = np.concatenate((before[0], after[0])), np.concatenate((-before[1], after[1]))
    if not rows.size:
        return rows, weights
    order = rows.argsort(kind="stable")
    rows = rows.take(order)
    first = np.concatenate(([True], rows[1:] != rows[:-1])).nonzero()[0]
    more = np.add.reduceat(weights.take(order, axis=0), first, axis=0)
    changed = ((more[:, 0] != 0.0) | (more[:, 1] != 0.0)).nonzero()[0]
    return rows.take(first.take(changed)), more.take(changed, axis=0)


def gathered(
    returns: NDArray[np.floating],
    rows: NDArray[np.int64],
    weights: NDArray[np.float64],
    more: Sequence[Unit],
) -> NDArray[np.float64]:
    """Return weighted sums over some scenarios of a block of the losses of one unit of each line.

    returns (instruments, scenarios), weights (rows, columns); the result is of shape (columns, lines).
    """
    chosen = returns.take(rows, axis=1).astype(np.float64, copy=False)
    sums = chosen @ weights
    if more:
        sums = np.concatenate((sums, line_returns(chosen, more) @ weights))
    return np.asarray(-sums.T)


def contributions(
    weights: NDArray[np.float64], sums: Sequence[NDArray[np.float64]], found: Measures
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the Euler contributions of lines to both measures, each (lines,), shares of NAV.

    Args:
        weights: of the lines after the trades, shares of NAV.
        sums: what `gathered` returns for each block, in order.
        found: the measures, which contributions add up to.

    Raises:
        RuntimeError: those to the expected shortfall do not add up to it: some block is another one.
    """
    total = np.zeros((2, weights.size))
    for each in sums:
        total = total + each
    parts = weights * total
    gap = abs(float(parts[1].sum()) - found.expected_shortfall)
    # Of NAV: where all has been sold, what is left of its losses is rounding.
    if gap > 1e-9 * float(np.abs(parts[1]).sum()) + 1e-12:
        raise RuntimeError("contributions do not add up: the scenarios changed between two looks at them")
    at_var = adding_up(parts[:1], np.array([found.value_at_risk]))[0]
    return at_var, parts[1]


def _shared(
    losses: NDArray[np.float64], descending: NDArray[np.float64], first: int, end: float
) -> NDArray[np.float64]:
    """Return the weight of each loss of rank `first` to `end`, ranks counted from the largest, as fractions.

    Losses that are equal have their ranks together and share what falls on them.
    """
    low = descending[min(int(np.ceil(end)) - 1, descending.size - 1)]
    weights = np.zeros(losses.size)
    for value in {float(descending[first]), float(low)}:
        tied = losses == value
        start = int((losses > value).sum())
        places = min(end, start + int(tied.sum())) - max(first, start)
        weights[tied] = places / int(tied.sum())
    weights[(losses < descending[first]) & (losses > low)] = 1.0
    return weights
