"""Panels in which it is known which signals are true, and a fan-out without Ray to judge them with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acceleray.stages.signals.inputs import Inputs


class Inline:
    """Runs tasks in this process, in the order given or the other way round."""

    def __init__(self, backwards: bool = False) -> None:
        self.tasks: dict[str, int] = {}
        self._backwards = backwards

    def share(self, value: Any) -> Any:
        return value

    def map(
        self,
        function: Callable[..., Any],
        tasks: Sequence[Any],
        shared: Sequence[Any] = (),
        done: Callable[[int], None] = lambda count: None,
        **fixed: Any,
    ) -> Iterator[Any]:
        self.tasks[function.__name__] = len(tasks)
        places = list(range(len(tasks)))
        results = {
            place: function(tasks[place], *shared, **fixed)
            for place in (reversed(places) if self._backwards else places)
        }
        for place in places:
            done(place + 1)
            yield results[place]


@dataclass(frozen=True)
class Panel:
    """Signals, prices that some of them move, and which do."""

    inputs: Inputs
    true: NDArray[np.bool_]


def panel(
    seed: int,
    days: int,
    instruments: int,
    strengths: Sequence[float],
    memory: float = 0.97,
    likeness: float = 0.5,
) -> Panel:
    """Return a panel with one signal for each strength, which is its pull on the next day's return.

    Strengths count in standard deviations of an instrument's own return; zero is a signal that knows nothing.
    Signals that know nothing share a part with each other, `likeness` of their variance. All of them change
    slowly, by `memory` from day to day. Returns have fat tails, and a market in common.
    """
    generator = np.random.default_rng(seed)
    true = np.array(strengths) != 0.0
    fresh = generator.standard_normal((len(strengths), days, instruments))
    fresh[~true] = np.sqrt(1 - likeness) * fresh[~true] + np.sqrt(likeness) * generator.standard_normal(
        (days, instruments)
    )
    scores = np.empty_like(fresh)
    scores[:, 0] = fresh[:, 0]
    for day in range(1, days):
        scores[:, day] = memory * scores[:, day - 1] + np.sqrt(1 - memory**2) * fresh[:, day]
    own = generator.standard_t(4, (days, instruments)) / np.sqrt(2.0)
    own[1:] += np.tensordot(np.array(strengths), scores, axes=1)[:-1]
    market = 0.01 * generator.standard_t(4, (days, 1)) / np.sqrt(2.0)
    prices = 100.0 * np.exp(np.cumsum(market + 0.012 * own, axis=0))
    names = tuple(f"{'true' if known else 'noise'}_{place}" for place, known in enumerate(true))
    dates = np.arange(np.datetime64("2010-01-04"), np.datetime64("2010-01-04") + days)
    return Panel(Inputs(names, scores.astype(np.float32), prices, dates), true)
