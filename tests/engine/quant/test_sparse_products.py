"""Losses of portfolios that hold few of many lines are those of a matrix product, however they are cut."""

import numpy as np
import pytest

from acceleray.compiled import DEFAULT_FOLDER
from acceleray.quant.sparse_products import few_held, in_blocks, sparse_losses
from acceleray.quant.sparse_rows import SparseRows

PORTFOLIOS, LINES, SCENARIOS = 40, 700, 150


@pytest.fixture(scope="module")
def weights() -> np.ndarray:
    random = np.random.default_rng(5)
    held = np.zeros((PORTFOLIOS, LINES))
    for row in held[1:]:  # the first one holds nothing
        row[random.choice(LINES, 30, replace=False)] = random.standard_normal(30)
    return held


@pytest.fixture(scope="module")
def returns() -> np.ndarray:
    return np.random.default_rng(6).standard_normal((SCENARIOS, LINES)) * 0.02


@pytest.mark.parametrize("compiled_in", [None, DEFAULT_FOLDER])
def test_losses_are_minus_weights_times_returns(weights, returns, compiled_in) -> None:
    found = sparse_losses(SparseRows.of(weights), in_blocks(returns), SCENARIOS, compiled_in)
    np.testing.assert_allclose(found, -weights @ returns.T, rtol=0, atol=1e-15)
    assert not found[0].any()


def test_neither_machine_code_nor_neighbours_change_a_bit(weights, returns) -> None:
    rows = SparseRows.of(weights)
    expected = sparse_losses(rows, in_blocks(returns), SCENARIOS)
    np.testing.assert_array_equal(
        sparse_losses(rows, in_blocks(returns), SCENARIOS, DEFAULT_FOLDER), expected
    )
    alone = sparse_losses(rows.some(slice(7, 8)), in_blocks(returns[:70]), 70, DEFAULT_FOLDER)
    np.testing.assert_array_equal(alone, expected[7:8, :70])


def test_rows_that_hold_much_are_multiplied_as_dense_ones(weights) -> None:
    assert few_held(SparseRows.of(weights))
    assert not few_held(SparseRows.of(np.ones((3, LINES))))
    assert not few_held(weights)
