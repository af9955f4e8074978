import numpy as np
import pytest
from numpy.typing import NDArray
from statsmodels.datasets import macrodata

from acceleray.quant.factor_model import (
    factor_covariance,
    months_needed,
    newey_west_lags,
    regress,
    select_factors,
)

NAMES = ("credit", "equity", "oil", "volatility")


def changes(months: int, factors: int, seed: int = 1) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(0.0, 0.05, (months, factors))


def newey_west(returns: NDArray[np.float64], design: NDArray[np.float64], lags: int) -> NDArray[np.float64]:
    """Return standard errors as a textbook writes them (Newey & West 1987, eq. 5), period by period."""
    count, width = design.shape
    inverse = np.linalg.inv(design.T @ design)
    rest = returns - design @ inverse @ design.T @ returns
    middle = np.zeros((width, width))
    for t in range(count):
        middle += rest[t] ** 2 * np.outer(design[t], design[t])
    for lag in range(1, lags + 1):
        weight = 1.0 - lag / (lags + 1.0)
        for t in range(lag, count):
            cross = rest[t] * rest[t - lag] * np.outer(design[t], design[t - lag])
            middle += weight * (cross + cross.T)
    return np.sqrt(np.diag(inverse @ middle @ inverse) * count / (count - width))


def test_betas_and_errors_match_those_stata_publishes_for_us_investment() -> None:
    # Stata 12: newey g_realinv g_realgdp L.realint, lag(4), on the macro data that statsmodels ships.
    data = macrodata.load_pandas().data
    output = 400.0 * np.diff(np.log(data["realgdp"].to_numpy()))
    investment = 400.0 * np.diff(np.log(data["realinv"].to_numpy()))
    found = regress(investment, np.column_stack([output, data["realint"].to_numpy()[:-1]]), 36)
    assert newey_west_lags(found.periods) == 4
    np.testing.assert_allclose(found.betas, [4.3742216647032, -0.61399696947899], rtol=1e-11)
    np.testing.assert_allclose(found.standard_errors, [0.33125644884286, 0.29582347593197], rtol=1e-11)
    assert found.periods == 202


def test_errors_are_the_textbook_sandwich_when_shocks_linger() -> None:
    generator = np.random.default_rng(7)
    factors = changes(150, 2)
    rest = np.zeros(150)
    for month in range(1, 150):
        factors[month] += 0.5 * factors[month - 1]
        rest[month] = 0.6 * rest[month - 1] + generator.normal(0.0, 0.02)
    returns = 0.01 + factors @ [1.2, -0.3] + rest
    found = regress(returns, factors, 36)
    design = np.column_stack([np.ones(150), factors])
    np.testing.assert_allclose(found.standard_errors, newey_west(returns, design, 4)[1:], rtol=1e-10)
    solved, left, *_ = np.linalg.lstsq(design, returns, rcond=None)
    np.testing.assert_allclose(found.betas, solved[1:], rtol=1e-10)
    assert found.r_squared == pytest.approx(1.0 - left[0] / np.sum((returns - returns.mean()) ** 2))
    assert found.specific_volatility == pytest.approx(np.sqrt(left[0] / 147))


def test_planted_betas_lie_within_their_errors_as_often_as_they_should() -> None:
    generator = np.random.default_rng(11)
    planted = np.array([0.9, -0.4])
    inside = np.zeros(2)
    for _ in range(1000):
        factors = generator.normal(0.0, 0.05, (240, 2))
        found = regress(factors @ planted + generator.standard_t(5, 240) * 0.04, factors, 36)
        inside += np.abs(found.betas - planted) <= 1.96 * found.standard_errors
    # 95 %, less the one per cent that estimated errors cost in 240 months; three standard errors of 1,000
    # draws are 2 %.
    assert np.all((inside / 1000 > 0.92) & (inside / 1000 < 0.965))


@pytest.mark.parametrize(("observations", "lags"), [(36, 3), (100, 4), (300, 5), (1000, 6)])
def test_the_number_of_lags_follows_the_rule(observations: int, lags: int) -> None:
    # 4 * 0.36^(2/9) = 3.19, 4 * 1 = 4, 4 * 3^(2/9) = 5.11, 4 * 10^(2/9) = 6.67
    assert newey_west_lags(observations) == lags


def test_only_months_with_every_value_count() -> None:
    factors = changes(100, 2)
    returns = factors @ [1.0, 2.0]
    returns[3], factors[7, 1], factors[99, 0] = np.nan, np.nan, np.nan
    found = regress(returns, factors, 36)
    assert found.periods == 97
    np.testing.assert_allclose(found.betas, [1.0, 2.0])


