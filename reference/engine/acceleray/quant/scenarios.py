"""Simulated returns: joint days of standardised shocks, compounded at volatilities that react to them.

In filtered historical simulation the shocks are those of past days; ``acceleray.quant.copula`` draws others.
Random numbers belong to *atoms* of 4,096 scenarios, keyed by (seed, atom) and never by a worker, so any
grouping of atoms over any number of workers gives the same scenarios to the last bit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.garch import GjrParameters
from acceleray.quant.path_walks import DAYS, SHOCKS, machine_code
from acceleray.quant.streams import Purpose, integers

ATOM = 4096
"""Scenarios in an atom: the fixed unit of random numbers, and of matrix products and sums over scenarios.

The last bits of a matrix product depend on the shape of its factors, so multiply atom by atom, and add in the
order of the atoms, wherever results must not depend on the number of workers.
"""

_CACHED_NUMBERS = 16_384


@dataclass(frozen=True)
class ParameterArrays:
    """Parameters of many instruments as arrays of shape (instruments,), in the units of ``GjrParameters``.

    ``arithmetic`` says whose returns are changes over a fixed level: they add up, and may lose more than all.
    """

    mu: NDArray[np.float64]
    omega: NDArray[np.float64]
    alpha: NDArray[np.float64]
    gamma: NDArray[np.float64]
    beta: NDArray[np.float64]
    arithmetic: NDArray[np.bool_] | None = None

    @property
    def adding(self) -> NDArray[np.float64]:
        """Return 1 for instruments with returns that add up, 0 for others, of shape (instruments,)."""
        return np.zeros(self.mu.size) if self.arithmetic is None else self.arithmetic.astype(np.float64)


def stack_parameters(
    parameters: Sequence[GjrParameters], arithmetic: NDArray[np.bool_] | None = None
) -> ParameterArrays:
    """Return the parameters of many instruments as arrays, in the order given."""
    fields = ("mu", "omega", "alpha", "gamma", "beta")
    return ParameterArrays(
        **{name: np.array([getattr(each, name) for each in parameters]) for name in fields},
        arithmetic=arithmetic,
    )


def with_drift(parameters: ParameterArrays, drift: Literal["fitted", "zero"]) -> ParameterArrays:
    """Return the parameters with which paths are simulated: with the fitted mean return of a day, or none.

    A zero drift leaves the variance recursion as it was fitted: its shocks are deviations from the mean.
    """
    return parameters if drift == "fitted" else replace(parameters, mu=np.zeros_like(parameters.mu))


def atoms(scenarios: int) -> list[tuple[int, int]]:
    """Return (atom, number of its scenarios) for each atom of so many scenarios; the last may be short."""
    if scenarios < 1:
        raise ValueError("there must be at least one scenario")
    return [(first // ATOM, min(ATOM, scenarios - first)) for first in range(0, scenarios, ATOM)]


def draw_days(seed: int, atom: int, count: int, horizon_d: int, days: int) -> NDArray[np.int64]:
    """Return row numbers into ``days`` past days, of shape (count, horizon_d), drawn independently.

    Scenario s is number ``s // ATOM`` in atom and ``s % ATOM`` in row. Fewer scenarios are the first ones of
    more.
    Raises ValueError for more than ``ATOM`` scenarios.
    """
    if not 1 <= count <= ATOM or horizon_d < 1:
        raise ValueError(f"an atom has 1 to {ATOM} scenarios of at least one day, not {count} of {horizon_d}")
    drawn = integers(seed, atom, Purpose.SCENARIO_DAYS, count * horizon_d, days)
    return drawn.reshape(count, horizon_d)


def filtered_historical_returns(
    days: NDArray[np.int64],
    residuals: NDArray[np.float64],
    parameters: Sequence[GjrParameters] | ParameterArrays,
    next_sigma: NDArray[np.float64],
    compiled_in: Path | None = None,
    carried: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return simulated simple returns over the whole horizon, of shape (scenarios, instruments).

    ``days`` (scenarios, horizon) comes from ``draw_days``; ``residuals`` (past days, instruments) are
    standardised and complete; ``next_sigma`` (instruments,) is the volatility forecast for the first
    simulated day.
    On each day of a path all instruments take the residuals z of one past day, r = mu + sigma z, and each
    variance moves on from the simulated shock by its own GJR recursion (Barone-Adesi, Giannopoulos & Vosper
    1999, eq. 3-6).
    Daily simple returns are floored at -1 and compounded; arithmetic ones are added as they are. Residuals
    are taken as they are, not centred again. ``compiled_in`` is where machine code for it is kept: faster,
    and the same to the bit. ``carried`` is what ``carried_variance`` returns for whoever simulates often.
    Raises ValueError for residuals that are not finite or shapes that do not fit.
    """
    stacked = parameters if isinstance(parameters, ParameterArrays) else stack_parameters(parameters)
    residuals = np.asarray(residuals, dtype=np.float64)
    next_sigma = np.asarray(next_sigma, dtype=np.float64)
    if not residuals.shape[1:] == next_sigma.shape == stacked.mu.shape:
        raise ValueError("residuals, parameters and next_sigma must be of the same instruments")
    if not bool(np.all(np.isfinite(next_sigma))):
        raise ValueError("fill every missing volatility before simulating")
    carry = carried_variance(residuals, stacked) if carried is None else carried

    returns = np.empty((days.shape[0], next_sigma.size))
    if run := machine_code(DAYS, compiled_in):
        if days.size and not 0 <= days.min() <= days.max() < len(residuals):
            raise ValueError(f"days are numbered from 0 to {len(residuals) - 1}")
        about, room = np.stack((stacked.mu, next_sigma)), np.empty((3, next_sigma.size))
        inputs = [np.ascontiguousarray(each, np.float64) for each in (residuals, carry, about, stacked.omega)]
        shape = (*days.shape, *residuals.shape)
        run(np.ascontiguousarray(days, np.int64), *inputs, stacked.adding, room, returns, *shape)
        return returns
    # A few scenarios at a time, so that the work space stays in the processor's cache; and only element by
    # element, so that no result depends on how many.
    size = max(_CACHED_NUMBERS // next_sigma.size, 1)
    for first in range(0, days.shape[0], size):
        block = slice(first, first + size)
        returns[block] = _walk(days[block], residuals, carry, stacked, next_sigma)
    return returns


def carried_variance(residuals: NDArray[np.float64], parameters: ParameterArrays) -> NDArray[np.float64]:
    """Return the share of a variance that each past day hands on to the next, (past days, instruments).

    sigma'^2 = omega + sigma^2 ((alpha + gamma 1{z < 0}) z^2 + beta): the bracket depends on the day alone.
    Raises ValueError for residuals that are not finite.
    """
    if not bool(np.all(np.isfinite(residuals))):
        raise ValueError("fill every missing residual before simulating")
    reaction = np.where(residuals < 0.0, parameters.alpha + parameters.gamma, parameters.alpha)
    return np.asarray(reaction * residuals * residuals + parameters.beta)


class _Path:
    """Returns of positions so far: compounded, or added where returns are arithmetic."""

    def __init__(self, shape: tuple[int, ...], arithmetic: NDArray[np.bool_] | None) -> None:
        self._growth = np.ones(shape)
        self._adding = np.flatnonzero(arithmetic) if arithmetic is not None else np.empty(0, np.int64)
        self._added = np.zeros((shape[0], self._adding.size))

    def earn(self, daily: NDArray[np.float64]) -> None:
        """Take in the returns of one more day, which are overwritten."""
        if self._adding.size:
            self._added += daily[:, self._adding]
        daily += 1.0
        self._growth *= np.maximum(daily, 0.0, out=daily)

    def returns(self) -> NDArray[np.float64]:
        """Return the returns over all days, of the shape given."""
        total = self._growth - 1.0
        total[:, self._adding] = self._added
        return total


def _walk(
    days: NDArray[np.int64],
    residuals: NDArray[np.float64],
    carry: NDArray[np.float64],
    parameters: ParameterArrays,
    next_sigma: NDArray[np.float64],
) -> NDArray[np.float64]:
    horizon = days.shape[1]
    variance = np.broadcast_to(next_sigma * next_sigma, (days.shape[0], next_sigma.size))
    path = _Path(variance.shape, parameters.arithmetic)
    for step in range(horizon):
        drawn = days[:, step]
        daily = np.sqrt(variance)
        daily *= residuals[drawn]
        daily += parameters.mu
        path.earn(daily)
        if step + 1 < horizon:
            variance = variance * carry[drawn]
            variance += parameters.omega
    return path.returns()


def compounded_returns(
    shocks: NDArray[np.float64],
    parameters: ParameterArrays,
    next_sigma: NDArray[np.float64],
    compiled_in: Path | None = None,
) -> NDArray[np.float64]:
    """Return simple returns over the whole horizon, of shape (scenarios, instruments), from given shocks.

    ``shocks`` (scenarios, horizon, instruments) have mean zero and variance one; everything else is as in
    ``filtered_historical_returns``, element by element.
    """
    if run := machine_code(SHOCKS, compiled_in):
        about = np.stack((parameters.mu, next_sigma)).astype(np.float64)
        reaction = np.stack((parameters.omega, parameters.alpha, parameters.gamma, parameters.beta))
        room, returns = np.empty_like(about, shape=(3, next_sigma.size)), np.empty(shocks.shape[::2])
        inputs = (np.ascontiguousarray(shocks, np.float64), about, reaction, parameters.adding)
        run(*inputs, room, returns, *shocks.shape)
        return returns
    variance = np.broadcast_to(next_sigma * next_sigma, (shocks.shape[0], shocks.shape[2]))
    path = _Path(variance.shape, parameters.arithmetic)
    for step in range(shocks.shape[1]):
        shock = shocks[:, step]
        daily = np.sqrt(variance)
        daily *= shock
        daily += parameters.mu
        path.earn(daily)
        if step + 1 < shocks.shape[1]:
            carry = parameters.alpha + parameters.gamma * (shock < 0.0)
            carry *= shock
            carry *= shock
            carry += parameters.beta
            variance = variance * carry
            variance += parameters.omega
    return path.returns()
