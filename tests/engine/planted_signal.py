"""How strong the signal planted in a simulated universe is: what an honest search must find, and no more.

The own part of a log price is a random walk q and a transient part u (see `acceleray.quant.universe`). With
the fading f and the variance s of u, the change over the past k days and that over the next h days have the
covariance -(1 - f^k) (1 - f^h) s: what has risen for no lasting reason falls again (Poterba & Summers 1988).
A signal of the past change alone, `reversal_1m` say, ranks future ones the wrong way round to that extent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from acceleray.quant.streams import Purpose, Stream
from acceleray.quant.universe import OneFactorModel, Plan, beta_factors, signed_residuals

# Windows drawn at a time.
_PART = 1000


def planted_correlation(plan: Plan, past_d: int, ahead_d: int) -> float:
    """Return the correlation of an instrument's own past change with its own next one: zero or below.

    Changes are of log prices, without the market, over `past_d` days up to a day and `ahead_d` days from it.
    """
    walked = 1.0 - plan.transient_share
    variances = [days * walked + _transient_variance(plan, days) for days in (past_d, ahead_d)]
    return _covariance(plan, past_d, ahead_d) / math.sqrt(variances[0] * variances[1])


def normal_rank_correlation(correlation: float) -> float:
    """Return Spearman's correlation of two normal variables with this correlation: (6 / pi) asin(r / 2)."""
    return 6.0 / math.pi * math.asin(correlation / 2.0)


def planted_rank_ic(
    model: OneFactorModel,
    plan: Plan,
    past_d: int,
    ahead_d: int,
    market: NDArray[np.float64] | None = None,
    draws: int = 40_000,
) -> float:
    """Return the expected mean rank IC of the past change against the next one, over many instruments.

    Without `market`, changes are the instruments' own. With the market's path, of shape (days - 1,), they are
    total ones on the days of that path: different betas add noise to both changes, which dilutes the signal,
    and add what the market's own moves happened to repeat or to take back.

    Volatility differs between names and comes in clusters, which moves the result by a fifth or more away
    from `normal_rank_correlation`; so the walks are drawn from the model, and the rest is in closed form.
    Spearman's correlation is three times the mean of sign(x1 - x2) sign(y1 - y3) over triples of instruments
    (Kruskal 1958, section 5). Given the walks both differences are normal, and to first order in their
    covariance c that mean is the one of independent signs plus 4 c times the densities at zero.
    """
    stream = Stream(plan.seed, 0, Purpose.UNIVERSE_PREDICTION)
    drawn = [_walks(model, plan, past_d, ahead_d, draws, stream) for _ in range(3)]
    moved = np.zeros((2, draws))
    if market is not None:
        levels = np.concatenate(([0.0], np.cumsum(market)))
        span = market.size + 1 - past_d - ahead_d
        day = past_d + np.asarray(stream.uniforms(draws) * span, dtype=np.int64)
        moved[0] = levels[day] - levels[day - past_d]
        moved[1] = levels[day + ahead_d] - levels[day]
    first, second, third = drawn
    past = _difference(first, second, 0, moved[0], _transient_variance(plan, past_d))
    ahead = _difference(first, third, 1, moved[1], _transient_variance(plan, ahead_d))
    signs = past.mean_sign() * ahead.mean_sign()
    if plan.transient_share > 0.0:
        covariance = first.variance * _covariance(plan, past_d, ahead_d)
        signs += 4.0 * covariance * past.density_at_zero() * ahead.density_at_zero()
    return 3.0 * float(signs.mean())


@dataclass(frozen=True)
class _Walks:
    """Instruments drawn at random, each of shape (draws,): own variance, beta, and past and next q change."""

    variance: NDArray[np.float64]
    beta: NDArray[np.float64]
    changes: tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True)
class _Difference:
    """The difference of two instruments' changes, given their walks.

    Signs of walks are random, so that their difference is as likely `walk` as minus `walk`; to either comes
    what their betas make of the market's move, and something normal.
    """

    walk: NDArray[np.float64]
    moved: NDArray[np.float64]
    deviation: NDArray[np.float64]

    def mean_sign(self) -> NDArray[np.float64]:
        """Return the expected sign."""
        return 0.5 * (self._sign(self.moved + self.walk) + self._sign(self.moved - self.walk))

    def density_at_zero(self) -> NDArray[np.float64]:
        """Return the probability density at zero."""
        scaled = [(self.moved + side * self.walk) / self.deviation for side in (1.0, -1.0)]
        normal = [np.exp(-0.5 * each * each) / math.sqrt(2.0 * math.pi) for each in scaled]
        return np.asarray(0.5 * (normal[0] + normal[1]) / self.deviation)

    def _sign(self, mean: NDArray[np.float64]) -> NDArray[np.float64]:
        if not bool(self.deviation.any()):
            return np.sign(mean)
        return np.asarray(2.0 * ndtr(mean / self.deviation) - 1.0)


def _walks(
    model: OneFactorModel, plan: Plan, past_d: int, ahead_d: int, draws: int, stream: Stream
) -> _Walks:
    parents = np.asarray(stream.uniforms(draws) * model.betas.size, dtype=np.int64)
    betas = model.betas[parents] * beta_factors(stream, draws)
    past, ahead = np.empty(draws), np.empty(draws)
    for start in range(0, draws, _PART):
        part = slice(start, min(start + _PART, draws))
        length = past_d + ahead_d
        names = np.repeat(parents[part], length)
        steps = signed_residuals(model, stream, names).reshape(-1, length)
        past[part], ahead[part] = steps[:, :past_d].sum(axis=1), steps[:, past_d:].sum(axis=1)
    walked = math.sqrt(1.0 - plan.transient_share)
    return _Walks(model.variances[parents], betas, (walked * past, walked * ahead))


def _difference(
    left: _Walks, right: _Walks, side: int, move: NDArray[np.float64], transient_variance: float
) -> _Difference:
    return _Difference(
        left.changes[side] - right.changes[side],
        (left.beta - right.beta) * move,
        np.sqrt((left.variance + right.variance) * transient_variance),
    )


def _transient_variance(plan: Plan, days: int) -> float:
    """Return the variance of the change of u, in units of the variance of the own one-day change."""
    return 2.0 * (1.0 - plan.fading**days) * plan.transient_variance


def _covariance(plan: Plan, past_d: int, ahead_d: int) -> float:
    return -(1.0 - plan.fading**past_d) * (1.0 - plan.fading**ahead_d) * plan.transient_variance
