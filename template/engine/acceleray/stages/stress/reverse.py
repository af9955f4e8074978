"""Reverse stress: what it takes to lose a given amount, in closed form and on average of simulated tails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from acceleray.quant.stress import factor_correlation, most_plausible_loss, portfolio_volatility
from acceleray.stages.book.book import Book
from acceleray.stages.stress.rows import joined, typed
from acceleray.tables import REVERSE_STRESS, REVERSE_STRESS_SHOCKS

if TYPE_CHECKING:
    from acceleray.stages.calibrate.dependence import Dependence
    from acceleray.stages.calibrate.stage import Calibration
    from acceleray.stages.simulate.stage import Horizon, Reverse

LINEAR = "linear"


def horizon_covariance(
    calibration: Calibration, dependence: Dependence, horizon_d: int
) -> NDArray[np.float64]:
    """Return the covariance of simple returns over a horizon, of shape (usable, usable).

    D R D times the horizon: D next day's volatilities, R the correlation. So a horizon of h days is scaled
    by sqrt(h), as if today's volatility stayed and days were independent.
    """
    sigma = np.array([calibration.fits[place].next_sigma for place in calibration.usable])
    return np.asarray(dependence.correlation * np.outer(sigma, sigma) * float(horizon_d))


def linear(
    book: Book,
    usable: NDArray[np.int64],
    covariance: NDArray[np.float64],
    targets: tuple[float, ...],
    horizon_d: int,
    implied: NDArray[np.float64] | None = None,
) -> tuple[pa.Table, pa.Table]:
    """Return REVERSE_STRESS rows of all portfolios and REVERSE_STRESS_SHOCKS rows of the first, closed form.

    `implied` (usable, factors) turns log returns into factor moves; without it no distance in factors is
    known. A portfolio of nothing but instruments without a model has no volatility, and so no distances.
    """
    weights = _exposure(book, usable)
    sigma = portfolio_volatility(weights, covariance)
    sigma = np.where(sigma > 0.0, sigma, np.nan)
    shared = np.full(len(sigma), np.nan)
    if implied is not None and implied.any():
        shared = factor_correlation(covariance, weights, implied)
    found: list[pa.Table] = []
    shocks: list[pa.Table] = []
    names = [book.instruments[place] for place in usable]
    for target in targets:
        distance = target / sigma
        columns: dict[str, object] = {
            "loss_pct_nav": np.where(np.isnan(distance), np.nan, _percent(target)),
            "distance_sigma": distance,
            "factor_distance": distance * shared,
            "averaged": [None] * len(sigma),
            "reaching": [None] * len(sigma),
        }
        found.append(_rows(book, LINEAR, target, horizon_d, columns))
        if np.isfinite(sigma[0]):
            nearest = most_plausible_loss(covariance, weights[0], target)
            shocks.append(_shocks(book, LINEAR, target, horizon_d, names, nearest))
    return joined(REVERSE_STRESS, found), joined(REVERSE_STRESS_SHOCKS, shocks)


def simulated(
    book: Book, usable: NDArray[np.int64], horizon: Horizon, reverse: Reverse
) -> tuple[pa.Table, pa.Table]:
    """Return the same two tables for the mean of the simulated scenarios that lose about each target.

    A portfolio that loses about the target in no scenario keeps a row with `averaged` 0 and no distance.
    """
    found: list[pa.Table] = []
    shocks: list[pa.Table] = []
    names = [book.instruments[place] for place in usable]
    count = len(names)
    for at, target in enumerate(reverse.targets):
        loss = reverse.loss[:, at]
        columns: dict[str, object] = {
            "loss_pct_nav": 100.0 * loss,
            "distance_sigma": loss / np.where(horizon.volatility > 0.0, horizon.volatility, np.nan),
            "factor_distance": reverse.factor_distance[:, at],
            "averaged": reverse.inside[:, at],
            "reaching": reverse.reaching[:, at],
        }
        found.append(_rows(book, horizon.method, target, horizon.horizon_d, columns))
        if reverse.inside[0, at]:
            moves = reverse.reference_returns[at, :count]
            shocks.append(_shocks(book, horizon.method, target, horizon.horizon_d, names, moves))
    return joined(REVERSE_STRESS, found), joined(REVERSE_STRESS_SHOCKS, shocks)


def _exposure(book: Book, usable: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the exposure to each usable instrument (portfolios, usable), currencies to first order."""
    places = book.lines.known(usable)
    return book.lines.among(usable).linear(np.ascontiguousarray(book.weights[:, places]))


def _rows(book: Book, method: str, target: float, horizon_d: int, columns: dict[str, object]) -> pa.Table:
    count = len(book.portfolios)
    keys = {
        "portfolio_id": pa.array(book.portfolios),
        "method": pa.repeat(method, count),
        "target_loss_pct_nav": np.full(count, _percent(target)),
        "horizon_d": np.full(count, horizon_d),
    }
    return typed(REVERSE_STRESS, keys | columns)


def _shocks(
    book: Book, method: str, target: float, horizon_d: int, names: list[str], moves: NDArray[np.float64]
) -> pa.Table:
    return typed(
        REVERSE_STRESS_SHOCKS,
        {
            "portfolio_id": [book.portfolios[0]] * len(names),
            "method": [method] * len(names),
            "target_loss_pct_nav": np.full(len(names), _percent(target)),
            "horizon_d": np.full(len(names), horizon_d),
            "instrument_id": names,
            "return": moves,
        },
    )


def _percent(share: float) -> float:
    # 100 * 0.07 is 7.000000000000001, and this number is part of a key.
    return round(100.0 * share, 9)
