import numpy as np
import pytest
from scipy.stats import linregress, skew

from acceleray.quant import rolling as r

GENERATOR = np.random.default_rng(20240917)
MARKET = GENERATOR.standard_t(4, 700) * 0.01
RETURNS = 0.0004 + 1.3 * MARKET + GENERATOR.standard_t(4, 700) * 0.02
PRICES = 50.0 * np.cumprod(1.0 + RETURNS)
LENGTH = 60
CASES = {
    "change": (r.change, (PRICES,)),
    "drawdown": (r.drawdown, (PRICES,)),
    "largest": (r.largest, (RETURNS,)),
    "deviation": (r.deviation, (RETURNS,)),
    "downside_deviation": (r.downside_deviation, (RETURNS,)),
    "skewness": (r.skewness, (RETURNS,)),
    "slope": (r.slope, (RETURNS, MARKET)),
    "downside_slope": (r.downside_slope, (RETURNS, MARKET)),
    "residual_momentum": (lambda own, market: r.residual_momentum(own, market, 21), (RETURNS, MARKET)),
    "residual_deviation": (r.residual_deviation, (RETURNS, MARKET)),
}


def residual_momentum(own, market):
    early = slice(None, -21)
    residuals = own[early] - linregress(market, own).slope * market[early]
    return residuals.sum() / residuals.std(ddof=1)


def residual_deviation(own, market):
    line = linregress(market, own)
    residuals = own - line.intercept - line.slope * market
    return np.sqrt((residuals**2).sum() / (own.size - 2))


AGAIN = {
    "change": lambda prices: prices[-1] / prices[0] - 1,
    "drawdown": lambda prices: prices[-1] / max(prices) - 1,
    "largest": max,
    "deviation": lambda own: np.std(own, ddof=1),
    "downside_deviation": lambda own: np.sqrt(np.mean(np.where(own < 0, own, 0) ** 2)),
    "skewness": skew,
    "slope": lambda own, market: linregress(market, own).slope,
    "downside_slope": lambda own, market: linregress(market[market < 0], own[market < 0]).slope,
    "residual_momentum": residual_momentum,
    "residual_deviation": residual_deviation,
}


@pytest.mark.parametrize("name", CASES)
def test_a_rolling_statistic_is_that_of_every_window_computed_alone(name):
    statistic, series = CASES[name]
    expected = np.full(700, np.nan)
    for day in range(LENGTH - 1, 700):
        expected[day] = AGAIN[name](*(each[day - LENGTH + 1 : day + 1] for each in series))
    np.testing.assert_allclose(r.rolling(statistic, LENGTH, *series), expected, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("name", CASES)
def test_what_comes_later_changes_no_bit_of_what_was_known(name):
    statistic, series = CASES[name]
    whole = r.rolling(statistic, LENGTH, *series)
    for days in (LENGTH - 1, LENGTH, 200, 451):
        known = r.rolling(statistic, LENGTH, *(each[:days].copy() for each in series))
        np.testing.assert_array_equal(known, whole[:days])


def test_a_change_can_leave_out_the_last_days():
    prices = np.array([[10.0, 11.0, 12.0, 24.0]])
    assert r.change(prices).tolist() == pytest.approx([1.4])
    assert r.change(prices, skipped=1).tolist() == pytest.approx([0.2])


def test_where_nothing_moves_there_is_no_slope_and_no_skewness_and_no_deviation():
    still, moving = np.zeros((1, 5)), np.array([[0.01, -0.02, 0.03, 0.0, 0.01]])
    for ratio in (
        r.skewness(still),
        r.slope(moving, still),
        r.downside_slope(moving, np.abs(moving)),
        r.downside_slope(moving, np.array([[-0.01, 0.01, 0.01, 0.01, 0.01]])),
        r.residual_momentum(still, moving, 1),
        r.residual_deviation(moving, still),
    ):
        assert np.isnan(ratio).all()
    assert r.deviation(still).tolist() == [0.0]
    assert r.slope(still, moving).tolist() == [0.0]


def test_residuals_with_intercept_would_make_residual_momentum_last_months_reversal():
    # Why the intercept stays in: over the window of the regression residuals sum to zero.
    line = linregress(MARKET[:252], RETURNS[:252])
    residuals = RETURNS[:252] - line.intercept - line.slope * MARKET[:252]
    assert residuals[:231].sum() == pytest.approx(-residuals[231:].sum())
