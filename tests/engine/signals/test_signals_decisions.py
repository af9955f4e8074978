"""The rule, bar by bar: each of them alone keeps a signal from being used, and is named."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from acceleray.settings import Settings
from acceleray.stages.signals.decisions import DECISIONS, Evidence, ceiling, decide

SETTINGS = Settings.model_validate({"project": {"name": "tests", "customer": "Tests"}})
GOOD = Evidence(
    rank_ic=0.03,
    low=0.01,
    high=0.05,
    t=4.2,
    p_value=0.00003,
    q_hochberg=0.001,
    q_yekutieli=0.004,
    net_information_ratio=0.4,
    marginal_t=2.6,
    direction=1,
    tests=42,
    before=3,
)


def decided(**changed: Any) -> tuple[str, str]:
    return decide(replace(GOOD, **changed), SETTINGS, "sample")


def test_what_clears_every_bar_is_to_be_used_in_either_direction() -> None:
    assert decided() == (
        "use",
        "Clears every bar: q 0.4 % under any dependence, |t| 4.2, interval on one side of zero, net "
        "information ratio 0.40, and it adds to the 3 signals before it (t 2.6).",
    )
    low = {"rank_ic": -0.03, "low": -0.05, "high": -0.01, "t": -4.2, "marginal_t": -2.6, "direction": -1}
    assert decided(**low)[0] == "use"
    assert "leads its horizon" in decided(before=0)[1]
    assert "adds to the signal before it" in decided(before=1)[1]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"q_yekutieli": 0.06}, "q under any dependence is 6 %"),
        ({"t": 2.9}, "|t| 2.9 is below 3"),
        ({"low": -0.001}, "its interval holds zero"),
        ({"low": math.nan, "high": math.nan}, "its interval holds zero"),
        ({"net_information_ratio": 0.0}, "costs eat its spread"),
        ({"net_information_ratio": math.nan}, "costs eat its spread"),
        ({"marginal_t": 1.9}, "it adds nothing to the 3 signals before it (t 1.9)"),
        ({"marginal_t": -2.6}, "it adds nothing to the 3 signals before it (t -2.6)"),
        ({"marginal_t": math.nan}, "too few instruments show whether it adds to the 3 signals before it"),
    ],
)
def test_a_bar_that_is_not_cleared_leaves_a_signal_to_watch_and_is_named(
    changed: dict[str, float], words: str
) -> None:
    assert decided(**changed) == ("watch", f"Luck is unlikely (q 0.1 %), but {words}.")


def test_what_luck_explains_is_rejected_whatever_else_it_clears() -> None:
    decision, reason = decided(q_hochberg=0.051, q_yekutieli=0.2)
    assert decision == "reject"
    assert reason == "Not told from luck: among 42 tests a |t| of 4.2 has q 5.1 %, above 5 %."
    assert decided(q_hochberg=0.05)[0] == "use"
    _, reason = decided(q_hochberg=0.4, q_yekutieli=1.0, t=1.2, low=-0.01, net_information_ratio=-0.1)
    assert reason.endswith("; besides, |t| 1.2 is below 3, its interval holds zero and costs eat its spread.")


def test_beyond_the_ceiling_it_is_leakage_unless_luck_or_a_simulation_explains_it() -> None:
    assert decided(rank_ic=0.11)[0] == decided(rank_ic=-0.11)[0] == "suspect"
    assert decided(rank_ic=0.1)[0] == "use"
    decision, reason = decided(rank_ic=0.11, p_value=0.3, q_hochberg=0.4, q_yekutieli=1.0)
    assert decision == "reject"
    assert reason.endswith("probable leakage, unless the history is that short.")
    # A rank IC of one on each day has no t.
    nothing = {"t": math.nan, "p_value": math.nan, "q_hochberg": math.nan, "q_yekutieli": math.nan}
    assert decided(rank_ic=1.0, **nothing)[0] == "suspect"
    assert decide(replace(GOOD, rank_ic=0.11), SETTINGS, "simulated:universe")[0] == "use"
    assert ceiling(SETTINGS, "simulated:universe") == math.inf


def test_what_cannot_be_tested_is_rejected_with_that_reason() -> None:
    nothing = {"p_value": math.nan, "q_hochberg": math.nan, "q_yekutieli": math.nan}
    assert decided(**nothing) == ("reject", "There are too few days or instruments to tell it from luck.")


def test_the_order_begins_with_what_may_be_used() -> None:
    assert DECISIONS == ("use", "watch", "suspect", "reject")
