"""A simulated universe of any size: a factor model of real returns, resampled, with a known signal planted.

Log prices are a common part and a part of the instrument's own,

    p[i, t] = log 100 + beta[i] * (m[1] + ... + m[t]) + q[i, t] + u[i, t] - u[i, 0].

* m is one path for all: the mean log return of the real names, resampled in blocks of random length (the
  stationary bootstrap of Politis & Romano 1994), so that crashes and quiet years stay what they are. It has
  no drift: different betas would turn one into a signal that nobody planted.
* beta[i] is that of a real name, the instrument's parent, times a separate lognormal factor.
* q is a random walk: the parent's residuals, resampled in blocks for each instrument, each with a random sign
  (Wu 1986). Blocks keep the clusters of volatility, and the signs make certain that no step tells the next.
* u is the transient part, normal and AR(1), which fades with a half-life (Poterba & Summers 1988; Fama &
  French 1988). It is what can be predicted, and tests of the engine know in closed form how well.

A share of the variance of the own one-day change of q + u is that of u; q is scaled down to leave the total
as it was. Own parts of different instruments are independent. Numbers of instrument i depend on the seed and
on i alone, so they depend neither on the process nor on the number of instruments.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter
from scipy.special import ndtri

from acceleray.quant.bootstrap import block_days
from acceleray.quant.streams import Purpose, Stream

FIRST_PRICE = 100.0
# Mean length of a block: a quarter, so that a cluster of volatility mostly stays whole.
BLOCK_D = 63
# Standard deviation of the logarithm of an instrument's beta over its parent's.
BETA_JITTER = 0.2


@dataclass(frozen=True)
class OneFactorModel:
    """A one-factor model of log returns.

    Attributes:
        market: (days,) mean over names, less its mean over days.
        betas: (names,) least-squares slopes, with intercept, on the market; their mean is one.
        residuals: (days, names), of mean zero: what a name earned besides is left out too.
    """

    market: NDArray[np.float64]
    betas: NDArray[np.float64]
    residuals: NDArray[np.float64]

    @property
    def variances(self) -> NDArray[np.float64]:
        """Return the variance of each name's residuals, of shape (names,)."""
        return np.asarray(np.mean(self.residuals**2, axis=0))


@dataclass(frozen=True)
class Plan:
    """Specification of the simulation.

    Attributes:
        days: prices of each instrument.
        transient_share: share of the transient part in the variance of an instrument's own one-day changes,
            from 0 to below 1.
        half_life_d: days after which half of the transient part has faded.
        seed: of everything random.
    """

    days: int
    transient_share: float
    half_life_d: float
    seed: int

    @property
    def fading(self) -> float:
        """Return the AR(1) coefficient of the transient part."""
        return 0.5 ** (1.0 / self.half_life_d)

    @property
    def transient_variance(self) -> float:
        """Return the stationary variance of u, in units of the variance of the own one-day change."""
        # One less the fading, which for a long half-life would round to zero.
        faded = -math.expm1(-math.log(2.0) / self.half_life_d)
        return self.transient_share / (2.0 * faded)


def one_factor_model(prices: NDArray[np.float64]) -> OneFactorModel:
    """Return the one-factor model of log returns of prices (days, names) without gaps.

    Raises ValueError if a price is missing or not above zero.
    """
    prices = np.asarray(prices, dtype=np.float64)
    if prices.ndim != 2 or not bool(np.all(np.isfinite(prices) & (prices > 0.0))):
        raise ValueError("prices must be of shape (days, names), above zero and without gaps")
    returns = np.diff(np.log(prices), axis=0)
    centred = returns - returns.mean(axis=0)
    market = centred.mean(axis=1)
    moves = market[:, np.newaxis]
    betas = (moves * centred).sum(axis=0) / float((moves * moves).sum())
    return OneFactorModel(market, betas, centred - moves * betas)


def market_path(model: OneFactorModel, plan: Plan) -> NDArray[np.float64]:
    """Return the market's simulated log returns, of shape (days - 1,): the same for every instrument."""
    stream = Stream(plan.seed, 0, Purpose.UNIVERSE_MARKET)
    return model.market[block_days(stream, model.market.size, plan.days - 1, BLOCK_D)]


def own_path(model: OneFactorModel, plan: Plan, instrument: int) -> tuple[float, NDArray[np.float64]]:
    """Return beta and own log price changes, of shape (days - 1,), of the instrument with this number.

    Parents take turns: that of instrument i is name i modulo the number of names.
    """
    parent = instrument % model.betas.size
    stream = Stream(plan.seed, instrument, Purpose.UNIVERSE_INSTRUMENT)
    beta = float(model.betas[parent] * beta_factors(stream, 1)[0])
    steps = signed_residuals(model, stream, np.full(plan.days - 1, parent))
    walk = math.sqrt(1.0 - plan.transient_share) * steps
    deviation = math.sqrt(float(model.variances[parent]) * plan.transient_variance)
    # Starting in the stationary distribution makes the first days like all others.
    shocks = deviation * _normals(stream, plan.days)
    shocks[1:] *= math.sqrt(1.0 - plan.fading**2)
    transient = np.asarray(lfilter([1.0], [1.0, -plan.fading], shocks), dtype=np.float64)
    return beta, walk + np.diff(transient)


def price_path(
    model: OneFactorModel, plan: Plan, market: NDArray[np.float64], instrument: int
) -> NDArray[np.float64]:
    """Return the prices of one instrument, of shape (days,), above zero, the first being `FIRST_PRICE`.

    `market` is what `market_path` returns.
    """
    beta, own = own_path(model, plan, instrument)
    logs = np.concatenate(([0.0], np.cumsum(beta * market + own)))
    return np.asarray(FIRST_PRICE * np.exp(logs), dtype=np.float64)


def signed_residuals(model: OneFactorModel, stream: Stream, names: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return residuals of the given names on `block_days`, each with a random sign."""
    drawn = model.residuals[block_days(stream, model.market.size, names.size, BLOCK_D), names]
    return np.where(stream.uniforms(names.size) < 0.5, -drawn, drawn)


def beta_factors(stream: Stream, size: int) -> NDArray[np.float64]:
    """Return what betas of parents are multiplied by: lognormal, of median one."""
    return np.asarray(np.exp(BETA_JITTER * _normals(stream, size)), dtype=np.float64)


def _normals(stream: Stream, size: int) -> NDArray[np.float64]:
    # Half a step away from zero, whose normal quantile is minus infinity.
    return np.asarray(ndtri(stream.uniforms(size) + 2.0**-54), dtype=np.float64)
