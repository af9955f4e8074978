"""Request of a simulation, and its results for some of the portfolios at one horizon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.euler import Band
from acceleray.quant.rank_search import Level
from acceleray.quant.sparse_rows import DENSE_COLUMNS, Rows, SparseRows, some_of
from acceleray.quant.sparse_rows import joined as joined_rows
from acceleray.quant.tails import Tail, joined, part_of
from acceleray.stages.simulate.horizon import Attribution
from acceleray.stages.simulate.reverse import Reached
from acceleray.stages.simulate.scenario_inputs import World

HISTOGRAM_BINS = 80


@dataclass(frozen=True)
class Plan:
    """Request of a simulation: scenarios, horizons, the two confidence levels, betas, target losses.

    betas (lines,) are slopes on the market, the mean of the lines in the mask `market`, or of all without
    one; targets are losses as shares of NAV. explained (rows,) says of which rows of weights contributions
    are needed, of all without it.
    """

    scenarios: int
    horizons_d: tuple[int, ...]
    var_confidence: float
    es_confidence: float
    betas: NDArray[np.float64]
    targets: tuple[float, ...] = ()
    market: NDArray[np.bool_] | None = None
    explained: NDArray[np.bool_] | None = None

    @property
    def levels(self) -> tuple[Level, ...]:
        """Return the levels of both measures, one if they are the same."""
        confidences = sorted({self.var_confidence, self.es_confidence})
        return tuple(Level(self.scenarios, confidence) for confidence in confidences)


@dataclass(frozen=True)
class Found:
    """Results for one part of the portfolios: measures, and contributions (portfolios, lines)."""

    tail: Tail
    volatility: NDArray[np.float64]
    histogram: NDArray[np.int64]
    value_at_risk: Rows
    expected_shortfall: Rows
    attribution: Attribution
    reached: Reached | None

    @classmethod
    def joined(cls, parts: Sequence[Found]) -> Found:
        """Return the results of several groups of portfolios as one; the histogram is that of the first."""
        about = [part.reached for part in parts if part.reached is not None]
        return cls(
            tail=joined([part.tail for part in parts]),
            volatility=np.concatenate([part.volatility for part in parts]),
            histogram=parts[0].histogram,
            value_at_risk=joined_rows(part.value_at_risk for part in parts),
            expected_shortfall=joined_rows(part.expected_shortfall for part in parts),
            attribution=Attribution.joined([part.attribution for part in parts]),
            reached=Reached.joined(about) if about else None,
        )

    def part(self, portfolios: slice) -> Found:
        """Return what is known of some of the portfolios; the histogram stays that of the first."""
        return replace(
            self,
            tail=part_of(self.tail, portfolios),
            volatility=self.volatility[portfolios],
            value_at_risk=some_of(self.value_at_risk, portfolios),
            expected_shortfall=some_of(self.expected_shortfall, portfolios),
            attribution=self.attribution.part(portfolios),
            reached=None if self.reached is None else self.reached.part(portfolios),
        )


def histogram_edges(world: World, horizon_d: int) -> NDArray[np.float64]:
    """Return bin edges for the first portfolio's losses, alike for every method."""
    shocks = world.residuals * world.next_sigma + world.parameters.mu
    moves = shocks if world.lines is None else world.lines.of(shocks)
    scale = float(np.std(moves @ world.weights[0])) * horizon_d**0.5
    return np.linspace(-6.0, 8.0, HISTOGRAM_BINS + 1) * (scale or 1e-6)


def checked(contributions: NDArray[np.float64], totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return contributions as they are; they add up by construction, unless a pass went wrong."""
    gap = np.abs(contributions.sum(axis=1) - totals)
    if bool(np.any(gap > 1e-9 * np.abs(contributions).sum(axis=1))):
        raise RuntimeError("contributions do not add up: two passes did not see the same losses")
    return contributions


def means(weights: NDArray[np.float64], sums: NDArray[np.float64], band: Band) -> NDArray[np.float64]:
    """Return contributions (portfolios, lines) of weights to the mean over a band, out of sums of lines."""
    return np.asarray(weights * sums / band.total[:, np.newaxis])


def without_zeros(found: Found, world: World, plan: Plan, portfolios: slice) -> Found:
    """Return what was found of portfolios; of many lines contributions are kept where there is a weight.

    Those of rows that nobody asks about are not kept.
    """
    if world.weights.shape[1] <= DENSE_COLUMNS:
        return found
    where = world.weights[portfolios] != 0.0
    if plan.explained is not None:
        where[~plan.explained[portfolios]] = False
    return replace(
        found,
        value_at_risk=SparseRows.of(found.value_at_risk[:], where),
        expected_shortfall=SparseRows.of(found.expected_shortfall[:], where),
    )
