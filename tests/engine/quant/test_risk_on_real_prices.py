"""What must hold for any portfolio on real prices: 33 years of twenty companies, joint days as scenarios."""

import numpy as np
import pytest
from numpy.typing import NDArray
from skfolio.datasets import load_sp500_dataset

from acceleray.quant.euler import euler_value_at_risk
from acceleray.quant.risk import euler_expected_shortfall, expected_shortfall, tail_weights, value_at_risk

LEVELS = (0.90, 0.95, 0.975, 0.99, 0.995, 0.999)


@pytest.fixture(scope="module")
def losses() -> NDArray[np.float64]:
    """Return losses of one unit of each company, of shape (8,312 days, 20)."""
    prices = load_sp500_dataset().to_numpy()
    return 1.0 - prices[1:] / prices[:-1]


@pytest.fixture(scope="module")
def books() -> NDArray[np.float64]:
    """Return 200 books, half of them with short positions, of shape (20, 200)."""
    weights = np.random.default_rng(6).dirichlet(np.ones(20), 200).T
    weights[::2, 100:] *= -1.0
    return weights


def test_shortfall_is_never_below_value_at_risk_and_both_grow_with_confidence(
    losses: NDArray[np.float64], books: NDArray[np.float64]
) -> None:
    held = losses @ books
    var = np.stack([value_at_risk(held, level) for level in LEVELS])
    shortfall = np.stack([expected_shortfall(held, level) for level in LEVELS])
    assert (shortfall >= var).all()
    assert (np.diff(var, axis=0) >= 0.0).all()
    assert (np.diff(shortfall, axis=0) > 0.0).all()


def test_the_shortfall_of_a_merged_book_is_at_most_the_sum_of_its_parts(
    losses: NDArray[np.float64], books: NDArray[np.float64]
) -> None:
    one, other = losses @ books[:, :100], losses @ books[:, 100:]
    for level in LEVELS:
        merged = expected_shortfall(one + other, level)
        apart = expected_shortfall(one, level) + expected_shortfall(other, level)
        assert (merged <= apart + 1e-15).all()
        assert (merged < 0.999 * apart).any()


def test_twice_the_positions_have_twice_the_risk_and_the_opposite_ones_that_of_the_other_tail(
    losses: NDArray[np.float64], books: NDArray[np.float64]
) -> None:
    held = losses @ books
    for measure in (value_at_risk, expected_shortfall):
        np.testing.assert_allclose(measure(2.0 * held, 0.99), 2.0 * measure(held, 0.99), rtol=1e-14)
    ordered = np.sort(held, axis=0)
    # The 83.12 best days of a long book are the worst of a short one; value at risk is the 84th of them.
    np.testing.assert_array_equal(value_at_risk(-held, 0.99), -ordered[83])
    assert (value_at_risk(held, 0.99)[:100] > 0.0).all()


def test_contributions_add_up_to_a_billionth(losses: NDArray[np.float64], books: NDArray[np.float64]) -> None:
    for book in books.T[::20]:
        held = losses @ book
        shortfall = expected_shortfall(held, 0.975)
        weights = tail_weights(held, value_at_risk(held, 0.975), 0.975)
        parts = euler_expected_shortfall(losses, weights, book)
        assert float(parts.sum()) == pytest.approx(float(shortfall), rel=1e-9)
        # Each part is what the total changes by when that position grows: a hundredth of a per cent here.
        grown = book.copy()
        grown[3] *= 1.0001
        slope = (float(expected_shortfall(losses @ grown, 0.975)) - float(shortfall)) / 0.0001
        assert slope == pytest.approx(float(parts[3]), rel=1e-3, abs=1e-6)


def test_value_at_risk_contributions_add_up_too(
    losses: NDArray[np.float64], books: NDArray[np.float64]
) -> None:
    held = losses @ books[:, 0]
    var = float(value_at_risk(held, 0.99))
    parts = euler_value_at_risk(losses, held, var, 0.99, books[:, 0])
    assert float(parts.sum()) == pytest.approx(var, rel=1e-9)
