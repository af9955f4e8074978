import math

import numpy as np
import pytest
from skfolio.datasets import load_sp500_dataset

from acceleray.quant.bootstrap import block_days
from acceleray.quant.evaluation import rank_information_coefficient
from acceleray.quant.streams import Purpose, Stream
from acceleray.quant.universe import (
    BLOCK_D,
    OneFactorModel,
    Plan,
    market_path,
    one_factor_model,
    own_path,
    price_path,
)
from planted_signal import normal_rank_correlation, planted_correlation, planted_rank_ic

INSTRUMENTS = 400
DAYS = 1500
PAST, AHEAD = 21, 21


@pytest.fixture(scope="module")
def model():
    return one_factor_model(load_sp500_dataset().to_numpy())


def plan(share, half_life=10.0, seed=20240301, days=DAYS):
    return Plan(days, share, half_life, seed)


def universe(model, plan, instruments=INSTRUMENTS):
    """Return own and total log prices, of shape (days, instruments)."""
    market = market_path(model, plan)
    paths = [own_path(model, plan, number) for number in range(instruments)]
    own = np.stack([changes for _, changes in paths], axis=1)
    betas = np.array([beta for beta, _ in paths])
    start = np.zeros((1, instruments))
    return tuple(
        np.concatenate((start, changes.cumsum(axis=0)))
        for changes in (own, own + market[:, np.newaxis] * betas)
    )


def changes(logs, past, ahead):
    return logs[past:-ahead] - logs[: -past - ahead], logs[past + ahead :] - logs[past:-ahead]


