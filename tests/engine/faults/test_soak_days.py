"""What a soak of days concludes: what grows with each day by right passes, what grows faster does not."""

from __future__ import annotations

from faults.counting import Sample
from faults.days import day_lines


def course(kept: list[float], seconds: list[float]) -> list[Sample]:
    always = {"threads": 40.0, "processes of runs": 0.0}
    return [
        Sample(took, {**always, "rows of gold.kept_work": rows})
        for rows, took in zip(kept, seconds, strict=True)
    ]


def held(samples: list[Sample]) -> dict[str, bool]:
    return {line.what: line.held for line in day_lines(samples)}


def test_a_table_that_grows_by_the_day_and_steady_seconds_pass() -> None:
    steady = course([20.0 + 5 * day for day in range(20)], [60.0 + day % 3 for day in range(20)])
    assert all(held(steady).values())
    # The first day makes what every later one takes.
    first = course([400.0 + 5 * day for day in range(20)], [300.0] + [60.0] * 19)
    assert all(held(first).values())


def test_a_table_that_takes_in_all_days_each_day_is_found() -> None:
    squared = course([20.0 + day * day for day in range(20)], [60.0] * 20)
    assert held(squared)["rows of gold.kept_work, added a day"] is False


def test_days_that_take_longer_and_longer_are_found() -> None:
    slower = course([5.0 * day for day in range(20)], [60.0 + 6.0 * day for day in range(20)])
    assert held(slower)["seconds of a day"] is False
    assert held(slower)["rows of gold.kept_work, added a day"] is True


def test_a_process_that_stays_is_found() -> None:
    samples = course([5.0 * day for day in range(20)], [60.0] * 20)
    samples[-1].values["processes of runs"] = 1.0
    assert held(samples)["processes of runs"] is False
