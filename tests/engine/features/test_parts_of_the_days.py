"""Rows of a part of the risk days have the bits they have in the whole, wherever the part begins."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from acceleray.extend import Signal
from acceleray.quant.day_prices import DayPrices
from acceleray.quant.reach import features_reach, returns_reach
from acceleray.quant.rolling import Market, on_days, windows
from acceleray.stages.features import part as parting
from acceleray.stages.features.definitions import DEFINITIONS
from acceleray.stages.features.part import Part, parts, runs
from acceleray.stages.features.returns import ReturnRows
from acceleray.stages.features.rows import FeatureRows

DAYS, NAMES, HORIZON, CLOSED = 420, 7, 4, 10
WEIGHTS = np.random.default_rng(8).normal(size=30)


def weighted(prices: NDArray[np.float64]) -> NDArray[np.float64]:
    # A product of matrices rounds a row by where it stands.
    return np.asarray(np.log(prices) @ WEIGHTS)


OWN = (Signal("weighted", "prices", 30, weighted, "weighted log prices", "Tests 2026"),)


def scene(seed: int) -> DayPrices:
    random = np.random.default_rng(seed)
    days = np.arange("2020-01-01", "2022-01-01", dtype="datetime64[D]")
    days = days[np.is_busday(days)][:DAYS]
    prices = 50.0 * np.exp(random.normal(0.0, 0.02, (DAYS, NAMES)).cumsum(axis=0))
    prices[: random.integers(0, DAYS), 1] = np.nan
    prices[random.integers(0, DAYS) :, 2] = np.nan
    low = int(random.integers(0, DAYS - 60))
    prices[low : low + 50, 3] = np.nan
    prices[::2, 4] = np.nan
    prices[random.random(DAYS) < 0.02, 5] = np.nan
    return DayPrices(days, tuple(f"N{number}" for number in range(NAMES)), prices)


def made(prices: DayPrices) -> tuple[FeatureRows, NDArray[np.int64]]:
    in_market = np.arange(NAMES) != 6
    rows = FeatureRows(prices, in_market, HORIZON, OWN)
    return rows, features_reach(np.isfinite(prices.prices), in_market, *rows.longest)


@given(st.integers(0, 2**32))
@settings(max_examples=8, deadline=None)
def test_any_parts_together_are_the_whole_to_the_bit(seed: int) -> None:
    random, prices = np.random.default_rng(seed), scene(seed)
    features, reach = made(prices)
    returns = ReturnRows(prices, np.full(NAMES, np.nan), CLOSED)
    cuts = np.unique([0, *random.integers(1, DAYS, 6), DAYS])
    for rows, known_from in (
        (features, reach),
        (returns, returns_reach(np.isfinite(prices.prices), CLOSED)),
    ):
        whole = rows.of(Part(0, 0, DAYS))
        cut = [
            rows.of(Part(int(known_from[low:high].min()), int(low), int(high)))
            for low, high in pairwise(cuts)
        ]
        assert pa.concat_tables(cut).equals(whole)


def test_the_first_day_that_a_day_reaches_back_to_is_needed() -> None:
    """One day less, and the bits are others: so the test above can see a reach that is too short."""
    prices = scene(3)
    rows, reach = made(prices)
    day = DAYS - 2
    exact, _ = rows.raw(Part(int(reach[day]), day, day + 1))
    short, _ = rows.raw(Part(int(reach[day]) + 1, day, day + 1))
    assert not np.array_equal(exact, short, equal_nan=True)


@pytest.mark.parametrize("signal", DEFINITIONS, ids=lambda each: each.name)
def test_a_signal_of_the_engine_gives_a_window_the_same_bits_among_any_others(signal: Signal) -> None:
    random = np.random.default_rng(4)
    returns, market = random.standard_t(4, (2, 700)) * 0.01
    series = {"prices": (50.0 * np.cumprod(1.0 + returns),), "returns": (returns,)}
    given = tuple(windows(each, signal.length) for each in series.get(signal.of, (returns, market)))
    whole = signal.statistic(*given)
    for count in (1, 2, 3, 5, 64, 127, 129, 400):
        for begin in (0, 1, 30):
            some = [each[begin : begin + count] for each in given]
            for copied in (some, [each.copy() for each in some]):
                np.testing.assert_array_equal(signal.statistic(*copied), whole[begin : begin + count])
            if signal.of == "returns and market":
                shared = signal.statistic(some[0], Market(some[1]))
                np.testing.assert_array_equal(shared, whole[begin : begin + count])


def test_an_own_signal_has_bits_that_depend_on_the_window_and_its_day_alone() -> None:
    prices = 50.0 + np.random.default_rng(9).random(600)
    given, days = windows(prices, 30), np.arange(600)[29:] * 7 // 5
    whole = on_days(weighted, days, [given])
    for begin in range(0, 400, 37):
        for count in (1, 3, 50):
            at = slice(begin, begin + count)
            np.testing.assert_array_equal(on_days(weighted, days[at], [given[at]]), whole[at])


def test_parts_cover_what_is_wanted_and_no_other_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parting, "PART_ROWS", 40)
    wanted = np.zeros(50, dtype=bool)
    wanted[[3, 4, 5]] = wanted[20:45] = True
    found = parts(wanted, np.maximum(np.arange(50) - 10, 0), 4)
    assert [day for part in found for day in range(part.first, part.stop)] == np.flatnonzero(wanted).tolist()
    assert all(part.stop - part.first <= 10 for part in found)
    assert [part.known_from for part in found] == [0, *(part.first - 10 for part in found[1:])]
    assert runs(wanted) == [(3, 6), (20, 45)]
    assert parts(np.zeros(5, dtype=bool), np.zeros(5, dtype=np.int64), 4) == ()
