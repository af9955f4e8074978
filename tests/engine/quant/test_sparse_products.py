"""Losses of portfolios that hold few of many lines are those of a matrix product, however they are cut."""

import numpy as np
import pytest

from acceleray.compiled import DEFAULT_FOLDER
from acceleray.quant.sparse_products import FewHeld, in_blocks
from acceleray.quant.sparse_rows import LessRows, SparseRows

SMALL, LINES, SCENARIOS = 300, 700, 150
# The whole of all, and it without some of its positions.
WHOLE, WITHOUT = SMALL, 60


@pytest.fixture(scope="module")
def weights() -> np.ndarray:
    random = np.random.default_rng(5)
    held = np.zeros((SMALL + 1 + WITHOUT, LINES))
    for row in held[1:SMALL]:  # the first one holds nothing
        row[random.choice(LINES, 30, replace=False)] = random.standard_normal(30)
    held[WHOLE:] = random.standard_normal(LINES)
    for number in range(WITHOUT):
        held[WHOLE + 1 + number, 7 * number : 7 * number + 2] = 0.0
    return held


@pytest.fixture(scope="module")
def returns() -> np.ndarray:
    return np.random.default_rng(6).standard_normal((SCENARIOS, LINES)) * 0.02


def bases(weights: np.ndarray) -> np.ndarray:
    found = np.full(len(weights), -1)
    # A small portfolio differs in more lines than it holds.
    found[WHOLE + 1 :], found[5] = WHOLE, WHOLE
    return found


def few(weights: np.ndarray) -> FewHeld:
    found = FewHeld.of(SparseRows.of(weights), bases(weights))
    assert found is not None
    return found


@pytest.mark.parametrize("compiled_in", [None, DEFAULT_FOLDER])
def test_losses_are_minus_weights_times_returns(weights, returns, compiled_in) -> None:
    rows = few(weights)
    parts = list(rows.losses(slice(0, len(weights)), in_blocks(returns), compiled_in))
    assert [len(part) for part in parts] == [128, 128, len(weights) - 256]
    found = np.concatenate(parts)[:, :SCENARIOS]
    np.testing.assert_allclose(found, -weights @ returns.T, rtol=0, atol=1e-14)
    assert not found[0].any()


def test_neither_machine_code_nor_neighbours_change_a_bit(weights, returns) -> None:
    rows, gains = few(weights), in_blocks(returns)
    expected = np.concatenate(list(rows.losses(slice(0, len(weights)), gains)))
    other = list(rows.losses(slice(0, len(weights)), gains, DEFAULT_FOLDER, 50))
    np.testing.assert_array_equal(np.concatenate(other), expected)
    [alone] = rows.losses(slice(WHOLE + 3, WHOLE + 5), in_blocks(returns[:70]), DEFAULT_FOLDER)
    np.testing.assert_array_equal(alone[:, :70], expected[WHOLE + 3 : WHOLE + 5, :70])


def test_what_differs_in_few_lines_from_another_is_kept_as_the_difference(weights) -> None:
    rows = few(weights)
    np.testing.assert_array_equal(np.flatnonzero(rows.bases >= 0), np.arange(WHOLE + 1, len(weights)))
    assert rows.rows.kept[WHOLE + 1 :].nnz == 2 * WITHOUT


def test_rows_that_hold_much_are_multiplied_as_dense_ones(weights) -> None:
    assert FewHeld.of(SparseRows.of(weights), np.full(len(weights), -1)) is None
    assert FewHeld.of(weights, bases(weights)) is None


def test_rows_without_some_positions_need_not_be_made_whole(weights) -> None:
    lacking = np.zeros_like(weights)
    lacking[WHOLE + 1 :] = np.where(weights[WHOLE + 1 :] == 0.0, weights[WHOLE], 0.0)
    own, of = weights.copy(), np.full(len(weights), -1)
    own[WHOLE + 1 :], of[WHOLE + 1 :] = 0.0, WHOLE
    found = FewHeld.of(LessRows(SparseRows.of(own), SparseRows.of(lacking), of), bases(weights))
    expected = few(weights)
    assert found is not None
    np.testing.assert_array_equal(found.bases, expected.bases)
    for name in ("data", "indices", "indptr"):
        np.testing.assert_array_equal(getattr(found.rows.kept, name), getattr(expected.rows.kept, name))
