"""The schedule with real Spark and Delta: streamed, resumed after a kill, the same to the bit."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from portfolio.calibrate.fits import FIT_COLUMNS, fit_before, fit_table
from portfolio.calibrate.schedule import fit_schedule, scheduled
from portfolio.engines.arrays import Panel
from portfolio.engines.ray_local import local_ray
from portfolio.run import Run
from portfolio.settings.sections import Calibration
from portfolio.tables import CALIBRATION_HISTORY

SMALL = (
    "calibration.minimum_history_d=300",
    "calibration.window_d=400",
    "calibration.first_fit_d=400",
    "calibration.refit_every_d=10",
)
DAYS, NAMES = 600, 6


class Serial:
    """Stands where Ray would, one task after the other; dies after so many results."""

    def __init__(self, dies_after: int | None = None) -> None:
        self.dies_after = dies_after
        self.fitted: list[Any] = []

    def map(
        self,
        function: Callable[..., Any],
        tasks: Sequence[Any],
        shared: Sequence[Any],
        done: Callable[[int], None],
        batch: int,
        **fixed: Any,
    ) -> Iterator[Any]:
        for number, task in enumerate(tasks):
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


def test_nothing_is_left_in_the_state_folder_after_the_commit(
    make_run: Callable[..., Run], returns: Panel
) -> None:
    run = make_run(*SMALL)
    history(run, Serial(), returns)
    assert list((run.settings.state_dir / "unfinished").iterdir()) == []


@pytest.mark.ray
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
