"""The best amount of a hedge: against a grid, by known answers, and from scenarios sorted out in parts."""

import numpy as np
import pytest

from acceleray.quant.best_hedge import LARGEST, Drawn, Weighed, likely_interval, lowest
from acceleray.quant.hedge_scenarios import Interval, Sorted, sorted_out
from acceleray.quant.order_weights import shortfall_weights
from acceleray.quant.risk import expected_shortfall, tail_mass

COUNT, CONFIDENCE = 40_000, 0.975
MASS = tail_mass(COUNT, CONFIDENCE)


@pytest.fixture(scope="module")
def market() -> tuple[np.ndarray, np.ndarray]:
    """Return losses of a book and returns of a hedge with fat tails, the hedge moving with the book."""
    generator = np.random.default_rng(22)
    common = generator.standard_t(4, COUNT) * 0.02
    return -common + 0.01 * generator.standard_normal(COUNT), 0.8 * common + generator.standard_t(
        5, COUNT
    ) * 0.01


def test_value_and_slope_are_those_of_the_shortfall_of_all_losses(market):
    losses, units = market
    curve = Drawn(losses, units, MASS)
    for amount in (-1.0, 0.0, 0.3, 2.0):
        value, slope = curve(amount)
        assert value == pytest.approx(
            float(expected_shortfall(losses - amount * units, CONFIDENCE)), rel=1e-12
        )
        step = 1e-6
        difference = (curve(amount + step)[0] - curve(amount - step)[0]) / (2 * step)
        assert slope == pytest.approx(difference, abs=1e-4)


def test_no_point_of_a_grid_is_better_and_the_bound_is_below_all(market):
    losses, units = market
    found = lowest(Drawn(losses, units, MASS))
    grid = np.linspace(found.amount - 0.5, found.amount + 0.5, 2001)
    on_grid = [float(expected_shortfall(losses - x * units, CONFIDENCE)) for x in grid]
    assert found.expected_shortfall <= min(on_grid) + 1e-10
    assert found.bound <= min(on_grid)
    assert found.expected_shortfall - found.bound <= 1e-10
    assert abs(grid[int(np.argmin(on_grid))] - found.amount) < 2e-3


def test_a_hedge_that_is_the_book_itself_takes_everything_away():
    units = np.random.default_rng(1).standard_t(4, COUNT) * 0.02
    # The book is long 0.7 of it, so the best hedge sells 0.7.
    found = lowest(Drawn(-0.7 * units, units, MASS))
    assert found.amount == pytest.approx(-0.7, abs=1e-7)
    assert found.expected_shortfall == pytest.approx(0.0, abs=1e-10)


def test_a_hedge_that_never_moves_is_not_bought(market):
    losses, _ = market
    found = lowest(Drawn(losses, np.zeros(COUNT), MASS))
    assert found.amount == 0.0
    assert found.expected_shortfall == pytest.approx(float(expected_shortfall(losses, CONFIDENCE)), rel=1e-12)


def test_a_hedge_that_only_gains_is_bought_to_the_limit_and_no_further(market):
    losses, _ = market
    assert lowest(Drawn(losses, np.full(COUNT, 0.01), MASS)).amount == LARGEST


def test_enumerated_days_take_their_own_weights(market):
    losses, units = (each[:2000] for each in market)
    weights = shortfall_weights(2000, CONFIDENCE)
    found = lowest(Weighed(losses, units, weights))

    def brute(amount: float) -> float:
        return float(weights @ -np.sort(-(losses - amount * units))[: weights.size])

    grid = np.linspace(found.amount - 0.2, found.amount + 0.2, 4001)
    assert found.expected_shortfall == pytest.approx(brute(found.amount), rel=1e-12)
    assert found.expected_shortfall <= min(map(brute, grid)) + 1e-10


def in_parts(losses: np.ndarray, units: np.ndarray, within: Interval) -> Sorted:
    parts = [slice(first, first + 7001) for first in range(0, losses.size, 7001)]
    return Sorted.joined([sorted_out(losses[part], units[part], within) for part in parts])


def test_scenarios_sorted_out_in_parts_give_the_same_curve_within_the_interval(market):
    losses, units = market
    whole, best = Drawn(losses, units, MASS), lowest(Drawn(losses, units, MASS))
    first, last = best.amount - 0.05, best.amount + 0.05
    wide = in_parts(losses, units, Interval(first, last))
    ends = np.sort(np.stack((losses - first * units, losses - last * units)), axis=0)
    low, high = (np.sort(each)[-int(MASS) - 1] for each in ends)
    narrow = in_parts(losses, units, Interval(first, last, low, high))
    assert narrow.losses.size < wide.losses.size / 20
    for found in (wide, narrow):
        tail = Drawn.of(found, MASS)
        assert tail is not None
        for amount in (first, best.amount, last):
            np.testing.assert_allclose(tail(amount), whole(amount), rtol=1e-11, atol=1e-14)
        again = lowest(tail, start=((first, *tail(first)), (last, *tail(last))))
        assert again.expected_shortfall == pytest.approx(best.expected_shortfall, abs=2e-10)


@pytest.mark.parametrize("side", ["low", "high"])
def test_two_losses_that_do_not_bound_the_tail_are_noticed(market, side):
    losses, units = market
    best = lowest(Drawn(losses, units, MASS)).amount
    at = np.sort(losses - best * units)
    # Above the edge of the tail, and below it.
    wrong = {"low": at[-int(MASS / 2)]} if side == "low" else {"high": at[-int(MASS * 2)]}
    assert Drawn.of(in_parts(losses, units, Interval(best - 0.01, best + 0.01, **wrong)), MASS) is None


def test_an_interval_told_by_the_first_scenarios_holds_the_best_amount_of_all(market):
    losses, units = market
    best = lowest(Drawn(losses, units, MASS))
    first = 4096
    sample = Drawn(losses[:first], units[:first], tail_mass(first, CONFIDENCE))
    within = likely_interval(sample, 1.0 - CONFIDENCE, 4.0)
    assert within.first < best.amount < within.last
    found = in_parts(losses, units, within)
    tail = Drawn.of(found, MASS)
    assert tail is not None
    assert found.losses.size < COUNT / 8
    start = tuple((amount, *tail(amount)) for amount in (within.first, within.last))
    assert lowest(tail, start=start).expected_shortfall == pytest.approx(best.expected_shortfall, abs=2e-10)
