"""Student's t as the tail of a loss: its quantile, its shortfall, and its degrees of freedom from both.

The unit cancels wherever these are used, so the law is the plain t and not one of variance one. Infinite
degrees of freedom are the normal law.
"""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri, stdtr, stdtrit
from scipy.stats import norm
from scipy.stats import t as student

# Laws that simulated nulls are made for: a record does not tell neighbours of a finer grid apart.
GRID = (2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 12.0, 15.0, 20.0, 30.0, math.inf)
TAIL_FROM = 0.8
_HEAVIEST, _LIGHTEST = 2.05, 500.0


def quantiles(probabilities: NDArray[np.float64], nu: float) -> NDArray[np.float64]:
    """Return the quantiles of a t with ``nu`` degrees of freedom, of the shape of the probabilities."""
    if math.isinf(nu):
        return np.asarray(ndtri(probabilities))
    return np.asarray(stdtrit(nu, probabilities))


def probability(quantile: float, nu: float) -> float:
    """Return the probability of a t of at most a quantile."""
    return float(ndtr(quantile) if math.isinf(nu) else stdtr(nu, quantile))


def tail_quantiles(probabilities: NDArray[np.float64], nu: float) -> NDArray[np.float64]:
    """Return the same for probabilities from `TAIL_FROM` on, to a billionth part, in a tenth of the time.

    A cubic through exact values: the logarithm of the quantile over that of what lies beyond is nearly a
    line, of slope -1 / nu.
    """
    if math.isinf(nu):
        return quantiles(probabilities, nu)
    begin, step, coefficients = _cubics(nu)
    place = (np.log1p(-probabilities) - begin) / step
    whole = np.clip(place.astype(np.int64), 0, coefficients.shape[1] - 1)
    part = place - whole
    found = coefficients[0].take(whole)
    for each in coefficients[1:]:
        found *= part
        found += each.take(whole)
    return np.asarray(np.exp(found, out=found))


@lru_cache(maxsize=32)
def _cubics(nu: float) -> tuple[float, float, NDArray[np.float64]]:
    # No number of a stream lies nearer to one than 2**-53.
    begin, end = -53.0 * math.log(2.0), math.log(1.0 - TAIL_FROM)
    points = np.linspace(begin, end, 4096)
    spline = CubicSpline(points, np.log(-stdtrit(nu, np.exp(points))))
    step = float(points[1] - points[0])
    return begin, step, np.ascontiguousarray(spline.c * step ** np.arange(3, -1, -1)[:, np.newaxis])


def shortfall(nu: float, confidence: float) -> float:
    """Return the mean of a t beyond its quantile at ``confidence``.

    (nu + q^2) / (nu - 1) times density(q) / (1 - c): McNeil, Frey & Embrechts 2015, example 2.15.
    """
    if math.isinf(nu):
        return float(norm.pdf(norm.ppf(confidence))) / (1.0 - confidence)
    edge = float(student.ppf(confidence, nu))
    return float(student.pdf(edge, nu)) / (1.0 - confidence) * (nu + edge * edge) / (nu - 1.0)


def degrees_of_freedom(ratio: float, confidence: float) -> float:
    """Return the degrees of freedom at which shortfall over quantile is ``ratio``, the nearest of `GRID`.

    Both at the same confidence, with a mean of zero. A ratio no t reaches gives the end of the grid on its
    side; nearness is in one over the degrees of freedom, in which tails change evenly. ValueError for a ratio
    that is not a number above one.
    """
    if not ratio > 1.0:
        raise ValueError(f"a shortfall lies beyond its quantile: a ratio of {ratio} is none")

    def excess(nu: float) -> float:
        return shortfall(nu, confidence) / float(student.ppf(confidence, nu)) - ratio

    if excess(_HEAVIEST) <= 0.0:
        exact = _HEAVIEST
    elif excess(_LIGHTEST) >= 0.0:
        exact = math.inf
    else:
        exact = float(brentq(excess, _HEAVIEST, _LIGHTEST))
    return min(GRID, key=lambda nu: abs(1.0 / nu - 1.0 / exact))
