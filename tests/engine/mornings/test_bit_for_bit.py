"""After any edit a run that takes what is kept has, to the bit, the tables of a run from nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rendered
from acceleray.tables import RUN_WORK
from acceleray.testing import SmallProject, small_project
from mornings.market import NAMES, Market, Morning, overnight
from mornings.states import Home, differences, work
from portfolio import PROJECT

pytestmark = pytest.mark.ray

# Fits of the first morning: on schedule before these rows of returns, and after the last day.
DAYS, ON_SCHEDULE = 480, len(range(350, 479, 50))
EDITS = 12


@pytest.fixture
def home(tmp_path: Path, spark: Any, one_ray: Any) -> Iterator[Home]:
    with ExitStack() as stack:
        started = (spark, one_ray.fan_out())
        opened = small_project(PROJECT, rendered.project(), tmp_path, started=started)
        small: SmallProject = stack.enter_context(opened)
        yield Home(small, tmp_path)


def test_a_new_day_takes_all_but_today_s_fits_and_gives_the_bits_of_a_run_from_nothing(home: Home) -> None:
    market, first = Market(DAYS, 20), Morning("first")
    home.run(market, first)
    market.append(1)
    run = home.run(market, first)
    assert work(run, "fit") == (ON_SCHEDULE * len(NAMES), len(NAMES))
    assert work(run, "returns of a date") == (DAYS - 1, 1)
    # The label of a date looks five days ahead, so the last five dates are made again.
    assert work(run, "features of a date")[1] == 1 + 5
    assert work(run, "null_path")[1] == 0
    assert_as_from_nothing(home, market, first, "a day")


@pytest.mark.nightly
def test_a_setting_that_no_return_tells_decides_as_in_a_run_from_nothing(home: Home) -> None:
    market, first = Market(DAYS, 20), Morning("first")
    # Six days without a price: whether that is an end is a setting.
    market.end("XOM", 6)
    home.run(market, first)
    changed = Morning("stale after", ("market_data.stale_after_d=4",))
    home.run(market, changed)
    assert_as_from_nothing(home, market, changed, "a setting")


@pytest.mark.nightly
@pytest.mark.parametrize("seed", [20261129, 20261130])
def test_after_any_sequence_of_edits_tables_are_those_of_a_run_from_nothing(home: Home, seed: int) -> None:
    generator = np.random.default_rng(seed)
    market, morning = Market(DAYS, 120), Morning("first")
    home.run(market, morning)
    told = []
    for number in range(EDITS):
        morning = overnight(market, morning, generator)
        told.append(morning.edit)
        run = home.run(market, morning)
        if morning.edit.endswith("appended"):
            taken, made = work(run, "fit")
            assert taken >= (ON_SCHEDULE - 1) * len(NAMES), (seed, told)
            assert made <= 2 * len(market.names), (seed, told)
        assert_as_from_nothing(home, market, morning, f"seed {seed}, {told}", f"nothing {number}")


def assert_as_from_nothing(
    home: Home, market: Market, morning: Morning, edits: str, state: str | None = None
) -> None:
    nothing = state or f"nothing after {edits}"
    run = home.run(market, morning, nothing, anew="true")
    assert not [row for row in run.rows(RUN_WORK).to_pylist() if not row["reason"]]
    assert differences(home.settings("kept"), home.settings(nothing), run) == [], edits
