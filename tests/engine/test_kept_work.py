"""Kept work with real Spark and Delta: found again, never trusted blindly, accounted for."""

import json
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest

from acceleray.runtime.content import content_key
from acceleray.runtime.kept_work import Kind
from acceleray.runtime.run import Run
from acceleray.tables import KEPT_WORK

CALLS: list[int] = []


def squared(task: int, power: int = 2) -> int:
    CALLS.append(task)
    return task**power


SQUARE = Kind("square", squared, lambda value: json.dumps(value).encode(), json.loads)
OTHER = Kind("cube", squared, lambda value: json.dumps(value).encode(), json.loads)


class Serial:
    """Stands where Ray would, one task after the other."""

    def map(
        self, function: Callable[..., Any], tasks: Any, shared: Any, done: Any, batch: int, **fixed: Any
    ) -> Iterator[Any]:
        for number in range(len(tasks)):
            yield function(tasks[number], *shared, **fixed)
            done(number + 1)


class Heard:
    """A reporter that keeps what it was told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line.strip())


def morning(make_run: Callable[..., Run], load: str, *overrides: str) -> tuple[Run, Heard]:
    run, heard = make_run(*overrides), Heard()
    stand_ins: Any = (Serial(), heard)
    run.fan_out, run.reporter = stand_ins
    run.tracker.run_id = "mlflow"
    run.identify(load, date(2024, 1, 2))
    CALLS.clear()
    return run, heard


def squares(run: Run, tasks: list[int], kind: Kind = SQUARE) -> list[int]:
    found = list(run.kept.map(kind, [content_key(task) for task in tasks], tasks))
    run.kept.wait()
    return found


def account(run: Run) -> list[tuple[str, int, str]]:
    return [(row["made_by"], row["results"], row["reason"]) for row in run.kept.account().to_pylist()]


def test_what_one_run_made_another_takes_and_makes_only_what_is_new(make_run: Callable[..., Run]) -> None:
    first, _ = morning(make_run, "monday")
    assert squares(first, [3, 1, 2]) == [9, 1, 4]
    assert CALLS == [3, 1, 2]
    second, _ = morning(make_run, "tuesday")
    assert squares(second, [2, 5, 3]) == [4, 25, 9]
    assert CALLS == [5]
    assert set(account(second)) == {
        (first.identity.run_id, 2, ""),
        (second.identity.run_id, 1, "no result for these inputs"),
    }
    third, _ = morning(make_run, "wednesday")
    assert squares(third, [1, 2, 3, 5]) == [1, 4, 9, 25]
    assert CALLS == []
    assert squares(third, [2], OTHER) == [4]
    assert CALLS == [2]


def test_asked_to_compute_anew_a_run_takes_nothing_and_keeps_all(make_run: Callable[..., Run]) -> None:
    squares(morning(make_run, "monday")[0], [1, 2])
    run, _ = morning(make_run, "tuesday", "anew=true")
    assert squares(run, [1, 2]) == [1, 4]
    assert CALLS == [1, 2]
    assert [reason for _, _, reason in account(run)] == ["requested by --anew"]
    later, _ = morning(make_run, "wednesday")
    assert squares(later, [1, 2]) == [1, 4]
    assert CALLS == []


@pytest.mark.parametrize(
    ("change", "said", "reason"),
    [
        ("payload = 'OTk='", "is damaged", "the stored result was damaged"),
        ("payload = 'no base64!'", "is damaged", "the stored result was damaged"),
        ("made_with = 'newer'", "", "other code, libraries or processor"),
        ("work_key = 'another'", "", "no result for these inputs"),
    ],
)
def test_what_is_kept_is_not_trusted_blindly(
    make_run: Callable[..., Run], change: str, said: str, reason: str
) -> None:
    first, _ = morning(make_run, "monday")
    squares(first, [3])
    first.lake.spark.sql(f"UPDATE {first.lake.identifier(KEPT_WORK)} SET {change}")
    run, heard = morning(make_run, "tuesday")
    assert squares(run, [3]) == [9]
    assert CALLS == [3]
    assert any(said in line for line in heard.lines) is bool(said)
    ((_, made, why),) = account(run)
    assert made == 1
    assert reason in why
    # What was made again is there again.
    assert squares(morning(make_run, "wednesday")[0], [3]) == [9]
    assert CALLS == []


def test_a_table_whose_files_are_gone_costs_a_line_and_the_work(make_run: Callable[..., Run]) -> None:
    first, _ = morning(make_run, "monday")
    squares(first, [3])
    folder = first.lake.location(KEPT_WORK)
    assert folder is not None
    for file in folder.glob("*.parquet"):
        file.unlink()
    run, heard = morning(make_run, "tuesday")
    assert squares(run, [3]) == [9]
    assert CALLS == [3]
    assert any("are recomputed" in line for line in heard.lines)


def test_kept_work_of_a_newer_engine_is_left_alone(make_run: Callable[..., Run]) -> None:
    first, _ = morning(make_run, "monday")
    squares(first, [3])
    name = first.lake.identifier(KEPT_WORK)
    first.lake.spark.sql(f"ALTER TABLE {name} SET TBLPROPERTIES ('portfolio.contract_version' = '99')")
    run, heard = morning(make_run, "tuesday")
    assert squares(run, [3]) == [9]
    assert CALLS == [3]
    assert any("contract 99" in line for line in heard.lines)


def test_old_work_that_is_still_of_use_is_kept_on(make_run: Callable[..., Run]) -> None:
    first, _ = morning(make_run, "monday")
    squares(first, [3, 4])
    first.lake.spark.sql(
        f"UPDATE {first.lake.identifier(KEPT_WORK)} SET made_at = current_timestamp() - INTERVAL 300 DAYS"
    )
    run, _ = morning(make_run, "tuesday")
    assert squares(run, [3]) == [9]
    assert CALLS == []
    assert run.lake.read(KEPT_WORK).count() == 3


def test_two_runs_that_make_the_same_at_once_keep_both_and_the_next_takes_one(
    make_run: Callable[..., Run],
) -> None:
    squares(morning(make_run, "sunday")[0], [1])
    keys = [content_key(task) for task in (3, 4)]
    (first, _), (second, _) = morning(make_run, "monday"), morning(make_run, "monday")
    both = [run.kept.map(SQUARE, keys, [3, 4]) for run in (first, second)]
    # Each has looked before the other wrote.
    assert [next(results) for results in both] == [9, 9]
    assert [list(results) for results in both] == [[16], [16]]
    for run in (first, second):
        run.kept.wait()
    assert CALLS == [3, 3, 4, 4]
    assert first.lake.read(KEPT_WORK).count() == 1 + 4
    assert squares(morning(make_run, "tuesday")[0], [3, 4]) == [9, 16]
    assert CALLS == []
