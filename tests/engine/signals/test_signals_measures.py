"""Each statistic against a computation of its own, in pandas and statsmodels, on real prices."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from acceleray.stages.ingest.shipped import sample_prices
from acceleray.stages.signals.measures import Examined, Terms, correlate, examine, marginal, resample

HORIZON_D, QUANTILES, COST_BP = 5, 4, 10.0
TERMS = Terms((HORIZON_D,), (1, 2, 5, 10), QUANTILES, COST_BP)


@cache
def frames() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return prices, and two signals: momentum over a quarter and reversal over a week."""
    prices = sample_prices().iloc[-800:]
    return prices, prices.pct_change(63), -prices.pct_change(5)


@cache
def examined() -> Examined:
    return examine(0, *arrays(), TERMS)


def arrays() -> tuple[np.ndarray, np.ndarray]:
    prices, *signals = frames()
    return np.array([each.to_numpy() for each in signals], dtype=np.float32), prices.to_numpy(np.float64)


def daily() -> pd.Series:
    prices, momentum, _ = frames()
    forward = prices.shift(-HORIZON_D) / prices - 1
    return momentum.astype(np.float32).corrwith(forward, axis=1, method="spearman")


def test_the_rank_ic_and_icir_are_those_of_pandas() -> None:
    (found,) = examined().horizons
    np.testing.assert_allclose(found.daily, daily(), atol=1e-12)
    assert found.days == daily().notna().sum() == 800 - 63 - HORIZON_D
    assert found.rank_ic == pytest.approx(daily().mean())
    assert found.icir == pytest.approx(daily().mean() / daily().std() * np.sqrt(252 / HORIZON_D))


def test_the_t_is_that_of_a_regression_with_hac_errors() -> None:
    (found,) = examined().horizons
    known = daily().dropna().to_numpy()
    lags = max(3 * HORIZON_D, int(np.ceil(1.3 * np.sqrt(known.size))))
    fitted = sm.OLS(known, np.ones(known.size)).fit(
        cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": False}
    )
    assert found.t == pytest.approx(float(fitted.tvalues[0]), rel=1e-9)
    # The p-value allows for more than the normal one of the regression does.
    assert found.p_value > float(fitted.pvalues[0])


def test_spread_turnover_and_net_ratio_are_those_of_a_book_kept_in_pandas() -> None:
    (found,) = examined().horizons
    prices, momentum, _ = frames()
    forward = prices.shift(-HORIZON_D) / prices - 1
    ranks = momentum.astype(np.float32).rank(axis=1)
    # Twenty instruments in four groups: five are held and five are shorted.
    weights = (ranks > 15).astype(float) / 5 - (ranks <= 5).astype(float) / 5
    weights = weights.where(momentum.notna().all(axis=1))
    spread = (weights * forward).sum(axis=1, min_count=20)
    traded = (weights - weights.shift(HORIZON_D)).abs().sum(axis=1, min_count=20)
    assert found.spread == pytest.approx(spread.mean())
    assert found.turnover == pytest.approx(traded.mean() / 4)
    cost = traded.mean() * COST_BP / 10_000
    net = (np.sign(daily().mean()) * spread.mean() - cost) / spread.std() * np.sqrt(252 / HORIZON_D)
    assert found.net_information_ratio == pytest.approx(net)


def test_decay_is_the_rank_ic_with_single_days_to_come() -> None:
    prices, momentum, _ = frames()
    one_day = prices.pct_change()
    for ahead, found in zip(TERMS.ahead_d, examined().ahead, strict=True):
        series = momentum.astype(np.float32).corrwith(one_day.shift(-ahead), axis=1, method="spearman")
        assert found == pytest.approx(series.mean(), abs=1e-12)


def test_the_marginal_rank_ic_is_that_of_residuals_of_a_regression_on_each_day() -> None:
    prices, momentum, reversal = frames()
    forward = prices.shift(-HORIZON_D) / prices - 1
    values = []
    for day in forward.index[63:-HORIZON_D]:
        fitted = sm.OLS(reversal.loc[day].to_numpy(), sm.add_constant(momentum.loc[day].to_numpy())).fit()
        values.append(
            pd.Series(fitted.resid).corr(forward.loc[day].reset_index(drop=True), method="spearman")
        )
    signals, levels = arrays()
    # Before the first momentum there is nothing to regress on.
    mean, t = marginal((1, HORIZON_D, (0,)), signals[:, 63:], levels[63:])
    assert mean == pytest.approx(np.mean(values), abs=2e-4)
    assert np.sign(t) == np.sign(mean)


def test_signals_are_correlated_on_every_so_many_days() -> None:
    _, momentum, reversal = frames()
    expected = momentum.iloc[::5].corrwith(reversal.iloc[::5], axis=1, method="spearman").mean()
    assert correlate(0, *arrays(), TERMS) == [pytest.approx(expected, abs=1e-6)]
    assert correlate(1, *arrays(), TERMS) == []


def test_the_bootstrap_is_as_wide_as_the_standard_error_says() -> None:
    (found,) = examined().horizons
    means = resample((HORIZON_D, 0, 400), {HORIZON_D: found.daily[:, np.newaxis]}, seed=1, block_d=40)
    assert means.shape == (400, 1)
    assert means.mean() == pytest.approx(found.rank_ic, abs=0.2 * means.std())
    assert means.std() == pytest.approx(abs(found.rank_ic / found.t), rel=0.35)
    # Days of a replication are its own: they do not depend on which others are drawn with it.
    np.testing.assert_array_equal(
        resample((HORIZON_D, 150, 160), {HORIZON_D: found.daily[:, np.newaxis]}, seed=1, block_d=40),
        means[150:160],
    )
