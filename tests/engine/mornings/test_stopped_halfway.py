"""A morning that is stopped or killed half-way, or run twice at once: the same numbers, nothing doubled."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from deltalake import DeltaTable

import rendered
from acceleray.engines.delta.log import table_folder
from acceleray.engines.handoff.resume import Resumable
from acceleray.runtime.run import Run
from acceleray.settings import Settings
from acceleray.stages.calibrate import schedule
from acceleray.tables import ALL, KEPT_WORK
from acceleray.testing import SmallProject, small_project
from acceleray.testing import small as small_settings
from mornings.market import Market, Morning
from mornings.states import SMALL, WORKLOAD, Home, book, differences, places, work
from portfolio import PROJECT
from workloads.running import environment

pytestmark = [pytest.mark.ray, pytest.mark.nightly]

DAYS = 480
FITS = len(range(350, DAYS, 50)) + 1


@pytest.fixture
def home(tmp_path: Path, spark: Any, one_ray: Any) -> Iterator[Home]:
    with ExitStack() as stack:
        started = (spark, one_ray.fan_out())
        opened = small_project(PROJECT, rendered.project(), tmp_path, started=started)
        small: SmallProject = stack.enter_context(opened)
        yield Home(small, tmp_path)


@contextmanager
def between_two_stages() -> Iterator[None]:
    stage = Run.stage

    def stopped(run: Run, name: str, title: str) -> AbstractContextManager[Any]:
        if name == "simulate":
            raise KeyboardInterrupt
        return stage(run, name, title)

    with patch.object(Run, "stage", stopped):
        yield


@contextmanager
def inside_the_fits() -> Iterator[None]:
    keep, kept = Resumable.keep, list[int]()

    def stopped(parts: Resumable, number: int, rows: Any) -> None:
        if len(kept) == 2:
            raise KeyboardInterrupt
        kept.append(number)
        keep(parts, number, rows)

    with patch.object(Resumable, "keep", stopped):
        yield


# What the stopped run made and kept is taken: all of today's fits, or none of them.
@pytest.mark.parametrize(("stop", "made"), [(between_two_stages, 0), (inside_the_fits, 5)])
def test_a_morning_stopped_half_way_goes_on_to_the_same_numbers(home: Home, stop: Any, made: int) -> None:
    market, first = Market(DAYS, 20), Morning("first")
    with patch.object(schedule, "PART", 5):
        home.run(market, first)
        market.append(1)
        with stop(), pytest.raises(KeyboardInterrupt):
            home.run(market, first)
        run = home.run(market, first)
        nothing = home.run(market, first, "nothing", anew="true")
    assert differences(home.settings("kept"), home.settings("nothing"), nothing) == []
    assert doubled(home.settings("kept")) == {}
    assert work(run, "fit")[1] == made


@pytest.mark.parametrize("line", ["Train the signal model", "of 20 fits"])
def test_a_morning_killed_half_way_goes_on_to_the_same_numbers(home: Home, line: str) -> None:
    market, first = Market(DAYS, 20), Morning("first")
    home.run(market, first)
    market.append(1)
    # Another window, so that all fits are made and some while others wait.
    changed = Morning("another window", ("calibration.window_d=300",))
    killed(home, market, changed, line)
    home.run(market, changed)
    nothing = home.run(market, changed, "nothing", anew="true")
    assert differences(home.settings("kept"), home.settings("nothing"), nothing) == []
    assert doubled(home.settings("kept")) == {}


def test_the_same_day_run_twice_at_once_from_two_machines_keeps_doubles_that_harm_nobody(home: Home) -> None:
    market, first = Market(DAYS, 20), Morning("first")
    home.run(market, first)
    market.append(1)
    started = [
        subprocess.Popen(
            [*command(home, market, first), "--set", f"paths.machine=machine {number}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment(),
        )
        for number in range(2)
    ]
    said = [one.communicate(timeout=1800)[0] for one in started]
    assert [one.returncode for one in started] == [0, 0], said
    nothing = home.run(market, first, "nothing", anew="true")
    assert differences(home.settings("kept"), home.settings("nothing"), nothing) == []
    # Kept work alone may be there twice; whoever comes next takes one of the two.
    assert doubled(home.settings("kept"), without=KEPT_WORK.label) == {}
    market.append(1)
    assert work(home.run(market, first), "fit") == ((FITS - 1) * 5, 5)


def command(home: Home, market: Market, morning: Morning) -> list[str]:
    prices = market.write(home.folder / "prices.csv")
    chosen = [*small_settings.SMALL, *SMALL, f"market_data.path={prices}", *book(home.folder)]
    chosen += [*morning.settings, *places(home.folder, "kept")]
    options = [part for one in chosen for part in ("--set", one)]
    project = ["--project", str(rendered.project())]
    return [sys.executable, "-m", "portfolio", "run", WORKLOAD, *project, *options]


def killed(home: Home, market: Market, morning: Morning, line: str) -> None:
    """Start a morning as a process of its own, and kill it as soon as a line of it has these words."""
    with subprocess.Popen(
        command(home, market, morning),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as process:
        assert process.stderr is not None
        said = []
        for text in process.stderr:
            said.append(text)
            if line in text:
                process.kill()
                return
    raise AssertionError(f"it ended without {line!r}: {said}")


def doubled(settings: Settings, without: str = "") -> dict[str, int]:
    """Return the tables in which a key is there more than once, and how many rows too many they have."""
    found = {}
    for table in ALL:
        folder = table_folder(settings, table)
        if table.label == without or not folder.exists():
            continue
        # A run is no part of the key of what is kept: that is found by what decides it.
        key = [name for name in table.key if table != KEPT_WORK or name != "run_id"]
        rows = DeltaTable(str(folder)).to_pyarrow_table(columns=key).to_pylist()
        if many := len(rows) - len(Counter(tuple(row.values()) for row in rows)):
            found[table.label] = many
    return found
