"""Scenarios in blocks without Ray, and a market to draw them from."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from acceleray.quant.line_returns import Unit, losses_before
from acceleray.quant.what_if import Levels

LEVELS = Levels(0.99, 0.975)
SCENARIOS, INSTRUMENTS = 20_000, 7


class Done:
    """What is there already."""

    def __init__(self, results: list[Any]) -> None:
        self._results = results

    def get(self) -> list[Any]:
        """Return it."""
        return self._results


class SerialBlocks:
    """Keeps blocks in a list, and calls functions on them one after the other."""

    def __init__(self, returns: np.ndarray, size: int = 3000) -> None:
        """Cut returns (lines, scenarios) into blocks of `size` scenarios."""
        self.scenarios = returns.shape[1]
        starts = range(0, self.scenarios, size)
        self.returns = [np.ascontiguousarray(returns[:, first : first + size]) for first in starts]
        self.asked: list[str] = []

    def ask(
        self, function: Callable[..., Any], kept: Any, each: Sequence[tuple[Any, ...]], *same: Any
    ) -> "Done":
        """Return what a function says of every block."""
        self.asked.append(function.__name__)
        more = each or [()] * len(self.returns)
        blocks = zip(self.returns, kept, more, strict=True)
        return Done([function(returns, losses, *some, *same) for returns, losses, some in blocks])

    def losses(self, weights: np.ndarray, more: tuple[Unit, ...]) -> Any:
        """Return the losses of each block before any trade."""
        return [losses_before(returns, weights, more) for returns in self.returns]

    def pilot(self, kept: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return the first block and its losses."""
        return self.returns[0], kept[0]


def market(scenarios: int = SCENARIOS, instruments: int = INSTRUMENTS, seed: int = 5) -> np.ndarray:
    """Return made-up returns with fat tails and a common part, of shape (instruments, scenarios)."""
    generator = np.random.default_rng(seed)
    common = generator.standard_t(4, scenarios) * 0.015
    own = generator.standard_t(5, (instruments, scenarios)) * 0.01
    return np.linspace(0.6, 1.4, instruments)[:, np.newaxis] * common + own
