"""Dependence between instruments: a correlation that can be simulated, and the tails of a t copula.

A sample correlation of more instruments than days is singular, and of nearly as many is close to it. Ledoit &
Wolf (2004, "A well-conditioned estimator for large-dimensional covariance matrices") mix it with the identity
by the weight that minimises the expected squared error, which makes it positive definite.
The t copula is that of Demarta & McNeil (2005, "The t copula and related copulas"): its correlation is that
of normal scores, and its degrees of freedom follow by maximum likelihood on ranks.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.optimize import minimize_scalar
from scipy.special import gammaln, ndtri, stdtrit
from scipy.stats import rankdata

NU_LIMITS = (2.1, 100.0)
"""Where degrees of freedom are searched: at two a t has no variance, at a hundred it is nearly normal."""
_TOLERANCE = 1e-4


@dataclass(frozen=True)
class ShrunkCorrelation:
    """A positive definite correlation and what it was before, both of shape (instruments, instruments).

    ``shrinkage`` is the weight of the identity, from 0 to 1. The smallest eigenvalues are those of the shrunk
    and of the sample correlation.
    """

    correlation: NDArray[np.float64]
    sample: NDArray[np.float64]
    shrinkage: float
    smallest_eigenvalue: float
    sample_smallest_eigenvalue: float


@dataclass(frozen=True)
class CopulaFit:
    """Degrees of freedom of a t copula, whether the search ended at a limit, and the log-likelihood there."""

    nu: float
    at_bound: bool
    log_likelihood: float


def shrink_correlation(residuals: NDArray[np.float64]) -> ShrunkCorrelation:
    """Return the Ledoit-Wolf correlation of complete residuals of shape (days, instruments).

    Residuals are brought to mean zero and variance one first, so that the target, the mean variance times the
    identity, is the identity itself.
    An instrument whose residuals never differ has a correlation of zero with all others.
    Raises ValueError for missing values, fewer than two days, or a result that is not positive definite.
    """
    from sklearn.covariance import ledoit_wolf

    residuals = np.asarray(residuals, dtype=np.float64)
    if residuals.ndim != 2 or len(residuals) < 2 or not bool(np.all(np.isfinite(residuals))):
        raise ValueError("residuals must be a matrix of two days or more, without missing values")
    same = np.ptp(residuals, axis=0) == 0.0
    standard = (residuals - residuals.mean(axis=0)) / np.where(same, 1.0, residuals.std(axis=0))
    standard[:, same] = 0.0
    sample = _correlation(standard.T @ standard / len(standard))
    shrinkage = float(ledoit_wolf(standard, assume_centered=True)[1])
    correlation = (1.0 - shrinkage) * sample
    np.fill_diagonal(correlation, 1.0)
    smallest = float(np.linalg.eigvalsh(correlation)[0])
    if smallest <= len(correlation) * np.finfo(np.float64).eps:
        raise ValueError(
            f"the shrunk correlation is not positive definite: smallest eigenvalue {smallest:.3g}"
        )
    return ShrunkCorrelation(correlation, sample, shrinkage, smallest, float(np.linalg.eigvalsh(sample)[0]))


def pseudo_observations(residuals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ranks within each instrument over (days + 1), so in (0, 1); equal values share their mean."""
    return np.asarray(rankdata(residuals, axis=0) / (len(residuals) + 1.0), dtype=np.float64)


def normal_scores(residuals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the normal quantiles of the pseudo-observations of residuals, both (days, instruments).

    Their correlation is the rank correlation of van der Waerden (1952; as an estimate of dependence: Boudt,
    Cornelissen & Croux 2012). Margins have no say in it, so that one jump of one instrument does not either.
    """
    return np.asarray(ndtri(pseudo_observations(residuals)), dtype=np.float64)


def fit_copula_nu(residuals: NDArray[np.float64], correlation: NDArray[np.float64]) -> CopulaFit:
    """Return the degrees of freedom of the t copula of residuals (days, instruments), its correlation given.

    Maximises ``t_copula_log_likelihood`` of their ranks between the `NU_LIMITS`. One instrument alone has no
    copula: the upper limit is returned, as at bound.
    """
    if residuals.shape[1] == 1:
        return CopulaFit(NU_LIMITS[1], True, 0.0)
    observations = pseudo_observations(residuals)
    root = np.asarray(np.linalg.cholesky(correlation), dtype=np.float64)

    def loss(log_nu: float) -> float:
        return -_log_likelihood(observations, root, math.exp(log_nu))

    limits = [math.log(limit) for limit in NU_LIMITS]
    found = minimize_scalar(loss, bounds=limits, method="bounded", options={"xatol": _TOLERANCE})
    candidates = [(float(found.fun), float(found.x)), *((loss(limit), limit) for limit in limits)]
    least, at = min(candidates)
    at_bound = min(abs(at - limit) for limit in limits) <= 2.0 * _TOLERANCE
    return CopulaFit(math.exp(at), at_bound, -least)


def t_copula_log_likelihood(
    observations: NDArray[np.float64], correlation: NDArray[np.float64], nu: float
) -> float:
    """Return the log density of the t copula at observations (days, instruments) in (0, 1), over all days.

    With x the t quantiles of a day, d instruments and correlation P, a day adds
    ``ln G((nu+d)/2) + (d-1) ln G(nu/2) - d ln G((nu+1)/2) - ln|P|/2 - (nu+d)/2 ln(1 + x'P^-1 x/nu)
    + (nu+1)/2 sum ln(1 + x_i^2/nu)``: the log of the multivariate density less those of the margins.
    Raises LinAlgError for a correlation that is not positive definite.
    """
    root = np.asarray(np.linalg.cholesky(correlation), dtype=np.float64)
    return _log_likelihood(observations, root, nu)


def _log_likelihood(observations: NDArray[np.float64], root: NDArray[np.float64], nu: float) -> float:
    days, instruments = observations.shape
    # Ranks repeat from instrument to instrument, so there are few quantiles to compute.
    distinct, place = np.unique(observations, return_inverse=True)
    quantiles = stdtrit(nu, distinct)
    places = place.reshape(observations.shape)
    solved = solve_triangular(root, quantiles[places].T, lower=True, check_finite=False)
    distances = np.sum(solved * solved, axis=0)
    margins = np.log1p(quantiles * quantiles / nu)[places].sum(axis=1)
    constant = (
        gammaln((nu + instruments) / 2.0)
        + (instruments - 1) * gammaln(nu / 2.0)
        - instruments * gammaln((nu + 1.0) / 2.0)
        - np.sum(np.log(np.diag(root)))
    )
    tails = (nu + 1.0) / 2.0 * margins - (nu + instruments) / 2.0 * np.log1p(distances / nu)
    return float(days * constant + np.sum(tails))


def _correlation(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a matrix that is a correlation but for rounding, exactly symmetric and with ones."""
    exact = (matrix + matrix.T) / 2.0
    np.fill_diagonal(exact, 1.0)
    return np.clip(exact, -1.0, 1.0)
