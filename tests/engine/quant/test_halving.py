from __future__ import annotations

import numpy as np
import pytest

from acceleray.quant.halving import Fate, Halving

ROUNDS = range(10, 101, 10)


def curves(seed: int, trials: int = 30) -> list[list[float]]:
    draws = np.random.default_rng(seed)
    return [list(draws.normal(one % 3, 1.0) + draws.normal(0, 0.5, len(ROUNDS))) for one in range(trials)]


def raced(values: list[list[float]], workers: int, seed: int, fails: int = 0) -> tuple[list[Fate], int]:
    """Return every trial's fate, and rounds computed, when workers of random speed take trials in order."""
    halving, draws = Halving(10, 3, 100), np.random.default_rng(seed)
    waiting, busy, spent = list(range(1, len(values) + 1)), {}, 0
    while waiting or busy:
        while waiting and len(busy) < workers:
            assert halving.add() == waiting[0]
            busy[waiting.pop(0)] = 0
        number = int(draws.choice(list(busy)))
        step = busy[number]
        if number == fails and step == 4:
            halving.fail(number)
        else:
            halving.report(number, ROUNDS[step], values[number - 1][step])
            spent += 10
        busy[number] += 1
        if halving.fate(number) or busy[number] == len(ROUNDS) or (number == fails and step == 4):
            del busy[number]
    fates = [halving.fate(number + 1) for number in range(len(values))]
    assert all(fates)
    return [fate for fate in fates if fate], spent


@pytest.mark.parametrize("workers", [2, 3, 8])
def test_fates_are_the_same_for_any_number_of_workers_and_any_speed(workers: int) -> None:
    for seed in range(20):
        values = curves(seed)
        alone = raced(values, 1, 0, fails=7)[0]
        assert raced(values, workers, seed, fails=7)[0] == alone


def test_most_trials_stop_early_and_little_is_computed_in_vain() -> None:
    values = curves(3, 60)
    fates, spent = raced(values, 2, 5)
    counted = sum(fate.rounds for fate in fates)
    assert counted < 0.4 * 60 * 100
    assert counted <= spent < 1.2 * counted


def test_a_trial_is_compared_with_earlier_ones_alone() -> None:
    halving = Halving(1, 2, 2)
    assert [halving.add() for _ in range(3)] == [1, 2, 3]
    halving.report(3, 1, 0.0)
    halving.report(3, 2, 0.0)
    assert halving.fate(3) is None
    halving.report(1, 1, 5.0)
    # The second is not there yet: it may still lower the bar.
    assert halving.fate(3) is None
    halving.report(2, 1, -9.0)
    assert halving.fate(2) == Fate("stopped", 1)
    # The median of 5 and -9 is -2.
    assert halving.fate(3) == Fate("completed", 2)
    assert halving.fate(1) is None


def test_a_failure_after_the_round_at_which_a_trial_is_stopped_does_not_count() -> None:
    halving = Halving(1, 2, 4)
    halving.add(), halving.add()
    halving.report(2, 1, 0.0)
    halving.fail(2)
    assert halving.fate(2) is None
    halving.report(1, 1, 1.0)
    assert halving.fate(2) == Fate("stopped", 1)
    halving.fail(1)
    assert halving.fate(1) == Fate("failed", 1)


def test_a_search_of_fewer_rounds_than_the_first_rung_stops_nobody() -> None:
    halving = Halving(10, 3, 10)
    assert halving.rungs == ()
    for value in (1.0, -1.0):
        number = halving.add()
        halving.report(number, 10, value)
        assert halving.fate(number) == Fate("completed", 10)


@pytest.mark.parametrize("wrong", [(0, 3, 10), (1, 1, 10), (1, 3, 0)])
def test_impossible_plans_are_refused(wrong: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="at least"):
        Halving(*wrong)


def test_a_trial_that_gets_no_better_stops_whatever_others_do() -> None:
    halving = Halving(1, 2, 100, patience=3)
    halving.add(), halving.add()
    for rounds, value in enumerate((1.0, 2.0, 1.5, 1.5, 1.5), 1):
        assert not halving.over(2)
        halving.report(2, rounds, value)
    assert halving.over(2)
    # Its fate still waits for the trial before it, which decides about every rung it has passed.
    assert halving.fate(2) is None
    for rounds, value in ((1, 0.0), (2, 0.0), (3, 0.0), (4, 9.0)):
        halving.report(1, rounds, value)
    assert halving.fate(2) == Fate("stopped", 4)
    assert halving.fate(1) is None
