"""Expected shortfall split into the market, the instruments' own moves, and compounding."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from acceleray.stages.simulate.horizon import Attribution

# A total loss has no logarithm.
LEAST_RETURN = -0.999999


def log_returns(
    returns: NDArray[np.float64], arithmetic: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """Return log(1 + r) of simple returns, those below `LEAST_RETURN` taken as that.

    Returns (..., instruments) of `arithmetic` instruments, a mask (instruments,), stay as they are.
    """
    logs = np.log1p(np.maximum(returns, LEAST_RETURN))
    return np.asarray(logs if arithmetic is None else np.where(arithmetic, returns, logs))


def market_betas(
    returns: NDArray[np.float64],
    arithmetic: NDArray[np.bool_] | None = None,
    members: NDArray[np.bool_] | None = None,
) -> NDArray[np.float64]:
    """Return each line's slope on the market, of shape (lines,), by ordinary least squares.

    ``returns`` (days, lines) are daily simple returns, NaN where missing. The market is the equal-weight mean
    of the log returns of the ``members`` present, of all without them; a slope takes the days on which its
    line is, and is zero where they say nothing.
    """
    logs = log_returns(returns, arithmetic)
    present = np.isfinite(logs)
    own = logs if members is None else logs[:, members]
    known = np.isfinite(own)
    counts = known.sum(axis=1)
    totals = np.where(known, own, 0.0).sum(axis=1)
    market = np.divide(totals, counts, out=np.zeros_like(totals), where=counts > 0)
    betas = np.zeros(logs.shape[1])
    for place in range(logs.shape[1]):
        days = present[:, place]
        if days.sum() > 1:
            moves = market[days] - market[days].mean()
            square = float(np.sum(moves * moves))
            betas[place] = float(np.sum(moves * logs[days, place])) / square if square > 0.0 else 0.0
    return betas


def attributed(
    shortfall: NDArray[np.float64],
    weights: NDArray[np.float64],
    tail_logs: NDArray[np.float64],
    betas: NDArray[np.float64],
    members: NDArray[np.bool_] | None = None,
) -> Attribution:
    """Return expected shortfall (portfolios,) split into three parts that add up to it.

    ``tail_logs`` (portfolios, lines) are mean log returns over the horizon in each portfolio's tail; their
    mean over the ``members`` is the market's. A line's own move is what beta times that leaves.
    Log returns are weighted as if they were simple ones; what that misses is compounding, the residual.
    """
    market = (tail_logs if members is None else tail_logs[:, members]).mean(axis=1, keepdims=True)
    factor = -np.sum(weights * betas * market, axis=1)
    specific = -np.sum(weights * (tail_logs - betas * market), axis=1)
    return Attribution(factor, specific, shortfall - factor - specific)


def attributed_held(
    shortfall: float,
    weights: NDArray[np.float64],
    tail_logs: NDArray[np.float64],
    betas: NDArray[np.float64],
    market: float,
) -> tuple[float, float, float]:
    """Return the same three parts of one portfolio from what it holds alone, each of shape (held,).

    ``market`` is the mean log return of the market in the portfolio's tail.
    """
    factor = -float(np.sum(weights * betas * market))
    specific = -float(np.sum(weights * (tail_logs - betas * market)))
    return factor, specific, shortfall - factor - specific
