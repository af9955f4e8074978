"""What is to be scored is the same, decided in this process or by Spark."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from acceleray.runtime.run import Run
from acceleray.stages.score import plan
from acceleray.stages.score.instruments import window_of
from acceleray.stages.score.plan import planned
from acceleray.tables import FEATURES
from score.scene import LAST, SETTINGS, day, days, features, fill, identified

# One that ended, one never ranked, one whose changes are arithmetic, one whose features stopped.
OTHERS = {"GONE": 3, "LISTED": 24, "OIL": 24, "STOPPED": 24}
REASONS = {
    "GONE": "ended on 2024-01-04: no price for more than 10 trading days",
    "LISTED": "no features: its history is too short",
    "OIL": "no features: its prices change arithmetically",
    "OLD": "ended on 2024-01-14: no price for more than 10 trading days",
    "STOPPED": "its features ended on 2024-01-06",
}


def decided(run: Run) -> tuple[list[Any], int, dict[str, str]]:
    """Return who is chosen, how many are not, and why."""
    with planned(run, window_of(run, days())) as found:
        left = found.left()
        rows = left.to_pylist() if hasattr(left, "to_pylist") else [row.asDict() for row in left.collect()]
        return found.chosen.to_pylist(), found.without, {row["instrument_id"]: row["reason"] for row in rows}


@pytest.mark.parametrize("history", [1, 1000])
def test_this_process_decides_as_spark_does(
    history: int, make_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = (*SETTINGS, f"score.history_d={history}", "market_data.arithmetic={OIL: 1}")
    run = identified(make_run(*chosen))
    fill(run, LAST | OTHERS, without=tuple(OTHERS))
    places = [(name, day(at)) for name, last in LAST.items() for at in range(last + 1)]
    run.commit(FEATURES, features([*places, *(("STOPPED", day(at)) for at in range(6))]))
    here = decided(run)
    monkeypatch.setattr(plan, "HERE_ROWS", 0)
    assert decided(identified(make_run(*chosen))) == here
    if history == 1:
        assert here[2] == REASONS
        assert here[1] == len(REASONS)
    # With a long history, rows of those that have ended since are scored as well.
    assert {row["instrument_id"] for row in here[0]} >= {"LATER", "NEWEST", "YOUNG"}
