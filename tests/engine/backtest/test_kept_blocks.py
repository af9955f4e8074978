"""Blocks that an earlier run made from the same are taken; whatever decides one makes it again."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from acceleray.engines.handoff.arrays import Panel
from acceleray.quant.garch import GjrFit, GjrParameters
from acceleray.quant.null_path import NullLaw, follow
from acceleray.settings import Risk
from acceleray.stages.backtest import nulls
from acceleray.stages.backtest.blocks import Block, BlockForecasts
from acceleray.stages.backtest.horizons import _answers
from acceleray.stages.backtest.kept_blocks import BLOCK, WINDOWS, Grounds, Standing
from acceleray.stages.backtest.long_horizon import Question
from acceleray.stages.backtest.positions import Positions
from acceleray.stages.backtest.stage import _forecast
from acceleray.stages.book.lines import Lines

DAYS, ENDS = 760, (500, 600, 700)
PARAMETERS = GjrParameters(0.0003, 2e-6, 0.04, 0.06, 0.90, 5.0)
FIT = GjrFit("calibrated", "", 400, PARAMETERS, PARAMETERS, 0.0, True, "", 1e-4, 0.01)
WEIGHTS = np.array([[0.5, 0.5, 0.0], [0.4, 0.3, 0.2], [0.0, -0.5, 0.5]])
QUESTIONS = (Question("filtered_historical", 10, tuple(range(500, 751, 10))),)


class Shelf:
    """Kept work in memory, as bytes, and the names of what was made and taken of it."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], bytes] = {}
        self.taken: list[str] = []

    def find(self, kind: Any, key: str) -> bytes | None:
        return self.before.get((kind.name, key))

    def take(self, kind: Any, key: str) -> Any:
        self.taken.append(kind.name)
        return kind.decode(self.before[kind.name, key])

    def add(self, kind: Any, key: str, result: Any) -> None:
        self.kept[kind.name, key] = kind.encode(result)

    def save(self, kind: Any) -> None:
        pass

    def morning(self) -> None:
        """Begin another run, which finds what runs before have kept."""
        self.before, self.taken, self.asked = dict(self.kept), [], []


@pytest.fixture(scope="module")
def values() -> np.ndarray:
    generator = np.random.default_rng(91)
    return 0.008 * (generator.standard_t(5, (DAYS, 3)) + generator.standard_t(5, (DAYS, 1)))


def a_run(shelf: Shelf, **changed: Any) -> Any:
    shelf.morning()

    def mapped(function: Any, tasks: Any, shared: Any, done: Any, **fixed: Any) -> Any:
        for number in range(len(tasks)):
            task = tasks[number]
            shelf.asked.append((task[0].first, task[1]))
            yield function(task, *shared, **fixed)

    settings = SimpleNamespace(
        risk=Risk(),
        seed=1,
        market_data=SimpleNamespace(stale_price_d=20, longest_span_d=5),
        simulation=SimpleNamespace(drift="fitted", residual_window_d=300),
        backtest=SimpleNamespace(),
        # No folder: NumPy simulates, to the same bits, and nothing is compiled for so few paths.
        cache_dir=Path(os.devnull),
    )
    for name, value in changed.items():
        setattr(settings, name, value)
    reporter = SimpleNamespace(counter=lambda count, what: lambda done: None)
    fan_out = SimpleNamespace(map=mapped)
    return SimpleNamespace(kept=shelf, fan_out=fan_out, reporter=reporter, settings=settings)


def morning(
    shelf: Shelf,
    values: np.ndarray,
    weights: np.ndarray = WEIGHTS,
    fits: Any = None,
    still: Sequence[bool] = (False,) * 3,
    **changed: Any,
) -> tuple[list[BlockForecasts], list[Any]]:
    """Return the blocks and answers of a run on these returns."""
    run, days = a_run(shelf, **changed), len(values)
    returns = Panel(np.arange("2020-01-01", days, dtype="datetime64[D]"), ("A", "B", "C"), values)
    spans = list(zip(ENDS, (*ENDS[1:], days), strict=True))
    made: Any = [Block(*span, (fits or {}).get(span[0], (FIT,) * 3)) for span in spans]
    calibration: Any = SimpleNamespace(returns=returns, apart=(), arithmetic=np.zeros(3, dtype=bool))
    grounds = Grounds(made, spans, returns, 10)
    positions = Positions(Lines(("A", "B", "C")), weights, np.zeros(len(weights), dtype=bool))
    standing = Standing.of(run, positions, still)
    blocks = _forecast(run, calibration, grounds, positions, standing, (200, 300))
    asked = tuple(
        replace(each, rows=tuple(row for row in each.rows if row <= days - 10)) for each in QUESTIONS
    )
    return blocks, _answers(run, calibration, grounds, positions, standing, asked)


