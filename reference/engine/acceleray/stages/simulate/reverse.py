"""Reverse stress on simulated tails: the mean of the scenarios that lose about a given amount."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.path_walks import machine_code
from acceleray.quant.target_sums import ADD_REACHED
from acceleray.stages.simulate.attribution import log_returns
from acceleray.stages.simulate.horizon import Reverse
from acceleray.stages.simulate.scenario_inputs import Atom, World

# Directions in which the pilot moves less than this share of the largest variance are rounding.
_SMALLEST_VARIANCE = 1e-12
BAND = 0.05
"""A scenario loses about L if its loss is within this share of it: from 95 % to 105 % of L."""


@dataclass(frozen=True)
class Reached:
    """Sums over the scenarios that lose about each target; add them in the order of blocks.

    reaching and inside (portfolios, targets) count the scenarios that lose at least, and about, the target;
    loss is the sum of the latter's losses and moves (portfolios, targets, directions) that of their whitened
    factor moves. returns (targets, lines) is the sum of their simple returns for the first portfolio of
    all, and has no rows in a group of portfolios without it.
    """

    reaching: NDArray[np.int64]
    inside: NDArray[np.int64]
    loss: NDArray[np.float64]
    moves: NDArray[np.float64]
    returns: NDArray[np.float64]

    @classmethod
    def joined(cls, parts: Sequence[Reached]) -> Reached:
        """Return what is known of several groups of portfolios as one, in the order given."""
        return cls(*(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(cls)))

    def part(self, portfolios: slice) -> Reached:
        """Return what is known of some of the portfolios; returns stay with the first."""
        return Reached(
            reaching=self.reaching[portfolios],
            inside=self.inside[portfolios],
            loss=self.loss[portfolios],
            moves=self.moves[portfolios],
            returns=self.returns if portfolios.start == 0 else self.returns[:0],
        )

    def __add__(self, other: Reached) -> Reached:
        """Return the sums of both."""
        return Reached(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))


def whitening(atoms: tuple[Atom, ...], world: World, horizon_d: int) -> NDArray[np.float64]:
    """Return A (lines, directions) such that |r A| is the distance in factors of log returns r.

    With r M the factor moves that r implies (`world.implied`), A A' is M S^-1 M' with S the covariance of
    these moves in the scenarios of the atoms, within the space they span. So distances are by today's
    volatility and over the horizon, as that of the closed form is; there are no directions without factors.
    """
    if world.implied is None:
        return np.empty((world.weights.shape[1], 0))
    returns = (world.returns(atom, horizon_d) for atom in atoms)
    logs = np.concatenate([log_returns(some, world.arithmetic) for some in returns])
    found = logs @ world.implied
    moves = found - found.mean(axis=0)
    # Scaled first: factors in percentage points and log changes differ by orders of magnitude.
    spread = moves.std(axis=0)
    scale = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 0.0)
    moves = moves * scale
    values, vectors = np.linalg.eigh(moves.T @ moves / max(len(logs) - 1, 1))
    kept = values > _SMALLEST_VARIANCE * max(float(values.max(initial=0.0)), np.finfo(np.float64).tiny)
    return np.asarray((world.implied * scale) @ (vectors[:, kept] / np.sqrt(values[kept])))


def reached(
    losses: NDArray[np.float64],
    moves: NDArray[np.float64],
    returns: NDArray[np.float64],
    targets: tuple[float, ...],
    first: bool,
) -> Reached:
    """Return the sums over one atom's scenarios; `first` is True of portfolios from the first of all on.

    losses are of shape (portfolios, scenarios), moves (scenarios, directions), simple returns (scenarios,
    lines).
    """
    rows, scenarios = np.divmod(np.flatnonzero(losses >= (1.0 - BAND) * min(targets)), losses.shape[1])
    return reached_of(len(losses), rows, scenarios, losses[rows, scenarios], moves, returns, targets, first)


def reached_of(
    count: int,
    rows: NDArray[np.integer[Any]],
    scenarios: NDArray[np.integer[Any]],
    found: NDArray[np.float64],
    moves: NDArray[np.float64],
    returns: NDArray[np.float64],
    targets: tuple[float, ...],
    first: bool,
    compiled_in: Path | None = None,
) -> Reached:
    """Return the same of the losses that may be about a target: portfolio of `count`, scenario, loss.

    Portfolios ascend. ``compiled_in`` is where machine code for it is kept: the same to the bit.
    """
    wanted = np.array(targets)
    bounds = np.stack((wanted, (1.0 - BAND) * wanted, (1.0 + BAND) * wanted))
    reaching, inside = np.zeros((2, count, len(targets)), dtype=np.int64)
    loss, sums = np.zeros((count, len(targets))), np.zeros((count, len(targets), moves.shape[1]))
    if run := machine_code(ADD_REACHED, compiled_in):
        places = np.asarray(rows, np.int64), np.asarray(scenarios, np.int64)
        sizes = rows.size, *moves.shape, count, len(targets)
        run(*places, found, np.ascontiguousarray(moves), bounds, reaching, inside, loss, sums, *sizes)
    else:
        _add_reached(rows, scenarios, found, moves, bounds, reaching, inside, loss, sums)
    held = np.zeros((len(targets) if first else 0, returns.shape[1]))
    if first:
        own = slice(int(np.searchsorted(rows, 1)))
        for place in range(len(targets)):
            about = (found[own] >= bounds[1, place]) & (found[own] <= bounds[2, place])
            held[place] = returns[scenarios[own][about]].sum(axis=0)
    return Reached(reaching, inside, loss, sums, held)


def _add_reached(
    rows: NDArray[np.integer[Any]],
    scenarios: NDArray[np.integer[Any]],
    found: NDArray[np.float64],
    moves: NDArray[np.float64],
    bounds: NDArray[np.float64],
    reaching: NDArray[np.int64],
    inside: NDArray[np.int64],
    loss: NDArray[np.float64],
    sums: NDArray[np.float64],
) -> None:
    """Count and add as `add_reached` does, in NumPy."""
    count = len(reaching)
    for place, (target, low, high) in enumerate(bounds.T):
        reaching[:, place] = np.bincount(rows[found >= target], minlength=count)
        about = (found >= low) & (found <= high)
        some = rows[about]
        inside[:, place] = np.bincount(some, minlength=count)
        # One by one, and not as a matrix product, for the same bits whatever the portfolios around.
        loss[:, place] = np.bincount(some, found[about], minlength=count)
        for at in range(moves.shape[1]):
            sums[:, place, at] = np.bincount(some, moves[scenarios[about], at], minlength=count)


def reverse_of(found: Reached, targets: tuple[float, ...]) -> Reverse:
    """Return means out of sums: NaN where no scenario loses about a target."""
    some = found.inside > 0
    count = np.where(some, found.inside, 1)
    mean = found.moves / count[..., np.newaxis]
    distance = np.sqrt(np.sum(mean * mean, axis=-1))
    return Reverse(
        targets=targets,
        reaching=found.reaching,
        inside=found.inside,
        loss=np.where(some, found.loss / count, np.nan),
        factor_distance=np.where(some & (found.moves.shape[-1] > 0), distance, np.nan),
        reference_returns=np.where(some[0, :, np.newaxis], found.returns / count[0, :, np.newaxis], np.nan),
    )
