"""How instruments hang on risk factors: which factors can be used, their covariance, and betas.

The model is linear in changes over a period, a month or a week (see ``months`` and ``weeks``):

    r[t] = a + sum over k of beta[k] f[k, t] + e[t]

with r the log return of an instrument, f log changes of factors, or differences for factors in percentage
points. Betas are ordinary least squares. Their standard errors are robust to heteroskedasticity and
autocorrelation (Newey & West 1987, Bartlett weights, with the small-sample factor T / (T - K)).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acceleray.counts import counted

# Below this smallest eigenvalue of their correlation, one factor is all but a mix of the others.
_SINGULAR = 1e-6
_MONTHS_PER_COEFFICIENT = 3


@dataclass(frozen=True)
class Selection:
    """Factors that can be used together, as positions in ascending order, and why the others cannot."""

    used: tuple[int, ...]
    left_out: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Regression:
    """Exposure of one instrument: betas and their standard errors, of shape (factors,).

    A beta is the log return for a factor change of one. ``r_squared`` is the share of variance that the
    factors explain together, ``specific_volatility`` the standard deviation of the rest in a period.
    ``periods`` is how many were used, ``first`` and ``last`` are positions of the first and last of them, -1
    if none. Without a usable history all numbers are NaN, and ``reason`` says why.
    """

    betas: NDArray[np.float64]
    standard_errors: NDArray[np.float64]
    r_squared: float
    specific_volatility: float
    periods: int
    reason: str
    first: int = -1
    last: int = -1


def months_needed(factors: int, minimum: int) -> int:
    """Return how many months a regression on so many factors needs: `minimum`, and three a coefficient."""
    return max(minimum, _MONTHS_PER_COEFFICIENT * (factors + 1))


def select_factors(
    names: Sequence[str], changes: NDArray[np.float64], minimum: int, anchor: str = "equity"
) -> Selection:
    """Return which factors have enough months together, given changes of shape (months, factors).

    The anchor comes first, then the others from the longest to the shortest history with the anchor, equal
    ones by name. A factor is left out if it has fewer than `minimum` months in common with the anchor, or too
    few with all factors before it, does not change in them, or is a mix of the factors before it.
    """
    present = np.isfinite(changes)
    if anchor not in names:
        every = tuple((name, f"there is no {anchor} to measure it against") for name in names)
        return Selection((), every)
    shared = (present & present[:, [names.index(anchor)]]).sum(axis=0)
    order = sorted(range(len(names)), key=lambda at: (names[at] != anchor, -shared[at], names[at]))
    used: list[int] = []
    left_out: list[tuple[str, str]] = []
    complete = np.ones(len(changes), dtype=np.bool_)
    for at in order:
        together = complete & present[:, at]
        reason = _refused(changes[together][:, [*used, at]], int(shared[at]), minimum, anchor)
        if reason:
            left_out.append((names[at], reason))
            if names[at] == anchor:
                left_out += [(names[other], f"{anchor} cannot be used") for other in order[1:]]
                break
        else:
            used.append(at)
            complete = together
    return Selection(tuple(sorted(used)), tuple(sorted(left_out)))


def _refused(together: NDArray[np.float64], shared: int, minimum: int, anchor: str) -> str:
    """Return why the factor in the last column cannot join those before it; empty if it can."""
    months, factors = together.shape
    needed = months_needed(factors, minimum)
    if shared < minimum:
        return f"it has {counted(shared, 'change')} in common with {anchor}, {minimum} are needed"
    if months < needed:
        return f"it has {months} changes in common with the longer factors, {needed} are needed"
    if float(np.ptp(together[:, -1])) == 0.0:
        return "it does not change"
    return "it is a mix of the longer factors" if _singular(together) else ""


def _singular(changes: NDArray[np.float64]) -> bool:
    if bool((np.ptp(changes, axis=0) == 0.0).any()):
        return True
    correlation = np.atleast_2d(np.corrcoef(changes, rowvar=False))
    return float(np.linalg.eigvalsh(correlation)[0]) < _SINGULAR


def factor_covariance(changes: NDArray[np.float64]) -> tuple[NDArray[np.float64], int]:
    """Return the unbiased covariance of changes of shape (months, factors), and the months behind it.

    Only months in which every factor has a change count, so that the matrix is positive semi-definite.
    """
    if not changes.shape[1]:
        return np.empty((0, 0)), 0
    together = changes[np.isfinite(changes).all(axis=1)]
    return np.atleast_2d(np.cov(together, rowvar=False)), len(together)


def newey_west_lags(observations: int) -> int:
    """Return floor(4 (T / 100)^(2/9)), the usual rule after Newey & West (1994)."""
    # A whisker more, because 4 * (100 / 100)^(2/9) and the like must not fall below their whole number.
    return math.floor(4.0 * (observations / 100.0) ** (2.0 / 9.0) + 1e-12)


def regress(
    returns: NDArray[np.float64], changes: NDArray[np.float64], minimum: int, period: str = "month"
) -> Regression:
    """Return the exposure of one instrument, on the periods where it and all factors are present.

    Returns of shape (periods,) and changes of shape (periods, factors), NaN where missing; `period` is how a
    reason calls one. Periods around a missing one count as neighbours, as is usual for lags with gaps. Never
    raises on account of the data: too few periods, a constant series, or factors that are mixes of each other
    in these periods give NaN and a reason.
    """
    from statsmodels.regression.linear_model import OLS

    factors = changes.shape[1]
    present = np.isfinite(returns) & np.isfinite(changes).all(axis=1)
    periods = int(present.sum())
    if not factors:
        return _none(factors, periods, "there are no factors")
    needed = months_needed(factors, minimum)
    if periods < needed:
        return _none(
            factors, periods, f"{periods} {period}s with all factors are fewer than the {needed} needed"
        )
    if float(np.ptp(returns[present])) == 0.0:
        return _none(factors, periods, "the returns are constant")
    if _singular(changes[present]):
        return _none(factors, periods, f"the factors cannot be told apart in its {period}s")
    model = OLS(returns[present], np.column_stack([np.ones(periods), changes[present]]))
    options = {"maxlags": newey_west_lags(periods), "use_correction": True}
    result = model.fit(cov_type="HAC", cov_kwds=options)
    used = np.flatnonzero(present)
    return Regression(
        betas=np.asarray(result.params[1:], dtype=np.float64),
        standard_errors=np.asarray(result.bse[1:], dtype=np.float64),
        r_squared=float(result.rsquared),
        specific_volatility=math.sqrt(float(result.ssr) / (periods - factors - 1)),
        periods=periods,
        reason="",
        first=int(used[0]),
        last=int(used[-1]),
    )


def _none(factors: int, periods: int, reason: str) -> Regression:
    nothing = np.full(factors, np.nan)
    return Regression(nothing, nothing.copy(), math.nan, math.nan, periods, reason)
