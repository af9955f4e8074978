"""Stress arithmetic: shocks that follow from other shocks, their plausibility, and what a portfolio loses.

Returns are simple returns as decimal fractions, a loss is positive. Factor changes are differences in points
or log changes, whatever the covariance was estimated from.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

# Portfolios whose sums are made together: bounds the memory, and changes no bit.
_BLOCK = 4096


def conditional_mean(
    covariance: NDArray[np.float64], core: NDArray[np.int64], shocks: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the change of every factor given the changes of the core factors, of shape (factors,).

    Core factors change by exactly their shock s; the others by their conditional mean under a normal
    distribution with mean zero, Sigma21 Sigma11^-1 s (Kupiec 1998, "Stress testing in a value at risk
    framework", Journal of Derivatives 6). ``covariance`` is of shape (factors, factors), ``core`` holds
    positions in it, ``shocks`` is of shape (core,).
    Raises ValueError where the covariance of the core factors cannot be inverted.
    """
    weights = _solve(covariance[np.ix_(core, core)], shocks)
    changes = np.sum(covariance[:, core] * weights, axis=1)
    changes[core] = shocks
    return np.asarray(changes)


def mahalanobis(covariance: NDArray[np.float64], changes: NDArray[np.float64]) -> float:
    """Return sqrt(x' Sigma^-1 x), the distance of changes of shape (factors,) from no change.

    In standard deviations: one factor alone that moves by k of them is at distance k. Among all changes with
    given core shocks the conditional mean is nearest, at the distance of the core shocks by themselves.
    The covariance is that of the same span of time as the changes: of changes over h months, h times that of
    one month where months are independent. Raises ValueError where the covariance cannot be inverted.
    """
    return float(np.sqrt(np.sum(changes * _solve(covariance, changes))))


def normal_tail(distance: float, factors: int) -> float:
    """Return the probability of a move at least as far as ``distance`` under a normal law of k factors.

    The squared Mahalanobis distance of a normal vector is chi-squared with k degrees of freedom. It makes
    distances in different numbers of factors comparable, and is a chance only of a window that was fixed
    before anybody looked: of one that was chosen for its loss it is a number on a scale. NaN of NaN.
    """
    return float(chdtrc(factors, distance * distance)) if np.isfinite(distance) else np.nan


