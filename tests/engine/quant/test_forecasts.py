import numpy as np
import pytest

from acceleray.quant import forecasts
from acceleray.quant.backtest import verdict
from acceleray.quant.comovement import Comovement
from acceleray.quant.garch import GjrParameters, fit_gjr_garch_t, variance_path
from acceleray.quant.residuals import filtered

FIRST, LAST = 1200, 1260
WEIGHTS = np.array([0.4, 0.3, 0.2, 0.1])


@pytest.fixture(scope="module")
def asset_returns(planted) -> np.ndarray:
    generator = np.random.default_rng(51)
    z = np.sqrt(0.4) * generator.standard_normal((1300, 1)) + np.sqrt(0.6) * generator.standard_normal(
        (1300, 4)
    )
    returns = np.empty((1300, 4))
    variance = np.full(4, planted.unconditional_variance)
    for day in range(1300):
        shock = np.sqrt(variance) * z[day]
        returns[day] = planted.mu + shock
        reaction = planted.alpha + planted.gamma * (shock < 0)
        variance = planted.omega + reaction * shock**2 + planted.beta * variance
    return returns


@pytest.fixture(scope="module")
def fits(asset_returns):
    return [fit_gjr_garch_t(asset_returns[:FIRST, asset], 500) for asset in range(4)]


MODELS = {
    "historical simulation": lambda r: forecasts.historical_simulation(r, 600),
    "EWMA normal": lambda r: forecasts.ewma_normal(r, 600),
    "filtered historical EWMA": lambda r: forecasts.filtered_historical_ewma(r, 600),
}


@pytest.mark.parametrize("model", MODELS)
def test_changing_a_day_changes_no_forecast_up_to_it_but_changes_those_after(model, asset_returns):
    returns = asset_returns @ WEIGHTS
    changed = returns.copy()
    changed[900:] = -0.2
    before, after = MODELS[model](returns), MODELS[model](changed)
    assert before.shape == (700,)
    np.testing.assert_array_equal(before[: 900 - 600 + 1], after[: 900 - 600 + 1])
    # A forecast that took in its own day would differ already on day 900.
    assert (after[900 - 600 + 10 :] > before[900 - 600 + 10 :]).all()


def test_calibrated_forecasts_do_not_know_their_day_or_later(asset_returns, fits):
    before = forecasts.filtered_historical_calibrated(asset_returns, WEIGHTS, FIRST, LAST, fits)
    changed = asset_returns.copy()
    changed[FIRST + 20 :] = -0.2
    after = forecasts.filtered_historical_calibrated(changed, WEIGHTS, FIRST, LAST, fits)
    assert before.shape == (LAST - FIRST,)
    np.testing.assert_array_equal(before[:21], after[:21])
    assert (after[21:] > 2.0 * before[21:]).all()


def test_calibrated_forecasts_with_gaps_do_not_know_their_day_or_later(asset_returns, fits):
    ragged = asset_returns.copy()
    ragged[:400, 1] = np.nan
    ragged[FIRST + 5, 2] = np.nan
    ragged[800] = np.nan
    before = forecasts.filtered_historical_calibrated(ragged, WEIGHTS, FIRST, LAST, fits, seed=3)
    assert np.isfinite(before).all()
    changed = ragged.copy()
    changed[FIRST + 20 :] = -0.2
    changed[FIRST + 30, 0] = np.nan
    after = forecasts.filtered_historical_calibrated(changed, WEIGHTS, FIRST, LAST, fits, seed=3)
    np.testing.assert_array_equal(before[:21], after[:21])
    assert (after[21:] > before[21:]).all()


def test_a_day_has_the_same_forecast_whatever_block_ends_after_it(asset_returns, fits):
    long = forecasts.filtered_historical_calibrated(asset_returns, WEIGHTS, FIRST, LAST, fits)
    short = forecasts.filtered_historical_calibrated(asset_returns, WEIGHTS, FIRST, FIRST + 7, fits)
    np.testing.assert_array_equal(long[:7], short)


def test_the_last_day_of_all_can_be_forecast_before_it_happens(asset_returns, fits):
    unknown = asset_returns[: LAST + 1].copy()
    unknown[LAST] = np.nan
    ahead = forecasts.filtered_historical_calibrated(unknown, WEIGHTS, FIRST, LAST + 1, fits)
    known = forecasts.filtered_historical_calibrated(asset_returns, WEIGHTS, FIRST, LAST + 1, fits)
    assert ahead[-1] == known[-1]


