from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from acceleray.errors import PortfolioError
from acceleray.settings import Model
from acceleray.stages.tune.problem import build_problem
from tune.invented_market import HORIZON, NAMES, market, small


def test_the_holdout_and_the_days_whose_labels_reach_into_it_are_not_in_the_problem() -> None:
    examples, _ = market()
    problem = build_problem(small(), examples, NAMES)
    last = len(problem.examples.dates) - 1
    # The label of the last date ends so many dates later; after it come the embargo and then the holdout.
    assert last + HORIZON + 2 + 1 == len(examples.dates) - 100
    assert problem.examples.date.max() == last
    assert len(problem.examples.target) == (last + 1) * 12
    assert problem.folds[-1].test_dates.stop == last + 1


def test_no_label_that_a_fold_trains_on_reaches_into_its_test() -> None:
    problem = build_problem(small(), market()[0], NAMES)
    for fold in problem.folds:
        assert fold.train_dates.stop - 1 + HORIZON + 2 < fold.test_dates.start
    assert problem.validation == slice(150 + HORIZON + 2, len(problem.examples.dates))


def test_nothing_in_the_holdout_changes_the_problem_and_anything_before_it_does() -> None:
    examples, _ = market()
    before = build_problem(small(), examples, NAMES).digest()
    target = examples.target.copy()
    target[examples.date >= len(examples.dates) - 100 - HORIZON - 2] = 0.0
    assert build_problem(small(), replace(examples, target=target), NAMES).digest() == before
    features = examples.features.copy()
    features[0, 0] = np.nan
    assert build_problem(small(), replace(examples, features=features), NAMES).digest() != before
    assert build_problem(small(), examples, NAMES[::-1]).digest() != before
    assert build_problem(small(chunk_rounds=5), examples, NAMES).digest() != before
    assert build_problem(small(folds=3), examples, NAMES).digest() != before
    on_gpu = small().model_copy(update={"model": Model(device="cuda")})
    assert build_problem(on_gpu, examples, NAMES).digest() != before
    assert build_problem(on_gpu.on_cpu(), examples, NAMES).digest() == before


@pytest.mark.parametrize(
    ("setting", "hint"), [("holdout_d", "holdout of 600"), ("minimum_train_d", "600 to")]
)
def test_a_history_that_is_too_short_is_one_plain_line(setting: str, hint: str) -> None:
    with pytest.raises(PortfolioError, match=hint) as raised:
        build_problem(small(**{setting: 600}), market()[0], NAMES)
    assert "lower tune.holdout_d" in str(raised.value)
