"""The gate: whether a challenger may become champion, by criteria that were fixed before it was trained.

1. It ranks: the lower end of the one-sided interval (`train.confidence`, Newey and West) of its mean rank IC
   is above `train.minimum_rank_ic`. A mean above zero alone is what every second model without skill has.
   Of hyperparameters that a search chose, only dates that the search never saw count.
2. It is believable: on real prices that mean is not above `leakage.maximum_rank_ic`.
3. It is better: the lower end of the same interval of its rank IC less that of the champion's
   hyperparameters, validated on the same folds of the same rows, is above `train.minimum_gain`. Means of
   different dates would compare markets, not models; and a champion scored on dates it was trained on would
   win by memory. The champion's own hyperparameters on newer data are no worse, and pass.
4. It is reproducible: a single process gives the same training scores within the tolerance.

Rules of the project are asked after these.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from acceleray.extend import GateRule
from acceleray.quant.evaluation import newey_west_lower, newey_west_t, overlap_lags
from acceleray.runtime.extensions import refusal

PROMOTED, REFUSED, WITHDRAWN = "promoted", "refused", "withdrawn"


@dataclass(frozen=True)
class Comparison:
    """Challenger against champion on the same dates.

    Attributes:
        version: of the champion.
        difference: mean of the daily rank ICs less the champion's.
        t: its Newey-West t statistic.
        lower: lower end of its one-sided interval, NaN where the dates are too few to tell.
        dates: that both have.

    Difference, t and lower are zero where the two have the same hyperparameters: then only the newer data
    differs.
    """

    version: int
    difference: float
    t: float
    lower: float
    dates: int

    @property
    def same(self) -> bool:
        """Return whether both have the same hyperparameters."""
        return self.difference == 0.0 and self.t == 0.0

    def better(self, minimum_gain: float) -> bool:
        """Return whether the challenger is shown to be better by more than that."""
        return self.lower > minimum_gain


@dataclass(frozen=True)
class Evidence:
    """Evidence of the gate.

    Attributes:
        rank_ic: mean over all dates out of sample, NaN if there is none.
        rank_ic_t: its Newey-West t statistic.
        rank_ic_lower: lower end of its one-sided interval, NaN where the dates are too few to tell.
        dates: with a rank IC.
        least_dates: that an interval needs.
        unseen_from: first date that the search of the hyperparameters never saw; None if none chose them.
        simulated: whether the signal was planted in simulated prices.
        difference: largest one of any training score from a single process, NaN where it is one.
        comparison: with the champion, None if there is none.
    """

    rank_ic: float
    rank_ic_t: float
    rank_ic_lower: float
    dates: int
    least_dates: int
    unseen_from: date | None
    simulated: bool
    difference: float
    comparison: Comparison | None

    @property
    def where(self) -> str:
        """Return the dates that count, in words."""
        if self.unseen_from is None:
            return f"{self.dates:,} dates"
        return f"{self.dates:,} dates from {self.unseen_from} on, which the search never saw,"


@dataclass(frozen=True)
class Limits:
    """Thresholds for the evidence; `confidence` is that of the one-sided intervals."""

    minimum_rank_ic: float
    maximum_rank_ic: float
    minimum_gain: float
    confidence: float
    tolerance: float

    @property
    def interval(self) -> str:
        """Return what the intervals are called."""
        return f"one-sided {100.0 * self.confidence:g} % interval"


@dataclass(frozen=True)
class Verdict:
    """`promoted` or `refused`, and why in words."""

    decision: str
    reason: str


def compare(
    version: int,
    challenger: NDArray[np.float64],
    champion: NDArray[np.float64],
    horizon_d: int,
    confidence: float,
) -> Comparison:
    """Return how daily rank ICs of shape (dates,) differ, on the dates that have both."""
    differences = (challenger - champion)[np.isfinite(challenger) & np.isfinite(champion)]
    count = differences.size
    if not count:
        return Comparison(version, math.nan, math.nan, math.nan, 0)
    if not differences.any():
        return Comparison(version, 0.0, 0.0, 0.0, count)
    t = newey_west_t(differences, overlap_lags(count, horizon_d))
    lower = newey_west_lower(differences, horizon_d, confidence)
    return Comparison(version, float(differences.mean()), t, lower, count)


def judge(found: Evidence, limits: Limits, rules: Sequence[GateRule] = ()) -> Verdict:
    """Return the verdict; the reasons of a refusal are all that apply.

    Args:
        found: what is judged.
        limits: what it is held against.
        rules: of the project, asked after the engine's own criteria.

    Raises:
        PortfolioError: a rule of the project raised.
    """
    against = [
        reason
        for reason in (_ranks(found, limits), _reproducible(found, limits), _believable(found, limits))
        if reason
    ]
    if reason := _better(found.comparison, limits):
        against.append(reason)
    answers = [(rule, refusal(rule, found)) for rule in rules]
    against += [f"{rule.name}: {reason}" for rule, reason in answers if reason]
    if against:
        return Verdict(REFUSED, "; ".join(against))
    return Verdict(PROMOTED, "; ".join([*_for(found, limits), *(f"{rule.name}: yes" for rule in rules)]))


def _ranks(found: Evidence, limits: Limits) -> str:
    if not math.isfinite(found.rank_ic_lower):
        if not found.dates and found.unseen_from is None:
            return "no date had a rank IC, so there is no evidence"
        return f"{found.where} are too few: an interval needs {found.least_dates:,}"
    if found.rank_ic_lower > limits.minimum_rank_ic:
        return ""
    worth = "may be luck" if found.rank_ic > limits.minimum_rank_ic else "ranks no better than chance"
    return (
        f"mean rank IC {found.rank_ic:.4f} over {found.where} has a {limits.interval} from "
        f"{found.rank_ic_lower:.4f}, not above {limits.minimum_rank_ic:g}: it {worth}"
    )


def _believable(found: Evidence, limits: Limits) -> str:
    if found.simulated or not found.rank_ic > limits.maximum_rank_ic:
        return ""
    return (
        f"mean rank IC {found.rank_ic:.3f} is above {limits.maximum_rank_ic:g}: on real daily prices "
        "that is probable leakage until proven otherwise"
    )


def _better(versus: Comparison | None, limits: Limits) -> str:
    if versus is None or versus.same or versus.better(limits.minimum_gain):
        return ""
    champion = f"the champion's hyperparameters (version {versus.version})"
    if not math.isfinite(versus.lower):
        return f"{versus.dates:,} dates in common with {champion} are too few to show that it is better"
    return (
        f"its mean rank IC less that of {champion} on the same {versus.dates:,} dates is "
        f"{versus.difference:.4f} (t {versus.t:.1f}) with a {limits.interval} from {versus.lower:.4f}, not "
        f"above {limits.minimum_gain:g}: it is not shown to be better"
    )


def _reproducible(found: Evidence, limits: Limits) -> str:
    if found.difference > limits.tolerance:
        return (
            f"a single process gives scores up to {found.difference:.2g} away, more than the tolerance of "
            f"{limits.tolerance:g}"
        )
    return ""


def _for(found: Evidence, limits: Limits) -> list[str]:
    reasons = [
        f"mean rank IC {found.rank_ic:.4f} (t {found.rank_ic_t:.1f}) over {found.where} has a "
        f"{limits.interval} from {found.rank_ic_lower:.4f}, above {limits.minimum_rank_ic:g}"
    ]
    if found.simulated:
        reasons.append("the signal was planted in simulated prices")
    versus = found.comparison
    if versus is not None and versus.same:
        reasons.append(
            f"the champion, version {versus.version}, has the same hyperparameters and older data, so it is "
            "no better"
        )
    elif versus is not None:
        reasons.append(
            f"{versus.difference:.4f} (t {versus.t:.1f}) over the champion's hyperparameters (version "
            f"{versus.version}) on the same {versus.dates:,} dates, with a {limits.interval} from "
            f"{versus.lower:.4f}"
        )
    if math.isfinite(found.difference):
        within = f" to {found.difference:.0e}" if found.difference else ""
        reasons.append(f"a single process gives the same scores{within}")
    return reasons
