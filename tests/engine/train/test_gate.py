import math
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest

from acceleray.errors import PortfolioError
from acceleray.extend import GateRule
from acceleray.stages.train.gate import Comparison, Evidence, Limits, compare, judge

GOOD = Evidence(
    rank_ic=0.03,
    rank_ic_t=2.5,
    rank_ic_lower=0.01,
    dates=4000,
    least_dates=189,
    unseen_from=None,
    simulated=False,
    difference=0.0,
    comparison=None,
)
LIMITS = Limits(minimum_rank_ic=0.0, maximum_rank_ic=0.1, minimum_gain=0.0, confidence=0.95, tolerance=1e-6)
SEARCHED = date(2018, 12, 10)


def test_a_model_that_ranks_is_promoted_and_the_reason_says_by_how_much() -> None:
    verdict = judge(GOOD, LIMITS)
    assert verdict.decision == "promoted"
    assert verdict.reason.startswith(
        "mean rank IC 0.0300 (t 2.5) over 4,000 dates has a one-sided 95 % interval from 0.0100, above 0"
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"rank_ic_lower": 0.0}, "from 0.0000, not above 0: it may be luck"),
        ({"rank_ic_lower": -0.002}, "from -0.0020, not above 0: it may be luck"),
        ({"rank_ic": 0.0, "rank_ic_lower": -0.02}, "ranks no better than chance"),
        ({"rank_ic": math.nan, "rank_ic_lower": math.nan, "dates": 0}, "there is no evidence"),
        (
            {"rank_ic_lower": math.nan, "dates": 188},
            "188 dates are too few: an interval",
        ),
        (
            {"rank_ic_lower": math.nan, "dates": 150, "unseen_from": SEARCHED},
            "150 dates from 2018-12-10 on, which the search never saw, are too few",
        ),
        (
            {"rank_ic": math.nan, "rank_ic_lower": math.nan, "dates": 0, "unseen_from": SEARCHED},
            "0 dates from 2018-12-10 on, which the search never saw, are too few",
        ),
        ({"rank_ic": 0.1001}, "probable leakage until proven otherwise"),
        ({"difference": 1e-4}, "more than the tolerance of 1e-06"),
        (
            {"comparison": Comparison(3, 0.01, 1.2, -0.004, 4000)},
            "(version 3) on the same 4,000 dates",
        ),
        (
            {"comparison": Comparison(3, math.nan, math.nan, math.nan, 0)},
            "0 dates in common with the champion",
        ),
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


def test_other_hyperparameters_must_be_shown_to_be_better_than_the_champions() -> None:
    better = judge(replace(GOOD, comparison=Comparison(3, 0.01, 2.4, 0.003, 900)), LIMITS)
    assert better.decision == "promoted"
    assert (
        "0.0100 (t 2.4) over the champion's hyperparameters (version 3) on the same 900 dates"
        in better.reason
    )
    luck = replace(GOOD, comparison=Comparison(3, 0.01, 1.4, -0.001, 900))
    assert judge(luck, LIMITS).decision == "refused"
    # Whoever wants to accept what is not shown says so in a setting.
    assert judge(luck, replace(LIMITS, minimum_gain=-0.01)).decision == "promoted"


def test_the_champions_hyperparameters_on_newer_data_are_no_worse_but_have_to_rank() -> None:
    same = replace(GOOD, comparison=Comparison(3, 0.0, 0.0, 0.0, 4000))
    assert "has the same hyperparameters and older data" in judge(same, LIMITS).reason
    assert judge(same, LIMITS).decision == "promoted"
    assert judge(replace(same, rank_ic_lower=-0.001), LIMITS).decision == "refused"


def test_models_are_compared_on_the_dates_that_both_have() -> None:
    random = np.random.default_rng(5)
    market = random.normal(0, 0.2, 2000)
    better, worse = market + 0.02 + random.normal(0, 0.01, 2000), market + random.normal(0, 0.01, 2000)
    # What moves both alike does not count: their own means are ten times less certain than the difference.
    found = compare(7, better, worse, horizon_d=5, confidence=0.95)
    assert found.difference == pytest.approx(0.02, abs=0.002)
    assert 0.018 < found.lower < found.difference
    assert found.better(0.0)
    assert not compare(7, worse, better, horizon_d=5, confidence=0.95).better(0.0)
    gaps = np.where(np.arange(2000) % 2, np.nan, worse)
    halved = compare(7, gaps, better, horizon_d=5, confidence=0.95)
    assert (halved.difference, halved.dates) == (pytest.approx(-0.02, abs=0.002), 1000)
    assert compare(7, better, better.copy(), horizon_d=5, confidence=0.95).same


def test_without_common_dates_nothing_shows_that_a_model_is_better() -> None:
    nothing = compare(7, np.full(10, np.nan), np.zeros(10), horizon_d=5, confidence=0.95)
    assert math.isnan(nothing.difference)
    assert judge(replace(GOOD, comparison=nothing), LIMITS).decision == "refused"


def few_dates(found: Evidence) -> str | None:
    return None if found.dates >= 1000 else f"{found.dates} dates are fewer than 1,000"


RULE = GateRule("dates", "training", few_dates, "at least 1,000 dates were validated")


def test_a_rule_of_the_project_refuses_with_its_reason_after_those_of_the_engine() -> None:
    assert judge(replace(GOOD, dates=1000), LIMITS, [RULE]).reason.endswith("; dates: yes")
    short = judge(replace(GOOD, dates=999), LIMITS, [RULE])
    assert (short.decision, short.reason) == ("refused", "dates: 999 dates are fewer than 1,000")
    worse = judge(replace(GOOD, dates=999, rank_ic=-1.0, rank_ic_lower=-1.1), LIMITS, [RULE])
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
