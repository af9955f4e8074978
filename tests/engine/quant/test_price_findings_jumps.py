"""Splits, changes of unit, bad prints and jumps are told apart; what the market shared is none of them."""

import csv

import numpy as np
import pytest
from numpy.typing import NDArray
from skfolio.datasets import load_sp500_dataset

from acceleray.quant.price_findings.market import market_of
from quant.finding_helpers import found_in, kinds

DAYS = np.busday_offset(np.datetime64("2016-01-04"), np.arange(1000), roll="forward")


def prices(number: int, seed: int = 7, deviation: float = 0.015) -> dict[str, NDArray[np.float64]]:
    """Return random walks with a common factor, fat tails, and names A0, A1, ..."""
    draws = np.random.default_rng(seed)
    shocks = draws.standard_t(5, size=(DAYS.size, number + 1)) / np.sqrt(5 / 3)
    moves = deviation * (0.6 * shocks[:, :1] + 0.8 * shocks[:, 1:])
    return {f"A{k}": 50 * np.exp(np.cumsum(moves[:, k])) for k in range(number)}


@pytest.mark.parametrize("ratio", [2, 3, 4, 5, 10, 20, 100])
@pytest.mark.parametrize("up", [False, True])
def test_a_split_is_named_with_its_day_and_its_factor(ratio: int, up: bool) -> None:
    columns = prices(4)
    factor = float(ratio) if up else 1 / ratio
    columns["A1"][600:] *= factor
    (one,) = found_in(DAYS, columns)
    assert (one.kind, one.severity, one.instrument) == ("split", "error", "A1")
    assert (one.first, one.value) == (DAYS[600], pytest.approx(factor))
    written = one.advice.partition(f"A1,{DAYS[600]},,adjust,")[2].partition(",")[0]
    assert float(written) == pytest.approx(factor, rel=1e-9)


def test_a_name_with_a_comma_is_one_cell_of_the_line_that_is_proposed() -> None:
    columns = prices(4)
    columns['A "1", Inc.'] = columns.pop("A1")
    columns['A "1", Inc.'][600:] /= 4
    (one,) = found_in(DAYS, columns)
    line = one.advice.partition("add the line ")[2].partition(" to the corrections")[0]
    (found,) = csv.reader([line])
    assert found == ['A "1", Inc.', str(DAYS[600]), "", "adjust", "0.25", "4-for-1 split"]


def test_the_advice_repairs_the_series() -> None:
    columns = prices(4)
    columns["A1"][600:] /= 4
    (one,) = found_in(DAYS, columns)
    columns["A1"][one.first > DAYS] *= one.value
    assert found_in(DAYS, columns) == []


def test_a_split_is_found_where_there_is_no_other_instrument() -> None:
    column = prices(1)["A0"]
    column[300:] /= 4
    assert kinds(found_in(DAYS, {"A": column})) == {"split"}


def test_a_crash_that_the_market_shared_is_no_split() -> None:
    columns = prices(6)
    for column in columns.values():
        column[600:] *= 0.5
    assert [(one.kind, one.instrument) for one in found_in(DAYS, columns)] == [("jump", "")]


def test_half_of_a_volatile_coin_in_a_day_is_no_split() -> None:
    columns = prices(4)
    columns["COIN"] = prices(1, seed=9, deviation=0.1)["A0"]
    columns["COIN"][600:] *= 0.5
    assert found_in(DAYS, columns) == []


def test_a_crash_with_an_aftermath_is_a_jump_and_no_split() -> None:
    columns = prices(4)
    column = columns["A2"]
    column[600:] *= 0.5
    for step, move in enumerate((0.88, 1.15, 0.86, 1.12, 0.9), 601):
        column[step:] *= move
    (one,) = found_in(DAYS, columns)
    assert (one.kind, one.severity, one.first) == ("jump", "warning", DAYS[600])


def test_a_change_of_unit_by_an_odd_factor_is_named() -> None:
    columns = prices(4)
    columns["A3"][600:] *= 190
    (one,) = found_in(DAYS, columns)
    assert (one.kind, one.severity, one.first) == ("scale", "error", DAYS[600])
    assert one.value == pytest.approx(190, rel=0.05)


@pytest.mark.parametrize(("factor", "severity"), [(1.6, "warning"), (10.0, "error"), (0.01, "error")])
@pytest.mark.parametrize("length", [1, 3])
def test_a_price_that_comes_back_is_a_bad_print(factor: float, severity: str, length: int) -> None:
    columns = prices(4)
    columns["A0"][600 : 600 + length] *= factor
    (one,) = found_in(DAYS, columns)
    assert (one.kind, one.severity) == ("reversal", severity)
    assert (one.first, one.last) == (DAYS[600], DAYS[600 + length - 1])


def test_real_prices_since_1990_have_no_error_and_few_warnings() -> None:
    sample = load_sp500_dataset()
    days = sample.index.to_numpy().astype("datetime64[D]")
    found = found_in(days, {name: sample[name].to_numpy() for name in sample})
    assert [one for one in found if one.severity == "error"] == []
    # Apple lost half on 2000-09-29, and three others a quarter after results or a withdrawn drug.
    assert [(one.kind, one.instrument) for one in found] == [
        ("split", "AAPL"),
        ("jump", "BBY"),
        ("jump", "LLY"),
        ("jump", "MRK"),
        ("standing_still", "RRC"),
    ]


@pytest.mark.parametrize("number", [3, 4, 7, 20])
def test_the_market_is_the_median_with_and_without_the_lowest_and_the_highest(number: int) -> None:
    draws = np.random.default_rng(3)
    bins = draws.integers(-40, 40, size=(5, number))
    days = np.repeat(DAYS[:5], number)
    market = market_of(days, bins.ravel(), np.ones(bins.size, dtype=np.int64))
    ranked = np.sort(bins, axis=1) / 500
    assert market.middle == pytest.approx(np.median(ranked, axis=1))
    if number > 2:
        assert market.without_lowest == pytest.approx(np.median(ranked[:, 1:], axis=1))
        assert market.without_highest == pytest.approx(np.median(ranked[:, :-1], axis=1))


def test_what_may_be_a_real_loss_of_half_is_a_warning_and_no_error() -> None:
    columns = prices(4)
    columns["CALM"], columns["WILD"] = (prices(1, seed=9, deviation=each)["A0"] for each in (0.015, 0.05))
    for name in ("CALM", "WILD"):
        columns[name][600:] *= 0.5
    found = {one.instrument: (one.kind, one.severity) for one in found_in(DAYS, columns)}
    assert found == {"CALM": ("split", "error"), "WILD": ("split", "warning")}
