import numpy as np
import pytest

from acceleray.stages.book.stage import random_weights


def test_simulated_portfolios_are_long_only_and_fully_invested() -> None:
    for number in range(1, 300):
        weights = random_weights(7, number, 20)
        assert weights.sum() == pytest.approx(1.0, abs=1e-12)
        assert weights.min() >= 0.0


def test_the_number_of_holdings_covers_everything_from_one_name_to_all() -> None:
    holdings = [np.count_nonzero(random_weights(7, number, 5)) for number in range(1, 500)]
    counts = np.bincount(holdings, minlength=6)
    assert counts[0] == 0
    # Five equally likely outcomes in 499 draws: each within five standard deviations of 100.
    assert (np.abs(counts[1:] - 99.8) < 45).all()


def test_a_portfolio_depends_on_seed_and_number_alone() -> None:
    np.testing.assert_array_equal(random_weights(1, 5, 20), random_weights(1, 5, 20))
    assert not np.array_equal(random_weights(1, 5, 20), random_weights(1, 6, 20))
    assert not np.array_equal(random_weights(1, 5, 20), random_weights(2, 5, 20))
