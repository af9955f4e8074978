"""Euler contributions: what each position adds to the risk of its portfolio, adding up to the total.

Risk contributions are the derivatives of a homogeneous risk measure (Tasche 1999): for expected shortfall the
mean loss of the position in the tail scenarios, for value-at-risk its mean loss where the portfolio loses the
value-at-risk. Both are weighted means over a *band* of portfolio losses, which is known after a first pass
over all scenarios; a second pass then sums what is in it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from acceleray.quant.risk import tail_mass


def value_at_risk_window(count: int, confidence: float) -> tuple[int, int]:
    """Return the first and last rank, 0 the largest loss, within one binomial deviation of the VaR's rank."""
    mass = tail_mass(count, confidence)
    half = max(int(math.sqrt(mass * confidence)), 1)
    return max(int(mass) - half, 0), min(int(mass) + half, count - 1)


def euler_value_at_risk(
    scenario_asset_losses: NDArray[np.float64],
    losses: NDArray[np.float64],
    var: float,
    confidence: float,
    positions: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return the contribution of each asset to the value-at-risk of one portfolio, of shape (assets,).

    The conditional mean of Tasche 1999 given a loss of exactly the value-at-risk rests on one scenario, so it
    is taken over the scenarios within one binomial standard deviation of ranks, as for
    ``value_at_risk_error``, and brought to add up by ``adding_up``: smooth, with a small bias. Scenarios that
    tie at an end of these ranks share the places left. Losses are of shape (scenarios,).
    """
    first, last = value_at_risk_window(losses.shape[0], confidence)
    descending = -np.sort(-losses)
    low, high = descending[last], descending[first]
    weights = np.asarray((losses > low) & (losses < high), dtype=np.float64)
    for end in {float(low), float(high)}:
        tied = losses == end
        start = int((losses > end).sum())
        places = min(last + 1, start + int(tied.sum())) - max(first, start)
        weights[tied] = places / tied.sum()
    mean_losses = weights @ np.asarray(scenario_asset_losses) / weights.sum()
    means = mean_losses if positions is None else positions * mean_losses
    return adding_up(means[np.newaxis], np.array([var]))[0]


def adding_up(contributions: NDArray[np.float64], totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return contributions (portfolios, assets) moved so that they add up to totals (portfolios,).

    The difference is distributed in proportion to the size of each contribution. If all have one sign, that
    is a common factor; if a hedge makes them cancel, a factor could have any size and sign, and this cannot.
    """
    sizes = np.abs(contributions)
    whole = sizes.sum(axis=1)
    missing = totals - contributions.sum(axis=1)
    share = np.divide(missing, whole, out=np.zeros_like(whole), where=whole > 0.0)
    return np.asarray(contributions + sizes * share[:, np.newaxis])


@dataclass(frozen=True)
class Band:
    """How much each scenario weighs by the loss of a portfolio; every field is of shape (portfolios,).

    One for a loss strictly between ``low`` and ``high``, ``low_weight`` and ``high_weight`` for losses of
    exactly these, nothing outside. ``total`` is the weight of all scenarios together.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    low_weight: NDArray[np.float64]
    high_weight: NDArray[np.float64]
    total: NDArray[np.float64]

    @classmethod
    def joined(cls, parts: Sequence["Band"]) -> "Band":
        """Return the bands of several groups of portfolios as one, in the order given."""
        names = cls.__dataclass_fields__
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    def part(self, portfolios: slice) -> "Band":
        """Return the band of some of the portfolios."""
        return Band(*(getattr(self, name)[portfolios] for name in self.__dataclass_fields__))

    def weights(self, rows: NDArray[np.integer[Any]], losses: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the weight of each loss of the portfolio in the same place of ``rows``."""
        low, high = self.low[rows], self.high[rows]
        inside = np.asarray((losses > low) & (losses < high), dtype=np.float64)
        inside = np.where(losses == high, self.high_weight[rows], inside)
        return np.where(losses == low, self.low_weight[rows], inside)


class Weighted:
    """The scenarios of one atom that weigh something in a band, gathered portfolio by portfolio.

    Few do, so gathering them is far less work than a full matrix product.
    """

    def __init__(self) -> None:
        """Start with none."""
        self._rows: list[NDArray[np.int64]] = []
        self._scenarios: list[NDArray[np.int64]] = []
        self._weights: list[NDArray[np.float64]] = []

    def add(
        self,
        band: Band,
        rows: NDArray[np.int64],
        scenarios: NDArray[np.int64],
        losses: NDArray[np.float64],
        first: int = 0,
    ) -> None:
        """Take in losses, each of a portfolio of the band (``rows``, ascending) in a scenario of the atom.

        The band's portfolios are numbered from ``first``, after those taken in before.
        """
        kept = np.flatnonzero((losses >= band.low[rows]) & (losses <= band.high[rows]))
        self._rows.append(rows[kept] + first)
        self._scenarios.append(scenarios[kept])
        self._weights.append(band.weights(rows[kept], losses[kept]))

    def sums(self, portfolios: int, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return weighted sums of values (scenarios, columns), of shape (portfolios, columns)."""
        counts = np.bincount(np.concatenate(self._rows), minlength=portfolios)
        ends = np.concatenate(([0], np.cumsum(counts)))
        weights, scenarios = np.concatenate(self._weights), np.concatenate(self._scenarios)
        return np.asarray(csr_matrix((weights, scenarios, ends), shape=(portfolios, len(values))) @ values)
