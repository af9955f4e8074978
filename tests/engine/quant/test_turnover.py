import math

import numpy as np
import pytest

from acceleray.quant.evaluation import quantile_spread
from acceleray.quant.turnover import long_short_weights, trading_cost, turnover


def test_the_best_fifth_is_held_and_the_worst_is_sold_short() -> None:
    weights = long_short_weights(np.arange(10.0)[np.newaxis, :])
    assert weights.tolist() == [[-0.5, -0.5, 0, 0, 0, 0, 0, 0, 0.5, 0.5]]


def test_weights_earn_what_the_quantile_spread_says() -> None:
    random = np.random.default_rng(1)
    scores, returns = np.round(random.normal(size=(50, 23)), 1), random.normal(size=(50, 23))
    scores[::7, 3] = np.nan
    earned = np.nansum(long_short_weights(scores) * returns, axis=1)
    np.testing.assert_allclose(earned, quantile_spread(scores, returns), atol=1e-14)


def test_too_few_scores_make_no_book() -> None:
    scores = np.array([[1.0, 2.0, 3.0, 4.0, np.nan], [1.0, 1.0, 1.0, 1.0, 1.0]])
    assert np.isnan(long_short_weights(scores)).all()
    with pytest.raises(ValueError, match="two quantiles"):
        long_short_weights(scores, 1)


def test_turnover_is_nothing_if_nothing_changes_and_one_if_all_is_replaced() -> None:
    same = np.tile([0.5, 0.5, -0.5, -0.5, 0, 0, 0, 0], (4, 1))
    other = np.roll(same, 4, axis=1)
    assert turnover(same, 1) == 0.0
    assert turnover(np.vstack([same[:1], other[:1]]), 1) == 1.0
    # Half of the longs are replaced: a quarter of the book.
    half = np.array([[0.5, 0.5, 0.0, -1.0], [0.5, 0.0, 0.5, -1.0]])
    assert turnover(half, 1) == 0.25


def test_turnover_compares_dates_a_horizon_apart() -> None:
    there, back = [1.0, -1.0, 0.0, 0.0], [0.0, 0.0, 1.0, -1.0]
    weights = np.array([there, back] * 5)
    assert turnover(weights, 1) == 1.0
    assert turnover(weights, 2) == 0.0
    assert math.isnan(turnover(weights, 10))
    with pytest.raises(ValueError, match="at least one date"):
        turnover(weights, 0)


def test_replacing_all_of_a_book_is_paid_on_both_sides_for_selling_and_for_buying() -> None:
    assert trading_cost(1.0, 10.0) == pytest.approx(0.004)
    assert trading_cost(0.25, 10.0) == pytest.approx(0.001)