def test_a_calibrated_forecast_agrees_with_a_calculation_by_hand(asset_returns, fits):
    day, window = FIRST + 3, 700
    residuals, sigma, mu = np.empty((day, 4)), np.empty(4), np.empty(4)
    for asset, fit in enumerate(fits):
        past = asset_returns[:day, asset]
        path = np.sqrt(variance_path(past, fit.parameters, fit.initial_variance))
        residuals[:, asset] = (past - fit.parameters.mu) / path[:-1]
        sigma[asset], mu[asset] = path[-1], fit.parameters.mu
    # What is learnt is learnt from the window before the first day; what is replayed are the last days.
    joint = Comovement.of(residuals[FIRST - window :], learnt=window).replayed(3, window + 3)
    losses = -(joint * sigma + mu) @ WEIGHTS
    for measure in (forecasts.forecast_value_at_risk, forecasts.forecast_expected_shortfall):
        forecast = forecasts.filtered_historical_calibrated(
            asset_returns, WEIGHTS, FIRST, LAST, fits, window=window, measure=measure
        )
        assert forecast[3] == pytest.approx(float(measure(losses, 0.99)), rel=1e-12)


def test_weights_move_from_assets_without_a_fit_to_the_others(asset_returns, fits):
    rejected = fit_gjr_garch_t(np.zeros(600), 500)
    partial = [fits[0], None, fits[2], rejected]
    held = forecasts.available_weights(WEIGHTS, partial)
    np.testing.assert_allclose(held, [0.4 / 0.6, 0.0, 0.2 / 0.6, 0.0])
    one_way = forecasts.filtered_historical_calibrated(asset_returns, WEIGHTS, FIRST, LAST, partial)
    direct = forecasts.filtered_historical_calibrated(
        asset_returns[:, [0, 2]], held[[0, 2]], FIRST, LAST, fits[::2]
    )
    np.testing.assert_allclose(one_way, direct, rtol=1e-12)
    with pytest.raises(ValueError, match="no part of the portfolio"):
        forecasts.available_weights(WEIGHTS, [None, None, None, rejected])


def test_a_hedged_portfolio_whose_weights_sum_to_zero_has_a_forecast(asset_returns, fits):
    hedged = np.array([0.5, -0.5, 0.5, -0.5])
    np.testing.assert_array_equal(forecasts.available_weights(hedged, fits), hedged)
    assert (forecasts.filtered_historical_calibrated(asset_returns, hedged, FIRST, LAST, fits) > 0.0).all()


def test_historical_simulation_is_the_quantile_of_the_days_before():
    returns = np.random.default_rng(52).standard_t(4, 800) * 0.01
    forecast = forecasts.historical_simulation(returns, 600, window=250, confidence=0.95)
    # Every day: most quantiles of the days before are those of a window that ends a day late, too.
    for day in range(600, 800):
        expected = np.quantile(-returns[day - 250 : day], 0.95, method="weibull")
        assert forecast[day - 600] == pytest.approx(expected, rel=1e-12)


def test_a_forecast_is_exceeded_as_often_as_it_promises_at_any_window():
    # The plain rank floor(n (1 - c)) + 1 promises 6 / 501 = 1.198 % at 500 days: a model blamed for 1 %.
    losses = np.random.default_rng(54).standard_t(4, (20_000, 501))
    past, next_day = losses[:, :500], losses[:, 500]
    forecast = np.array([forecasts.forecast_value_at_risk(row, 0.99) for row in past])
    plain = np.sort(past, axis=1)[:, -6]
    assert np.mean(next_day > forecast) == pytest.approx(0.01, abs=0.0018)
    assert np.mean(next_day > plain) == pytest.approx(0.01198, abs=0.0018)
    assert np.mean(forecast > plain) > 0.99


@pytest.mark.parametrize("days", [100, 101, 500, 2000])
def test_looking_once_gives_what_the_three_measures_give(days):
    losses = np.random.default_rng(56).standard_t(4, days)
    found = forecasts.forecast_at_both(losses, 0.99, 0.975)
    each = [
        forecasts.forecast_value_at_risk(losses, 0.99),
        forecasts.forecast_value_at_risk(losses, 0.975),
        forecasts.forecast_expected_shortfall(losses, 0.975),
    ]
    np.testing.assert_array_equal(found, each)


def test_every_window_looks_back_from_the_same_day_or_as_far_as_there_is():
    returns = np.random.default_rng(55).normal(0.0, 0.01, 400)
    days = forecasts.historical_losses(returns, 200)
    found = forecasts.over_windows(days, (100, 300), 0.99, forecasts.forecast_value_at_risk)
    assert found.shape == (2, 200)
    by_hand = [forecasts.forecast_value_at_risk(-returns[day - 100 : day], 0.99) for day in range(200, 400)]
    np.testing.assert_array_equal(found[0], by_hand)
    # On its first day the longer window holds the 200 days there are.
    assert found[1, 0] == forecasts.forecast_value_at_risk(-returns[:200], 0.99)
    assert found[1, -1] == forecasts.forecast_value_at_risk(-returns[99:399], 0.99)


