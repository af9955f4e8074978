import numpy as np
import pytest

from acceleray.quant.dynamic_quantile import LAGS, dynamic_quantile
from acceleray.quant.null_record import upper_p


def by_regression(hits: np.ndarray, forecasts: np.ndarray, confidence: float) -> float:
    """Return the statistic written out: regressors, their projection, and the variance of a hit."""
    centred = hits.astype(float) - (1.0 - confidence)
    lagged = [centred[LAGS - lag : centred.size - lag] for lag in range(1, LAGS + 1)]
    x = np.column_stack([np.ones(centred.size - LAGS), forecasts[LAGS:], *lagged])
    y = centred[LAGS:]
    fitted = x @ np.linalg.lstsq(x, y, rcond=None)[0]
    return float(fitted @ y / (confidence * (1.0 - confidence)))


def test_the_statistic_is_that_of_the_regression_written_out():
    generator = np.random.default_rng(71)
    hits = generator.random((20, 1500)) < 0.03
    forecasts = 1.0 + generator.random(1500)
    found = dynamic_quantile(hits, forecasts, 0.97)
    np.testing.assert_allclose(found, [by_regression(each, forecasts, 0.97) for each in hits], rtol=1e-9)


def test_the_unit_of_the_forecast_and_one_that_stands_still_change_nothing():
    generator = np.random.default_rng(72)
    hits = generator.random((5, 800)) < 0.02
    forecasts = 1.0 + generator.random(800)
    found = dynamic_quantile(hits, forecasts, 0.98)
    np.testing.assert_allclose(dynamic_quantile(hits, 50.0 * forecasts + 3.0, 0.98), found, rtol=1e-9)
    assert np.isfinite(dynamic_quantile(hits, np.ones(800), 0.98)).all()
    assert np.isfinite(dynamic_quantile(np.zeros((1, 800), dtype=bool), forecasts, 0.98)).all()


@pytest.mark.parametrize("days", [1000, 5000])
def test_against_a_simulated_null_a_right_model_is_rejected_as_often_as_it_should(days):
    generator = np.random.default_rng(73)
    forecasts = np.exp(0.02 * generator.standard_normal(days).cumsum())
    null, seen = (
        np.concatenate(
            [dynamic_quantile(generator.random((500, days)) < 0.01, forecasts, 0.99) for _ in range(8)]
        )
        for _ in range(2)
    )
    rejected = np.mean([upper_p(each, null) <= 0.05 for each in seen])
    assert 0.04 <= rejected <= 0.06


def test_exceptions_in_clusters_and_with_the_level_of_the_forecast_are_seen():
    generator = np.random.default_rng(74)
    forecasts = 1.0 + (np.arange(4000) // 500 % 2)
    scattered = generator.random(4000) < 0.01
    null = dynamic_quantile(generator.random((1000, 4000)) < 0.01, forecasts, 0.99)
    pairs = np.zeros(4000, dtype=bool)
    pairs[100::200] = pairs[102::200] = True
    with_level = generator.random(4000) < np.where(forecasts > 1.5, 0.0, 0.02)
    found = dynamic_quantile(np.stack([scattered, pairs, with_level]), forecasts, 0.99)
    p = [upper_p(each, null) for each in found]
    assert p[0] > 0.05
    assert p[1] < 0.01
    assert p[2] < 0.01


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="do not make a test"):
        dynamic_quantile(np.zeros((1, 100), dtype=bool), np.ones(99), 0.99)


def test_a_record_of_a_few_days_is_not_tested() -> None:
    assert np.isnan(dynamic_quantile(np.zeros((2, 12), dtype=bool), np.ones(12), 0.99)).all()
    assert np.isfinite(dynamic_quantile(np.zeros((2, 13), dtype=bool), np.ones(13), 0.99)).all()
