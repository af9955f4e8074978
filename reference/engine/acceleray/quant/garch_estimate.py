"""Estimate of a GJR-GARCH(1,1)-t optimiser, and the estimate by `arch`."""

from __future__ import annotations

import contextlib
import math
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# arch recommends returns in percent: its optimiser is poor at variances of 1e-4.
_PERCENT = 100.0
_TO_DECIMAL = np.array([1.0 / _PERCENT, 1.0 / _PERCENT**2, 1.0, 1.0, 1.0, 1.0])
# Second chance for the optimiser: values typical of a daily share return.
_TYPICAL = {"alpha": 0.03, "gamma": 0.06, "beta": 0.90, "nu": 8.0}


@dataclass(frozen=True)
class Estimate:
    """Parameters at a maximum of the likelihood of decimal returns: mu, omega, alpha, gamma, beta, nu.

    Attributes:
        parameters: of shape (6,), on the scale of decimal returns.
        standard_errors: robust, of shape (6,) and the scale of the parameters; NaN where there are none.
        log_likelihood: of the decimal returns.
        starts: points from which the optimiser began.
        failed: why there is no maximum, in words; empty where there is one.
    """

    parameters: NDArray[np.float64]
    standard_errors: NDArray[np.float64]
    log_likelihood: float
    starts: int
    failed: str = ""


def estimate_by_arch(returns: NDArray[np.float64], initial_variance: float) -> Estimate:
    """Return the maximum that arch's SLSQP finds from its own start, or else from a typical one.

    `returns` are decimal, of shape (days,). Its standard errors differ from the formula of Bollerslev &
    Wooldridge (1992): derivatives are differences, and scores are centred and divided by days - 1.
    """
    # With statsmodels and matplotlib, 140 MB: only processes that fit with it need them.
    from arch.univariate import GARCH, ConstantMean, StudentsT

    percent = _PERCENT * returns
    model = ConstantMean(percent, volatility=GARCH(p=1, o=1, q=1), distribution=StudentsT(), rescale=False)
    backcast = _PERCENT**2 * initial_variance
    typical_persistence = _TYPICAL["alpha"] + _TYPICAL["gamma"] / 2.0 + _TYPICAL["beta"]
    second_start = np.array([percent.mean(), (1.0 - typical_persistence) * backcast, *_TYPICAL.values()])
    # arch warns of what GjrFit reports as data: scale, convergence, parameters at bounds.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for starts, starting_values in enumerate((None, second_start), start=1):  # noqa: B007
            result = model.fit(
                disp="off",
                show_warning=False,
                backcast=backcast,
                cov_type="robust",
                starting_values=starting_values,
            )
            if result.convergence_flag == 0:
                break
        errors = np.full(_TO_DECIMAL.size, np.nan)
        if (flag := result.convergence_flag) == 0:
            with contextlib.suppress(np.linalg.LinAlgError):  # a singular matrix leaves the parameters valid
                errors = np.asarray(result.std_err, dtype=np.float64)
    return Estimate(
        parameters=np.asarray(result.params, dtype=np.float64) * _TO_DECIMAL,
        standard_errors=errors * _TO_DECIMAL,
        # Density of r = density of 100 r times 100, on each day.
        log_likelihood=float(result.loglikelihood) + returns.size * math.log(_PERCENT),
        starts=starts,
        failed="" if flag == 0 else f"the optimiser did not converge (SLSQP flag {flag})",
    )
