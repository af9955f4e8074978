import numpy as np

from acceleray.quant.stale_prices import LONGEST_STANDSTILL_D, after_standstills, longest_standstill
from acceleray.settings.sections import MarketData


def test_the_longest_run_of_zero_returns_is_counted() -> None:
    assert longest_standstill(np.array([0.1, 0.0, 0.0, -0.1, 0.0])) == 2
    assert longest_standstill(np.array([0.1, 0.2])) == 0
    assert longest_standstill(np.zeros(7)) == 7


def test_history_up_to_the_last_standstill_is_left_out_and_nothing_else() -> None:
    nan = np.nan
    returns = np.array(
        [
            [0.1, 0.1, 0.1, 0.0],
            [0.0, 0.0, 0.0, 0.0],
            [0.0, 0.0, nan, 0.0],
            [0.2, 0.0, 0.0, 0.0],
            [0.0, 0.3, 0.0, 0.0],
            [0.0, 0.0, 0.3, 0.0],
        ]
    )
    kept = after_standstills(returns, longest_d=2)
    # Two zeros are allowed; three are not, also across a gap; what never moves has no history at all.
    np.testing.assert_array_equal(kept[:, 0], returns[:, 0])
    np.testing.assert_array_equal(kept[:, 1], [nan, nan, nan, nan, 0.3, 0.0])
    np.testing.assert_array_equal(kept[:, 2], [nan, nan, nan, nan, nan, 0.3])
    assert np.isnan(kept[:, 3]).all()


def test_the_given_returns_are_not_changed() -> None:
    returns = np.zeros((30, 1))
    after_standstills(returns)
    assert np.isfinite(returns).all()


def test_the_setting_and_the_mathematics_have_one_default():
    assert MarketData().stale_price_d == LONGEST_STANDSTILL_D
