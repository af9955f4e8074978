import numpy as np
import pytest

from acceleray.stages.simulate.attribution import attributed, log_returns, market_betas


def test_betas_are_least_squares_slopes_on_the_equal_weight_mean():
    generator = np.random.default_rng(1)
    returns = 0.01 * (
        generator.standard_normal((500, 1)) * [0.5, 1.0, 1.5] + generator.standard_normal((500, 3))
    )
    logs = np.log(1.0 + returns)
    market = logs.mean(axis=1)
    expected = [np.polyfit(market, logs[:, place], 1)[0] for place in range(3)]
    np.testing.assert_allclose(market_betas(returns), expected, rtol=1e-9)
    # The equal-weight mean of the slopes on it is one.
    assert market_betas(returns).mean() == pytest.approx(1.0, rel=1e-12)


def test_an_instrument_is_measured_on_the_days_on_which_it_is_present():
    generator = np.random.default_rng(2)
    returns = 0.01 * generator.standard_normal((400, 4))
    returns[:150, 2] = np.nan
    returns[:, 3] = np.nan
    returns[37] = np.nan
    logs = np.log(1.0 + returns)
    present = np.isfinite(logs[:, 2])
    market = np.nanmean(logs[present], axis=1)
    betas = market_betas(returns)
    assert betas[2] == pytest.approx(np.polyfit(market, logs[present, 2], 1)[0], rel=1e-9)
    assert betas[3] == 0.0


def test_a_portfolio_of_the_market_alone_has_nothing_specific():
    tail_logs = np.array([[-0.10, -0.02, -0.06]])
    betas = np.array([1.4, 0.6, 1.0])
    found = attributed(np.array([0.058]), np.full((1, 3), 1 / 3), tail_logs, betas)
    assert found.factor[0] == pytest.approx(0.06)
    assert found.specific[0] == pytest.approx(0.0, abs=1e-15)
    assert found.residual[0] == pytest.approx(-0.002)


def test_a_total_loss_has_a_finite_logarithm():
    np.testing.assert_allclose(log_returns(np.array([-1.0, -0.5, 0.0])), [np.log(1e-6), np.log(0.5), 0.0])
