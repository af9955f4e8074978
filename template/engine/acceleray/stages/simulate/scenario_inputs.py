"""Inputs of every scenario, shared by all tasks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from acceleray.engines.ray.fanout import FanOut
from acceleray.quant.comovement import Comovement
from acceleray.quant.copula import TCopula, draw_shocks, t_copula
from acceleray.quant.scenarios import (
    ATOM,
    ParameterArrays,
    carried_variance,
    compounded_returns,
    draw_days,
    filtered_historical_returns,
    stack_parameters,
    with_drift,
)
from acceleray.quant.sparse_products import FewHeld
from acceleray.quant.sparse_rows import Rows, columns_of
from acceleray.quant.table_copula import CopulaTables, copula_tables, table_returns
from acceleray.settings import Settings
from acceleray.settings.section import Generator
from acceleray.stages.book.book import Book
from acceleray.stages.book.lines import Lines
from acceleray.stages.calibrate.optimiser import path_code_folder
from acceleray.stages.calibrate.residuals import standardised
from acceleray.stages.calibrate.stage import Calibration
from acceleray.stages.simulate.methods import FILTERED_HISTORICAL as FILTERED_HISTORICAL
from acceleray.stages.simulate.methods import T_COPULA as T_COPULA

if TYPE_CHECKING:
    from acceleray.stages.calibrate.dependence import Dependence

Atom = tuple[int, int]


@dataclass(frozen=True)
class World:
    """Inputs of every scenario; shared by all tasks, read-only.

    residuals (days, instruments) standardised and complete; next_sigma (instruments,); weights (portfolios,
    lines), details behind them, of the priced instruments only, and the lines they multiply: the instruments
    where none are given. With a copula, shocks come from it instead of the residuals, and from tables where
    it has any. implied (lines, factors) turns log returns into the factor moves they imply, for the reverse
    stress. compiled_in is where machine code is kept; without it NumPy finds the same, to the bit. few are
    the weights where portfolios hold few of the lines, so that only those are multiplied.
    """

    seed: int
    residuals: NDArray[np.float64]
    parameters: ParameterArrays
    next_sigma: NDArray[np.float64]
    weights: Rows
    copula: TCopula | None = None
    tables: CopulaTables | None = None
    implied: NDArray[np.float64] | None = None
    lines: Lines | None = None
    compiled_in: Path | None = None
    few: FewHeld | None = None

    @property
    def method(self) -> str:
        """Return how scenarios are made, as tables call it."""
        return FILTERED_HISTORICAL if self.copula is None else T_COPULA

    @property
    def arithmetic(self) -> NDArray[np.bool_] | None:
        """Return of which lines returns are changes over a fixed level (lines,); None for none."""
        own = self.parameters.arithmetic
        return own if own is None or self.lines is None else self.lines.where(own)

    def enumerated(self, horizon_d: int) -> bool:
        """Return whether the scenarios are all outcomes that there are: every past day once, none drawn."""
        return self.copula is None and horizon_d == 1

    def outcomes(self, horizon_d: int) -> float:
        """Return how many different scenarios there can be: few where few past days are drawn."""
        return float(len(self.residuals)) ** horizon_d if self.copula is None else float("inf")

    def returns(self, atom: Atom, horizon_d: int) -> NDArray[np.float64]:
        """Return the simulated simple returns of one atom, of shape (scenarios, lines).

        Where outcomes are enumerated they are those of the past days in their order.
        """
        simulated = self._of_instruments(atom, horizon_d)
        return simulated if self.lines is None else self.lines.of(simulated)

    @cached_property
    def _carried(self) -> NDArray[np.float64]:
        """Return what past days hand on of a variance, found once and not with every atom."""
        return carried_variance(self.residuals, self.parameters)

    def _of_instruments(self, atom: Atom, horizon_d: int) -> NDArray[np.float64]:
        number, count = atom
        terms = self.parameters, self.next_sigma, self.compiled_in
        if self.enumerated(horizon_d):
            days = (number * ATOM + np.arange(count))[:, np.newaxis]
            # Over one day no variance is handed on: nothing as large as the residuals is found for it.
            return filtered_historical_returns(days, self.residuals, *terms, self.residuals)
        if self.copula is None:
            days = draw_days(self.seed, number, count, horizon_d, len(self.residuals))
            return filtered_historical_returns(days, self.residuals, *terms, self._carried)
        if self.tables is not None:
            return table_returns(self.copula, self.tables, self.seed, atom, horizon_d, *terms)
        shocks = draw_shocks(self.copula, self.seed, number, count, horizon_d, self.compiled_in)
        return np.concatenate([compounded_returns(part, *terms) for part in shocks])


def build_world(
    calibration: Calibration, book: Book, settings: Settings
) -> tuple[World, NDArray[np.datetime64]]:
    """Return what filtered historical scenarios are made from, and the days that can be drawn.

    Residuals come from a filter over the days that the fits have seen, at the correlation of today, which
    stays what it is over the horizon (see `quant.comovement`).
    """
    usable = calibration.usable
    window_d, residual_window_d = settings.calibration.window_d, settings.simulation.residual_window_d
    residuals, days = standardised(
        calibration, window_d, residual_window_d, settings.seed, settings.market_data.stale_price_d
    )
    fits = [calibration.fits[position] for position in usable]
    stacked = stack_parameters(
        [fit.parameters for fit in fits if fit.parameters is not None], calibration.arithmetic[usable]
    )
    weights = columns_of(book.every, book.lines.known(usable))
    world = World(
        seed=settings.seed,
        residuals=Comovement.of(residuals, calibration.members).replayed(0, len(residuals)),
        parameters=with_drift(stacked, settings.simulation.drift),
        next_sigma=np.array([fit.next_sigma for fit in fits]),
        weights=weights,
        lines=book.lines.among(usable),
        compiled_in=path_code_folder(settings),
        few=FewHeld.of(weights, _wholes(book)),
    )
    return world, days


def _wholes(book: Book) -> NDArray[np.int64]:
    """Return the row of the whole portfolio for each row of details, -1 for portfolios: (rows,)."""
    details = () if book.details is None else book.details.rows
    own = np.full(len(book.portfolios), -1, dtype=np.int64)
    return np.concatenate((own, np.array([each.portfolio for each in details], dtype=np.int64)))


def with_copula(
    fan_out: FanOut,
    world: World,
    calibration: Calibration,
    dependence: Dependence,
    generator: Generator = "standard",
) -> World:
    """Return the same world with shocks from a t copula, its margins those of the fits.

    ``generator`` says how its shocks are made: see `simulation.generator` of the settings. Tables are made
    here, once, and shared with the world.
    """
    fits = [calibration.fits[position] for position in calibration.usable]
    margins = np.array([fit.parameters.nu for fit in fits if fit.parameters is not None])
    # One task with one CPU: a factorisation must not depend on the number of threads of the driver.
    shared = dependence.correlation, margins
    [(copula, tables)] = fan_out.map(_copula, [dependence.copula_nu], shared, generator=generator)
    return replace(world, copula=copula, tables=tables)


def _copula(
    nu: float, correlation: NDArray[np.float64], margins: NDArray[np.float64], *, generator: Generator
) -> tuple[TCopula, CopulaTables | None]:
    copula = t_copula(correlation, nu, margins)
    return copula, copula_tables(copula) if generator == "tables" else None
