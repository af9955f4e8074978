"""Successive halving whose decisions do not depend on who reports first."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

Status = Literal["completed", "stopped", "failed"]


@dataclass(frozen=True)
class Fate:
    """How a trial ended, and the rounds that count of it; what it computed beyond them does not."""

    status: Status
    rounds: int


@dataclass
class _Trial:
    values: dict[int, float] = field(default_factory=dict)
    rounds: int = 0
    best: float = -math.inf
    best_rounds: int = 0
    ended: Status | None = None
    passed: int = 0
    fate: Fate | None = None


class Halving:
    """The stopping rule of asynchronous successive halving, for values of which more is better.

    A trial that reaches a rung goes on if its value is in the best 1/factor of those seen at that rung, its
    own left out (Li et al. 2020, algorithm 2, in the variant that stops trials instead of promoting them).
    There, "seen" depends on which trial reports first, so on the number of workers. Here trials are numbered
    from 1, and a trial is compared with exactly those of smaller numbers that reached the rung. As long as
    one of them is still on its way there, the decision waits, while the trial itself may go on: should it
    turn out that it was to be stopped, what it computed since does not count.
    """

    def __init__(self, first: int, factor: int, last: int, patience: int | None = None) -> None:
        """Set rungs at first, first * factor, first * factor^2 ... rounds, below `last`, where trials end.

        A trial also stops, whatever others do, when it was not better than at its best for `patience` rounds.
        """
        if first < 1 or factor < 2 or last < 1 or (patience is not None and patience < 1):
            raise ValueError("rounds must be at least 1 and the reduction factor at least 2")
        self.last = last
        self.patience = patience or last
        self.rungs: tuple[int, ...] = ()
        while first < last:
            self.rungs += (first,)
            first *= factor
        self._factor = factor
        self._trials: list[_Trial] = []
        # Numbers of trials without a fate, ascending.
        self._open: list[int] = []

    def add(self) -> int:
        """Add the next trial and return its number."""
        self._trials.append(_Trial())
        self._open.append(len(self._trials))
        return len(self._trials)

    def report(self, number: int, rounds: int, value: float) -> None:
        """Take note of a trial's value after so many rounds; at every rung there must be a report."""
        trial = self._trials[number - 1]
        trial.rounds = rounds
        if rounds in self.rungs:
            trial.values[rounds] = value
        if value > trial.best:
            trial.best, trial.best_rounds = value, rounds
        if rounds >= self.last:
            trial.ended = "completed"
        elif rounds - trial.best_rounds >= self.patience:
            trial.ended = "stopped"
        if rounds in self.rungs or trial.ended:
            self._decide()

    def over(self, number: int) -> bool:
        """Return whether nothing more is wanted of a trial: its fate is known, or it has ended by itself."""
        trial = self._trials[number - 1]
        return trial.fate is not None or trial.ended is not None

    def fail(self, number: int) -> None:
        """Take note that a trial failed after its last report."""
        self._trials[number - 1].ended = "failed"
        self._decide()

    def fate(self, number: int) -> Fate | None:
        """Return how a trial ended, or None while that is open."""
        return self._trials[number - 1].fate

    def _decide(self) -> None:
        # In order: what is decided about a trial may decide about those after it.
        for number in tuple(self._open):
            trial = self._trials[number - 1]
            while trial.fate is None and trial.passed < len(self.rungs):
                rung = self.rungs[trial.passed]
                if rung not in trial.values or not self._settled_before(number, trial.passed):
                    break
                if self._among_the_best(number, rung):
                    trial.passed += 1
                else:
                    trial.fate = Fate("stopped", rung)
            undecided = trial.passed < len(self.rungs) and self.rungs[trial.passed] in trial.values
            if trial.fate is None and trial.ended is not None and not undecided:
                trial.fate = Fate(trial.ended, trial.rounds)
            if trial.fate is not None:
                self._open.remove(number)

    def _settled_before(self, number: int, passed: int) -> bool:
        """Return whether all trials of smaller numbers have passed more rungs than that, or have ended."""
        return all(self._trials[one - 1].passed > passed for one in self._open if one < number)

    def _among_the_best(self, number: int, rung: int) -> bool:
        seen = [one.values[rung] for one in self._trials[: number - 1] if _was_at(one, rung)]
        if not seen:
            return True
        worst = np.percentile(seen, 100.0 * (1.0 - 1.0 / self._factor))
        return bool(self._trials[number - 1].values[rung] >= worst)


def _was_at(trial: _Trial, rung: int) -> bool:
    """Return whether a trial counts at a rung: it was there, and had not been stopped before."""
    return rung in trial.values and (trial.fate is None or trial.fate.rounds >= rung)
