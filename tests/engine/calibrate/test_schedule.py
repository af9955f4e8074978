"""The schedule with real Spark and Delta: streamed, resumed after a kill, the same to the bit."""

import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from acceleray.engines.handoff.arrays import Panel
from acceleray.engines.ray.fanout import Tasks
from acceleray.engines.ray.local import local_ray
from acceleray.runtime import kept_work
from acceleray.runtime.run import Run
from acceleray.settings.sections import Calibration
from acceleray.stages.calibrate.fits import FIT_COLUMNS, fit_before, fit_table
from acceleray.stages.calibrate.schedule import PART, Remaining, Schedule, fit_schedule, scheduled
from acceleray.tables import CALIBRATION_HISTORY

SMALL = (
    "calibration.minimum_history_d=300",
    "calibration.window_d=400",
    "calibration.first_fit_d=400",
    "calibration.refit_every_d=10",
)
DAYS, NAMES = 600, 6
BETA = tuple(column for column in CALIBRATION_HISTORY.columns if column.name == "beta")


class Serial:
    """Stands where Ray would, one task after the other; dies after so many results."""

    def __init__(self, dies_after: int | None = None) -> None:
        self.dies_after = dies_after
        self.fitted: list[Any] = []

    def map(
        self,
        function: Callable[..., Any],
        tasks: Tasks,
        shared: Sequence[Any],
        done: Callable[[int], None],
        batch: int,
        **fixed: Any,
    ) -> Iterator[Any]:
        for number, task in enumerate(tasks[place] for place in range(len(tasks))):
            if number == self.dies_after:
                raise KeyboardInterrupt
            self.fitted.append(task)
            yield function(task, *shared, **fixed)
            done(number + 1)


@pytest.fixture(scope="module")
def returns() -> Panel:
    values = 0.01 * np.random.default_rng(21).standard_t(5, (DAYS, NAMES))
    values[:450, 5] = np.nan
    return Panel(np.arange("2020-01-01", DAYS, dtype="datetime64[D]"), tuple("ABCDEF"), values)


def history(run: Run, fan_out: Serial, returns: Panel) -> tuple[list[dict[str, Any]], Any]:
    fan: Any = fan_out
    run.fan_out = fan
    run.identify("load", date(2021, 8, 22))
    fits = fit_schedule(run, returns)
    rows = run.rows(CALIBRATION_HISTORY).to_pylist()
    return sorted(rows, key=lambda row: (row["fitted_on"], row["instrument_id"])), fits


def test_the_schedule_ends_after_the_last_day_and_never_repeats_it() -> None:
    settings = Calibration(first_fit_d=1000, refit_every_d=250)
    assert scheduled(settings, 1600) == [1000, 1250, 1500, 1600]
    assert scheduled(settings, 1500) == [1000, 1250, 1500]
    assert scheduled(settings, 400) == [400]


def test_fits_are_numbered_day_by_day_and_every_part_but_the_last_is_full() -> None:
    schedule = Schedule([400, 410, 600], 70)
    numbers = [number for part in range(schedule.parts) for number in schedule.part(part)]
    tasks = [(first, column) for first in (400, 410, 600) for column in range(70)]
    assert [schedule[number] for number in numbers] == tasks
    assert [len(schedule.part(part)) for part in range(schedule.parts)] == [PART, PART, 10]


def test_what_remains_of_a_schedule_are_the_fits_of_the_missing_parts() -> None:
    schedule = Schedule([400, 410, 600], 70)
    for parts in ([], [0], [2], [0, 2], [0, 1, 2], [1]):
        remaining = Remaining(schedule, np.array(parts, dtype=np.int64))
        expected = [schedule[number] for part in parts for number in schedule.part(part)]
        assert [remaining[number] for number in range(len(remaining))] == expected


def test_ten_million_fits_take_no_more_memory_than_a_thousand() -> None:
    assert taken(1_000, 10_000) < 2 * taken(10, 100) + 2_000_000


def taken(instruments: int, days: int) -> int:
    """Return the bytes at most of a schedule of which every part remains, and of its first and last fits."""
    tracemalloc.start()
    try:
        schedule = Schedule(range(1_000, 1_000 + days), instruments)
        remaining = Remaining(schedule, np.arange(schedule.parts))
        for number in (*range(1_000), len(remaining) - 1):
            assert remaining[number] == (1_000 + number // instruments, number % instruments)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_killed_run_goes_on_where_it_stopped_and_ends_with_the_same_bits(
    new_project: Callable[[], Callable[..., Run]], returns: Panel
) -> None:
    straight, fits = history(new_project()(*SMALL), whole := Serial(), returns)
    assert len(straight) == len(whole.fitted) == 21 * NAMES
    project = new_project()
    with pytest.raises(KeyboardInterrupt):
        history(project(*SMALL), Serial(dies_after=110), returns)
    resumed, again = history(project(*SMALL), rest := Serial(), returns)
    # One part of a hundred was complete; the ten after it died with the run.
    assert len(rest.fitted) == 21 * NAMES - 100
    different = {"run_id"}
    assert [{k: v for k, v in row.items() if k not in different} for row in resumed] == [
        {k: v for k, v in row.items() if k not in different} for row in straight
    ]
    assert repr(again) == repr(fits)


