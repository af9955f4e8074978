from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from acceleray.quant.boosting import fit, predict
from acceleray.quant.evaluation import quantile_spread, rank_information_coefficient, sharpe_ratio
from acceleray.stages.tune.problem import Problem, build_problem
from acceleray.stages.tune.space import model_of
from acceleray.stages.tune.trial import daily_rank_ic, evaluate, prepare, read, trial
from tune.invented_market import HORIZON, NAMES, market, shuffled, small

PARAMETERS = {
    "max_depth": 3,
    "learning_rate": 0.1,
    "min_child_weight": 20.0,
    "subsample": 0.6,
    "colsample": 0.7,
    "reg_lambda": 1.0,
}


@pytest.fixture(scope="module")
def problem() -> Problem:
    return build_problem(small(), market(1.0)[0], NAMES)


def test_it_reports_after_every_chunk_up_to_the_last_round(problem: Problem) -> None:
    reports = list(trial(PARAMETERS, prepare(problem)))
    assert [one.rounds for one in reports] == [10, 20, 30, 40, 50, 60]
    uneven = replace(problem, chunk=25)
    assert [one.rounds for one in trial(PARAMETERS, prepare(uneven))] == [25, 50, 60]
    best = -1.0
    for one in reports:
        assert bool(read(one).spreads.size) == (one.value > best)
        best = max(best, one.value)


def test_any_report_can_be_computed_again_to_the_last_bit(problem: Problem) -> None:
    prepared = prepare(problem)
    # Another trial in between, and one that is given up half-way, as in a process that is used again.
    abandoned = trial(PARAMETERS | {"max_depth": 5}, prepared)
    next(abandoned)
    steps = trial(PARAMETERS, prepared)
    first = next(steps)
    next(abandoned)
    reports = [first, *steps]
    for rounds in (10, 60):
        (reported,) = (one for one in reports if one.rounds == rounds)
        assert evaluate(problem, PARAMETERS, rounds).rank_ic == reported.value
    noted = next(one for one in reports if read(one).spreads.size)
    again, said = evaluate(problem, PARAMETERS, noted.rounds), read(noted)
    assert (again.rank_ic, again.rank_ic_t, again.sharpe) == (said.rank_ic, said.rank_ic_t, said.sharpe)
    np.testing.assert_array_equal(again.spreads, said.spreads)
    with pytest.raises(ValueError, match="not after 15"):
        evaluate(problem, PARAMETERS, 15)


def test_it_judges_the_models_that_training_would_make(problem: Problem) -> None:
    # What is drawn differs: see `_boosted`.
    every_row = PARAMETERS | {"subsample": 1.0, "colsample": 1.0}
    examples, dates = problem.examples, problem.validation
    scores = np.full((dates.stop, len(examples.instruments)), np.nan)
    targets, forward = scores.copy(), scores.copy()
    for fold in problem.folds:
        seen, unseen = examples.within(fold.train_dates), examples.within(fold.test_dates)
        model = model_of(every_row, 30)
        booster = fit(examples.features[seen], examples.target[seen], NAMES, model, problem.seed)
        place = (examples.date[unseen], examples.instrument[unseen])
        scores[place] = predict(booster, examples.features[unseen], NAMES)
        targets[place], forward[place] = examples.target[unseen], examples.forward_return[unseen]
    found = evaluate(problem, every_row, 30)
    daily = rank_information_coefficient(scores[dates], targets[dates])
    # Sums of single and of double precision may rank a near tie differently.
    assert found.rank_ic == pytest.approx(np.nanmean(daily), abs=1e-3)
    spreads = quantile_spread(scores[dates], forward[dates])[::HORIZON]
    assert len(found.spreads) == -(-(dates.stop - dates.start) // HORIZON)
    np.testing.assert_allclose(found.spreads, spreads, atol=5e-3)
    assert found.sharpe == sharpe_ratio(found.spreads)


def test_it_finds_the_planted_signal_and_nothing_in_shuffled_labels(problem: Problem) -> None:
    found = evaluate(problem, PARAMETERS, 30)
    assert found.rank_ic > 0.1
    assert found.rank_ic_t > 5.0
    noise = build_problem(small(), shuffled(market(1.0)[0]), NAMES)
    nothing = evaluate(noise, PARAMETERS, 30)
    assert abs(nothing.rank_ic) < 0.06
    assert abs(nothing.rank_ic_t) < 3.0


def test_a_model_that_tells_nothing_apart_is_worth_nothing_not_unknown(problem: Problem) -> None:
    found = evaluate(problem, PARAMETERS | {"min_child_weight": 1e9}, 20)
    assert found.rank_ic == 0.0
    assert set(found.spreads) == {0.0}
    assert np.isnan(found.sharpe)
    scores = np.array([[1.0, 1.0, 1.0], [1.0, 2.0, 3.0], [1.0, 2.0, np.nan]])
    targets = np.array([[1.0, 2.0, 3.0]] * 3)
    # Equal scores count as zero, and so do two where three could be ranked.
    np.testing.assert_array_equal(daily_rank_ic(scores, targets), [0.0, 1.0, 0.0])
    np.testing.assert_array_equal(daily_rank_ic(scores[:2], np.full((2, 3), 5.0)), [])
