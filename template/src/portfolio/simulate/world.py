"""What every scenario is made from, shared by all tasks."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from portfolio.book import Book
from portfolio.calibrate import Calibration
from portfolio.quant.garch import standardised_residuals
from portfolio.quant.residuals import fill_missing
from portfolio.quant.scenarios import (
    ParameterArrays,
    draw_days,
    filtered_historical_returns,
    stack_parameters,
)
from portfolio.quant.standstill import after_standstills

Atom = tuple[int, int]


@dataclass(frozen=True)
class World:
    """What every scenario is made from; shared by all tasks, read-only.

    residuals (days, instruments) standardised and complete; next_sigma (instruments,); weights (portfolios,
    instruments), of the priced instruments only.
    """

    seed: int
    residuals: NDArray[np.float64]
    parameters: ParameterArrays
    next_sigma: NDArray[np.float64]
    weights: NDArray[np.float64]

    def returns(self, atom: Atom, horizon_d: int) -> NDArray[np.float64]:
        """Return the simulated simple returns of one atom, of shape (scenarios, instruments)."""
        number, count = atom
        days = draw_days(self.seed, number, count, horizon_d, len(self.residuals))
        return filtered_historical_returns(days, self.residuals, self.parameters, self.next_sigma)


def build_world(
    calibration: Calibration, book: Book, window: int, seed: int
) -> tuple[World, NDArray[np.datetime64]]:
    """Return what scenarios are made from, and the days that can be drawn."""
    returns, usable = calibration.returns, calibration.usable
    values = after_standstills(returns.values)
    residuals = np.full((len(returns.dates), usable.size), np.nan)
    fits = [calibration.fits[position] for position in usable]
    for place, (position, fit) in enumerate(zip(usable, fits, strict=True)):
        assert fit.parameters is not None
        known = np.isfinite(values[:, position])
        series = values[known, position]
        residuals[known, place] = standardised_residuals(series, fit.parameters, fit.initial_variance)
    residuals = residuals[-window:]
    some = np.isfinite(residuals).any(axis=1)
    keys = [instrument_key(returns.instruments[position]) for position in usable]
    filled, _ = fill_missing(residuals[some], seed, keys)
    world = World(
        seed=seed,
        residuals=filled,
        parameters=stack_parameters([fit.parameters for fit in fits if fit.parameters is not None]),
        next_sigma=np.array([fit.next_sigma for fit in fits]),
        weights=np.ascontiguousarray(book.weights[:, usable]),
    )
    return world, returns.dates[-window:][some]


def instrument_key(name: str) -> int:
    """Return a number that stays with an instrument whatever else is in the universe."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
