"""How far the simulation is."""

from __future__ import annotations

from collections.abc import Callable


class Progress:
    """Counts tasks; recounts in the rare case that some are needed are not announced."""

    def __init__(self, done: Callable[[int], None], total: int) -> None:
        self._done, self._total, self._finished = done, total, 0

    def step(self) -> None:
        """One more is done."""
        self._finished = min(self._finished + 1, self._total)
        self._done(self._finished)
