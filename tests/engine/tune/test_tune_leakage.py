from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from acceleray.quant.examples import Examples
from acceleray.stages.tune.leakage import (
    MODEL,
    NEXT_DAY,
    RANK_IC,
    VALIDATION,
    feature_checks,
    judged,
    next_day_returns,
)
from tune.invented_market import NAMES, market


def with_feature(examples: Examples, values: NDArray[np.float64]) -> Examples:
    return replace(examples, features=np.column_stack([examples.features, values]))


def suspects(
    examples: Examples, next_day: NDArray[np.float64], planted: bool = False
) -> set[tuple[str, str]]:
    names = (*NAMES, "added")[: examples.features.shape[1]]
    checks = feature_checks(examples, names, next_day, 0.1, planted)
    assert len(checks) == 2 * len(names)
    return {(one.subject, one.name) for one in checks if one.suspected}


def test_a_feature_that_saw_the_target_is_named_and_honest_ones_are_not() -> None:
    examples, next_day = market(0.05)
    assert suspects(examples, next_day) == set()
    noise = np.random.default_rng(1).normal(0, 1.0, len(examples.target))
    found = suspects(with_feature(examples, examples.target + noise), next_day)
    assert {subject for subject, _ in found} == {"added"}
    assert ("added", RANK_IC) in found


def test_a_feature_that_saw_only_tomorrow_is_named_by_tomorrow() -> None:
    examples, next_day = market(0.05, days=900)
    tomorrow = next_day + np.random.default_rng(2).normal(0, 0.05, len(next_day))
    # A fifth of the horizon is seen, dimly: too little to stand out against the target.
    assert suspects(with_feature(examples, tomorrow), next_day) == {("added", NEXT_DAY)}


def test_a_feature_that_ranks_the_wrong_way_round_too_well_is_as_suspect() -> None:
    examples, next_day = market(0.05)
    assert ("added", RANK_IC) in suspects(with_feature(examples, -examples.target), next_day)


def test_where_a_signal_was_planted_nothing_is_too_good() -> None:
    examples, next_day = market(1.0)
    assert ("planted", RANK_IC) in suspects(examples, next_day)
    assert suspects(examples, next_day, planted=True) == set()
    (check,) = (
        one
        for one in feature_checks(examples, NAMES, next_day, 0.1, True)
        if (one.subject, one.name) == ("planted", RANK_IC)
    )
    assert check.value > 0.1
    assert "a signal was planted" in check.reason


def test_a_model_is_judged_by_the_same_limit_and_an_unknown_value_is_no_pass_in_words() -> None:
    assert judged(MODEL, VALIDATION, 0.1001, 0.1, False).suspected
    assert not judged(MODEL, VALIDATION, 0.0999, 0.1, False).suspected
    assert "leakage until proven otherwise" in judged(MODEL, VALIDATION, 0.3, 0.1, False).reason
    unknown = judged("constant", RANK_IC, float("nan"), 0.1, False)
    assert not unknown.suspected
    assert "cannot be measured" in unknown.reason


def test_the_next_day_is_that_of_the_calendar_of_prices() -> None:
    days = np.array(["2020-01-01", "2020-01-02", "2020-01-06", "2020-01-07"], dtype="datetime64[D]")
    rows = pa.table(
        {
            "date": [days[1].item(), days[2].item(), days[3].item(), days[2].item()],
            "instrument_id": ["A", "A", "A", "B"],
            "return_1d": [0.01, 0.02, 0.03, 0.04],
        }
    )
    run: Any = SimpleNamespace(arrow=lambda *asked: rows, as_of=days[3].item())
    examples = Examples(
        features=np.zeros((5, 1)),
        target=np.zeros(5),
        forward_return=np.zeros(5),
        date=np.array([0, 1, 2, 1, 0]),
        instrument=np.array([0, 0, 0, 1, 2]),
        dates=days[[0, 1, 3]],
        instruments=("A", "B", "C"),
    )
    found = next_day_returns(run, examples)
    # The day after the 2nd is the 6th; after the last day there is none; C has no returns.
    np.testing.assert_array_equal(found, [0.01, 0.02, np.nan, 0.04, np.nan])


@pytest.mark.parametrize("limit", [0.02, 0.5])
def test_the_limit_is_that_of_the_settings(limit: float) -> None:
    examples, next_day = market(0.5)
    named = {one.subject for one in feature_checks(examples, NAMES, next_day, limit, False) if one.suspected}
    assert ("planted" in named) == (limit < 0.1)
