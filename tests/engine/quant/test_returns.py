import numpy as np
import pytest

from acceleray.quant.returns import compound, simple_returns


def test_a_rise_from_100_to_110_is_ten_percent_and_the_first_day_has_no_return():
    returns = simple_returns(np.array([[100.0], [110.0], [99.0]]))
    assert np.isnan(returns[0, 0])
    np.testing.assert_allclose(returns[1:, 0], [0.10, -0.10], rtol=0, atol=1e-15)


def test_a_gap_in_prices_is_never_bridged():
    returns = simple_returns(np.array([[100.0], [np.nan], [120.0], [132.0]]))
    assert np.isnan(returns[:3, 0]).all()
    assert returns[3, 0] == pytest.approx(0.10)


@pytest.mark.parametrize("price", [0.0, -1.0, np.inf])
def test_an_impossible_price_is_refused(price):
    with pytest.raises(ValueError, match="positive and finite"):
        simple_returns(np.array([[100.0], [price]]))


def test_compounding_undoes_the_split_into_days():
    prices = np.array([[80.0, 5.0], [100.0, 4.0], [60.0, 7.0], [90.0, 10.0]])
    np.testing.assert_allclose(compound(simple_returns(prices)[1:], axis=0), prices[-1] / prices[0] - 1.0)


def test_compounding_over_a_missing_return_is_missing():
    assert np.isnan(compound(np.array([0.1, np.nan, 0.2]), axis=0))
