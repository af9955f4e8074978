"""Trading cost of a long-short book: its turnover, and the price of it."""

import math

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.evaluation import ranks_by_date

# Long and short sides are one unit each, so all of the book is two units.
_GROSS = 2.0


def long_short_weights(scores: NDArray[np.float64], quantiles: int = 5) -> NDArray[np.float64]:
    """Return equal weights of the best (adding up to 1) and the worst (to -1), of shape (dates, instruments).

    Best and worst are the outer groups of `acceleray.quant.evaluation.quantile_spread`: equal scores share
    their mean rank. NaN throughout on a date with fewer scores than groups or with an empty group.
    """
    if quantiles < 2:
        raise ValueError("a long-short book needs at least two quantiles")
    known = np.isfinite(scores)
    counts = known.sum(axis=1, keepdims=True)
    position = (ranks_by_date(scores, known) - 0.5) / np.maximum(counts, 1)
    best = known & (position > 1.0 - 1.0 / quantiles)
    worst = known & (position < 1.0 / quantiles)
    longs, shorts = best.sum(axis=1, keepdims=True), worst.sum(axis=1, keepdims=True)
    weights = best / np.maximum(longs, 1) - worst / np.maximum(shorts, 1)
    usable = (counts >= quantiles) & (longs > 0) & (shorts > 0)
    return np.asarray(np.where(usable, weights, np.nan), dtype=np.float64)


def turnover(weights: NDArray[np.float64], horizon_d: int) -> float:
    """Return the mean share of the book that is replaced from one date to `horizon_d` dates later, 0 to 1.

    Half the sum of absolute changes of weights over the size of the book (long plus short), averaged over all
    starting dates; 1 if nothing is kept. That prices move weights in between is left out. NaN where no date
    has another so much later.
    """
    if horizon_d < 1:
        raise ValueError("the horizon must be at least one date")
    traded = np.abs(weights[horizon_d:] - weights[:-horizon_d]).sum(axis=1)
    known = np.isfinite(traded)
    return float(traded[known].mean()) / (2.0 * _GROSS) if known.any() else math.nan


def trading_cost(replaced: float, cost_bp: float) -> float:
    """Return what it costs to replace a share of a long-short book, as a fraction of one of its sides.

    Replaced instruments are sold and others bought, in both legs; each trade costs `cost_bp` basis
    points of what is traded.
    """
    return 2.0 * _GROSS * replaced * cost_bp / 10_000.0
