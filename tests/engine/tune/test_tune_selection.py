from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from acceleray.engines.ray.proposals import Report, Search, Trial
from acceleray.quant.halving import Fate
from acceleray.quant.overfitting import deflated_sharpe_of, probability_of_overfitting
from acceleray.settings import Settings
from acceleray.stages.tune.count import counted
from acceleray.stages.tune.leakage import Check
from acceleray.stages.tune.problem import build_problem, development
from acceleray.stages.tune.selection import (
    Holdout,
    HoldoutTask,
    Worth,
    best_trial,
    held_out,
    judged_at_best,
    sharpes_tried,
    worth,
)
from acceleray.stages.tune.stage import plan_of
from acceleray.stages.tune.trial import Judged, prepare, trial
from acceleray.stages.tune.verdict import conclude
from tune.invented_market import HORIZON, NAMES, market, shuffled, small

DAY = date(2020, 1, 2)
GOOD = Judged(0.05, 4.0, 0.3, np.zeros(3))
HELD = Holdout(DAY, DAY, 0.04, 3.0, 0.01)
WORTH = Worth(0.1, 0.97, 0.1, 16, 300, 500, 40)


def searched(settings: Settings, labels: str = "planted") -> tuple[list[Trial], Holdout, Worth, Judged]:
    """Return a search in one process, with the evidence for its best trial."""
    examples, _ = market(1.0)
    examples = shuffled(examples) if labels == "shuffled" else examples
    problem = build_problem(settings, examples, NAMES)
    search, prepared = Search(plan_of(settings)), prepare(problem)
    while one := search.propose():
        steps = trial(one.parameters, prepared)
        while search.report(one.number, next(steps)):
            pass
    best = best_trial(search.trials)
    assert best
    assert best.best
    task = HoldoutTask(
        best.parameters,
        best.best.rounds,
        NAMES,
        development(settings, len(examples.dates)),
        len(examples.dates) - settings.tune.holdout_d,
        HORIZON,
        settings.seed,
    )
    judged = judged_at_best(search.trials)
    value = worth(judged, best.number, sharpes_tried(search.trials))
    return search.trials, held_out(task, examples), value, judged[best.number]


def test_a_planted_signal_is_found_and_shuffled_labels_hold_nothing() -> None:
    trials, held, value, chosen = searched(small())
    assert value.tried == sum(len(one.reports) for one in trials if one.fate and one.fate.status != "failed")
    assert value.tried > len(trials)
    assert held.rank_ic > 0.2
    assert conclude(chosen, value, held, (), True).finding == "found"
    _, held, value, chosen = searched(small(), "shuffled")
    assert abs(held.rank_ic) < 0.06
    # The best of many is not below zero in validation even where there is nothing.
    assert chosen.rank_ic >= 0.0
    assert conclude(chosen, value, held, (), True).finding in {"nothing", "weak"}


def test_the_holdout_is_fitted_before_the_gap_and_scored_after_it() -> None:
    settings = small()
    examples, _ = market(1.0)
    last = development(settings, len(examples.dates))
    task = HoldoutTask({"max_depth": 2}, 20, NAMES, last, len(examples.dates) - 100, HORIZON, 1)
    found = held_out(task, examples)
    assert (found.first, found.last) == (examples.dates[-100].item(), examples.dates[-1].item())
    # Labels of the gap decide nothing, those before it and those of the holdout do.
    for dates, same in (((last, last + HORIZON), True), ((0, last), False), ((last + 7, 9999), False)):
        target = examples.target.copy()
        rows = (examples.date >= dates[0]) & (examples.date < dates[1])
        target[rows] = -target[rows]
        assert (held_out(task, replace(examples, target=target)) == found) == same


def test_the_best_is_the_highest_at_its_best_rounds_and_never_a_failed_one() -> None:
    trials = [
        Trial(1, {}, [Report(10, 0.1), Report(20, 0.05)], "", Fate("stopped", 20)),
        Trial(2, {}, [Report(10, 0.1)], "", Fate("stopped", 10)),
        Trial(3, {}, [Report(10, 0.9)], "broke", Fate("failed", 10)),
        Trial(4, {}, [], "broke", Fate("failed", 0)),
    ]
    best = best_trial(trials)
    assert best
    assert best.number == 1
    assert best.best == Report(10, 0.1)
    assert best_trial(trials[2:]) is None


def test_every_report_of_a_trial_that_did_not_fail_could_have_been_chosen() -> None:
    def reports(*sharpes: float) -> list[Report]:
        return [Report(10 * n, 0.1, json.dumps([1.0, s, None])) for n, s in enumerate(sharpes, 1)]

    trials = [
        Trial(1, {}, reports(0.1, 0.2, 0.3), "", Fate("completed", 30)),
        Trial(2, {}, reports(-0.1, math.nan), "", Fate("stopped", 20)),
        Trial(3, {}, reports(9.0), "broke", Fate("failed", 10)),
    ]
    np.testing.assert_array_equal(sharpes_tried(trials), [0.1, 0.2, 0.3, -0.1, math.nan])


