from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from portfolio.backtest import MODELS, Block, fit_before, forecast_block, passed, portfolio_returns
from portfolio.quant.backtest import verdict
from portfolio.quant.forecasts import historical_simulation
from portfolio.settings import Backtest

FIRST, LAST, NAMES = 800, 860, 3
SETTINGS = Backtest(first_forecast_d=800, historical_window_d=500, residual_window_d=600, refit_window_d=800)


@pytest.fixture(scope="module")
def returns() -> NDArray[np.float64]:
    """Return 900 days of three simulated instruments with a common factor."""
    generator = np.random.default_rng(11)
    return 0.008 * (generator.standard_t(6, (900, NAMES)) + generator.standard_t(6, (900, 1)))


@pytest.fixture(scope="module")
def block(returns: NDArray[np.float64]) -> Block:
    fits = [fit_before((FIRST, name), returns, 800, 500, 10) for name in range(NAMES)]
    assert all(fit.status == "calibrated" for fit in fits)
    return Block(FIRST, LAST, tuple(fits))


def test_no_model_knows_the_day_it_forecasts_or_any_later_one(
    returns: NDArray[np.float64], block: Block
) -> None:
    honest = forecast_block(block, returns, SETTINGS, 0.99, 1)
    for day in (FIRST, FIRST + 7, LAST - 1):
        changed = returns.copy()
        changed[day:] = -0.5
        seen = forecast_block(block, changed, SETTINGS, 0.99, 1)
        until = day - FIRST + 1
        np.testing.assert_array_equal(seen.forecasts[:, :until], honest.forecasts[:, :until])
        if day < LAST - 1:
            # What has happened is known the day after, by every model: otherwise this test could not fail.
            assert (seen.forecasts[:, until] > honest.forecasts[:, until]).all()


def test_a_loss_stands_beside_the_forecast_for_its_own_day(
    returns: NDArray[np.float64], block: Block
) -> None:
    result = forecast_block(block, returns, SETTINGS, 0.99, 1)
    np.testing.assert_allclose(result.losses, -returns[FIRST:LAST].mean(axis=1), rtol=1e-12)
    series = returns.mean(axis=1)
    expected = [historical_simulation(series[: day + 1], day, 500, 0.99)[0] for day in range(FIRST, LAST)]
    np.testing.assert_allclose(result.forecasts[MODELS.index("historical_simulation")], expected, rtol=1e-12)


def test_an_instrument_without_a_model_is_neither_held_nor_tested(
    returns: NDArray[np.float64], block: Block
) -> None:
    rejected = replace(block.fits[2], status="rejected", reason="test", parameters=None)
    result = forecast_block(replace(block, fits=(*block.fits[:2], rejected)), returns, SETTINGS, 0.99, 1)
    np.testing.assert_allclose(result.losses, -returns[FIRST:LAST, :2].mean(axis=1), rtol=1e-12)


def test_a_missing_return_passes_its_weight_to_the_others() -> None:
    returns = np.array([[0.01, 0.03], [np.nan, 0.02], [np.nan, np.nan]])
    np.testing.assert_allclose(portfolio_returns(returns, np.array([0.5, 0.5])), [0.02, 0.02, 0.0])


def test_too_few_days_are_not_a_pass_even_without_exceptions() -> None:
    short = verdict(np.zeros(249, dtype=bool), 0.99)
    assert passed(short) == (False, "249 out-of-sample days are too few to judge; 250 are needed")
    enough = np.zeros(250, dtype=bool)
    enough[[40, 170]] = True
    assert passed(verdict(enough, 0.99))[0]