def implied_factor_moves(
    betas: NDArray[np.float64], specific_volatility: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the matrix M (instruments, factors) so that r M are the factor moves that log returns r imply.

    Generalised least squares across instruments with a diagonal covariance of what is specific to each, the
    weight an instrument has in the estimate of a factor return (Grinold & Kahn 2000, "Active Portfolio
    Management", chapter 3): f = (B' D^-1 B)^-1 B' D^-1 r with betas B of shape (instruments, factors) and D
    the squares of specific_volatility (instruments,). The noise of single instruments averages out as their
    number grows. One without betas has no weight; directions that no beta tells apart are left out (a
    pseudo-inverse). Without any betas M is zero.
    """
    moves = np.zeros(betas.shape)
    known = np.isfinite(betas).all(axis=1) & np.isfinite(specific_volatility)
    if not known.any() or not betas.shape[1]:
        return moves
    # An instrument that factors explain up to rounding must not be all that counts.
    spread = np.maximum(specific_volatility[known], 1e-3 * float(np.max(specific_volatility[known])))
    spread = np.where(spread > 0.0, spread, 1.0)
    moves[known] = (np.linalg.pinv(betas[known] / spread[:, np.newaxis]) / spread).T
    return moves


def with_correlations(
    covariance: NDArray[np.float64], replaced: Iterable[tuple[int, int, float]]
) -> NDArray[np.float64]:
    """Return the covariance with some correlations replaced, each as (position, position, correlation).

    Standard deviations stay. The result need not be positive definite: see ``smallest_eigenvalue``.
    """
    deviations = np.sqrt(np.diag(covariance))
    stressed = np.array(covariance, dtype=np.float64)
    for one, other, correlation in replaced:
        stressed[one, other] = stressed[other, one] = correlation * deviations[one] * deviations[other]
    return stressed


def smallest_eigenvalue(covariance: NDArray[np.float64]) -> float:
    """Return the smallest eigenvalue of the correlation matrix of a covariance; positive definite above 0."""
    deviations = np.sqrt(np.diag(covariance))
    return float(np.linalg.eigvalsh(covariance / np.outer(deviations, deviations))[0])


def compounded(
    returns: NDArray[np.float64], arithmetic: NDArray[np.bool_] | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the simple return over all days, and the share of days without a return, both (instruments,).

    Returns are of shape (days, instruments), at least one day; a missing return counts as none. Those of
    ``arithmetic`` instruments, a mask (instruments,), are added and not compounded.
    """
    missing = np.isnan(returns)
    known = np.where(missing, 0.0, returns)
    simple = np.prod(1.0 + known, axis=0) - 1.0
    if arithmetic is not None:
        simple = np.where(arithmetic, known.sum(axis=0), simple)
    return simple, missing.mean(axis=0)


def split(
    returns: NDArray[np.float64],
    explained: NDArray[np.float64],
    arithmetic: NDArray[np.bool_] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the parts (factor, specific, residual) of simple returns R; they add up to R.

    factor = beta' x, the log return that the factors explain and that is given; specific = log(1 + R) -
    factor, what the instrument did by itself; residual = R - log(1 + R), compounding, which belongs to
    neither. Every array is of shape (instruments,); NaN stays NaN. Parts of simple returns may be weighted
    and added across instruments, as R may; that is why the residual is kept. The return of an ``arithmetic``
    instrument, a mask (instruments,), is what beta' x explains part of, and nothing compounds.
    """
    logs = as_logs(returns, arithmetic)
    return explained, logs - explained, returns - logs


def as_logs(returns: NDArray[np.float64], arithmetic: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
    """Return log(1 + R) of returns (..., instruments), and R itself of ``arithmetic`` instruments."""
    if arithmetic is None:
        return np.log1p(returns)
    return np.where(arithmetic, returns, np.log1p(np.where(arithmetic, 0.0, returns)))


def from_logs(
    changes: NDArray[np.float64], arithmetic: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """Return exp(x) - 1 of log returns (..., instruments), and x itself of ``arithmetic`` instruments."""
    if arithmetic is None:
        return np.expm1(changes)
    return np.where(arithmetic, changes, np.expm1(np.where(arithmetic, 0.0, changes)))


def weighted_sums(weights: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return sum over instruments of weight times value, of shape (portfolios, columns).

    Weights are of shape (portfolios, instruments), values (instruments, columns) without NaN. Summed row by
    row: the bits of a portfolio depend on neither the BLAS of the machine nor the other portfolios.
    """
    sums = np.empty((weights.shape[0], values.shape[1]))
    for first in range(0, weights.shape[0], _BLOCK):
        block = np.ascontiguousarray(weights[first : first + _BLOCK])
        for column in range(values.shape[1]):
            sums[first : first + _BLOCK, column] = np.sum(block * values[:, column], axis=1)
    return sums


def portfolio_volatility(
    weights: NDArray[np.float64], covariance: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return sqrt(w' Sigma w) of each portfolio, of shape (portfolios,), in the unit of the covariance.

    Weights are of shape (portfolios, instruments), the covariance (instruments, instruments).
    """
    variance = np.empty(weights.shape[0])
    for first in range(0, weights.shape[0], _BLOCK):
        block = np.ascontiguousarray(weights[first : first + _BLOCK])
        marginal = np.zeros(block.shape)
        # Instrument by instrument, and not as a matrix product, for the same bits everywhere.
        for instrument, row in enumerate(covariance):
            marginal += block[:, instrument, np.newaxis] * row
        variance[first : first + _BLOCK] = np.sum(block * marginal, axis=1)
    return np.sqrt(np.maximum(variance, 0.0))


def most_plausible_loss(
    covariance: NDArray[np.float64], weights: NDArray[np.float64], loss: float
) -> NDArray[np.float64]:
    """Return the returns x nearest to none among all with which a portfolio loses ``loss``, (instruments,).

    Of all x with w' x = -L, x = -L Sigma w / (w' Sigma w) has the smallest Mahalanobis distance, L / sigma
    with sigma^2 = w' Sigma w (Studer 1997; Breuer, Jandacka, Rheinberger & Summer 2009, "How to find
    plausible, severe, and useful stress scenarios"): the conditional mean of x given that loss. The loss is a
    fraction of the portfolio; returns have mean zero and are linear in the weights, as simple returns are.
    Raises ValueError for a portfolio without risk, which cannot lose.
    """
    marginal = np.sum(covariance * weights, axis=1)
    variance = float(np.sum(weights * marginal))
    if not variance > 0.0:
        raise ValueError("a portfolio without volatility has no loss to be reached")
    return np.asarray(-loss * marginal / variance)


def factor_correlation(
    covariance: NDArray[np.float64], weights: NDArray[np.float64], implied: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the multiple correlation of each portfolio's return with the factor moves it implies.

    Of shape (portfolios,), NaN for one without volatility; weights are of shape (portfolios, instruments),
    ``implied`` (instruments, factors) as ``implied_factor_moves`` returns it. With M implied, S = M' Sigma M
    and c = M' Sigma w it is sqrt(c' S^-1 c / w' Sigma w). The factor moves that the most plausible loss of L
    implies, -L c / (w' Sigma w), lie that many times L / sigma from no change: no farther than the loss.
    """
    shared = weighted_sums(weights, weighted_sums(covariance, implied))
    moves = weighted_sums(np.ascontiguousarray(implied.T), weighted_sums(covariance, implied))
    deviations = np.sqrt(np.maximum(np.diag(moves), 0.0))
    scale = np.divide(1.0, deviations, out=np.zeros_like(deviations), where=deviations > 0.0)
    # Instruments may be fewer than factors, or have betas that do not tell them apart.
    inverse = np.linalg.pinv(moves * np.outer(scale, scale), rcond=1e-10, hermitian=True)
    explained = np.einsum("pi,ij,pj->p", shared * scale, inverse, shared * scale)
    sigma = portfolio_volatility(weights, covariance)
    known = np.where(sigma > 0.0, sigma, np.nan)
    return np.asarray(np.sqrt(np.maximum(explained, 0.0)) / known)


def _solve(covariance: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    # Scaled to correlations first: log changes and percentage points differ by orders of magnitude.
    deviations = np.sqrt(np.diag(covariance))
    if not bool(np.all(deviations > 0.0)) or smallest_eigenvalue(covariance) < 1e-10:
        raise ValueError("the covariance is not positive definite")
    correlation = covariance / np.outer(deviations, deviations)
    return np.asarray(np.linalg.solve(correlation, values / deviations) / deviations)
