import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from acceleray.errors import PortfolioError
from acceleray.extend import GateRule
from acceleray.stages.train.gate import Comparison, Evidence, Limits, compare, judge

GOOD = Evidence(rank_ic=0.03, rank_ic_t=2.5, dates=4000, simulated=False, difference=0.0, comparison=None)
LIMITS = Limits(minimum_rank_ic=0.0, maximum_rank_ic=0.1, tolerance=1e-6)


def test_a_model_that_ranks_is_promoted_and_the_reason_says_by_how_much() -> None:
    verdict = judge(GOOD, LIMITS)
    assert verdict.decision == "promoted"
    assert verdict.reason.startswith("mean rank IC 0.0300 (t 2.5) over 4,000 dates is above 0")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"rank_ic": 0.0}, "ranks no better than chance"),
        ({"rank_ic": -0.01}, "ranks no better than chance"),
        ({"rank_ic": math.nan}, "nothing speaks for it"),
        ({"rank_ic": 0.1001}, "probable leakage until proven otherwise"),
        ({"difference": 1e-4}, "more than the tolerance of 1e-06"),
        ({"comparison": Comparison(3, -0.01, -1.2)}, "version 3"),
    ],
)
def test_each_criterion_refuses_by_itself_and_says_why(change: dict[str, object], reason: str) -> None:
    verdict = judge(replace(GOOD, **change), LIMITS)  # type: ignore[arg-type]
    assert verdict.decision == "refused"
    assert reason in verdict.reason
    assert ";" not in verdict.reason


def test_all_that_speaks_against_a_model_is_said() -> None:
    verdict = judge(replace(GOOD, rank_ic=0.3, difference=1.0), LIMITS)
    assert "single process" in verdict.reason
    assert "leakage" in verdict.reason


def test_on_simulated_prices_a_high_rank_ic_is_what_was_planted() -> None:
    verdict = judge(replace(GOOD, rank_ic=0.3, simulated=True), LIMITS)
    assert verdict.decision == "promoted"
    assert "the signal was planted in simulated prices" in verdict.reason


def test_a_model_trained_in_one_process_needs_no_comparison_with_one() -> None:
    verdict = judge(replace(GOOD, difference=math.nan), LIMITS)
    assert verdict.decision == "promoted"
    assert "single process" not in verdict.reason


def test_within_one_standard_error_of_the_champion_is_good_enough() -> None:
    assert judge(replace(GOOD, comparison=Comparison(3, -0.01, -0.9)), LIMITS).decision == "promoted"
    assert judge(replace(GOOD, comparison=Comparison(3, -0.01, -1.1)), LIMITS).decision == "refused"
    assert "same hyperparameters" in judge(replace(GOOD, comparison=Comparison(3, 0.0, 0.0)), LIMITS).reason


def test_models_are_compared_on_the_dates_that_both_have() -> None:
    random = np.random.default_rng(5)
    market = random.normal(0, 0.2, 2000)
    better, worse = market + 0.02 + random.normal(0, 0.01, 2000), market + random.normal(0, 0.01, 2000)
    # What moves both alike does not count: their own means are ten times less certain than the difference.
    found = compare(7, worse, better, horizon_d=5)
    assert found.difference == pytest.approx(-0.02, abs=0.002)
    assert found.worse
    gaps = np.where(np.arange(2000) % 2, np.nan, worse)
    assert compare(7, gaps, better, horizon_d=5).difference == pytest.approx(-0.02, abs=0.002)
    assert compare(7, better, better.copy(), horizon_d=5).same


def test_models_without_a_common_date_refuse_nothing() -> None:
    nothing = compare(7, np.full(10, np.nan), np.zeros(10), horizon_d=5)
    assert math.isnan(nothing.difference)
    assert judge(replace(GOOD, comparison=nothing), LIMITS).decision == "promoted"


def few_dates(found: Evidence) -> str | None:
    return None if found.dates >= 1000 else f"{found.dates} dates are fewer than 1,000"


RULE = GateRule("dates", "training", few_dates, "at least 1,000 dates were validated")


def test_a_rule_of_the_project_refuses_with_its_reason_after_those_of_the_engine() -> None:
    assert judge(replace(GOOD, dates=1000), LIMITS, [RULE]).reason.endswith("; dates: yes")
    short = judge(replace(GOOD, dates=999), LIMITS, [RULE])
    assert (short.decision, short.reason) == ("refused", "dates: 999 dates are fewer than 1,000")
    worse = judge(replace(GOOD, dates=999, rank_ic=-1.0), LIMITS, [RULE])
    assert worse.reason.endswith("no better than chance; dates: 999 dates are fewer than 1,000")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            lambda found: found.nothing,
            r"^Gate rule 'dates' cannot be asked: AttributeError: 'Evidence' object",
        ),
        (lambda found: False, "^Gate rule 'dates' returned bool; return a reason as text, or None"),
    ],
)
def test_a_rule_that_cannot_be_asked_is_named(asked: Any, message: str) -> None:
    with pytest.raises(PortfolioError, match=message):
        judge(GOOD, LIMITS, [replace(RULE, refuses=asked)])
