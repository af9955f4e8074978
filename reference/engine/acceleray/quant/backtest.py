"""Tests of value-at-risk forecasts: coverage, independence, and the Basel traffic light.

An *exception* is a day whose loss was larger than the value-at-risk forecast for it.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlog1py, xlogy
from scipy.stats import beta, binom, chi2

Zone = Literal["green", "yellow", "red"]

# Cumulative probabilities at which the zones begin (Basel Committee 1996, section III).
_YELLOW_FROM = 0.95
_RED_FROM = 0.9999
# Multipliers for 0-4, 5, 6, 7, 8, 9 and 10 or more exceptions of 99 % in 250 days (Basel Framework, MAR32.9).
_MULTIPLIERS = (1.50, 1.50, 1.50, 1.50, 1.50, 1.70, 1.76, 1.83, 1.88, 1.92, 2.00)
_BASEL_DAYS = 250
_BASEL_CONFIDENCE = 0.99


@dataclass(frozen=True)
class LikelihoodRatio:
    """A likelihood-ratio statistic and the probability of one at least as large if the model is right."""

    statistic: float
    p_value: float


@dataclass(frozen=True)
class Verdict:
    """Coverage tests of the forecasts of one model at one confidence.

    ``expected`` is the number of exceptions a right model has on average. ``zone`` judges all days, the
    recent ones the last 250 and 500 days. ``multiplier`` is defined for 99 % and 250 days alone, None
    otherwise. ``passed`` asks Kupiec's and the conditional-coverage p-value to reach the required level,
    ``reason`` says so in words: the two classical tests, of which the gate of the backtest is wider.
    """

    days: int
    exceptions: int
    expected: float
    confidence: float
    kupiec: LikelihoodRatio
    independence: LikelihoodRatio
    conditional_coverage: LikelihoodRatio
    zone: Zone
    recent_exceptions: int
    recent_zone: Zone
    exceptions_500: int
    zone_500: Zone
    multiplier: float | None
    passed: bool
    reason: str


def kupiec(exceptions: int, days: int, confidence: float) -> LikelihoodRatio:
    """Return the test that the share of exceptions is 1 - confidence (Kupiec 1995), chi-squared(1)."""
    _check(exceptions, days, confidence)
    expected, observed = 1.0 - confidence, exceptions / days
    return _ratio(_likelihood(exceptions, days, observed) - _likelihood(exceptions, days, expected), 1)


def christoffersen_independence(exceptions: NDArray[np.bool_]) -> LikelihoodRatio:
    """Return the test that an exception does not change tomorrow's chance of one (Christoffersen 1998).

    ``exceptions`` is of shape (days,), in the order of time. Without any exception the statistic is zero:
    there is no evidence either way. Chi-squared with one degree of freedom.
    """
    hits = _hits(exceptions)
    today, before = hits[1:], hits[:-1]
    after_none, days_none = int(np.sum(today & ~before)), int(np.sum(~before))
    after_hit, days_hit = int(np.sum(today & before)), int(np.sum(before))
    pooled = (after_none + after_hit) / (days_none + days_hit)
    alternative = _own_likelihood(after_none, days_none) + _own_likelihood(after_hit, days_hit)
    return _ratio(alternative - _likelihood(after_none + after_hit, days_none + days_hit, pooled), 1)


def christoffersen_conditional_coverage(exceptions: NDArray[np.bool_], confidence: float) -> LikelihoodRatio:
    """Return the joint test of coverage and independence: the sum of both statistics, chi-squared(2).

    Christoffersen 1998, section 4, with coverage over all days including the first.
    """
    hits = _hits(exceptions)
    coverage = kupiec(int(hits.sum()), hits.size, confidence).statistic
    statistic = coverage + christoffersen_independence(hits).statistic
    return LikelihoodRatio(statistic, float(chi2.sf(statistic, 2)))


def cumulative_probability(exceptions: int, days: int, confidence: float) -> float:
    """Return the probability of so many exceptions or fewer if the model is right, between 0 and 1.

    Binomial, as the Basel Committee's Table 2 (1996, supervisory framework for backtesting). ``days`` are
    trading days.
    """
    _check(exceptions, days, confidence)
    return float(binom.cdf(exceptions, days, 1.0 - confidence))


def basel_zone(exceptions: int, days: int, confidence: float) -> Zone:
    """Return the traffic light by the probability of so many exceptions or fewer if the model is right.

    Green below 95 %, yellow from there, red from 99.99 % (Basel Committee 1996). ``days`` are trading days.
    """
    cumulative = cumulative_probability(exceptions, days, confidence)
    if cumulative < _YELLOW_FROM:
        return "green"
    return "yellow" if cumulative < _RED_FROM else "red"


def rate_interval(exceptions: int, days: int, level: float = 0.95) -> tuple[float, float]:
    """Return the interval of the daily chance of an exception that a record agrees with.

    Exact, from the binomial law (Clopper & Pearson 1934), two-sided at ``level``; both ends are shares.
    """
    _check(exceptions, days, level)
    tail = (1.0 - level) / 2.0
    low = float(beta.ppf(tail, exceptions, days - exceptions + 1)) if exceptions else 0.0
    high = float(beta.ppf(1.0 - tail, exceptions + 1, days - exceptions)) if exceptions < days else 1.0
    return low, high


def basel_multiplier(exceptions: int) -> float:
    """Return the capital multiplier for so many exceptions of 99 % one-day value-at-risk in 250 days."""
    if exceptions < 0:
        raise ValueError("the number of exceptions cannot be negative")
    return _MULTIPLIERS[min(exceptions, len(_MULTIPLIERS) - 1)]


def verdict(exceptions: NDArray[np.bool_], confidence: float, required_p_value: float = 0.05) -> Verdict:
    """Return the judgement of all tests on exceptions of shape (days,), in the order of time."""
    hits = _hits(exceptions)
    days, count = int(hits.size), int(hits.sum())
    recent, longer = hits[-_BASEL_DAYS:], hits[-2 * _BASEL_DAYS :]
    coverage = kupiec(count, days, confidence)
    conditional = christoffersen_conditional_coverage(hits, confidence)
    expected = days * (1.0 - confidence)
    failures = []
    if coverage.p_value < required_p_value:
        direction = "more" if count > expected else "fewer"
        failures.append(
            f"{count} exceptions in {days} days are {direction} than the {expected:.1f} expected "
            f"(Kupiec p = {coverage.p_value:.2g})"
        )
    if conditional.p_value < required_p_value:
        failures.append(f"coverage and independence together are rejected (p = {conditional.p_value:.2g})")
    agreed = (
        f"{count} exceptions in {days} days agree with the {expected:.1f} expected "
        f"(Kupiec p = {coverage.p_value:.2g}, conditional coverage p = {conditional.p_value:.2g})"
    )
    return Verdict(
        days=days,
        exceptions=count,
        expected=expected,
        confidence=confidence,
        kupiec=coverage,
        independence=christoffersen_independence(hits),
        conditional_coverage=conditional,
        zone=basel_zone(count, days, confidence),
        recent_exceptions=int(recent.sum()),
        recent_zone=basel_zone(int(recent.sum()), int(recent.size), confidence),
        exceptions_500=int(longer.sum()),
        zone_500=basel_zone(int(longer.sum()), int(longer.size), confidence),
        multiplier=basel_multiplier(int(recent.sum())) if _has_multiplier(recent, confidence) else None,
        passed=not failures,
        reason="; ".join(failures) if failures else agreed,
    )


def _has_multiplier(recent: NDArray[np.bool_], confidence: float) -> bool:
    return recent.size == _BASEL_DAYS and abs(confidence - _BASEL_CONFIDENCE) < 1e-12


def _likelihood(exceptions: int, days: int, probability: float) -> float:
    # x ln x is zero at x = 0: with no exceptions, or nothing else, the likelihood at their own rate is one.
    return float(xlogy(exceptions, probability) + xlog1py(days - exceptions, -probability))


def _own_likelihood(exceptions: int, days: int) -> float:
    return _likelihood(exceptions, days, exceptions / days) if days else 0.0


def _ratio(log_ratio: float, degrees: int) -> LikelihoodRatio:
    statistic = max(2.0 * log_ratio, 0.0)
    return LikelihoodRatio(statistic, float(chi2.sf(statistic, degrees)))


def _hits(exceptions: NDArray[np.bool_]) -> NDArray[np.bool_]:
    hits = np.asarray(exceptions)
    if hits.ndim != 1 or hits.dtype != np.bool_ or hits.size < 2:
        raise ValueError("exceptions must be one series of true and false over at least two days")
    return hits


def _check(exceptions: int, days: int, confidence: float) -> None:
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"the confidence must lie between 0 and 1, not at {confidence}")
    if not 0 <= exceptions <= days or days < 1:
        raise ValueError(f"{exceptions} exceptions in {days} days are not possible")
