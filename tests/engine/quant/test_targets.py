"""Other targets of the same scores, by hand and with what they are for: volatility and beta in disguise."""

import numpy as np
import pytest

from acceleray.quant.evaluation import rank_information_coefficient
from acceleray.quant.targets import BETA_D, VOLATILITY_D, other_targets, volatility_and_beta


def test_two_instruments_on_two_dates_by_hand():
    forward = np.array([0.10, -0.02, 0.03, np.nan])
    date = np.array([0, 0, 1, 1])
    found = other_targets(forward, date, np.array([0.02, 0.01, 0.0, 0.01]), np.array([1.5, 0.5, 2.0, 1.0]))
    np.testing.assert_allclose(found.volatility_scaled, [5.0, -2.0, np.nan, np.nan])
    # The mean of the first date is 0.04, that of the second 0.03.
    np.testing.assert_allclose(found.residual, [0.10 - 0.06, -0.02 - 0.02, 0.03 - 0.06, np.nan])


def test_volatility_and_beta_know_nothing_of_later_days():
    draws = np.random.default_rng(3)
    market = draws.normal(0, 0.01, 400)
    returns = np.column_stack([1.5 * market, 0.5 * market + draws.normal(0, 0.02, 400)])
    returns[::7, 1] = np.nan
    volatility, beta = volatility_and_beta(returns, market)
    assert np.isnan(volatility[: VOLATILITY_D - 1, 0]).all()
    assert np.isnan(beta[: BETA_D - 1, 0]).all()
    np.testing.assert_allclose(beta[BETA_D - 1 :, 0], 1.5)
    assert volatility[200, 0] == pytest.approx(returns[200 - VOLATILITY_D + 1 : 201, 0].std(ddof=1))
    assert np.isnan(volatility[::7, 1]).all()
    changed = returns.copy()
    changed[301:] *= 10.0
    later = volatility_and_beta(changed, market)
    np.testing.assert_array_equal(later[0][:301], volatility[:301])
    np.testing.assert_array_equal(later[1][:301], beta[:301])


def test_a_signal_that_is_beta_in_a_rising_market_has_nothing_left_against_the_residual():
    draws = np.random.default_rng(8)
    dates, names = 300, 40
    beta = np.tile(draws.uniform(0.3, 1.7, names), (dates, 1))
    forward = beta * draws.normal(0.02, 0.01, (dates, 1)) + draws.normal(0, 0.02, (dates, names))
    date = np.repeat(np.arange(dates), names)
    found = other_targets(forward.ravel(), date, np.full(forward.size, 0.01), beta.ravel())
    raw = rank_information_coefficient(beta, forward).mean()
    residual = rank_information_coefficient(beta, found.residual.reshape(forward.shape)).mean()
    assert raw > 0.25
    assert abs(residual) < 0.03
