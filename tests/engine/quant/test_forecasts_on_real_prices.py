"""Models that no calibration feeds, on 33 years of twenty companies, all held every day: both fail."""

from skfolio.datasets import load_sp500_dataset

from acceleray.quant import forecasts
from acceleray.quant.backtest import verdict


def test_over_33_years_plain_history_and_normal_returns_have_too_many_exceptions() -> None:
    # What calibration buys is in docs/record.json. There, and in a run, the book holds what had a model on
    # the day, 19 of 20 in the first year: EWMA-normal has 155 exceptions, not 156.
    prices = load_sp500_dataset().to_numpy()
    held, first = (1.0 - prices[1:] / prices[:-1]).mean(axis=1), 1000
    for model, counted in ((forecasts.historical_simulation, 98), (forecasts.ewma_normal, 156)):
        found = verdict(held[first:] > model(-held, first), 0.99)
        assert (found.exceptions, found.days) == (counted, 7312)
        assert found.kupiec.p_value < 0.01
        assert not found.passed
