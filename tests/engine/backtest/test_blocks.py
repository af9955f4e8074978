from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from acceleray.quant.forecasts import (
    forecast_expected_shortfall,
    forecast_value_at_risk,
    historical_simulation,
)
from acceleray.settings import Risk
from acceleray.stages.backtest.blocks import MODELS, Block, forecast_block
from acceleray.stages.backtest.positions import portfolio_returns
from acceleray.stages.calibrate.fits import fit_before

FIRST, LAST, NAMES = 800, 860, 3
WINDOWS = {"windows": (300, 600), "risk": Risk(), "seed": 1}
LONGEST = 1


def one_day(returns):
    """Return that every return is one of a day."""
    return np.isfinite(returns).astype(float)


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
    honest = forecast_block(block, returns, one_day(returns), **WINDOWS)
    for day in (FIRST, FIRST + 7, LAST - 1):
        changed = returns.copy()
        changed[day:] = -0.5
        seen = forecast_block(block, changed, one_day(changed), **WINDOWS)
        until = day - FIRST + 1
        np.testing.assert_array_equal(seen.forecasts[..., :until], honest.forecasts[..., :until])
        if day < LAST - 1:
            # What has happened is known the day after, by every model: otherwise this test could not fail.
            assert (seen.forecasts[..., until] > honest.forecasts[..., until]).all()


def test_a_standstill_still_to_come_takes_away_no_day_before_it(
    returns: NDArray[np.float64], block: Block
) -> None:
    stopped = returns.copy()
    # It ends within the block: of one that never does, nothing is left to forecast with.
    stopped[FIRST + 7 : LAST - 1] = 0.0
    seen, honest = (forecast_block(block, each, one_day(each), **WINDOWS) for each in (stopped, returns))
    np.testing.assert_array_equal(seen.forecasts[..., :8], honest.forecasts[..., :8])


def test_a_loss_stands_beside_the_forecast_for_its_own_day(
    returns: NDArray[np.float64], block: Block
) -> None:
    result = forecast_block(block, returns, one_day(returns), **WINDOWS)
    losses, forecast = result.losses[0], result.forecasts[LONGEST, MODELS.index("historical_simulation"), 0]
    assert_each_on_its_own_day(losses, forecast, returns)
    # Planted faults: each day tested against the threshold of today, and both of them shifted by one day.
    faults = {
        "today's threshold": (losses, np.full_like(forecast, forecast[-1])),
        "forecasts a day late": (losses, np.roll(forecast, 1)),
        "forecasts a day early": (losses, np.roll(forecast, -1)),
        "losses a day late": (np.roll(losses, 1), forecast),
    }
    for fault in faults.values():
        with pytest.raises(AssertionError):
            assert_each_on_its_own_day(*fault, returns)


def assert_each_on_its_own_day(
    losses: NDArray[np.float64], forecast: NDArray[np.float64], returns: NDArray[np.float64]
) -> None:
    np.testing.assert_allclose(losses, -returns[FIRST:LAST].mean(axis=1), rtol=1e-12)
    series = returns.mean(axis=1)
    expected = [historical_simulation(series[: day + 1], day, 600, 0.99)[0] for day in range(FIRST, LAST)]
    np.testing.assert_allclose(forecast, expected, rtol=1e-12)


def test_an_instrument_without_a_model_is_neither_held_nor_tested(
    returns: NDArray[np.float64], block: Block
) -> None:
    rejected = replace(block.fits[2], status="rejected", reason="test", parameters=None)
    result = forecast_block(
        replace(block, fits=(*block.fits[:2], rejected)), returns, one_day(returns), **WINDOWS
    )
    np.testing.assert_allclose(result.losses[0], -returns[FIRST:LAST, :2].mean(axis=1), rtol=1e-12)


def test_a_missing_return_passes_its_weight_to_the_others() -> None:
    returns = np.array([[0.01, 0.03], [np.nan, 0.02], [np.nan, np.nan]])
    earned, covered = portfolio_returns(returns, np.array([0.5, 0.5]))
    np.testing.assert_allclose(earned, [0.02, 0.02, 0.0])
    np.testing.assert_allclose(covered, [1.0, 0.5, 0.0])


def test_a_shortfall_is_never_milder_than_the_threshold_it_lies_beyond(
    returns: NDArray[np.float64], block: Block
) -> None:
    found = forecast_block(block, returns, one_day(returns), **WINDOWS).forecasts
    _, threshold, shortfall = np.moveaxis(found, 2, 0)
    assert (shortfall > threshold).all()


def test_each_measure_is_taken_at_its_own_confidence(returns: NDArray[np.float64], block: Block) -> None:
    forecasts = forecast_block(block, returns, one_day(returns), **WINDOWS).forecasts[LONGEST]
    past = -returns[FIRST - 600 : FIRST].mean(axis=1)
    by_hand = [
        forecast_value_at_risk(past, 0.99),
        forecast_value_at_risk(past, 0.975),
        forecast_expected_shortfall(past, 0.975),
    ]
    np.testing.assert_allclose(forecasts[MODELS.index("historical_simulation"), :, 0], by_hand, rtol=1e-12)
    # Multiples of a normal deviation at 99 % and 97.5 %, and of the shortfall at the latter.
    normal = forecasts[MODELS.index("ewma_normal")]
    multiples = np.tile([[1.186934], [1.0], [1.192778]], LAST - FIRST)
    np.testing.assert_allclose(normal / normal[1], multiples, rtol=1e-6)


def test_all_models_that_replay_losses_look_back_at_the_same_days(
    returns: NDArray[np.float64], block: Block
) -> None:
    found = forecast_block(block, returns, one_day(returns), **WINDOWS).forecasts
    assert found.shape == (2, len(MODELS), 3, LAST - FIRST)
    changed = returns.copy()
    # Out of the shorter window of every day of the block, and inside the longer one.
    changed[FIRST - 450 : FIRST - 400] = -0.3
    calm = forecast_block(block, changed, one_day(changed), **WINDOWS).forecasts
    for model in ("historical_simulation", "filtered_historical_ewma"):
        place = MODELS.index(model)
        assert (calm[LONGEST, place] != found[LONGEST, place]).any(axis=0).all()
    np.testing.assert_array_equal(calm[0, 0], found[0, 0])
    # A normal law has no window: its forecasts are the same at both.
    normal = MODELS.index("ewma_normal")
    np.testing.assert_array_equal(found[0, normal], found[1, normal])
