"""The gate: whether a challenger may become champion, by criteria that were fixed before it was trained.

1. It ranks: its mean rank IC over all dates it was validated on is above `train.minimum_rank_ic`.
2. It is believable: on real prices that mean is not above `leakage.maximum_rank_ic`.
3. It is no step back: the champion's hyperparameters, validated on the same folds of the same rows, do not
   have a mean rank IC that is more than one standard error better. Means of different dates would compare
   markets, not models; and a champion scored on dates it was trained on would win by memory.
4. It is reproducible: a single process gives the same training scores within the tolerance.

Rules of the project are asked after these.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acceleray.extend import GateRule
from acceleray.quant.evaluation import newey_west_t, overlap_lags
from acceleray.runtime.extensions import refusal

PROMOTED, REFUSED, WITHDRAWN = "promoted", "refused", "withdrawn"
# By so many standard errors the champion must be better before a challenger is refused for it.
_STANDARD_ERRORS = 1.0
# The gate asks a model to be better than nothing, not to be proven; where it is not, the reason says so.
_BEYOND_LUCK = 2.0


@dataclass(frozen=True)
class Comparison:
    """Challenger against champion on the same dates: mean difference of daily rank ICs, and its t statistic.

    Both are zero where the two have the same hyperparameters: then only the newer data differs.
    """

    version: int
    difference: float
    t: float

    @property
    def same(self) -> bool:
        """Return whether both have the same hyperparameters."""
        return self.difference == 0.0 and self.t == 0.0

    @property
    def worse(self) -> bool:
        """Return whether the challenger is worse by more than one standard error."""
        return self.difference < 0.0 and self.t < -_STANDARD_ERRORS


@dataclass(frozen=True)
class Evidence:
    """What the gate looks at; `difference` is that from a single process, NaN where it is one."""

    rank_ic: float
    rank_ic_t: float
    dates: int
    simulated: bool
    difference: float
    comparison: Comparison | None


@dataclass(frozen=True)
class Limits:
    """What the evidence is held against."""

    minimum_rank_ic: float
    maximum_rank_ic: float
    tolerance: float


@dataclass(frozen=True)
class Verdict:
    """`promoted` or `refused`, and why in words."""

    decision: str
    reason: str


def compare(
    version: int, challenger: NDArray[np.float64], champion: NDArray[np.float64], horizon_d: int
) -> Comparison:
    """Return how daily rank ICs of shape (dates,) differ, on the dates that have both."""
    differences = (challenger - champion)[np.isfinite(challenger) & np.isfinite(champion)]
    if not differences.size:
        return Comparison(version, math.nan, math.nan)
    if not differences.any():
        return Comparison(version, 0.0, 0.0)
    lags = overlap_lags(differences.size, horizon_d)
    return Comparison(version, float(differences.mean()), newey_west_t(differences, lags))


def judge(found: Evidence, limits: Limits, rules: Sequence[GateRule] = ()) -> Verdict:
    """Return the verdict; the reasons of a refusal are all that apply.

    Args:
        found: what is judged.
        limits: what it is held against.
        rules: of the project, asked after the engine's own criteria.

    Raises:
        PortfolioError: a rule of the project raised.
    """
    against = [reason for reason in (_ranks(found, limits), _reproducible(found, limits)) if reason]
    if not found.simulated and found.rank_ic > limits.maximum_rank_ic:
        against.append(
            f"mean rank IC {found.rank_ic:.3f} is above {limits.maximum_rank_ic:g}: on real daily prices "
            "that is probable leakage until proven otherwise"
        )
    versus = found.comparison
    if versus is not None and versus.worse:
        against.append(
            f"its mean rank IC is {-versus.difference:.4f} below that of the champion's hyperparameters "
            f"(version {versus.version}) on the same dates, {-versus.t:.1f} standard errors"
        )
    answers = [(rule, refusal(rule, found)) for rule in rules]
    against += [f"{rule.name}: {reason}" for rule, reason in answers if reason]
    if against:
        return Verdict(REFUSED, "; ".join(against))
    return Verdict(PROMOTED, "; ".join([*_for(found, limits), *(f"{rule.name}: yes" for rule in rules)]))


def _ranks(found: Evidence, limits: Limits) -> str:
    if not math.isfinite(found.rank_ic):
        return "no date had a rank IC, so nothing speaks for it"
    if found.rank_ic <= limits.minimum_rank_ic:
        return (
            f"mean rank IC {found.rank_ic:.4f} over {found.dates:,} dates is not above "
            f"{limits.minimum_rank_ic:g}: it ranks no better than chance"
        )
    return ""


def _reproducible(found: Evidence, limits: Limits) -> str:
    if found.difference > limits.tolerance:
        return (
            f"a single process gives scores up to {found.difference:.2g} away, more than the tolerance of "
            f"{limits.tolerance:g}"
        )
    return ""


def _for(found: Evidence, limits: Limits) -> list[str]:
    proven = "" if found.rank_ic_t >= _BEYOND_LUCK else ", which may be luck"
    reasons = [
        f"mean rank IC {found.rank_ic:.4f} (t {found.rank_ic_t:.1f}{proven}) over {found.dates:,} dates is "
        f"above {limits.minimum_rank_ic:g}"
    ]
    if found.simulated:
        reasons.append("the signal was planted in simulated prices")
    versus = found.comparison
    if versus is not None and versus.same:
        reasons.append(f"the champion, version {versus.version}, has the same hyperparameters")
    elif versus is not None:
        better = "above" if versus.difference >= 0 else "below"
        reasons.append(
            f"{abs(versus.difference):.4f} {better} the champion's hyperparameters (version "
            f"{versus.version}) on the same dates, t {abs(versus.t):.1f}"
        )
    if math.isfinite(found.difference):
        within = f" to {found.difference:.0e}" if found.difference else ""
        reasons.append(f"a single process gives the same scores{within}")
    return reasons
