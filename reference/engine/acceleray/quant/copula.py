"""Joint days of shocks from a Student-t copula with Student-t margins of variance one.

With x normal of correlation R and W an independent chi-square of nu degrees of freedom, T = x sqrt(nu / W) is
multivariate t (Demarta & McNeil 2005, "The t copula and related copulas", section 2); each margin is then
brought to its own degrees of freedom by z = sqrt((nu_i - 2) / nu_i) t_{nu_i}^-1(t_nu(T)).
Both steps are monotone functions of one variable and are read from tables of cubics. Their relative errors
against scipy: below 1e-7 for the mixing everywhere; for the margins below 1e-6 wherever |T| is exceeded with
a probability above 1e-8, and below 1e-4 out to 1e-15. Farther out they stay monotone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.special import gammainccinv, gammaincinv, ndtr, ndtri, stdtr, stdtrit

from acceleray.quant.path_walks import MARGINS, machine_code
from acceleray.quant.streams import Purpose, Stream

# The smallest uniform number is 0: it stands for the lower half of its cell, so that no shock is infinite.
_SMALLEST_UNIFORM = 2.0**-54
# Largest normal variate from 53-bit uniforms.
_FARTHEST_NORMAL = 8.5
_MIXING_STEP = 1.0 / 64.0
_MARGIN_STEP = 1.0 / 128.0
# Beyond these, nothing comes from 53-bit uniforms; densities must not underflow in the tables.
_FARTHEST_T = 1e10
_SMALLEST_PROBABILITY = 1e-60
# Numbers worked on together: the work space stays in the processor's cache.
_CACHED_NUMBERS = 32_768


@dataclass(frozen=True)
class CubicTable:
    """Functions of one variable on a common grid from ``start`` with ``step``, as cubics between its points.

    coefficients is of shape (4, functions, intervals), the highest power first, in units of the step.
    """

    start: float
    step: float
    coefficients: NDArray[np.float64]

    def __call__(self, at: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return function i at column i, of the shape (points, functions) of ``at``; the ends are held."""
        _, functions, intervals = self.coefficients.shape
        place = (at - self.start) * (1.0 / self.step)
        np.clip(place, 0.0, intervals, out=place)
        whole = place.astype(np.int64)
        np.minimum(whole, intervals - 1, out=whole)
        place -= whole
        whole += np.arange(functions) * intervals
        value = None
        for power in self.coefficients.reshape(4, -1):
            coefficient = np.take(power, whole)
            if value is None:
                value = coefficient
            else:
                value *= place
                value += coefficient
        assert value is not None
        return value


@dataclass(frozen=True)
class TCopula:
    """A Student-t copula of many instruments and what its shocks are made with; see the module.

    root (instruments, instruments) is the lower Cholesky factor of the correlation, nu its degrees of
    freedom.
    """

    root: NDArray[np.float64]
    nu: float
    mixing: CubicTable
    margins: CubicTable

    def shocks(
        self,
        normals: NDArray[np.float64],
        mixing_normals: NDArray[np.float64],
        compiled_in: Path | None = None,
    ) -> NDArray[np.float64]:
        """Return shocks of shape (points, instruments) with mean zero and variance one.

        ``normals`` are independent and of that shape; ``mixing_normals`` (points,) stand for the chi-squares
        of the same probabilities. ``compiled_in`` is where machine code is kept: the same to the bit.
        """
        student = normals @ self.root.T
        student *= self.mixing(mixing_normals[:, np.newaxis])
        at, table = np.arcsinh(np.abs(student)), self.margins
        if run := machine_code(MARGINS, compiled_in):
            grid = np.array([table.start, 1.0 / table.step])
            run(at, student, grid, table.coefficients, *at.shape, table.coefficients.shape[2])
            return at
        return np.copysign(table(at), student)


