"""Reverse stress on simulated tails: of all scenarios that lose a given amount, the most plausible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.scenarios import ATOM
from acceleray.stages.simulate.attribution import log_returns
from acceleray.stages.simulate.horizon import Reverse
from acceleray.stages.simulate.scenario_inputs import Atom, World

# Directions in which the pilot moves less than this share of the largest variance are rounding.
_SMALLEST_VARIANCE = 1e-12


@dataclass(frozen=True)
class Nearest:
    """The nearest scenario found so far for each portfolio and target, as in `Reverse`."""

    reaching: NDArray[np.int64]
    scenario: NDArray[np.int64]
    loss: NDArray[np.float64]
    mahalanobis: NDArray[np.float64]

    @classmethod
    def none(cls, portfolios: int, targets: int) -> Nearest:
        """Return what is known of no scenario."""
        shape = (portfolios, targets)
        return cls(
            np.zeros(shape, dtype=np.int64),
            np.full(shape, -1),
            np.full(shape, np.nan),
            np.full(shape, np.nan),
        )

    @classmethod
    def joined(cls, parts: Sequence[Nearest]) -> Nearest:
        """Return what is known of several groups of portfolios as one, in the order given."""
        return cls(*(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(cls)))

    def or_nearer(self, other: Nearest) -> Nearest:
        """Return the nearer of both, the lower scenario number where they are equally near."""
        nearer = (other.scenario >= 0) & (
            (self.scenario < 0)
            | (other.mahalanobis < self.mahalanobis)
            | ((other.mahalanobis == self.mahalanobis) & (other.scenario < self.scenario))
        )
        return Nearest(
            self.reaching + other.reaching,
            np.where(nearer, other.scenario, self.scenario),
            np.where(nearer, other.loss, self.loss),
            np.where(nearer, other.mahalanobis, self.mahalanobis),
        )


def whitening(atoms: tuple[Atom, ...], world: World, horizon_d: int) -> NDArray[np.float64]:
    """Return A (instruments, directions) such that |r A| is the Mahalanobis distance of log returns r.

    A A' is the inverse of the covariance of log returns in these scenarios, within the space they span.
    """
    arithmetic = world.parameters.arithmetic
    logs = np.concatenate([log_returns(world.returns(atom, horizon_d), arithmetic) for atom in atoms])
    moves = logs - logs.mean(axis=0)
    values, vectors = np.linalg.eigh(moves.T @ moves / max(len(logs) - 1, 1))
    kept = values > _SMALLEST_VARIANCE * max(float(values[-1]), np.finfo(np.float64).tiny)
    return np.asarray(vectors[:, kept] / np.sqrt(values[kept]))


def distances(logs: NDArray[np.float64], whitened: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Mahalanobis distance of log returns (scenarios, instruments) from no change."""
    directions = logs @ whitened
    return np.asarray(np.sqrt(np.sum(directions * directions, axis=1)))


def nearest(
    losses: NDArray[np.float64], far: NDArray[np.float64], atom: int, targets: tuple[float, ...]
) -> Nearest:
    """Return the nearest of one atom's scenarios: losses (portfolios, scenarios), distances (scenarios,)."""
    order = np.argsort(far, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(order.size)
    found = Nearest.none(len(losses), len(targets))
    rows, scenarios = np.divmod(np.flatnonzero(losses >= min(targets)), losses.shape[1])
    reached = losses[rows, scenarios]
    for place, target in enumerate(targets):
        kept = np.flatnonzero(reached >= target)
        if not kept.size:
            continue
        some, starts = np.unique(rows[kept], return_index=True)
        best = order[np.minimum.reduceat(rank[scenarios[kept]], starts)]
        found.reaching[:, place] = np.bincount(rows[kept], minlength=len(losses))
        found.scenario[some, place] = atom * ATOM + best
        found.loss[some, place] = losses[some, best]
        found.mahalanobis[some, place] = far[best]
    return found


def reverse_of(
    found: Nearest, targets: tuple[float, ...], world: World, horizon_d: int, scenarios: int
) -> Reverse:
    """Return the nearest scenarios of all portfolios, and make the first portfolio's ones again."""
    returns = np.full((len(targets), len(world.next_sigma)), np.nan)
    for place, scenario in enumerate(found.scenario[0].tolist()):
        if scenario >= 0:
            atom = scenario // ATOM
            whole = world.returns((atom, min(ATOM, scenarios - atom * ATOM)), horizon_d)
            returns[place] = whole[scenario % ATOM]
    return Reverse(targets, found.reaching, found.scenario, found.loss, found.mahalanobis, returns)
