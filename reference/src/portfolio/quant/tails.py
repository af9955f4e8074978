"""The tails of many portfolios over a stream of scenarios, in bounded memory."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from portfolio.quant.risk import (
    largest_first,
    tail_depth,
    tail_expected_shortfall,
    tail_expected_shortfall_error,
    tail_mass,
    tail_value_at_risk,
    tail_value_at_risk_error,
)

# Scenarios looked at together: bounds the work space, and suits the processor's cache.
_BLOCK = 4096


class TailCollector:
    """Keeps the largest losses of each portfolio, enough for every measure at ``confidence_min`` and above.

    Feed it blocks of losses with ``update``, in any split and order, on any number of workers, and join the
    parts with ``merge``. The measures then have the very bits that ``portfolio.quant.risk`` gives on all
    losses at once, because the kept losses are the same set and are sorted before they are summed.
    Memory is about ``portfolios * (scenarios_total * (1 - confidence_min) + 4096) * 8`` bytes and a quarter
    more.
    """

    def __init__(self, portfolios: int, scenarios_total: int, confidence_min: float) -> None:
        """Prepare for losses of shape (scenarios_total, portfolios) in all; ValueError for an empty tail."""
        if portfolios < 1:
            raise ValueError("there must be at least one portfolio")
        self.portfolios = portfolios
        self.scenarios_total = scenarios_total
        self.confidence_min = confidence_min
        self.seen = 0
        self._kept = tail_depth(scenarios_total, confidence_min)
        self._slack = max(_BLOCK, self._kept // 4)
        self._losses = np.empty((portfolios, 0))
        self._fill = np.zeros(portfolios, dtype=np.int64)
        self._threshold = np.full(portfolios, -np.inf)

    def update(self, losses: NDArray[np.float64]) -> None:
        """Take in a block of losses (scenarios, portfolios); ValueError if not finite or too many."""
        losses = np.asarray(losses, dtype=np.float64)
        if losses.ndim != 2 or losses.shape[1] != self.portfolios:
            raise ValueError(f"losses must be of shape (scenarios, {self.portfolios}), not {losses.shape}")
        if not bool(np.all(np.isfinite(losses))):
            raise ValueError("every loss must be finite: leave out what has no price")
        self._count(losses.shape[0])
        for start in range(0, losses.shape[0], _BLOCK):
            self._append(losses[start : start + _BLOCK])

    def merge(self, other: "TailCollector") -> None:
        """Take in what another collector of the same kind has kept; the other one keeps its losses."""
        mine = (self.portfolios, self.scenarios_total, self.confidence_min)
        if mine != (other.portfolios, other.scenarios_total, other.confidence_min):
            raise ValueError(
                "only collectors for the same portfolios, scenarios and confidence can be merged"
            )
        self._count(other.seen)
        other._compact()
        kept = other._losses[:, : int(other._fill.max())]
        for start in range(0, kept.shape[1], _BLOCK):
            self._append(kept[:, start : start + _BLOCK].T)

    def value_at_risk(self, confidence: float) -> NDArray[np.float64]:
        """Return what ``risk.value_at_risk`` does on all losses, of shape (portfolios,)."""
        return tail_value_at_risk(self._top(confidence), tail_mass(self.scenarios_total, confidence))

    def expected_shortfall(self, confidence: float) -> NDArray[np.float64]:
        """Return what ``risk.expected_shortfall`` does on all losses, of shape (portfolios,)."""
        return tail_expected_shortfall(self._top(confidence), tail_mass(self.scenarios_total, confidence))

    def value_at_risk_error(self, confidence: float) -> NDArray[np.float64]:
        """Return what ``risk.value_at_risk_error`` does on all losses, of shape (portfolios,)."""
        return tail_value_at_risk_error(self._top(confidence), self.scenarios_total, confidence)

    def expected_shortfall_error(self, confidence: float) -> NDArray[np.float64]:
        """Return what ``risk.expected_shortfall_error`` does on all losses, of shape (portfolios,)."""
        mass = tail_mass(self.scenarios_total, confidence)
        return tail_expected_shortfall_error(self._top(confidence), mass, confidence)

    def __getstate__(self) -> dict[str, Any]:
        """Return the state to pickle, without slack: what travels between workers is only the tail."""
        self._compact()
        state = self.__dict__.copy()
        state["_losses"] = self._losses[:, : int(self._fill.max())].copy()
        return state

    def _count(self, scenarios: int) -> None:
        if self.seen + scenarios > self.scenarios_total:
            raise ValueError(
                f"{self.seen + scenarios} scenarios are more than the {self.scenarios_total} announced"
            )
        self.seen += scenarios

    def _append(self, block: NDArray[np.float64]) -> None:
        # Only a loss above the smallest one kept can matter; an equal one would replace an equal one.
        size = block.shape[0]
        candidates = np.ascontiguousarray((block > self._threshold).T)
        arriving = candidates.sum(axis=1)
        if int((self._fill + arriving).max()) > self._losses.shape[1]:
            self._compact()
            candidates = np.ascontiguousarray((block > self._threshold).T)
            arriving = candidates.sum(axis=1)
            self._reserve(int((self._fill + arriving).max()))
        rows, columns = np.divmod(np.flatnonzero(candidates), size)
        firsts = np.cumsum(arriving) - arriving
        places = self._fill[rows] + np.arange(rows.size) - firsts[rows]
        self._losses[rows, places] = block[columns, rows]
        self._fill += arriving

    def _reserve(self, needed: int) -> None:
        if needed <= self._losses.shape[1]:
            return
        width = min(max(needed, 2 * self._losses.shape[1]), max(needed, self._kept + self._slack))
        wider = np.empty((self.portfolios, width))
        wider[:, : self._losses.shape[1]] = self._losses
        self._losses = wider

    def _compact(self) -> None:
        """Drop what is no longer among the largest; then each portfolio holds the same number of losses."""
        held = min(self._kept, int(self._fill.min()))
        width = int(self._fill.max())
        if width > held:
            losses = self._losses[:, :width]
            losses[np.arange(width) >= self._fill[:, np.newaxis]] = -np.inf
            losses.partition(width - held, axis=1)
            losses[:, :held] = losses[:, width - held :]
            self._fill[:] = held
        if held == self._kept:
            self._threshold = self._losses[:, :held].min(axis=1)

    def _top(self, confidence: float) -> NDArray[np.float64]:
        if self.seen != self.scenarios_total:
            raise ValueError(f"only {self.seen} of {self.scenarios_total} scenarios have been collected")
        if confidence < self.confidence_min:
            raise ValueError(f"losses are kept from confidence {self.confidence_min}, not {confidence}")
        self._compact()
        return largest_first(self._losses[:, : self._kept])