def test_under_constant_volatility_every_model_finds_the_gaussian_value_at_risk():
    returns = np.random.default_rng(53).normal(0.0, 0.01, 6000)
    flat = forecasts.ewma_normal(returns, 3000, decay=0.999)
    assert flat.mean() == pytest.approx(0.023263, rel=0.03)
    assert forecasts.historical_simulation(returns, 3000).mean() == pytest.approx(0.0233, rel=0.06)
    assert forecasts.filtered_historical_ewma(returns, 3000).mean() == pytest.approx(0.0233, rel=0.10)


def test_true_parameters_pass_the_gate_and_a_halved_volatility_does_not(planted, planted_returns):
    first = 2000
    fit = fit_gjr_garch_t(planted_returns[:first], 500)
    returns = planted_returns[:, np.newaxis]
    forecast = forecasts.filtered_historical_calibrated(
        returns, np.ones(1), first, len(returns), [fit], confidence=0.975
    )
    assert verdict(-planted_returns[first:] > forecast, 0.975).passed
    assert not verdict(-planted_returns[first:] > 0.5 * forecast, 0.975).passed


def test_too_little_past_is_refused(asset_returns, fits):
    with pytest.raises(ValueError, match="must be 100"):
        forecasts.historical_simulation(asset_returns[:, 0], 99)
    with pytest.raises(ValueError, match="must be 101"):
        forecasts.filtered_historical_ewma(asset_returns[:, 0], 100)
    with pytest.raises(ValueError, match="too few"):
        forecasts.filtered_historical_calibrated(asset_returns, WEIGHTS, 50, 60, fits)
    with pytest.raises(ValueError, match="do not lie within"):
        forecasts.filtered_historical_calibrated(asset_returns, WEIGHTS, 1290, 1301, fits)
    with pytest.raises(ValueError, match="missing"):
        forecasts.ewma_normal(np.array([0.01, np.nan, 0.02]), 2)


def test_the_four_models_on_real_prices_separate_as_calibration_promises():
    """Ten real shares from November 2007 to 2015: plain history fails, the calibrated filter passes."""
    datasets = pytest.importorskip("skfolio.datasets")
    prices = datasets.load_sp500_dataset().iloc[2500:6500, :10].to_numpy(dtype=float)
    returns = prices[1:] / prices[:-1] - 1.0
    weights, start = np.full(10, 0.1), 2000
    losses = -(returns @ weights)
    history = verdict(losses[start:] > forecasts.historical_simulation(-losses, start), 0.99)
    normal = verdict(losses[start:] > forecasts.ewma_normal(-losses, start), 0.99)
    hits = []
    for first in range(start, len(returns), 500):
        last = min(first + 500, len(returns))
        fits = [fit_gjr_garch_t(returns[first - 2000 : first, asset], 500) for asset in range(10)]
        assert all(fit.status == "calibrated" for fit in fits)
        padded = returns[first - 2000 : last]
        forecast = forecasts.filtered_historical_calibrated(padded, weights, 2000, len(padded), fits)
        hits.append(losses[first:last] > forecast)
    calibrated = verdict(np.concatenate(hits), 0.99)
    assert not history.passed
    assert not normal.passed
    assert calibrated.passed, calibrated.reason


def test_parameters_of_a_fit_are_filtered_from_the_first_day_given():
    parameters = GjrParameters(mu=0.0, omega=1e-6, alpha=0.05, gamma=0.05, beta=0.9, nu=6.0)
    residuals, sigma = filtered(np.array([np.nan, np.nan, 0.01, np.nan, 0.02]), parameters, 1e-4)
    path = np.sqrt(variance_path(np.array([0.01, 0.02]), parameters, 1e-4))
    np.testing.assert_allclose(sigma, path[[0, 0, 0, 1, 1, 2]])
    np.testing.assert_allclose(residuals[[2, 4]], [0.01 / path[0], 0.02 / path[1]])
    assert np.isnan(residuals[[0, 1, 3]]).all()
    # A closed day has no shock, and what ends a suspension is over the forecast of its own day.
    unseen = np.array([np.nan, 0.0, np.nan, 0.05, 0.07])
    residuals, _ = filtered(np.array([np.nan, np.nan, 0.01, np.nan, 0.02]), parameters, 1e-4, unseen)
    np.testing.assert_allclose(residuals, [np.nan, 0.0, 0.01 / path[0], 0.05 / path[1], 0.02 / path[1]])
