"""Estimates of a t copula: Pearson, Kendall or normal scores, of filled residuals or of observed ones."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.stats import kendalltau, rankdata

from acceleray.quant.correlation import (
    NU_LIMITS,
    fit_copula_nu,
    normal_scores,
    shrink_correlation,
    t_copula_log_likelihood,
)

FILLED_PEARSON, FILLED_KENDALL = "Pearson on filled days", "Kendall on filled days"
OBSERVED_PEARSON, OBSERVED_KENDALL = "Pearson on observed days", "Kendall on observed days"
FILLED_SCORES = "Normal scores of filled days"
ESTIMATORS = (FILLED_PEARSON, OBSERVED_KENDALL, OBSERVED_PEARSON, FILLED_KENDALL, FILLED_SCORES)
# What an eigenvalue is raised to where a matrix of pairs is none of a correlation.
_SMALLEST_EIGENVALUE = 1e-6

OfPair = Callable[[NDArray[np.float64], NDArray[np.float64]], float]


def estimated(
    name: str, observed: NDArray[np.float64], filled: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Return correlation (names, names) and degrees of freedom by one of the `ESTIMATORS`.

    Residuals are of shape (days, names), observed ones NaN where there is none. Normal scores are shrunk by
    the weight that Ledoit & Wolf give them, all others by that of the filled residuals.
    """
    if name == FILLED_SCORES:
        correlation = shrink_correlation(normal_scores(filled)).correlation
        return correlation, fit_copula_nu(filled, correlation).nu
    today = shrink_correlation(filled)
    if name == FILLED_PEARSON:
        return today.correlation, fit_copula_nu(filled, today.correlation).nu
    of_pair: OfPair = kendall if name in (FILLED_KENDALL, OBSERVED_KENDALL) else pearson
    residuals = filled if name == FILLED_KENDALL else observed
    sample = (1.0 - today.shrinkage) * pair_by_pair(residuals, of_pair)
    np.fill_diagonal(sample, 1.0)
    correlation = positive_definite(sample)
    return correlation, degrees_of_freedom(residuals, correlation)


def kendall(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return sin(pi tau / 2) of two series.

    That is the correlation of an elliptical copula with their tau (Lindskog, McNeil & Schmock 2003).
    """
    return math.sin(math.pi / 2.0 * float(kendalltau(one, other).statistic))


def pearson(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return the correlation of two series."""
    return float(np.corrcoef(one, other)[0, 1])


def pair_by_pair(residuals: NDArray[np.float64], of_pair: OfPair) -> NDArray[np.float64]:
    """Return a matrix with ones on the diagonal, each pair on the days (rows) on which both are observed."""
    known = np.isfinite(residuals)
    matrix = np.eye(residuals.shape[1])
    for one, other in zip(*np.triu_indices(len(matrix), 1), strict=True):
        both = known[:, one] & known[:, other]
        matrix[one, other] = matrix[other, one] = of_pair(residuals[both, one], residuals[both, other])
    return matrix


def positive_definite(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the matrix, or where an eigenvalue is too small the correlation with that one raised.

    Eigenvalues are raised to a millionth and the diagonal is brought back to ones (Rebonato & Jaeckel 2000,
    spectral decomposition).
    """
    values, vectors = np.linalg.eigh(matrix)
    if values[0] >= _SMALLEST_EIGENVALUE:
        return matrix
    raised = vectors * np.maximum(values, _SMALLEST_EIGENVALUE) @ vectors.T
    root = np.sqrt(np.diag(raised))
    correlation = raised / np.outer(root, root)
    np.fill_diagonal(correlation, 1.0)
    return np.asarray((correlation + correlation.T) / 2.0)


def degrees_of_freedom(residuals: NDArray[np.float64], correlation: NDArray[np.float64]) -> float:
    """Return the most likely degrees of freedom of the t copula of residuals (days, names) with gaps.

    A day speaks for the names observed on it: any part of a t copula is one with that part of the
    correlation. Ranks are those among a name's own days.
    """
    known = np.isfinite(residuals)
    ranks = rankdata(residuals, axis=0, nan_policy="omit") / (known.sum(axis=0) + 1.0)
    patterns, of_day = np.unique(known, axis=0, return_inverse=True)
    parts = [
        (ranks[of_day.ravel() == number][:, pattern], correlation[np.ix_(pattern, pattern)])
        for number, pattern in enumerate(patterns)
        if pattern.sum() > 1
    ]

    def loss(log_nu: float) -> float:
        return -sum(t_copula_log_likelihood(part, own, math.exp(log_nu)) for part, own in parts)

    limits = [math.log(limit) for limit in NU_LIMITS]
    found = minimize_scalar(loss, bounds=limits, method="bounded", options={"xatol": 1e-4})
    return math.exp(float(found.x))
