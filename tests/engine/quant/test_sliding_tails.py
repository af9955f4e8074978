import numpy as np
import pytest

from acceleray.quant.forecasts import (
    ewma_filtered_losses,
    ewma_residuals,
    forecast_at_both,
    historical_losses,
)
from acceleray.quant.sliding_tails import forecasts_over_windows, largest_in_windows, sliding

LEVELS = (0.99, 0.975)


def by_sorting(days, windows, levels):
    """Return the same from each sample alone, (windows, 3, days)."""
    found = [[forecast_at_both(losses[-window:], *levels) for window in windows] for losses in days]
    return np.moveaxis(np.array(found), 0, -1)


@pytest.mark.parametrize("windows", [(500, 1000, 2000), (101,), (100, 333, 2500)])
@pytest.mark.parametrize("levels", [LEVELS, (0.9, 0.75), (0.9999, 0.999)])
def test_numbers_are_those_of_sorted_samples_to_the_bit(windows, levels):
    returns = 0.01 * np.random.default_rng(61).standard_t(4, 2300)
    # From a history shorter than a window to one as long as all.
    starts = (900, 2200)
    for start in starts:
        series, days = returns[: start + 90], np.arange(start, start + 90)
        rows = sliding(-series, days, max(windows))
        known = np.minimum(days, max(windows))
        found = forecasts_over_windows(rows, known, windows, *levels)
        np.testing.assert_array_equal(found, by_sorting(historical_losses(series, start), windows, levels))


def test_a_scale_is_that_of_every_loss_to_the_bit():
    returns = 0.01 * np.random.default_rng(62).standard_t(4, 1500)
    start, windows = 1400, (500, 1000)
    residuals, sigma = ewma_residuals(returns, start)
    days = np.arange(start, returns.size) - 1
    rows, known = sliding(residuals, days, 1000), np.minimum(days, 1000)
    found = forecasts_over_windows(rows, known, windows, *LEVELS, sigma)
    np.testing.assert_array_equal(found, by_sorting(ewma_filtered_losses(returns, start), windows, LEVELS))


def test_equal_losses_and_losses_that_are_all_gains_rank_too():
    losses = np.full((3, 600), 0.5)
    losses[1] = -0.25
    losses[2, ::7] = 0.75
    whole, half = largest_in_windows(losses, (600, 300), (16, 9))
    np.testing.assert_array_equal(whole[:2], [[0.5] * 16, [-0.25] * 16])
    np.testing.assert_array_equal(half[2], [0.75] * 9)


def test_what_a_shorter_window_has_forgotten_is_not_in_it():
    losses = np.zeros((1, 400))
    losses[0, 150], losses[0, 350] = 9.0, 5.0
    whole, half = largest_in_windows(losses, (400, 200), (3, 3))
    assert whole[0].tolist() == [9.0, 5.0, 0.0]
    assert half[0].tolist() == [5.0, 0.0, 0.0]
