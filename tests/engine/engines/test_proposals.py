from __future__ import annotations

from pathlib import Path

from acceleray.engines.ray.proposals import Report, Search, Trial
from engines.trials import plan, trial


def searched(folder: Path, workers: int = 1, **more: int) -> list[Trial]:
    """Return a search in which that many trials take turns, the youngest first."""
    search = Search(plan(**more))
    busy = []
    while not search.ended:
        while len(busy) < workers and (new := search.propose()):
            busy.append((new.number, trial(new.parameters, folder)))
        number, steps = busy.pop()
        try:
            if search.report(number, next(steps)):
                busy.append((number, steps))
        except ValueError as error:
            search.fail(number, f"ValueError: {str(error).splitlines()[0]}")
    return search.trials


def test_a_search_is_the_same_however_many_trials_take_turns(tmp_path: Path) -> None:
    alone = searched(tmp_path)
    for workers in (2, 3, 6):
        assert searched(tmp_path, workers) == alone
    assert {one.fate.status for one in alone if one.fate} == {"completed", "stopped", "failed"}


def test_it_begins_with_what_it_is_told_and_finds_the_best(tmp_path: Path) -> None:
    found = searched(tmp_path, trials=40)
    assert found[0].parameters == {"x": 0.25, "speed": 1}
    best = max((one for one in found if one.best), key=lambda one: one.best.value if one.best else 0.0)
    assert abs(best.parameters["x"] - 0.7) < 0.03
    half = len(found) // 2
    distances = [abs(one.parameters["x"] - 0.7) for one in found]
    assert sum(distances[half:]) < 0.7 * sum(distances[:half])


def test_what_is_outside_the_space_is_not_proposed_first() -> None:
    search = Search(plan())
    outside = Search(plan().__class__(**{**plan().__dict__, "first": {"x": 2.0, "speed": 1}}))
    one, other = search.propose(), outside.propose()
    assert one
    assert other
    assert one.parameters["x"] == 0.25
    assert 0.0 <= other.parameters["x"] <= 1.0


def test_nothing_is_proposed_before_the_results_it_rests_on_are_known() -> None:
    search = Search(plan(learns_after=2))
    assert search.propose()
    assert search.propose()
    assert search.propose() is None
    for rounds in range(10, 101, 10):
        search.report(2, Report(rounds, 0.5))
    # The first is what counts, and it is still open.
    assert search.propose() is None
    for rounds in range(10, 101, 10):
        search.report(1, Report(rounds, 0.1))
    assert search.propose()


def test_fates_are_told_in_order_and_reports_beyond_them_do_not_count() -> None:
    told: list[Trial] = []
    search = Search(plan(2), told.append)
    for _ in range(2):
        search.propose()
    for rounds in range(10, 61, 10):
        search.report(2, Report(rounds, -1.0))
    assert told == []
    for rounds in range(10, 101, 10):
        search.report(1, Report(rounds, 1.0))
    assert [one.number for one in told] == [1, 2]
    assert [report.rounds for report in told[1].reports] == [10]
    assert search.ended


def test_what_is_said_after_a_fate_is_known_does_not_count() -> None:
    search = Search(plan(2))
    for _ in range(2):
        search.propose()
    for rounds in range(10, 101, 10):
        search.report(1, Report(rounds, 1.0))
    assert not search.report(2, Report(10, -1.0))
    assert not search.report(2, Report(20, 5.0))
    search.fail(2, "too late")
    assert [report.rounds for report in search.trials[1].reports] == [10]
    assert search.trials[1].reason == ""


def test_a_trial_that_starts_again_says_nothing_new() -> None:
    search = Search(plan(2))
    search.propose()
    for rounds in (10, 20, 10, 20, 30):
        search.report(1, Report(rounds, 0.1))
    assert [report.rounds for report in search.trials[0].reports] == [10, 20, 30]