def test_what_was_tried_before_on_the_same_prices_counts_once() -> None:
    rows = [
        {"run_id": "first", "trials": 60, "tried": 900, "tried_before": 0},
        {"run_id": "of 0.2.0", "trials": 60},
        {"run_id": "killed", "trials": 60, "tried": 900, "tried_before": 0},
        {"run_id": "elsewhere", "trials": 60, "tried": 900, "tried_before": 0},
        {"run_id": "mine", "trials": 60, "tried": 700, "tried_before": 960},
    ]
    ended = {"first", "of 0.2.0", "mine"}
    assert counted(rows, ended, "another") == 900 + 60 + 700
    # The same run again: neither its own trials nor what came after it the first time.
    later = [*rows, {"run_id": "later", "trials": 60, "tried": 900, "tried_before": 1660}]
    assert counted(later, {*ended, "later"}, "mine") == 960
    # Killed before its count was written: its own rows are not those of a search before.
    lost = [row | {"tried_before": None} if row["run_id"] == "mine" else row for row in rows]
    assert counted(lost, ended, "mine") == 960
    assert counted([], set(), "mine") == 0


def test_every_trial_counts_against_the_best() -> None:
    draws = np.random.default_rng(1)
    judged = {
        n: Judged(0.0, 0.0, float(s), draws.normal(0.1, 1, 160)) for n, s in enumerate(draws.normal(size=9))
    }
    sharpes = np.array([one.sharpe for one in judged.values()] * 30)
    found = worth(judged, 4, sharpes)
    assert (found.expected_maximum_sharpe, found.deflated_sharpe) == deflated_sharpe_of(
        judged[4].spreads, sharpes
    )
    again = worth(judged, 4, sharpes, before=5000)
    assert (again.tried, again.tried_before) == (270, 5000)
    assert again.expected_maximum_sharpe > found.expected_maximum_sharpe
    assert again.deflated_sharpe < found.deflated_sharpe
    performance = np.column_stack([one.spreads for one in judged.values()])
    assert found.overfitting == probability_of_overfitting(performance, 16)
    assert (found.blocks, found.periods) == (16, 160)
    few = worth({1: Judged(0.0, 0.0, 0.1, np.ones(4))}, 1, np.array([0.1]))
    assert few.blocks == 0
    assert math.isnan(few.overfitting)


@pytest.mark.parametrize(
    ("chosen", "held", "value", "finding", "word"),
    [
        (GOOD, HELD, WORTH, "found", "deflated Sharpe 0.97 of 540 tried"),
        (GOOD, replace(HELD, rank_ic_p=0.051), WORTH, "weak", "its p is above 0.05"),
        (GOOD, replace(HELD, rank_ic_p=math.nan), WORTH, "weak", "too short for a p-value"),
        (GOOD, HELD, replace(WORTH, deflated_sharpe=0.94), "weak", "0.94 of 540 tried is below 0.95"),
        (GOOD, HELD, replace(WORTH, deflated_sharpe=math.nan), "weak", "too short for a deflated"),
        (GOOD, HELD, replace(WORTH, overfitting=0.51), "weak", "overfitting 0.51 is above 0.5"),
        (GOOD, HELD, replace(WORTH, overfitting=math.nan), "weak", "too short for a probability"),
        (GOOD, replace(HELD, rank_ic=-0.01), WORTH, "nothing", "ranks are noise"),
        (replace(GOOD, rank_ic=0.0), HELD, WORTH, "nothing", "ranks are noise"),
    ],
)
def test_the_verdict_names_what_is_missing(
    chosen: Judged, held: Holdout, value: Worth, finding: str, word: str
) -> None:
    verdict = conclude(chosen, value, held, (), False)
    assert verdict.finding == finding
    assert word in verdict.words
    assert "simulated" in conclude(chosen, value, held, (), True).words
    assert "simulated" not in verdict.words


def test_a_suspect_comes_before_everything_else_and_is_named() -> None:
    checks = (
        Check("honest", "rank_ic", 0.02, 0.1, False, ""),
        Check("leaky", "rank_ic", -0.31, 0.1, True, ""),
        Check("leaky", "next_day_rank_ic", 0.12, 0.1, True, ""),
    )
    verdict = conclude(GOOD, WORTH, HELD, checks, False)
    assert verdict.finding == "suspect"
    assert verdict.words.startswith("SUSPECT: leaky (0.31): rank IC above 0.1 on real daily prices")
    assert "honest" not in verdict.words
