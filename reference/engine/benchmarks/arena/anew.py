"""A contest in which every round opens each side's engines anew: those of one side hold memory at a time.

Five clusters at once, each with executors and a driver that collects a table, are more than 24 GB. Rounds
alternate A B C A B C as in `arena.contest`; what is open meanwhile does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from acceleray.errors import PortfolioError
from arena.contest import Contestant, Order, Say, difference
from arena.outcome import SideOutcome

# Of a round, after the cold run: Java still compiles in the first.
WARM_RUNS = 2


def anew(order: Order, sides: Sequence[str], rounds: int, say: Say) -> dict[str, SideOutcome]:
    """Return what each side took, in the order given; answers are compared with that of the first.

    In a round a side starts, runs once cold and twice warm, and stops. Start-up and the cold run are those of
    the first round. A side that fails is left out from then on, and its outcome says why.
    """
    found = {name: SideOutcome() for name in sides}
    first: dict[str, Any] = {}
    for number in range(rounds):
        for name in sides:
            outcome = found[name]
            if outcome.error:
                continue
            try:
                answer = _round(order, name, outcome, number == rounds - 1)
            except PortfolioError as error:
                outcome.error = str(error)
                say(f"    {name} failed: {error}")
                continue
            first = first or answer
            outcome.difference = max(outcome.difference, difference(first, answer))
            warm = ", ".join(f"{seconds:.2f} s" for seconds in outcome.warm_s[-WARM_RUNS:])
            say(f"    round {number + 1} {name} warm {warm}")
    return found


def _round(order: Order, name: str, outcome: SideOutcome, last: bool) -> Mapping[str, Any]:
    one = Contestant(order, name)
    try:
        cold_s = one.run()
        # A start-up and a cold run of later rounds would be warmer: the system has the files in memory.
        if not outcome.warm_s:
            outcome.start_s, outcome.cold_s = one.outcome.start_s, cold_s
        outcome.warm_s += [one.run() for _ in range(WARM_RUNS)]
        if last:
            one.run_watched()
            outcome.peak_mb = one.outcome.peak_mb
        outcome.note = one.outcome.note
        return dict(np.load(one.answer))
    finally:
        one.stop()
