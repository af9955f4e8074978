"""A contest in one process, a side after the other: where there is one Spark session, as in a notebook.

What a side leaves behind in the process the next one finds; rounds do not alternate. So numbers from here say
less than those of `arena.contest`.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from acceleray.engines.processes.signals import first_line
from arena.contest import Order, Say, difference
from arena.memory import watched
from arena.outcome import SideOutcome
from arena.side import Setting, Side


def in_turn(order: Order, sides: Sequence[str], rounds: int, say: Say) -> dict[str, SideOutcome]:
    """Return what each side took, in the order given; answers are compared with that of the first.

    A side that fails is left out, and its outcome says why.
    """
    setting = Setting(order.folder, order.size, order.workers, order.settings)
    classes = import_module(f"works.{order.work}").SIDES
    found: dict[str, SideOutcome] = {}
    first: Mapping[str, Any] = {}
    for name in sides:
        outcome = found[name] = SideOutcome()
        try:
            answer = _timed(classes[name](), setting, rounds, outcome)
        except Exception as error:
            outcome.error = f"{type(error).__name__}: {first_line(error)}"
            say(f"    {name} failed: {outcome.error}")
            continue
        first = first or answer
        outcome.difference = difference(first, answer)
        say(f"    {name} cold {outcome.cold_s:.2f} s, warm {min(outcome.warm_s, default=0.0):.2f} s at best")
    return found


def _timed(side: Side, setting: Setting, rounds: int, outcome: SideOutcome) -> Mapping[str, Any]:
    started = time.perf_counter()
    side.start(setting)
    outcome.start_s = time.perf_counter() - started
    try:
        outcome.cold_s, _ = _once(side)
        outcome.warm_s += [_once(side)[0] for _ in range(rounds)]
        with watched(os.getpid()) as peak:
            _, answer = _once(side)
        outcome.peak_mb, outcome.note = peak.mb, side.note()
        return answer
    finally:
        side.stop()


def _once(side: Side) -> tuple[float, Mapping[str, Any]]:
    started = time.perf_counter()
    found = side.run()
    seconds = time.perf_counter() - started
    answer = {name: np.asarray(values) for name, values in found.items()}
    # What engines left in cycles of references would count as the next run's time and memory.
    del found
    gc.collect()
    return seconds, answer
