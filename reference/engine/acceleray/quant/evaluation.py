"""How good a signal or forecast was: rank correlation, its t-statistic, R2 against zero, spread.

Arrays are of shape (dates, instruments). A pair counts only where score and target are both finite.
"""

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

# Fewer pairs than this make a rank correlation of -1, 0 or 1 by construction.
_MINIMUM_PAIRS = 3


def rank_information_coefficient(
    scores: NDArray[np.float64], targets: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return Spearman's rank correlation on each date, of shape (dates,), ties at their mean rank.

    NaN on a date with fewer than three pairs, or where all scores or all targets are equal.
    """
    scores, targets, paired = _pairs(scores, targets)
    counts = paired.sum(axis=1)
    middle = (counts[:, np.newaxis] + 1.0) / 2.0
    left = np.where(paired, ranks_by_date(scores, paired) - middle, 0.0)
    right = np.where(paired, ranks_by_date(targets, paired) - middle, 0.0)
    spread = np.sqrt((left * left).sum(axis=1) * (right * right).sum(axis=1))
    usable = (counts >= _MINIMUM_PAIRS) & (spread > 0.0)
    coefficients = np.full(counts.size, np.nan)
    coefficients[usable] = (left * right).sum(axis=1)[usable] / spread[usable]
    return coefficients


def newey_west_t(series: NDArray[np.float64], lags: int) -> float:
    """Return the t-statistic of a series' mean, robust to autocorrelation up to ``lags``.

    Newey & West 1987 with Bartlett weights 1 - lag / (lags + 1) and no small-sample factor. Missing values
    are left out.
    NaN with fewer than two values or where the variance is not positive.
    Not every choice of ``lags`` gives a t-statistic that luck takes beyond 2 in one case of twenty only; see
    ``overlap_lags``.
    """
    if lags < 0:
        raise ValueError("the number of lags cannot be negative")
    series = np.asarray(series, dtype=np.float64)
    series = series[np.isfinite(series)]
    return float(series.mean()) / _standard_error(series, lags) if series.size > 1 else math.nan


def _standard_error(series: NDArray[np.float64], lags: int) -> float:
    """Return the Newey-West standard error of the mean of two finite values or more; NaN if there is none."""
    count = series.size
    deviations = series - float(series.mean())
    # A sum, not a product of vectors: libraries split that among threads, and its last bits with it.
    variance = float(np.sum(deviations * deviations))
    for lag in range(1, min(lags, count - 1) + 1):
        weight = 1.0 - lag / (lags + 1.0)
        variance += 2.0 * weight * float(np.sum(deviations[lag:] * deviations[:-lag]))
    return math.sqrt(variance) / count if variance > 0.0 else math.nan


def overlap_lags(count: int, horizon_d: int) -> int:
    """Return how many lags the mean of ``count`` daily rank ICs over a horizon wants: 3 horizons at least.

    Returns over ``horizon_d`` days that begin on successive days overlap. Bartlett weights up to one horizon
    see only two thirds of the variance that this adds, and one test in ten then rejects what is true at 5 %;
    up to three horizons they see nine tenths. Otherwise 1.3 times the root of ``count`` (the rule
    recommended by Lazarus, Lewis, Stock & Watson 2018).
    """
    return min(max(3 * horizon_d, math.ceil(1.3 * math.sqrt(count))), max(count - 1, 0))


def newey_west_p(t: float, count: int, lags: int, horizon_d: int) -> float:
    """Return the two-sided p-value of a Newey-West t-statistic of ``count`` daily values.

    The reference is Student's t with 1.5 count / lags degrees of freedom, those of the Bartlett kernel
    (Lazarus et al. 2018). Before, t is shrunk by the square root of the share of the variance that the
    estimate sees where returns over ``horizon_d`` days overlap and are otherwise independent: the Bartlett
    weights of their triangular autocorrelation, less lags / count because the mean is estimated as well.
    NaN where t is, or with fewer than three times ``lags`` values, which are too few to tell.
    """
    if not math.isfinite(t) or count < 3 * max(lags, 1):
        return math.nan
    seen, freedom = _reference(count, lags, horizon_d)
    return 2.0 * float(stdtr(freedom, -abs(t) * math.sqrt(seen)))


def newey_west_lower(series: NDArray[np.float64], horizon_d: int, confidence: float) -> float:
    """Return the lower end of the one-sided interval for a series' mean, in the unit of the series.

    It is above a bound exactly where the one-sided p-value of the mean less that bound is below
    1 - ``confidence``: lags, reference and shrinkage are those of ``overlap_lags`` and ``newey_west_p``.

    Args:
        series: (dates,) daily values over a horizon; missing ones are left out.
        horizon_d: days that the return behind each value spans.
        confidence: share of intervals that cover the true mean, 0.95 say.

    NaN with too few values to tell (``least_count``), or where the variance is not positive.
    """
    values = np.asarray(series, dtype=np.float64)
    values = values[np.isfinite(values)]
    lags = overlap_lags(values.size, horizon_d)
    if values.size < 3 * max(lags, 1):
        return math.nan
    seen, freedom = _reference(values.size, lags, horizon_d)
    error = _standard_error(values, lags) / math.sqrt(seen)
    return float(values.mean()) - float(stdtrit(freedom, confidence)) * error


def least_count(horizon_d: int) -> int:
    """Return how many daily values an interval or a p-value needs: three times the lags, nine horizons."""
    count = 1
    while count < 3 * max(overlap_lags(count, horizon_d), 1):
        count += 1
    return count


def _reference(count: int, lags: int, horizon_d: int) -> tuple[float, float]:
    """Return the share of the variance that the estimate sees, and the degrees of freedom."""
    apart = np.arange(1, horizon_d)
    overlap = 1.0 - apart / horizon_d
    seen = (1.0 + 2.0 * np.sum((1.0 - apart / (lags + 1.0)).clip(0.0) * overlap)) / horizon_d
    return float(seen) * (1.0 - lags / count), 1.5 * count / max(lags, 1)


def out_of_sample_r2(targets: NDArray[np.float64], predictions: NDArray[np.float64]) -> float:
    """Return 1 - sum (y - prediction)^2 / sum y^2 over all pairs (Gu, Kelly & Xiu 2020, eq. 19).

    The yardstick is a forecast of zero, not the mean, which would be too easy to beat for single returns.
    NaN without any target other than zero.
    """
    predictions, targets, paired = _pairs(predictions, targets)
    total = float(np.sum(targets[paired] ** 2))
    errors = float(np.sum((targets[paired] - predictions[paired]) ** 2))
    return 1.0 - errors / total if total > 0.0 else math.nan


def quantile_spread(
    scores: NDArray[np.float64], targets: NDArray[np.float64], quantiles: int = 5
) -> NDArray[np.float64]:
    """Return the mean target of the best scores less that of the worst, on each date, of shape (dates,).

    Best and worst are the top and bottom of ``quantiles`` groups by rank; the unit is that of the targets.
    Equal scores share a mean rank and so a group. NaN on a date with fewer pairs than groups, or an empty
    group.
    """
    if quantiles < 2:
        raise ValueError("a spread needs at least two quantiles")
    scores, targets, paired = _pairs(scores, targets)
    counts = paired.sum(axis=1)
    position = (ranks_by_date(scores, paired) - 0.5) / np.maximum(counts, 1)[:, np.newaxis]
    best = paired & (position > 1.0 - 1.0 / quantiles)
    worst = paired & (position < 1.0 / quantiles)
    spread = np.full(counts.size, np.nan)
    usable = (counts >= quantiles) & best.any(axis=1) & worst.any(axis=1)
    spread[usable] = _group_mean(targets, best)[usable] - _group_mean(targets, worst)[usable]
    return spread


def sharpe_ratio(series: NDArray[np.float64]) -> float:
    """Return mean over standard deviation (n - 1) of the finite values; NaN where there is none."""
    values = series[np.isfinite(series)]
    if values.size < 2:
        return math.nan
    deviation = float(values.std(ddof=1))
    return float(values.mean()) / deviation if deviation > 0.0 else math.nan


def _pairs(
    scores: NDArray[np.float64], targets: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    scores, targets = np.asarray(scores, dtype=np.float64), np.asarray(targets, dtype=np.float64)
    if scores.shape != targets.shape:
        raise ValueError(f"scores of shape {scores.shape} do not match targets of shape {targets.shape}")
    return scores, targets, np.isfinite(scores) & np.isfinite(targets)


def ranks_by_date(values: NDArray[np.float64], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return ranks 1, 2 ... on each date among the known values, ties at their mean; others come behind."""
    # By pandas, which Ray has imported anyway; all of scipy.stats takes half a second in every process.
    return np.asarray(pd.DataFrame(np.where(known, values, np.inf)).rank(axis=1), dtype=np.float64)


def _group_mean(values: NDArray[np.float64], group: NDArray[np.bool_]) -> NDArray[np.float64]:
    totals = np.where(group, values, 0.0).sum(axis=1)
    return np.asarray(totals / np.maximum(group.sum(axis=1), 1))
