"""Compiled scans of losses find what NumPy finds, in its order."""

import numpy as np
import pytest

from acceleray.compiled import DEFAULT_FOLDER
from acceleray.quant.kept_losses import TOGETHER, KeptLosses
from acceleray.quant.rank_search import Level
from acceleray.quant.tail_scans import at_least, numbered_from, room_for
from acceleray.quant.tails import Above


@pytest.mark.parametrize("bound", [-np.inf, 0.0, 1.5, np.inf])
def test_large_losses_are_found_in_their_order(bound: float) -> None:
    losses = np.random.default_rng(3).standard_normal((7, 500))
    losses[2, 10], losses[3, 11], losses[4] = np.nan, np.inf, 1.5
    least = np.full(7, bound)
    least[5] = losses[5, 20]  # a loss that is the least itself
    rows, scenarios, values = numbered_from(40, losses, least, room_for(losses.size), DEFAULT_FOLDER)
    expected = at_least(losses, least)
    np.testing.assert_array_equal(rows, expected[0] + 40)
    np.testing.assert_array_equal(scenarios, expected[1])
    np.testing.assert_array_equal(values, expected[2])
    assert 20 in scenarios[rows == 45]
    plain = numbered_from(40, losses, least, room_for(losses.size))
    for found, other in zip((rows, scenarios, values), plain, strict=True):
        assert found.dtype == other.dtype
        np.testing.assert_array_equal(found, other)


def test_losses_kept_are_dealt_out_in_the_order_of_their_scenarios() -> None:
    portfolios, random = 2 * TOGETHER + 5, np.random.default_rng(4)
    # Two parts that begin with the first portfolio again, and a portfolio without a loss.
    rows = [np.sort(random.integers(0, portfolios, 2_000)).astype(np.int32) for _ in range(2)]
    rows = [part[part != 70] for part in rows]
    losses = [random.standard_normal(part.size) for part in rows]
    scenarios = [np.arange(part.size, dtype=np.int32) for part in rows]
    counts = np.bincount(np.concatenate(rows), minlength=portfolios)
    zeros = np.zeros(portfolios)
    level = Level(0.99, 100_000)
    bounds = (zeros, zeros, zeros, Above.none(portfolios), counts, 10**6)
    kept = KeptLosses(level, *bounds, rows, losses, scenarios)
    expected = [
        np.concatenate([b[a == at] for a, b in zip(rows, losses, strict=True)]) for at in range(portfolios)
    ]
    for compiled_in in (None, DEFAULT_FOLDER):
        found = list(kept.by_portfolio(compiled_in))
        assert len(found) == portfolios
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, other)