def mean_and_error(series, apart):
    """Return the mean of a series, and its standard error from means of stretches that hardly overlap."""
    stretches = series[: series.size // apart * apart].reshape(-1, apart).mean(axis=1)
    return series.mean(), stretches.std(ddof=1) / math.sqrt(stretches.size)


def test_the_model_takes_returns_apart_and_betas_are_least_squares(model):
    returns = np.diff(np.log(load_sp500_dataset().to_numpy()), axis=0)
    means = returns.mean(axis=0)
    together = means + model.market[:, np.newaxis] * model.betas + model.residuals
    np.testing.assert_allclose(together, returns, atol=1e-15)
    for name in (0, 7, 19):
        assert model.betas[name] == pytest.approx(np.polyfit(model.market, returns[:, name], 1)[0])
    assert model.betas.mean() == pytest.approx(1.0)
    np.testing.assert_allclose(model.residuals.mean(axis=0), 0.0, atol=1e-15)
    assert model.market.mean() == pytest.approx(0.0, abs=1e-15)


def test_blocks_have_the_lengths_and_the_starts_of_the_stationary_bootstrap():
    days = block_days(Stream(7, 0, Purpose.UNIVERSE_MARKET), 1000, 200_000, BLOCK_D)
    assert days.min() == 0
    assert days.max() == 999
    # A block ends with probability 1 / length each day; one new start in 1000 happens to be the next day.
    ended = np.diff(days) % 1000 != 1
    assert 1.0 / ended.mean() == pytest.approx(BLOCK_D, rel=0.05)
    starts = days[1:][ended]
    counts = np.histogram(starts, bins=10, range=(0, 1000))[0]
    np.testing.assert_allclose(counts, starts.size / 10, rtol=0.25)


def test_an_instrument_is_the_same_whatever_else_is_simulated(model):
    plans = plan(0.2)
    market = market_path(model, plans)
    alone = price_path(model, plans, market, 37)
    together = [price_path(model, plans, market, number) for number in range(50)]
    np.testing.assert_array_equal(together[37], alone)
    assert len({tuple(prices[-3:]) for prices in together}) == 50
    other = plan(0.2, seed=20240302)
    assert not np.array_equal(price_path(model, other, market_path(model, other), 37), alone)


def test_prices_start_at_a_hundred_and_stay_prices(model):
    plans = plan(0.9, days=3000)
    market = market_path(model, plans)
    prices = np.stack([price_path(model, plans, market, number) for number in range(200)])
    assert prices.shape == (200, 3000)
    assert (prices[:, 0] == 100.0).all()
    assert np.isfinite(prices).all()
    assert prices.min() > 1e-3
    assert prices.max() < 1e7


def test_an_instrument_keeps_the_risk_of_its_parent(model):
    days = 20_000
    for share in (0.0, 0.5):
        _, own = own_path(model, plan(share, days=days), 3)
        # The clusters of volatility make the variance of one path an uncertain number.
        assert own.std() == pytest.approx(model.residuals[:, 3].std(), rel=0.1)
    betas = [own_path(model, plan(0.0, days=2), 20 * number)[0] for number in range(500)]
    assert np.median(betas) == pytest.approx(model.betas[0], rel=0.03)
    sizes = np.abs(own_path(model, plan(0.0, days=days), 3)[1]), np.abs(model.residuals[:, 3])
    near = [np.corrcoef(each[:-1], each[1:])[0, 1] for each in sizes]
    assert near[0] > 0.8 * near[1] > 0.1, "volatility comes in clusters"


def test_the_planted_correlation_is_the_one_that_an_ar_process_and_a_walk_have():
    # Counted another way: one-day covariances of u's changes, added up day by day.
    plans, past, ahead = plan(0.3, half_life=4.0), 6, 9
    fading = 0.5**0.25
    sigma = 0.3 / (2 * (1 - fading))
    gamma = [sigma * fading**lag for lag in range(past + ahead + 2)]

    def step(lag):
        return 2 * gamma[lag] - gamma[abs(lag - 1)] - gamma[lag + 1] if lag else 2 * gamma[0] - 2 * gamma[1]

    covariance = sum(step(day + later + 1) for day in range(past) for later in range(ahead))
    variance = [
        0.7 * days + sum(step(abs(one - two)) for one in range(days) for two in range(days))
        for days in (past, ahead)
    ]
    assert step(0) == pytest.approx(0.3)
    expected = covariance / math.sqrt(variance[0] * variance[1])
    assert planted_correlation(plans, past, ahead) == pytest.approx(expected)
    assert planted_correlation(plan(0.0), past, ahead) == 0.0


@pytest.mark.parametrize(("past", "ahead"), [(21, 21), (5, 5), (5, 21)])
def test_own_changes_have_the_planted_correlation_and_not_half_of_it_or_its_double(model, past, ahead):
    plans = plan(0.2)
    before, after = changes(universe(model, plans)[0], past, ahead)
    # Equal scales: with unequal ones a correlation is that of the loudest names.
    scale = np.sqrt(model.variances[np.arange(INSTRUMENTS) % 20])
    daily = (before / scale * after / scale).mean(axis=1)
    spread = np.sqrt(((before / scale) ** 2).mean() * ((after / scale) ** 2).mean())
    found, error = mean_and_error(daily / spread, 2 * (past + ahead))
    expected = planted_correlation(plans, past, ahead)
    assert abs(found - expected) < 3 * error
    assert 3 * error < abs(expected) / 2


def test_two_normal_variables_have_the_rank_correlation_of_the_formula():
    draws = np.random.default_rng(3).multivariate_normal([0, 0], [[1, -0.4], [-0.4, 1]], 200_000).T
    ranks = np.argsort(np.argsort(draws, axis=1), axis=1)
    assert np.corrcoef(ranks)[0, 1] == pytest.approx(normal_rank_correlation(-0.4), abs=0.006)
    assert normal_rank_correlation(-1.0) == pytest.approx(-1.0)


def test_without_differences_in_volatility_the_expected_rank_ic_is_that_of_normal_variables():
    # Residuals that are all the same but for the sign: over a quarter their sum is as good as normal.
    flat = OneFactorModel(np.zeros(500), np.ones(1), np.full((500, 1), 0.01))
    for share, past, ahead in ((0.2, 63, 21), (0.4, 63, 63)):
        plans = plan(share)
        expected = normal_rank_correlation(planted_correlation(plans, past, ahead))
        assert planted_rank_ic(flat, plans, past, ahead) == pytest.approx(expected, rel=0.02)


def test_the_rank_ic_of_past_changes_is_the_predicted_one_with_and_without_the_market(model):
    plans = plan(0.2)
    own, total = universe(model, plans)
    market = market_path(model, plans)
    for logs, path in ((own, None), (total, market)):
        found, error = mean_and_error(rank_information_coefficient(*changes(logs, PAST, AHEAD)), 84)
        expected = planted_rank_ic(model, plans, PAST, AHEAD, path)
        # The error of the mean IC that the market's path does not explain is about that of the own part.
        assert abs(found - expected) < 0.012
        assert -0.08 < expected < -0.04, "sharp enough: neither zero nor twice the strength would pass"
        assert error < 0.012


def test_a_universe_without_a_signal_has_none(model):
    plans = plan(0.0)
    own, total = universe(model, plans)
    for logs in (own, total):
        found, error = mean_and_error(rank_information_coefficient(*changes(logs, PAST, AHEAD)), 84)
        assert abs(found) < 2.5 * error
    assert planted_rank_ic(model, plans, PAST, AHEAD) == 0.0


def test_prices_with_a_gap_are_refused():
    for bad in (np.nan, 0.0, np.inf):
        with pytest.raises(ValueError, match="without gaps"):
            one_factor_model(np.array([[1.0, 2.0], [bad, 2.0], [1.0, 3.0]]))
