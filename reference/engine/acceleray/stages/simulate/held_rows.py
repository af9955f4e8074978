"""Contributions and attribution of portfolios that hold few of many lines: sums of what is held alone.

Of thousands of lines a portfolio holds a hundred: only those are looked up in the scenarios of its tail, and
only for rows that a table explains. Sums are those of one row, so they depend on no row around it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from acceleray.quant.euler import adding_up
from acceleray.quant.sparse_rows import SparseRows
from acceleray.stages.simulate.attribution import attributed_held, log_returns
from acceleray.stages.simulate.found import Plan, checked
from acceleray.stages.simulate.horizon import Attribution
from acceleray.stages.simulate.scenario_inputs import World
from acceleray.stages.simulate.tasks import Part

Looked = Callable[[NDArray[np.int64]], NDArray[np.float64]]
"""Given places of lines (held,), what they lose in some scenarios (scenarios, held)."""


@dataclass(frozen=True)
class Weighing:
    """Scenarios of one portfolio that weigh something in either measure.

    Attributes:
        weights: (scenarios, 2) in value at risk and in expected shortfall, each summing to one.
        market: (scenarios,) log returns of the market.
        losses: looks up what lines lose in them.
    """

    weights: NDArray[np.float64]
    market: NDArray[np.float64]
    losses: Looked


class HeldRows:
    """Contributions and attribution of the rows of a part, taken in their order."""

    def __init__(self, part: Part, world: World, plan: Plan) -> None:
        """Start before the first row of a part of a world with few lines held."""
        assert not isinstance(world.weights, np.ndarray)
        self._weights, self._arithmetic = world.weights, world.arithmetic
        self._plan, self._row, self._lines = plan, part.portfolios.start, world.weights.shape[1]
        self._places: list[NDArray[np.int64]] = []
        self._parts: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
        self._split: list[tuple[float, float, float]] = []

    @property
    def wanted(self) -> bool:
        """Return whether the next row is explained by a table."""
        return self._plan.explained is None or bool(self._plan.explained[self._row])

    def skip(self) -> None:
        """Leave the next row without contributions."""
        self._places.append(np.empty(0, dtype=np.int64))
        self._parts.append((np.empty(0), np.empty(0)))
        self._split.append((np.nan, np.nan, np.nan))
        self._row += 1

    def take(self, seen: Weighing, value_at_risk: float, shortfall: float, *, around: bool) -> None:
        """Take in the next row; the measures are shares of NAV.

        Contributions to the value at risk are means of scenarios ``around`` it, moved to add up, or those of
        its own scenarios, which do.
        """
        own = self._weights.some(slice(self._row, self._row + 1)).kept
        held = np.flatnonzero(own.data)
        places, weights = own.indices[held].astype(np.int64), own.data[held]
        losses = seen.losses(places)
        parts = (weights * (seen.weights.T @ losses))[:, np.newaxis]
        at_var = (adding_up if around else checked)(parts[0], np.array([value_at_risk]))
        self._places.append(places)
        self._parts.append((at_var[0], checked(parts[1], np.array([shortfall]))[0]))
        tail = seen.weights[:, 1]
        adding = None if self._arithmetic is None else self._arithmetic[places]
        logs, market = tail @ log_returns(-losses, adding), float(tail @ seen.market)
        self._split.append(attributed_held(shortfall, weights, logs, self._plan.betas[places], market))
        self._row += 1

    def found(self) -> tuple[SparseRows, SparseRows, Attribution]:
        """Return contributions to both measures, and attribution, of all rows taken."""
        ends = np.concatenate(([0], np.cumsum([each.size for each in self._places])))
        places = np.concatenate(self._places).astype(np.int32)
        var, shortfall = (
            SparseRows(
                csr_array((np.concatenate(data), places, ends), shape=(len(self._places), self._lines))
            )
            for data in zip(*self._parts, strict=True)
        )
        factor, specific, residual = (np.array(each) for each in zip(*self._split, strict=True))
        return var, shortfall, Attribution(factor, specific, residual)
