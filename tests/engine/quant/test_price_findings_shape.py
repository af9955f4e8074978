"""Series that are no prices, cash, standstills and coarse grids are told from prices."""

import numpy as np
import pytest

from acceleray.quant.price_findings.finding import Series
from acceleray.quant.price_findings.judging import refused_always
from quant.finding_helpers import found_in, judged, kinds, series_of
from quant.test_price_findings_jumps import DAYS, prices


def returns(number: int) -> dict[str, np.ndarray]:
    return {name: np.diff(np.log(path), prepend=np.log(50)) for name, path in prices(number).items()}


@pytest.mark.parametrize(("scale", "digits"), [(1.0, 6), (100.0, 2)])
def test_returns_in_place_of_prices_are_named_and_refused(scale: float, digits: int) -> None:
    found = found_in(DAYS, {name: np.round(scale * move, digits) for name, move in returns(4).items()})
    assert kinds(found) == {"looks_like_returns"}
    assert len(refused_always(found, 4)) == 4


def test_gross_returns_are_named_although_they_are_above_zero() -> None:
    found = found_in(DAYS, {name: 1 + move for name, move in returns(4).items()})
    assert kinds(found) == {"looks_like_returns"}


def test_cumulated_returns_from_zero_are_named_and_refused() -> None:
    found = found_in(DAYS, {name: path / path[0] - 1 for name, path in prices(4).items()})
    by_series = [one for one in found if one.instrument]
    assert {one.kind for one in by_series} == {"looks_like_rates"}
    assert len(refused_always(found, 4)) == 4


def test_cumulated_returns_that_never_fall_below_zero_are_named_by_their_first_value() -> None:
    rising = np.linspace(0, 0.8, DAYS.size) * (1 + 0.1 * np.sin(np.arange(DAYS.size)))
    assert kinds(found_in(DAYS, {"R": rising})) == {"looks_like_rates"}


def test_one_column_of_returns_among_prices_is_reported_and_does_not_refuse_the_file() -> None:
    columns = prices(4) | {"R": returns(1)["A0"]}
    found = found_in(DAYS, columns)
    assert kinds(found, "R") == {"looks_like_returns"}
    assert refused_always(found, 5) == []


def test_a_yield_in_percent_is_suspected() -> None:
    draws = np.random.default_rng(5)
    level = 0.4 + np.abs(np.cumsum(draws.normal(0, 0.08, DAYS.size)))
    assert "looks_like_rates" in kinds(found_in(DAYS, prices(3) | {"UST10": np.round(level, 2)}), "UST10")


def test_cash_a_peg_and_a_money_market_fund_are_named_and_nothing_else_is_said_of_them() -> None:
    draws = np.random.default_rng(51)
    columns = prices(3)
    columns["CASH"] = np.ones(DAYS.size)
    columns["PEG"] = np.round(7.8 + draws.normal(0, 0.002, DAYS.size), 2)
    columns["FUND"] = np.round(100 * np.cumprod(np.full(DAYS.size, 1 + 0.02 / 252)), 4)
    found = found_in(DAYS, columns)
    assert [(one.kind, one.severity) for one in found] == [("cash_like", "info")] * 3
    said = {one.instrument: one.text for one in found}
    assert "stands at 1" in said["CASH"]
    assert "accrues 2.1 % a year" in said["FUND"]
    assert "peg" in said["PEG"]


def test_a_bounce_around_parity_is_a_peg_and_no_return() -> None:
    coin = 1 + np.random.default_rng(1).normal(0, 0.0003, DAYS.size)
    assert kinds(found_in(DAYS, prices(3) | {"USDX": coin}), "USDX") == {"cash_like"}


def test_a_single_negative_price_is_a_level_that_has_no_return() -> None:
    columns = prices(3)
    columns["OIL"] = columns["A0"] * 0.7
    columns["OIL"][500] = -37.63
    found = [one for one in found_in(DAYS, columns) if one.kind == "not_positive"]
    assert [(one.instrument, one.first, one.count) for one in found] == [("OIL", DAYS[500], 1)]
    assert "-37.63" in found[0].text


def test_a_standstill_is_named_with_its_days() -> None:
    columns = prices(3)
    columns["A1"][400:416] = columns["A1"][400]
    (one,) = found_in(DAYS, columns)
    assert (one.kind, one.first, one.last, one.count) == ("standing_still", DAYS[400], DAYS[415], 15)


def test_two_decimals_of_a_penny_stock_are_too_few() -> None:
    columns = prices(3)
    columns["PENNY"] = np.round(columns["A2"] / 500, 2)
    columns["FINE"] = np.round(columns["A1"], 2)
    found = found_in(DAYS, columns)
    assert "coarse" in kinds(found, "PENNY")
    assert kinds(found, "FINE") <= {"twin"}


def test_extreme_magnitudes_are_named() -> None:
    columns = prices(3)
    columns["BIG"] = prices(1, seed=2)["A0"] * 1e6
    columns["SMALL"] = prices(1, seed=3)["A0"] * 1e-7
    found = found_in(DAYS, columns)
    assert kinds(found, "BIG") == kinds(found, "SMALL") == {"extreme"}


def quarantined(reasons: list[str]) -> Series:
    whole = series_of("Q", DAYS, prices(1)["A0"])
    number = len(reasons)
    return Series(
        "Q", whole.days[number:], whole.prices[number:], whole.adjusted[number:], whole.days[:number],
        ("1,036.69",) * number, tuple(reasons),
    )  # fmt: skip


def test_more_than_a_few_quarantined_cells_are_told_with_the_first_of_them() -> None:
    assert judged([quarantined(["not a number"] * 3)]) == []
    (one,) = judged([quarantined(["not a number"] * 4)])
    assert (one.kind, one.count, one.first) == ("quarantined", 4, DAYS[0])
    assert "'1,036.69' (not a number)" in one.text


def test_an_instrument_without_a_usable_price_leaves_the_book_and_that_is_an_error() -> None:
    nothing = np.zeros(0)
    lost = Series("Q", DAYS[:0], nothing, nothing, DAYS[:9], ("x",) * 9, ("not a number",) * 9)
    found = judged([*(series_of(name, DAYS, path) for name, path in prices(3).items()), lost])
    assert [(one.kind, one.severity, one.instrument) for one in found] == [("no_price", "error", "Q")]
    assert "it is removed from the book" in found[0].text


def test_levels_below_zero_for_years_are_a_rate_and_no_returns() -> None:
    """A yield crosses zero now and then; the signs of returns change every other day."""
    level = np.round(2.0 * np.sin(np.arange(DAYS.size) / 150.0) + 0.3, 3)
    columns = prices(3) | {"BUND": level}
    (one,) = [each for each in found_in(DAYS, columns) if each.instrument == "BUND"]
    assert one.kind == "looks_like_rates"
    assert "looks like a rate, a spread or cumulated returns" in one.text
