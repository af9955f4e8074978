import numpy as np
import pytest
from numpy.typing import NDArray

from acceleray.quant.garch import rejected
from acceleray.stages.calibrate.fits import fit_before, fit_instrument, fit_table, fits_of


@pytest.fixture(scope="module")
def returns() -> NDArray[np.float64]:
    """Return 1,500 days of three simulated instruments; the last one is listed on day 1,300."""
    values = 0.01 * np.random.default_rng(3).standard_t(5, (1500, 3))
    values[:1300, 2] = np.nan
    return values


def test_a_short_history_is_rejected_with_both_numbers(returns: NDArray[np.float64]) -> None:
    fit = fit_instrument(2, returns, minimum=500, stale_after=10)
    assert fit.status == "rejected"
    assert fit.reason == "200 returns are fewer than the 500 required"


def test_a_series_that_ended_is_rejected_however_long_it_was(returns: NDArray[np.float64]) -> None:
    ended = returns.copy()
    ended[-11:, 0] = np.nan
    assert (
        fit_instrument(0, ended, minimum=500, stale_after=10).reason
        == "no return on the last 11 trading days"
    )
    assert fit_instrument(0, ended, minimum=500, stale_after=11).status == "calibrated"


def test_an_instrument_without_any_return_is_rejected(returns: NDArray[np.float64]) -> None:
    empty = np.full_like(returns, np.nan)
    assert fit_instrument(0, empty, minimum=500, stale_after=10).status == "rejected"


def test_history_before_a_standstill_is_left_out_of_the_fit(returns: NDArray[np.float64]) -> None:
    still = returns.copy()
    still[400:460, 0] = 0.0
    fit = fit_instrument(0, still, minimum=500, stale_after=10)
    assert fit.status == "calibrated"
    assert fit.observations == 1040
    assert fit == fit_instrument(0, still[460:], minimum=500, stale_after=10)


def test_a_fit_before_a_day_does_not_see_that_day_or_later(returns: NDArray[np.float64]) -> None:
    changed = returns.copy()
    changed[1200:] *= 5.0
    before = fit_before((1200, 0), returns, window=1000, minimum=500, stale_after=10)
    assert before == fit_before((1200, 0), changed, window=1000, minimum=500, stale_after=10)
    assert before.observations == 1000
    assert before != fit_before((1201, 0), changed, window=1000, minimum=500, stale_after=10)


def test_a_fit_comes_back_from_its_row_to_the_last_bit(returns: NDArray[np.float64]) -> None:
    good = fit_instrument(0, returns, minimum=500, stale_after=10)
    short = fit_instrument(2, returns, minimum=500, stale_after=10)
    back = fits_of(fit_table([good, short]))
    # Numbers that are not there are NaN, which equals nothing, not even itself.
    assert [repr(fit) for fit in back] == [repr(good), repr(short)]
    assert back[0] == good


def test_what_a_table_cannot_hold_is_empty_and_not_zero() -> None:
    rows = fit_table([rejected("nothing there", 0)]).to_pylist()[0]
    assert rows["mu"] is rows["half_life_d"] is rows["next_sigma"] is rows["mu_se"] is None
    assert rows["reason"] == "nothing there"