def t_copula(correlation: NDArray[np.float64], nu: float, margin_nu: NDArray[np.float64]) -> TCopula:
    """Return the copula of a correlation (instruments, instruments) with margins of ``margin_nu`` degrees.

    Raises ValueError for a correlation that is not positive definite, degrees of freedom of the copula that
    are not above 0, or of a margin that are not above 2: it would have no variance.
    """
    correlation = np.asarray(correlation, dtype=np.float64)
    margin_nu = np.asarray(margin_nu, dtype=np.float64)
    if correlation.shape != (margin_nu.size, margin_nu.size):
        raise ValueError("correlation and degrees of freedom must be of the same instruments")
    if not (0.0 < nu < np.inf and bool(np.all((margin_nu > 2.0) & np.isfinite(margin_nu)))):
        raise ValueError("degrees of freedom must be above 0 for the copula and above 2 for each margin")
    if not np.allclose(np.diag(correlation), 1.0, rtol=0.0, atol=1e-12):
        raise ValueError("a correlation has ones on its diagonal")
    try:
        root = np.linalg.cholesky(correlation)
    except np.linalg.LinAlgError:
        raise ValueError("the correlation is not positive definite") from None
    return TCopula(np.asarray(root, dtype=np.float64), nu, _mixing_table(nu), _margin_table(nu, margin_nu))


def draw_shocks(
    copula: TCopula, seed: int, atom: int, count: int, horizon_d: int, compiled_in: Path | None = None
) -> Iterator[NDArray[np.float64]]:
    """Yield the shocks of an atom's scenarios in order, parts of shape (scenarios, horizon, instruments).

    Fewer scenarios are, but for rounding, the first ones of more; a part stays in the processor's cache.
    """
    instruments = len(copula.root)
    normals = Stream(seed, atom, Purpose.COPULA_NORMALS)
    mixing = Stream(seed, atom, Purpose.COPULA_MIXING)
    size = max(_CACHED_NUMBERS // (instruments * horizon_d), 64)
    for first in range(0, count, size):
        points = min(size, count - first) * horizon_d
        independent = _normals(normals, points * instruments).reshape(points, instruments)
        drawn = copula.shocks(independent, _normals(mixing, points), compiled_in)
        yield drawn.reshape(-1, horizon_d, instruments)


def _normals(stream: Stream, size: int) -> NDArray[np.float64]:
    return np.asarray(ndtri(np.maximum(stream.uniforms(size), _SMALLEST_UNIFORM)))


def _mixing_table(nu: float) -> CubicTable:
    """Return sqrt(nu / W) with W the chi-square of the probability of a normal x, over x."""
    points = np.arange(-_FARTHEST_NORMAL, _FARTHEST_NORMAL + _MIXING_STEP / 2.0, _MIXING_STEP)
    # Each half from its own side: a probability next to one has no digits left.
    lower = gammaincinv(nu / 2.0, ndtr(np.minimum(points, 0.0)))
    upper = gammainccinv(nu / 2.0, ndtr(-np.maximum(points, 0.0)))
    half = np.where(points < 0.0, lower, upper)
    return _table(points, np.sqrt(nu / 2.0 / half)[np.newaxis], _MIXING_STEP)


def _margin_table(nu: float, margin_nu: NDArray[np.float64]) -> CubicTable:
    """Return the size of z over arcsinh |T|: far out that is the logarithm of |T|, and z a power of it."""
    points = np.arange(0.0, np.arcsinh(_FARTHEST_T), _MARGIN_STEP)
    beyond = stdtr(nu, -np.sinh(points))
    points, beyond = points[beyond >= _SMALLEST_PROBABILITY], beyond[beyond >= _SMALLEST_PROBABILITY]
    sizes = -np.sqrt((margin_nu - 2.0) / margin_nu)[:, np.newaxis] * stdtrit(margin_nu[:, np.newaxis], beyond)
    sizes[:, 0] = 0.0
    return _table(points, sizes, _MARGIN_STEP)


def _table(points: NDArray[np.float64], values: NDArray[np.float64], step: float) -> CubicTable:
    cubics = CubicSpline(points, values, axis=1).c  # (4, intervals, functions)
    powers = step ** np.arange(3, -1, -1)
    coefficients = np.ascontiguousarray(np.swapaxes(cubics, 1, 2) * powers[:, np.newaxis, np.newaxis])
    return CubicTable(float(points[0]), step, coefficients)
