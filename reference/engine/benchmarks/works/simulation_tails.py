"""Value at risk and expected shortfall of many portfolios from scenarios in memory: quickly, and as usual."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.risk import tail_mass
from acceleray.quant.scenarios import ATOM

VAR, ES = 0.99, 0.975
# Portfolios measured together: their losses in one atom are two megabytes, and stay in the cache.
GROUP = 64
# Scenarios that tell where the tail begins, and how much more than the tail is kept to be on the safe side.
PILOT, _MARGIN = 8 * ATOM, 1.3
# All losses of as many portfolios are sorted together; of 2,000 portfolios they would be 16 GB.
_SORTED_BYTES = 2_000_000_000


def tails(weights: NDArray[np.float64], returns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return VaR and ES of each portfolio, of shape (portfolios, 2), exact.

    A pilot tells for each portfolio below which gain its tail very probably lies; only gains below it are
    kept and ordered. Where those are fewer than the tail needs, all gains are ordered instead.
    """
    return np.concatenate(
        [_tails(weights[first : first + GROUP], returns) for first in range(0, len(weights), GROUP)]
    )


def _tails(weights: NDArray[np.float64], returns: NDArray[np.float64]) -> NDArray[np.float64]:
    total = returns.shape[1]
    masses = [tail_mass(total, confidence) for confidence in (VAR, ES)]
    needed = int(max(masses)) + 1
    cut = _cut(weights, returns[:, :PILOT], needed / total)
    owners, values = [], []
    place = np.arange(len(weights), dtype=np.uint8)
    for first in range(0, total, ATOM):
        gains = weights @ returns[:, first : first + ATOM]
        beyond = gains < cut
        owners.append(np.repeat(place, beyond.sum(axis=1)))
        values.append(gains[beyond])
    owner, value = np.concatenate(owners), np.concatenate(values)
    by_owner = value[np.argsort(owner, kind="stable")]
    ends = np.cumsum(np.bincount(owner, minlength=len(weights)))
    found = np.empty((len(weights), 2))
    for number, kept in enumerate(np.split(by_owner, ends[:-1])):
        found[number] = _measures(kept if kept.size >= needed else weights[number] @ returns, masses)
    return found


def _cut(weights: NDArray[np.float64], pilot: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    gains = weights @ pilot
    rank = min(int(_MARGIN * share * gains.shape[1]), gains.shape[1] - 1)
    return np.asarray(np.partition(gains, rank, axis=1)[:, [rank]])


def _measures(gains: NDArray[np.float64], masses: list[float]) -> tuple[float, float]:
    """Return VaR and ES as `acceleray.quant.risk` defines them, from gains that hold the whole tail."""
    ranks = [int(mass) for mass in masses]
    ordered = np.partition(gains, ranks)
    whole = ranks[1]
    shortfall = -(ordered[:whole].sum() + (masses[1] - whole) * ordered[whole]) / masses[1]
    return -float(ordered[ranks[0]]), float(shortfall)


def groups(weights: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Return the weights in groups that are measured together."""
    return [weights[first : first + GROUP] for first in range(0, len(weights), GROUP)]


def sorted_tails(weights: NDArray[np.float64], returns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what `tails` does from all losses, sorted, of some portfolios at a time."""
    total = returns.shape[1]
    masses = [tail_mass(total, confidence) for confidence in (VAR, ES)]
    together = max(1, _SORTED_BYTES // (8 * total))
    found = []
    for first in range(0, len(weights), together):
        gains = np.sort(weights[first : first + together] @ returns, axis=1)
        whole = int(masses[1])
        edge = (masses[1] - whole) * gains[:, whole]
        shortfall = -(gains[:, :whole].sum(axis=1) + edge) / masses[1]
        found.append(np.column_stack([-gains[:, int(masses[0])], shortfall]))
    return np.concatenate(found)