def test_fits_that_a_run_resumes_are_kept_for_the_next_with_the_same_bits(
    new_project: Callable[[], Callable[..., Run]], returns: Panel
) -> None:
    project = new_project()
    with pytest.raises(KeyboardInterrupt):
        history(project(*SMALL), Serial(dies_after=110), returns)
    resumed = project(*SMALL)
    rows, fits = history(resumed, Serial(), returns)
    resumed.kept.wait()
    assert sum(row["results"] for row in resumed.kept.account().to_pylist()) == len(rows)
    following = project(*SMALL)
    again, same = history(following, none := Serial(), returns)
    assert none.fitted == []
    assert again == rows
    assert repr(same) == repr(fits)
    (told,) = following.kept.account().to_pylist()
    assert (told["results"], told["made_by"]) == (len(rows), resumed.identity.run_id)


def test_no_part_that_other_libraries_or_another_processor_made_is_resumed(
    new_project: Callable[[], Callable[..., Run]], returns: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = new_project()
    with pytest.raises(KeyboardInterrupt):
        history(project(*SMALL), Serial(dies_after=110), returns)
    monkeypatch.setattr(kept_work, "made_with", lambda *_: "another processor")
    rows, _ = history(project(*SMALL), every := Serial(), returns)
    assert len(every.fitted) == len(rows)


def test_the_last_fits_and_those_before_them_are_told_apart(
    make_run: Callable[..., Run], returns: Panel
) -> None:
    rows, (last, before) = history(make_run(*SMALL), Serial(), returns)
    assert len(last) == len(before) == NAMES
    by_day = {(row["fitted_on"], row["instrument_id"]): row for row in rows}
    final, previous = returns.day(DAYS - 1), returns.day(589)
    for name, new, old in zip(returns.instruments, last, before, strict=True):
        assert by_day[final, name]["status"] == new.status
        if new.parameters is not None and old.parameters is not None:
            assert by_day[final, name]["beta"] == new.parameters.beta
            assert by_day[previous, name]["beta"] == old.parameters.beta
    assert by_day[final, "F"]["status"] == "rejected"
    assert "150 returns are fewer than the 300" in by_day[final, "F"]["reason"]


def test_rows_summed_up_by_spark_are_those_summed_up_here(
    make_run: Callable[..., Run], returns: Panel
) -> None:
    run = make_run(*SMALL)
    rows, _ = history(run, Serial(), returns)
    few = replace(CALIBRATION_HISTORY, columns=CALIBRATION_HISTORY.columns[2:5] + BETA)
    found = run.rows(few, per=("instrument_id", "status"), instrument_id=["A", "F"])
    expected = []
    for name, status in (("A", "calibrated"), ("F", "rejected")):
        own = [row for row in rows if row["instrument_id"] == name]
        assert {row["status"] for row in own} == {status}
        betas = [row["beta"] for row in own if row["beta"] is not None]
        days = [row["fitted_on"] for row in own]
        expected.append(
            {
                "instrument_id": name,
                "status": status,
                "rows": 21,
                "fitted_on_min": min(days),
                "beta_min": min(betas, default=None),
                "fitted_on_max": max(days),
                "beta_max": max(betas, default=None),
            }
        )
    assert found.sort_by("instrument_id").to_pylist() == expected


@pytest.mark.nightly
def test_nothing_is_left_in_the_state_folder_after_the_commit(
    make_run: Callable[..., Run], returns: Panel
) -> None:
    run = make_run(*SMALL)
    history(run, Serial(), returns)
    assert list((run.settings.state_dir / "unfinished").iterdir()) == []


@pytest.mark.nightly
@pytest.mark.ray
@pytest.mark.usefixtures("no_ray")
def test_ray_finds_what_a_plain_loop_finds_to_the_last_bit(
    make_run: Callable[..., Run], returns: Panel
) -> None:
    run = make_run(*SMALL, "calibration.first_fit_d=580", "ray.workers=2", "ray.object_store_mb=80")
    with local_ray(run.settings) as fan_out:
        rows, _ = history(run, fan_out, returns)
    stale_after = run.settings.market_data.stale_after_d
    looped = []
    # As a task has: sums that several threads make round otherwise, and the optimiser ends elsewhere.
    with threadpool_limits(1):
        for first in (580, 590, 600):
            for column in range(NAMES):
                looped.append(fit_before((first, column), returns.values, 400, 300, stale_after))
    found = [{name: row[name] for name in FIT_COLUMNS} for row in rows]
    assert found == fit_table(looped).to_pylist()
    assert sum(row["status"] == "calibrated" for row in found) == 3 * (NAMES - 1)
