from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad

from acceleray.quant.order_weights import (
    quantile_weights,
    shortfall_weights,
    tail_rank,
    weighted_losses,
)

COUNTS = (1, 2, 5, 40, 99, 250, 499, 500, 999, 2000)
CONFIDENCES = (0.5, 0.9, 0.975, 0.983333, 0.99, 0.995)


def largest(count, seed=0):
    return -np.sort(-np.random.default_rng(seed).standard_t(4, count))[np.newaxis]


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("confidence", [0.001, *CONFIDENCES])
def test_the_quantile_is_that_of_numpy_by_weibull_plotting_positions(count, confidence):
    losses = largest(count)
    found = weighted_losses(losses, quantile_weights(count, confidence))
    assert found == pytest.approx(np.quantile(losses, confidence, method="weibull"), rel=1e-6, abs=1e-9)


def test_999_losses_at_99_percent_have_exactly_rank_10():
    assert tail_rank(999, 0.99) == 10.0
    assert quantile_weights(999, 0.99).tolist() == [0.0] * 9 + [1.0]


def test_500_losses_at_99_percent_lie_between_ranks_5_and_6_and_not_at_6():
    assert quantile_weights(500, 0.99) == pytest.approx([0, 0, 0, 0, 0.99, 0.01])


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("confidence", CONFIDENCES)
def test_the_shortfall_is_the_integral_of_the_quantile_function_beyond_the_confidence(count, confidence):
    losses = largest(count)
    # Corners of the quantile function, between which quad is exact.
    corners = [k / (count + 1) for k in range(1, count + 1)]
    edges = [confidence, *(p for p in corners if p > confidence), 1.0]
    integral = sum(
        quad(lambda p: np.quantile(losses, p, method="weibull"), low, high)[0]
        for low, high in pairwise(edges)
    )
    found = weighted_losses(losses, shortfall_weights(count, confidence))
    assert found == pytest.approx(integral / (1.0 - confidence), rel=1e-8)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("confidence", [0.001, *CONFIDENCES])
def test_weights_sum_to_one_and_none_is_negative(count, confidence):
    for weights in (quantile_weights(count, confidence), shortfall_weights(count, confidence)):
        assert weights.sum() == pytest.approx(1.0, abs=1e-12)
        assert bool(np.all(weights >= 0.0))
        assert 1 <= weights.size <= count


@pytest.mark.parametrize("confidence", [0.001, *CONFIDENCES])
def test_the_shortfall_is_never_below_the_quantile_even_where_losses_tie(confidence):
    for count in COUNTS:
        for seed in range(20):
            losses = np.round(largest(count, seed), 1)
            shortfall = weighted_losses(losses, shortfall_weights(count, confidence))
            quantile = weighted_losses(losses, quantile_weights(count, confidence))
            assert float(shortfall[0]) >= float(quantile[0])


def test_below_rank_one_both_are_the_largest_loss():
    assert quantile_weights(50, 0.99).tolist() == shortfall_weights(50, 0.99).tolist() == [1.0]


def test_equal_losses_give_exactly_themselves():
    losses = np.full((1, 2000), 0.1)
    assert weighted_losses(losses, shortfall_weights(2000, 0.975)).tolist() == [0.1]
    assert weighted_losses(losses, quantile_weights(2000, 0.975)).tolist() == [0.1]


def test_one_portfolio_gets_the_bits_that_it_gets_among_many():
    losses = np.concatenate([largest(2000, seed) for seed in range(33)])
    weights = shortfall_weights(2000, 0.975)
    alone = np.concatenate([weighted_losses(row[np.newaxis], weights) for row in losses])
    assert np.array_equal(weighted_losses(losses, weights), alone)


def test_the_next_loss_exceeds_the_quantile_as_often_as_the_confidence_says():
    # Independent uniforms: the chance of the next one beyond the quantile is one minus the quantile itself.
    draws = -np.sort(-np.random.default_rng(1).random((20_000, 500)), axis=1)
    promised = 1.0 - weighted_losses(draws, quantile_weights(500, 0.99))
    assert promised.mean() == pytest.approx(0.01, abs=1e-4)
    # Planted fault: the plain rank promises 6 / 501.
    assert (1.0 - draws[:, 5]).mean() == pytest.approx(6 / 501, abs=1e-4)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 1.2])
def test_a_confidence_outside_0_and_1_is_refused(confidence):
    for weights in (quantile_weights, shortfall_weights):
        with pytest.raises(ValueError, match="between 0 and 1"):
            weights(100, confidence)


def test_no_loss_is_refused():
    with pytest.raises(ValueError, match="at least one loss"):
        quantile_weights(0, 0.99)
