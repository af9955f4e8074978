"""Sharpe ratios corrected for the number of trials.

Sharpe ratios are per observation of the series they come from, not annualised, and without a risk-free rate:
the series are of long-short spreads, which cost no capital.
"""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from acceleray.quant.evaluation import sharpe_ratio

# Shorter blocks than this say nothing about which strategy is best in them.
_SHORTEST_BLOCK = 5


def expected_maximum_sharpe(variance: float, trials: int) -> float:
    """Return the Sharpe ratio that the best of so many trials without any skill is expected to have.

    Bailey and Lopez de Prado 2014, "The Deflated Sharpe Ratio", equation 1, with a mean of zero.

    Args:
        variance: of the Sharpe ratios of all trials.
        trials: how many independent ones; trials that resemble each other make the result too high, so that
            whatever is measured against it is judged too strictly, not too mildly.
    """
    if trials < 1 or variance < 0.0:
        raise ValueError("there must be at least one trial and a variance that is not negative")
    if trials == 1:
        return 0.0
    upper = (1.0 - np.euler_gamma) * stats.norm.ppf(1.0 - 1.0 / trials)
    return math.sqrt(variance) * float(upper + np.euler_gamma * stats.norm.ppf(1.0 - 1.0 / (trials * math.e)))


def deflated_sharpe_ratio(
    sharpe: float, benchmark: float, observations: int, skewness: float, kurtosis: float
) -> float:
    """Return the probability that the true Sharpe ratio is above a benchmark.

    Bailey and Lopez de Prado 2014, equation 2; with `expected_maximum_sharpe` as the benchmark it is their
    deflated, with zero their probabilistic Sharpe ratio.

    Args:
        sharpe: estimated, per observation.
        benchmark: in the same unit.
        observations: in the series that `sharpe` was estimated from.
        skewness: of the series.
        kurtosis: of the series, 3 for a normal one.

    NaN with fewer than two observations, or moments no series can have.
    """
    variance = 1.0 - skewness * sharpe + (kurtosis - 1.0) / 4.0 * sharpe * sharpe
    if observations < 2 or not variance > 0.0:
        return math.nan
    return float(stats.norm.cdf((sharpe - benchmark) * math.sqrt(observations - 1) / math.sqrt(variance)))


def deflated_sharpe_of(
    series: NDArray[np.float64], sharpes: NDArray[np.float64], before: int = 0
) -> tuple[float, float]:
    """Return the expected maximum of all trials' Sharpe ratios, and the deflated one of the chosen series.

    Args:
        series: (observations,) of the chosen trial.
        sharpes: (trials,) of all trials, the chosen one among them; NaN where a trial has none.
        before: trials on the same data before these; they count, and are taken to vary as these do.
    """
    values, found = series[np.isfinite(series)], sharpes[np.isfinite(sharpes)]
    if found.size == 0 or not math.isfinite(sharpe_ratio(values)):
        return math.nan, math.nan
    variance = float(found.var(ddof=1)) if found.size > 1 else 0.0
    highest = expected_maximum_sharpe(variance, found.size + before)
    moments = float(stats.skew(values)), float(stats.kurtosis(values, fisher=False))
    return highest, deflated_sharpe_ratio(sharpe_ratio(values), highest, values.size, *moments)


def blocks_for(observations: int, wanted: int = 16) -> int:
    """Return the largest even number of blocks, at most `wanted`, of five observations or more; 0 if none."""
    return max(0, min(wanted, observations // _SHORTEST_BLOCK) // 2 * 2)


def probability_of_overfitting(performance: NDArray[np.float64], blocks: int = 16) -> float:
    """Return how often the best trial of one half of history is below the median in the other half.

    Combinatorially symmetric cross-validation (Bailey, Borwein, Lopez de Prado and Zhu 2017, section 3): the
    series are cut into `blocks` blocks; for every choice of half of them, the trial with the highest Sharpe
    ratio there is ranked among all trials in the other half. The result is the share of choices in which the
    logit of its relative rank is not above zero: about 0.5 where all trials are noise, near 0 where the best
    is really the best.

    Args:
        performance: (observations, trials); rows in which any trial has no value are left out.
        blocks: even; their lengths differ by one observation at most.

    NaN with fewer than two trials or fewer than two observations a block.
    """
    if blocks < 2 or blocks % 2:
        raise ValueError("the number of blocks must be even and at least 2")
    known = performance[np.isfinite(performance).all(axis=1)]
    if known.shape[1] < 2 or len(known) < 2 * blocks:
        return math.nan
    parts = np.array_split(known, blocks)
    chosen = np.zeros((math.comb(blocks, blocks // 2), blocks))
    for row, half in enumerate(combinations(range(blocks), blocks // 2)):
        chosen[row, list(half)] = 1.0
    inside, outside = (_sharpes(parts, weights) for weights in (chosen, 1.0 - chosen))
    best = inside.argmax(axis=1)
    rank = stats.rankdata(outside, axis=1)[np.arange(len(best)), best]
    relative = rank / (known.shape[1] + 1.0)
    # The logit is not above zero exactly where the relative rank is not above one half.
    return float(np.mean(relative <= 0.5))


def _sharpes(parts: list[NDArray[np.float64]], chosen: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Sharpe ratios of shape (choices, trials), from sums over blocks instead of whole series."""
    counts = chosen @ np.array([[len(part)] for part in parts], dtype=np.float64)
    # About the overall mean, so that the difference of squares below keeps its digits.
    middle = np.vstack(parts).mean(axis=0)
    sums = chosen @ np.array([(part - middle).sum(axis=0) for part in parts])
    squares = chosen @ np.array([((part - middle) ** 2).sum(axis=0) for part in parts])
    variance = np.maximum(squares - sums * sums / counts, 0.0) / (counts - 1.0)
    mean = middle + sums / counts
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = mean / np.sqrt(variance)
    return np.where(variance > 0.0, ratio, 0.0)
