import numpy as np
import pandas as pd
import pytest

from acceleray.quant.ewma import ewma_variance


def test_the_variance_equals_the_adjusted_exponential_mean_of_pandas():
    returns = np.random.default_rng(1).normal(0.0, 0.01, 400)
    expected = pd.Series(returns**2).ewm(alpha=0.06, adjust=True).mean()
    variance = ewma_variance(returns, decay=0.94)
    assert variance.shape == (401,)
    assert np.isnan(variance[0])
    np.testing.assert_allclose(variance[1:], expected, rtol=1e-11)


def test_the_first_forecast_is_the_first_squared_return():
    assert ewma_variance(np.array([0.02, -0.05]))[1] == pytest.approx(4e-4)


def test_far_from_the_start_the_riskmetrics_recursion_holds():
    returns = np.random.default_rng(2).normal(0.0, 0.01, 1000)
    variance = ewma_variance(returns)
    np.testing.assert_allclose(variance[-1], 0.94 * variance[-2] + 0.06 * returns[-1] ** 2, rtol=1e-12)


def test_the_variance_of_a_day_does_not_know_its_return():
    returns = np.random.default_rng(3).normal(0.0, 0.01, 100)
    changed = returns.copy()
    changed[60:] *= 9.0
    np.testing.assert_array_equal(ewma_variance(returns)[:61], ewma_variance(changed)[:61])
    assert ewma_variance(changed)[61] > ewma_variance(returns)[61]


def test_a_missing_return_or_an_impossible_decay_is_refused():
    with pytest.raises(ValueError, match="missing"):
        ewma_variance(np.array([0.01, np.nan]))
    with pytest.raises(ValueError, match="decay"):
        ewma_variance(np.array([0.01, 0.02]), decay=1.0)
