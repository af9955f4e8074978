"""Portfolios that are held: today's weights on past days, and nothing brought to size in silence."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from acceleray.quant.forecasts import calibrated_losses, forecast_at_both, historical_losses
from acceleray.quant.garch import GjrFit, GjrParameters
from acceleray.settings import Risk
from acceleray.stages.backtest.blocks import Block, BlockForecasts, forecast_block
from acceleray.stages.backtest.long_horizon import Question, forecast_windows
from acceleray.stages.backtest.positions import Positions
from acceleray.stages.book.lines import CURRENCY, Line, Lines

FIRST, LAST, DAYS, WINDOW = 400, 420, 440, 300
PARAMETERS = GjrParameters(mu=5e-4, omega=2e-6, alpha=0.03, gamma=0.08, beta=0.9, nu=6.0)
FIT = GjrFit("calibrated", "", DAYS, PARAMETERS, PARAMETERS, 0.0, True, "", 1e-4, 1e-2)
REJECTED = replace(FIT, status="rejected", reason="test", parameters=None)
RISK = Risk()
LONG, SHORT = np.array([0.6, 0.3]), np.array([-0.5, 0.2])


@pytest.fixture(scope="module")
def returns() -> NDArray[np.float64]:
    """Return days of three simulated instruments with a common factor."""
    generator = np.random.default_rng(5)
    return 0.008 * (generator.standard_t(6, (DAYS, 3)) + generator.standard_t(6, (DAYS, 1)))


def held(weights: object, names: int, lines: Lines | None = None, equal: object = None) -> Positions:
    rows = np.atleast_2d(np.asarray(weights, dtype=float))
    mask = np.zeros(len(rows), dtype=bool) if equal is None else np.asarray(equal)
    return Positions(lines or Lines(tuple("ABC"[:names])), rows, mask, 0.9)


def of_block(
    returns: NDArray[np.float64],
    positions: Positions | None,
    fits: tuple[GjrFit, ...] = (),
) -> BlockForecasts:
    block = Block(FIRST, LAST, fits or (FIT,) * returns.shape[1])
    spans = np.isfinite(returns).astype(float)
    return forecast_block(block, returns, spans, positions, windows=(WINDOW,), risk=RISK, seed=1)


def test_two_names_in_two_portfolios_lose_what_their_weights_say_on_the_day_itself(returns):
    two = returns[:, :2]
    found = of_block(two, held([LONG, SHORT], 2))
    by_hand = np.array([[-(0.6 * a + 0.3 * b), 0.5 * a - 0.2 * b] for a, b in two[FIRST:LAST]]).T
    np.testing.assert_allclose(found.losses, by_hand, rtol=1e-12)
    np.testing.assert_array_equal(found.covered, 1.0)
    # A short earns where the long loses: what is taken is today's weights and not equal ones.
    assert not np.allclose(found.losses[0], -two[FIRST:LAST].mean(axis=1))


def test_forecasts_are_the_measures_of_the_moves_at_the_portfolios_weights(returns):
    two = returns[:, :2]
    found = of_block(two, held([LONG, SHORT], 2))
    for place, weights in enumerate((LONG, SHORT)):
        replayed = calibrated_losses(two, weights, FIRST, LAST, (FIT, FIT), WINDOW, 1)
        by_hand = [forecast_at_both(losses, 0.99, 0.975) for losses in replayed]
        np.testing.assert_allclose(found.calibrated[place, 0].T, by_hand, rtol=1e-12)
    plain = [
        forecast_at_both(each[-WINDOW:], 0.99, 0.975) for each in historical_losses(two[:LAST] @ LONG, FIRST)
    ]
    np.testing.assert_allclose(found.forecasts[0, 0].T, plain, rtol=1e-12)
    np.testing.assert_array_equal(found.forecasts[0, -1], found.calibrated[0, 0])


def test_neither_order_nor_company_of_portfolios_changes_a_bit(returns):
    generator = np.random.default_rng(3)
    many = generator.normal(0.0, 0.4, (7, 3))
    many[2, 1] = 0.0
    order = generator.permutation(7)
    found, other = of_block(returns, held(many, 3)), of_block(returns, held(many[order], 3))
    np.testing.assert_array_equal(other.calibrated, found.calibrated[order])
    np.testing.assert_array_equal(other.losses, found.losses[order])
    alone = of_block(returns, held(many[2], 3))
    np.testing.assert_array_equal(alone.calibrated[0], found.calibrated[2])
    np.testing.assert_array_equal(alone.forecasts[0, -1], found.calibrated[2, 0])


def test_the_reference_portfolio_keeps_its_bits_among_others(returns):
    gaps = returns.copy()
    gaps[:60, 2] = np.nan
    fits = (FIT, REJECTED, FIT)
    found = of_block(gaps, held([[0.0] * 3, [0.5, 0.0, 0.5]], 3, equal=[True, False]), fits)
    alone = of_block(gaps, None, fits)
    np.testing.assert_array_equal(found.losses[0], alone.losses[0])
    np.testing.assert_array_equal(found.forecasts, alone.forecasts)
    # As it was written before there were others: equal weights on what had a calibration.
    weights = np.array([1.0, 0.0, 1.0]) / 2.0
    replayed = calibrated_losses(gaps, weights, FIRST, LAST, fits, WINDOW, 1)
    by_hand = [forecast_at_both(each, 0.99, 0.975) for each in replayed]
    np.testing.assert_allclose(alone.calibrated[0, 0].T, by_hand, rtol=0.0, atol=1e-15)
    np.testing.assert_array_equal(alone.losses[0], -np.sum(gaps[FIRST:LAST] * weights, axis=1) / 1.0)


def test_a_part_without_a_calibration_is_left_out_scaled_and_said(returns):
    fits = (FIT, FIT, REJECTED)
    most = held([0.75, 0.2, -0.05], 3)
    found = of_block(returns, most, fits)
    # 95 % of a gross weight of one is covered: losses and forecasts are brought to the whole.
    np.testing.assert_allclose(found.covered[0], 0.95, rtol=1e-12)
    np.testing.assert_allclose(found.losses[0], -(returns[FIRST:LAST, :2] @ [0.75, 0.2]) / 0.95, rtol=1e-12)
    whole = of_block(returns, held([0.75 / 0.95, 0.2 / 0.95, 0.0], 3), fits)
    np.testing.assert_allclose(found.calibrated, whole.calibrated, rtol=1e-12)
    # Of 80 % nothing is said, and the portfolios beside it are as they were.
    both = of_block(returns, held([[0.6, 0.2, -0.2], [0.75, 0.2, -0.05]], 3), fits)
    assert np.isnan(both.losses[0]).all()
    assert np.isnan(both.calibrated[0]).all()
    assert np.isnan(both.forecasts).all()
    np.testing.assert_array_equal(both.calibrated[1], found.calibrated[0])


def test_a_day_on_which_too_little_has_a_return_is_not_tested(returns):
    gaps = returns.copy()
    gaps[FIRST + 3, 0] = np.nan
    gaps[FIRST + 5, 2] = np.nan
    found = of_block(gaps, held([0.5, 0.45, 0.05], 3))
    assert np.flatnonzero(np.isnan(found.losses[0])).tolist() == [3]
    assert found.covered[0, 3] == pytest.approx(0.5)
    assert found.covered[0, 5] == pytest.approx(0.95)
    assert found.losses[0, 5] == pytest.approx(-(gaps[FIRST + 5, :2] @ [0.5, 0.45]) / 0.95)


def test_a_portfolio_without_a_calibrated_line_is_not_tested(returns):
    found = of_block(returns, held([[0.0, 0.0, 0.0], [0.5, 0.5, 0.0]], 3))
    assert np.isnan(found.losses[0]).all()
    assert np.isfinite(found.losses[1]).all()


def test_a_foreign_position_earns_its_price_and_its_currency(returns):
    # A in another currency, whose rate is C; B at home; cash in that currency.
    lines = Lines(
        ("A", "B", "C"),
        (Line("A", CURRENCY, "EUR", 0, ((2, 1),)), Line("USD", CURRENCY, "EUR", -1, ((2, 1),))),
    )
    found = of_block(returns, held([0.5, 0.3, 0.0, 0.5, -0.2], 3, lines))
    price, home, rate = returns[FIRST:LAST].T
    by_hand = 0.5 * ((1 + price) * (1 + rate) - 1) + 0.3 * home - 0.2 * rate
    np.testing.assert_allclose(found.losses[0], -by_hand, rtol=1e-10, atol=1e-15)
    # A hedge of all of it leaves the price alone, but for the product of both moves.
    hedged = of_block(returns, held([0.5, 0.3, 0.0, 0.5, -0.5], 3, lines))
    open_ = of_block(returns, held([0.5, 0.3, 0.0, 0.0, 0.0], 3, lines))
    np.testing.assert_allclose(hedged.calibrated, open_.calibrated, rtol=0.05)
    # Without a calibration of the rate, half of the gross weight is unknown.
    unknown = of_block(returns, held([0.5, 0.3, 0.0, 0.5, -0.2], 3, lines), (FIT, FIT, REJECTED))
    assert np.isnan(unknown.losses).all()


def test_no_forecast_of_a_held_portfolio_knows_its_day_or_any_later_one(returns):
    positions = held([LONG, SHORT], 2)
    honest = of_block(returns[:, :2], positions)
    for day in (FIRST, FIRST + 7, LAST - 1):
        changed = returns[:, :2].copy()
        changed[day:] = -0.3
        seen = of_block(changed, positions)
        until = day - FIRST + 1
        np.testing.assert_array_equal(seen.calibrated[..., :until], honest.calibrated[..., :until])
        if until < LAST - FIRST:
            assert (seen.calibrated[0, ..., until] > honest.calibrated[0, ..., until]).all()


def test_a_window_of_days_loses_what_todays_weights_compound_to(returns):
    two = returns[:, :2]
    rows = (FIRST, FIRST + 10)
    [answer] = forecast_windows(
        Block(FIRST, LAST, (FIT, FIT)),
        two,
        np.isfinite(two).astype(float),
        held([LONG, SHORT, [0.0, 0.0]], 2),
        questions=(Question("filtered_historical", 10, rows),),
        residual_window=WINDOW,
        risk=RISK,
        seed=1,
    )
    for place, weights in enumerate((LONG, SHORT)):
        by_hand = [-(np.prod(1.0 + two[row : row + 10], axis=0) - 1.0) @ weights for row in rows]
        np.testing.assert_allclose(answer.losses[place], by_hand, rtol=1e-12)
    assert (answer.forecasts[:2] > 0.0).all()
    assert np.isnan(answer.losses[2]).all()
    assert np.isnan(answer.forecasts[2]).all()
