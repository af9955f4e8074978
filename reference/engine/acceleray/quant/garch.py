"""GJR-GARCH(1,1) with Student-t innovations: calibration, variance path and standardised residuals.

The model (Glosten, Jagannathan & Runkle 1993; innovations of Bollerslev 1987), on decimal returns r:

    r[t] = mu + e[t],   e[t] = sigma[t] z[t],   z[t] ~ Student t with nu degrees of freedom and variance one
    sigma[t]^2 = omega + (alpha + gamma 1{e[t-1] < 0}) e[t-1]^2 + beta sigma[t-1]^2

The day before the first has no return: its variance and its squared shock are both set to the *initial
variance*, the mean squared demeaned return, as in the benchmark of Fiorentini, Calzolari & Panattoni (1996);
half of its shock counts as negative. So sigma[0]^2 = omega + (alpha + gamma / 2 + beta) * initial variance.
``arch`` does the same with the value it is given as ``backcast``, but would by itself take an exponentially
weighted mean of the first 75 squares, which leads to other parameters. On the DEM/GBP returns of that
benchmark the first gives its alpha and beta to 3e-6 (0.15313, 0.80598), the second 0.1455 and 0.8168.

Two optimisers of the same likelihood within the same bounds: `garch_compiled`, Newton's method in machine
code from three starts, and arch's SLSQP from one, ten times as slow and the oracle of the other in tests.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from acceleray.compiled import DEFAULT_FOLDER, CannotCompileError
from acceleray.quant.garch_compiled import estimate_compiled
from acceleray.quant.garch_estimate import Estimate, estimate_by_arch
from acceleray.quant.stale_prices import LONGEST_STANDSTILL_D, longest_standstill

# Limits that arch sets for the degrees of freedom of its Student t.
_NU_LIMITS = (2.05, 500.0)
_BOUND_TOLERANCE = 1e-6
# Standardised residuals have variance one by definition; far from it, the fit is a degenerate peak.
_RESIDUAL_VARIANCE_LIMITS = (0.5, 2.0)


@dataclass(frozen=True)
class GjrParameters:
    """Parameters of one instrument, on the scale of daily decimal returns.

    ``mu`` is a return, ``omega`` a squared return; ``alpha``, ``gamma``, ``beta`` and ``nu`` have no unit.
    """

    mu: float
    omega: float
    alpha: float
    gamma: float
    beta: float
    nu: float

    @property
    def persistence(self) -> float:
        """Return alpha + gamma / 2 + beta: the share of a variance shock left after a day (symmetric z)."""
        return self.alpha + self.gamma / 2.0 + self.beta

    @property
    def half_life_d(self) -> float:
        """Return the trading days until half of a variance shock is gone; infinite at persistence one."""
        if self.persistence >= 1.0:
            return math.inf
        return math.log(0.5) / math.log(self.persistence) if self.persistence > 0.0 else 0.0

    @property
    def unconditional_variance(self) -> float:
        """Return omega / (1 - persistence), a daily squared return; infinite at persistence one."""
        return self.omega / (1.0 - self.persistence) if self.persistence < 1.0 else math.inf


@dataclass(frozen=True)
class GjrFit:
    """Outcome of one calibration: parameters, or the reason in words why there are none.

    ``standard_errors`` are robust (Bollerslev & Wooldridge 1992), each on the scale of its parameter, NaN
    where they cannot be computed, and not meaningful for a parameter named in ``at_bound`` (comma-separated).
    Of constant variance are a price that hardly moves, ``held`` with its own volatility, and one without a
    model that moves by proxy, ``proxied`` for the reason given.
    A series without a model is ``rejected`` for its data (too short, constant, ended) or ``failed``: it could
    have been fitted, but the optimiser found nothing, or nothing that describes it. ``starts`` is the number
    of points from which the optimiser began.
    ``log_likelihood`` is that of the decimal returns; ``initial_variance`` is the value before the first day
    (see the module), and ``next_sigma`` the volatility forecast for the day after the last return.
    A fit without a model carries NaN in its numbers and None for parameters and standard errors.
    """

    status: Literal["calibrated", "held", "proxied", "rejected", "failed"]
    reason: str
    observations: int
    parameters: GjrParameters | None
    standard_errors: GjrParameters | None
    log_likelihood: float
    converged: bool
    at_bound: str
    initial_variance: float
    next_sigma: float
    starts: int = 0

    @property
    def modelled(self) -> bool:
        """Return whether the instrument can be simulated."""
        return self.parameters is not None


def fit_gjr_garch_t(
    returns: NDArray[np.float64],
    minimum_observations: int,
    standstill_d: int = LONGEST_STANDSTILL_D,
    compiled_in: Path | None = DEFAULT_FOLDER,
) -> GjrFit:
    """Return the maximum-likelihood fit of a series of decimal returns of shape (days,), oldest first.

    Never raises on account of the data: a series that is too short, constant, without a move for more than
    `standstill_d` days or not finite comes back with status ``rejected`` and a reason; one on which the
    optimiser fails, or whose standardised residuals have a variance far from one, with status ``failed``.
    The presample variance is the mean squared demeaned return (see the module).
    ``compiled_in`` is the folder of machine code, compiled there on first use; None for the optimiser of
    arch.

    Raises:
        CannotCompileError: the likelihood cannot be compiled; nothing falls back here, since a result must
        not
            depend on the machine that computes it.
    """
    returns = np.asarray(returns, dtype=np.float64)
    count = int(returns.size)
    if returns.ndim != 1:
        return rejected(f"the returns must be one series, not an array of shape {returns.shape}", count)
    if not bool(np.all(np.isfinite(returns))):
        missing = int(np.sum(~np.isfinite(returns)))
        return rejected(f"{missing} of {count} returns are missing or infinite", count)
    if count < max(minimum_observations, 2):
        few = "1 return is" if count == 1 else f"{count} returns are"
        return rejected(f"{few} fewer than the {minimum_observations} required", count)
    if float(np.ptp(returns)) == 0.0:
        return rejected("the returns are constant", count)
    stale = longest_standstill(returns)
    if stale > standstill_d:
        return rejected(f"the price stands still for {stale} days in a row: start after that", count)
    initial_variance = float(np.mean((returns - returns.mean()) ** 2))
    try:
        if compiled_in is None:
            found = estimate_by_arch(returns, initial_variance)
        else:
            found = estimate_compiled(returns, initial_variance, compiled_in)
        if found.failed:
            return _failed(found.failed, count, found.starts)
        return _calibrated(returns, found, initial_variance)
    except CannotCompileError:
        raise
    except Exception as error:  # one instrument must never stop the other thousands
        return _failed(f"the optimiser failed: {type(error).__name__}: {error}".splitlines()[0], count, 0)


def variance_path(
    returns: NDArray[np.float64], parameters: GjrParameters, initial_variance: float
) -> NDArray[np.float64]:
    """Return the conditional variances of shape (days + 1,), in squared decimal returns.

    Element t uses the returns up to t-1 only; the last element is the forecast for the day after the last
    return.
    ``initial_variance`` is the variance and squared shock of the day before the first (see the module).
    The recursion is linear in the variance, so it runs as a first-order recursive filter.
    Raises ValueError for a return that is missing or infinite.
    """
    returns = np.asarray(returns, dtype=np.float64)
    if returns.ndim != 1 or not bool(np.all(np.isfinite(returns))):
        raise ValueError("a variance path needs one series of returns, none of them missing")
    shocks = returns - parameters.mu
    news = np.empty(returns.size + 1)
    news[0] = parameters.omega + parameters.persistence * initial_variance
    reaction = np.where(shocks < 0.0, parameters.alpha + parameters.gamma, parameters.alpha)
    news[1:] = parameters.omega + reaction * shocks * shocks
    return np.asarray(lfilter([1.0], [1.0, -parameters.beta], news), dtype=np.float64)


def standardised_residuals(
    returns: NDArray[np.float64], parameters: GjrParameters, initial_variance: float
) -> NDArray[np.float64]:
    """Return z[t] = (r[t] - mu) / sigma[t] of shape (days,); arguments as in ``variance_path``."""
    sigma = np.sqrt(variance_path(returns, parameters, initial_variance)[:-1])
    return np.asarray((returns - parameters.mu) / sigma, dtype=np.float64)


def _calibrated(returns: NDArray[np.float64], found: Estimate, initial_variance: float) -> GjrFit:
    parameters = GjrParameters(*map(float, found.parameters))
    if not bool(np.all(np.isfinite(found.parameters))) or not math.isfinite(found.log_likelihood):
        return _failed("the optimiser returned numbers that are not finite", returns.size, found.starts)
    path = variance_path(returns, parameters, initial_variance)
    if not bool(np.all(path > 0.0)) or not math.isfinite(float(path[-1])):
        return _failed("the fitted variance is not positive on every day", returns.size, found.starts)
    residual_variance = float(np.mean((returns - parameters.mu) ** 2 / path[:-1]))
    if not _RESIDUAL_VARIANCE_LIMITS[0] <= residual_variance <= _RESIDUAL_VARIANCE_LIMITS[1]:
        return _failed(
            f"the model does not describe the series: residual variance {residual_variance:.3g} instead of 1",
            returns.size,
            found.starts,
        )
    return GjrFit(
        status="calibrated",
        reason="",
        observations=int(returns.size),
        parameters=parameters,
        standard_errors=GjrParameters(*map(float, found.standard_errors)),
        log_likelihood=found.log_likelihood,
        converged=True,
        at_bound=_at_bound(parameters, initial_variance),
        initial_variance=initial_variance,
        next_sigma=math.sqrt(float(path[-1])),
        starts=found.starts,
    )


def _at_bound(parameters: GjrParameters, initial_variance: float) -> str:
    # The bounds and constraints of arch's GARCH: omega > 1e-8 of the variance, alpha and beta in [0, 1],
    # alpha + gamma >= 0, persistence <= 1, nu in [2.05, 500].
    checks = {
        "omega": parameters.omega <= 1.01e-8 * initial_variance,
        "alpha": not _BOUND_TOLERANCE < parameters.alpha < 1.0 - _BOUND_TOLERANCE,
        "gamma": parameters.alpha + parameters.gamma < _BOUND_TOLERANCE,
        "beta": not _BOUND_TOLERANCE < parameters.beta < 1.0 - _BOUND_TOLERANCE,
        "nu": not _NU_LIMITS[0] * 1.0001 < parameters.nu < _NU_LIMITS[1] * 0.9999,
        "persistence": parameters.persistence > 1.0 - _BOUND_TOLERANCE,
    }
    return ",".join(name for name, reached in checks.items() if reached)


def rejected(reason: str, observations: int) -> GjrFit:
    """Return the outcome of a series that cannot be fitted for its data, and the reason in words."""
    return _without_model("rejected", reason, observations, 0)


def _failed(reason: str, observations: int, starts: int) -> GjrFit:
    return _without_model("failed", reason, observations, starts)


def _without_model(
    status: Literal["rejected", "failed"], reason: str, observations: int, starts: int
) -> GjrFit:
    return GjrFit(
        status=status,
        reason=reason,
        observations=observations,
        parameters=None,
        standard_errors=None,
        log_likelihood=math.nan,
        converged=False,
        at_bound="",
        initial_variance=math.nan,
        next_sigma=math.nan,
        starts=starts,
    )