def test_an_instrument_with_a_month_too_few_has_no_betas_and_a_reason() -> None:
    factors = changes(60, 2)
    returns = factors @ [1.0, 2.0] + changes(60, 1, seed=2)[:, 0]
    returns[:24] = np.nan
    assert np.isfinite(regress(returns, factors, 36).betas).all()
    returns[24] = np.nan
    found = regress(returns, factors, 36)
    assert np.isnan(found.betas).all()
    assert np.isnan(found.standard_errors).all()
    assert np.isnan([found.r_squared, found.specific_volatility]).all()
    assert found.reason == "35 months with all factors are fewer than the 36 needed"


def test_many_factors_need_more_months_than_the_minimum() -> None:
    assert months_needed(4, 36) == 36
    assert months_needed(20, 36) == 63
    factors = changes(40, 20)
    assert "fewer than the 63 needed" in regress(factors[:, 0], factors, 36).reason


def test_returns_that_say_nothing_give_a_reason_and_no_numbers() -> None:
    factors = changes(60, 2)
    assert regress(np.zeros(60), factors, 36).reason == "the returns are constant"
    twins = np.column_stack([factors[:, 0], factors[:, 0]])
    assert regress(factors[:, 1], twins, 36).reason == "the factors cannot be told apart in its months"
    assert regress(factors[:, 1], factors[:, :0], 36).reason == "there are no factors"


def test_every_factor_with_enough_months_is_used() -> None:
    values = changes(80, 4)
    values[:30, 0] = np.nan
    values[70:, 2] = np.nan
    found = select_factors(NAMES, values, 36)
    assert found.used == (0, 1, 2, 3)
    assert found.left_out == ()


def test_a_factor_with_a_month_too_few_is_left_out_with_both_numbers() -> None:
    values = changes(80, 4)
    values[: 80 - 36, 2] = np.nan
    assert select_factors(NAMES, values, 36).used == (0, 1, 2, 3)
    values[79, 2] = np.nan
    found = select_factors(NAMES, values, 36)
    assert found.used == (0, 1, 3)
    assert found.left_out == (("oil", "it has 35 changes in common with equity, 36 are needed"),)


def test_of_two_factors_that_never_meet_the_longer_stays() -> None:
    values = changes(100, 4)
    values[55:, 0] = np.nan
    values[:55, 2] = np.nan
    found = select_factors(NAMES, values, 36)
    assert found.used == (0, 1, 3)
    assert found.left_out == (("oil", "it has 0 changes in common with the longer factors, 36 are needed"),)


def test_a_factor_that_says_nothing_new_is_left_out() -> None:
    values = changes(80, 4)
    values[:, 2] = 0.0
    values[:, 3] = 2.0 * values[:, 1] - values[:, 0]
    found = select_factors(NAMES, values, 36)
    assert found.used == (0, 1)
    assert dict(found.left_out) == {
        "oil": "it does not change",
        "volatility": "it is a mix of the longer factors",
    }


def test_without_enough_equity_there_is_no_factor() -> None:
    values = changes(80, 4)
    values[30:, 1] = np.nan
    found = select_factors(NAMES, values, 36)
    assert found.used == ()
    assert dict(found.left_out)["oil"] == "equity cannot be used"
    assert select_factors(("oil",), values[:, :1], 36).used == ()


def test_specific_volatility_is_unbiased_and_r_squared_the_share_explained() -> None:
    values = changes(60, 2)
    returns = values @ [0.8, -0.3] + np.random.default_rng(2).normal(0.0, 0.02, 60)
    design = np.column_stack([np.ones(60), values])
    squares = float(np.linalg.lstsq(design, returns, rcond=None)[1][0])
    found = regress(returns, values, 36)
    # Three coefficients cost three months.
    assert found.specific_volatility == pytest.approx(np.sqrt(squares / 57))
    assert found.r_squared == pytest.approx(1.0 - squares / np.sum((returns - returns.mean()) ** 2))


def test_the_covariance_is_that_of_changes_around_their_mean() -> None:
    found, months = factor_covariance(np.array([[1.0, 2.0], [2.0, 4.0], [np.nan, 9.0], [3.0, 0.0]]))
    np.testing.assert_allclose(found, [[1.0, -1.0], [-1.0, 4.0]])
    assert months == 3
    assert factor_covariance(np.empty((5, 0)))[0].shape == (0, 0)
    assert factor_covariance(np.array([[1.0], [3.0]]))[0].tolist() == [[2.0]]
