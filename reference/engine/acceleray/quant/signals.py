"""Value of a signal: its decay, its return after costs, its contribution beyond other signals.

Arrays are of shape (dates, instruments) on consecutive trading days, NaN where a value is missing.
"""

import math

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.evaluation import rank_information_coefficient

YEAR_D = 252
# A residual this small relative to its origin is rounding: the signal is a copy of those before it.
_ROUNDING = 1e-9
# A regression leaves at least so many instruments to rank beyond those it uses up.
_MINIMUM_LEFT = 3
# The shortest half-life that is tried, in days, and how many are.
_SHORTEST_D, _TRIED = 0.5, 241


def forward_returns(prices: NDArray[np.float64], horizon_d: int) -> NDArray[np.float64]:
    """Return the simple return from each date to ``horizon_d`` dates later, of the shape of ``prices``.

    NaN where either price is missing or the later date is not there yet.
    """
    if horizon_d < 1:
        raise ValueError("the horizon must be at least one date")
    ahead = np.full(prices.shape, np.nan)
    ahead[:-horizon_d] = prices[horizon_d:] / prices[:-horizon_d] - 1.0
    return ahead


def annualised_ratio(mean: float, deviation: float, horizon_d: int) -> float:
    """Return mean over standard deviation for a year, from values over ``horizon_d`` days each.

    A year has 252 / horizon_d independent bets, and the ratio grows with the root of their number (Grinold &
    Kahn 2000, eq. 6.1); of rank ICs it is the ICIR, of returns the information ratio.
    NaN where the deviation is not positive.
    """
    if not deviation > 0.0:
        return math.nan
    return mean / deviation * math.sqrt(YEAR_D / horizon_d)


def rank_ic_ahead(
    scores: NDArray[np.float64], prices: NDArray[np.float64], ahead_d: tuple[int, ...]
) -> NDArray[np.float64]:
    """Return the mean rank IC with the one-day return so many days ahead, of shape (len(ahead_d),).

    1 is the return from the signal's own date to the next. NaN where no date has a rank IC.
    """
    returns = forward_returns(prices, 1)
    found = np.full(len(ahead_d), math.nan)
    for place, ahead in enumerate(ahead_d):
        late = returns[ahead - 1 :]
        daily = rank_information_coefficient(scores[: late.shape[0]], late)
        if np.isfinite(daily).any():
            found[place] = np.nanmean(daily)
    return found


def decay_half_life(ahead_d: tuple[int, ...], rank_ics: NDArray[np.float64]) -> float:
    """Return the days after which half of a rank IC is gone: h of the best fit of a 2^(-day / h).

    Least squares over the given days; for each half-life that is tried, a has a closed form. A fit of
    logarithms would fail on the first rank IC that noise turns negative.
    NaN if no decay is to be seen: if the mean of all days fits as well, if the best half-life is at an end of
    what is tried (half a day to twice the longest day), or if fewer than three days have a rank IC.
    """
    known = np.isfinite(rank_ics)
    if known.sum() < 3:
        return math.nan
    days, values = np.asarray(ahead_d, dtype=np.float64)[known], rank_ics[known]
    tried = np.geomspace(_SHORTEST_D, 2.0 * float(days.max()), _TRIED)
    shapes = 2.0 ** (-days / tried[:, np.newaxis])
    explained = (shapes * values).sum(axis=1) ** 2 / (shapes * shapes).sum(axis=1)
    best = int(np.argmax(explained))
    constant = float(values.sum()) ** 2 / values.size
    if best in (0, _TRIED - 1) or not explained[best] > constant:
        return math.nan
    return float(tried[best])


def beyond(
    scores: NDArray[np.float64], before: NDArray[np.float64], targets: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return what of a signal the signals before it do not explain, of the shape of ``scores``.

    On each date the residual of a least-squares regression on a constant and ``before``, of shape (signals,
    dates, instruments), over the instruments with score and target; a missing value among ``before`` counts
    as the mean. A copy leaves zeros, whose rank IC is zero, not NaN.
    NaN on dates with fewer instruments than the regression uses up and three more.
    """
    used = np.isfinite(scores) & np.isfinite(targets)
    basis: list[NDArray[np.float64]] = []
    for other in before:
        direction = _residual(_centred(other, used), basis)
        norm = np.sqrt((direction * direction).sum(axis=1, keepdims=True))
        basis.append(direction / np.where(norm > 0.0, norm, 1.0))
    rest = _residual(_centred(scores, used), basis)
    enough = used.sum(axis=1, keepdims=True) >= len(before) + 1 + _MINIMUM_LEFT
    return np.where(used & enough, rest, np.nan)


def marginal_rank_ic(residuals: NDArray[np.float64], targets: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rank IC of what ``beyond`` left, of shape (dates,): zero on dates where it left nothing."""
    nothing = (np.nan_to_num(residuals) == 0.0).all(axis=1) & np.isfinite(residuals).any(axis=1)
    return np.where(nothing, 0.0, rank_information_coefficient(residuals, targets))


def _centred(values: NDArray[np.float64], used: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return values less their mean on each date, zero where they are missing or not used."""
    known = used & np.isfinite(values)
    mean = np.where(known, values, 0.0).sum(axis=1, keepdims=True) / np.maximum(
        known.sum(axis=1, keepdims=True), 1
    )
    return np.where(known, values - mean, 0.0)


def _residual(values: NDArray[np.float64], basis: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return values less their projection on orthonormal directions, zero where only rounding is left."""
    rest = values
    # Gram and Schmidt, twice: what rounding leaves of a direction in the first pass, the second removes.
    for direction in (*basis, *basis):
        rest = rest - (rest * direction).sum(axis=1, keepdims=True) * direction
    size = (values * values).sum(axis=1, keepdims=True)
    return np.where((rest * rest).sum(axis=1, keepdims=True) > _ROUNDING * size, rest, 0.0)