def assert_same(one: Any, other: Any) -> None:
    for mine, theirs in zip(one[0], other[0], strict=True):
        for name in ("losses", "covered", "forecasts", "calibrated"):
            np.testing.assert_array_equal(getattr(mine, name), getattr(theirs, name))
    for mine, theirs in zip(one[1], other[1], strict=True):
        for first, second in zip(mine, theirs, strict=True):
            np.testing.assert_array_equal(first.forecasts, second.forecasts)
            np.testing.assert_array_equal(first.losses, second.losses)


@pytest.fixture
def shelf(values: np.ndarray) -> Shelf:
    """Return a shelf after two mornings with the same weights."""
    found = Shelf()
    morning(found, values[:-2])
    morning(found, values[:-1])
    return found


def test_blocks_are_kept_once_their_weights_were_seen_before(values: np.ndarray) -> None:
    found = Shelf()
    morning(found, values[:-2])
    assert not found.taken
    assert {kind for kind, _ in found.kept} == {"backtest_weights"}
    morning(found, values[:-1])
    assert {kind for kind, _ in found.kept} == {"backtest_weights", BLOCK.name, WINDOWS.name}
    # Two closed blocks of three portfolios, of days and of windows.
    assert len(found.kept) == 3 + 6 + 6


def test_blocks_of_weights_that_stand_still_are_kept_on_the_first_day(values: np.ndarray) -> None:
    found, still = Shelf(), (True, False, True)
    morning(found, values[:-1], still=still)
    assert {kind for kind, _ in found.kept} == {"backtest_weights", BLOCK.name, WINDOWS.name}
    again = morning(found, values, still=still)
    # Of the closed blocks the one portfolio whose weights may move, whose weights were seen only now.
    assert [places for first, places in found.asked if first < 700] == [(1,)] * 4
    assert_same(again, morning(Shelf(), values))


def test_a_day_more_makes_the_open_block_again_and_no_other(shelf: Shelf, values: np.ndarray) -> None:
    found = morning(shelf, values)
    everyone = (0, 1, 2)
    assert shelf.asked == [(700, everyone), (700, everyone)]
    assert_same(found, morning(Shelf(), values))


def test_a_corrected_price_makes_what_comes_after_it_again(shelf: Shelf, values: np.ndarray) -> None:
    corrected = values.copy()
    corrected[650, 1] += 0.001
    found = morning(shelf, corrected)
    assert sorted({first for first, _ in shelf.asked}) == [600, 700]
    assert_same(found, morning(Shelf(), corrected))
    # A window that begins before the correction and ends after it is another one.
    corrected = values.copy()
    corrected[604, 1] += 0.001
    morning(shelf, corrected)
    assert [first for first, _ in shelf.asked] == [600, 700, 500, 600, 700]


def test_of_positions_that_moved_every_block_is_made_again_and_nothing_is_kept(
    shelf: Shelf, values: np.ndarray
) -> None:
    moved = WEIGHTS.copy()
    moved[1] *= 1.0001
    kept = len(shelf.kept)
    found = morning(shelf, values, moved)
    assert [places for first, places in shelf.asked if first < 700] == [(1,)] * 4
    # That these weights have been seen, once, and nothing else.
    assert len(shelf.kept) == kept + 1
    assert_same(found, morning(Shelf(), values, moved))


def test_another_fit_setting_or_headline_makes_a_block_again(shelf: Shelf, values: np.ndarray) -> None:
    other = (replace(FIT, parameters=replace(PARAMETERS, beta=0.89)), FIT, FIT)
    found = morning(shelf, values, fits={600: other})
    assert sorted({first for first, _ in shelf.asked}) == [600, 700]
    assert_same(found, morning(Shelf(), values, fits={600: other}))
    for changed in ({"seed": 2}, {"risk": Risk(var_confidence=0.95)}):
        morning(shelf, values, **changed)
        assert len(shelf.asked) == 6
    order = WEIGHTS[[1, 0, 2]]
    found = morning(shelf, values, order)
    # All models are compared on the first: those of the new one are made, the old one keeps its own.
    assert [places for first, places in shelf.asked if first < 700][:2] == [(0, 1)] * 2
    assert_same(found, morning(Shelf(), values, order))


@pytest.mark.parametrize("window", [0, 400])
def test_a_path_of_simulated_records_comes_back_to_the_bit(window: int) -> None:
    path = follow((NullLaw(500, window, 400, 5.0, 0.99, 0.975), 3), 7)
    back = nulls.from_bytes(nulls.as_bytes(path))
    for name in ("record", "day", "exceeded", "sums", "edges"):
        one, other = getattr(path, name), getattr(back, name)
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    assert len(nulls.as_bytes(path)) < 40_000
