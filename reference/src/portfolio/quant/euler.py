"""Euler contributions: what each position adds to the risk of its portfolio, adding up to the total.

Risk contributions are the derivatives of a homogeneous risk measure (Tasche 1999): for expected shortfall the
mean loss of the position in the tail scenarios, for value-at-risk its mean loss where the portfolio loses the
value-at-risk.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from portfolio.quant.risk import edge_share, tail_mass


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
    ``value_at_risk_error``, and scaled to add up to the value-at-risk: smooth, with a small bias. Losses are
    of shape (scenarios,).
    """
    count = losses.shape[0]
    mass = tail_mass(count, confidence)
    half = max(int(math.sqrt(mass * confidence)), 1)
    order = np.argsort(-losses, kind="stable")
    window = order[max(int(mass) - half, 0) : int(mass) + half + 1]
    mean_losses = np.asarray(scenario_asset_losses)[window].mean(axis=0)
    contributions = mean_losses if positions is None else positions * mean_losses
    total = float(contributions.sum())
    if total * var <= 0.0:
        raise ValueError("the portfolio does not lose around its value-at-risk: there is nothing to allocate")
    return np.asarray(contributions * (var / total))


@dataclass(frozen=True)
class TailSums:
    """Sums over scenarios that make expected-shortfall contributions without holding all scenarios at once.

    Build one an atom with ``of``, add them in the order of the atoms (floating-point sums depend on the
    order), and ask for ``contributions``. The value-at-risk must already be known from a first pass.
    """

    above: NDArray[np.int64]
    tied: NDArray[np.int64]
    above_losses: NDArray[np.float64]
    tied_losses: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        scenario_asset_losses: NDArray[np.float64],
        losses: NDArray[np.float64],
        var: NDArray[np.float64],
    ) -> "TailSums":
        """Return the sums of a block: asset losses (block, assets), portfolio losses (block, portfolios)."""
        above = losses > var
        tied = losses == var
        return cls(
            above=above.sum(axis=0),
            tied=tied.sum(axis=0),
            above_losses=_masked_sums(above, scenario_asset_losses),
            tied_losses=_masked_sums(tied, scenario_asset_losses),
        )

    def __add__(self, other: "TailSums") -> "TailSums":
        """Return the sums of both blocks."""
        return TailSums(
            above=self.above + other.above,
            tied=self.tied + other.tied,
            above_losses=self.above_losses + other.above_losses,
            tied_losses=self.tied_losses + other.tied_losses,
        )

    def contributions(
        self, scenarios: int, confidence: float, positions: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return what ``euler_expected_shortfall`` does, of shape (portfolios, assets)."""
        mass = tail_mass(scenarios, confidence)
        share = edge_share(mass, self.above, self.tied)[:, np.newaxis]
        return np.asarray(positions * (self.above_losses + share * self.tied_losses) / mass)


def _masked_sums(mask: NDArray[np.bool_], values: NDArray[np.float64]) -> NDArray[np.float64]:
    # Few scenarios lie in a tail: gathering them is far less work than a full matrix product.
    sums = np.zeros((mask.shape[1], values.shape[1]))
    for portfolio in range(mask.shape[1]):
        rows = np.flatnonzero(mask[:, portfolio])
        if rows.size:
            sums[portfolio] = values[rows].sum(axis=0)
    return sums
