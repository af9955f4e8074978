import numpy as np
import pytest

from acceleray.quant.euler import Band, Weighted, adding_up, euler_value_at_risk, value_at_risk_window
from acceleray.quant.risk import (
    euler_expected_shortfall,
    expected_shortfall,
    tail_mass,
    tail_weights,
    value_at_risk,
)

CONFIDENCE = 0.975


@pytest.fixture(scope="module")
def asset_losses() -> np.ndarray:
    generator = np.random.default_rng(12)
    return 0.01 * (generator.standard_t(4, (2500, 1)) + generator.standard_t(4, (2500, 8)))


@pytest.fixture(scope="module")
def positions() -> np.ndarray:
    return np.random.default_rng(13).normal(0.3, 1.0, (5, 8))


def test_contributions_add_up_to_the_shortfall(asset_losses, positions):
    losses = asset_losses @ positions.T
    weights = tail_weights(losses, value_at_risk(losses, CONFIDENCE), CONFIDENCE)
    contributions = euler_expected_shortfall(asset_losses, weights, positions)
    assert contributions.shape == (5, 8)
    np.testing.assert_allclose(
        contributions.sum(axis=1), expected_shortfall(losses, CONFIDENCE), rtol=0, atol=1e-12
    )


def test_contributions_add_up_when_scenarios_repeat_and_tie_at_the_edge(asset_losses, positions):
    repeated = np.repeat(asset_losses[:300], 7, axis=0)
    losses = repeated @ positions.T
    var = value_at_risk(losses, CONFIDENCE)
    assert ((losses == var).sum(axis=0) > 1).all()
    weights = tail_weights(losses, var, CONFIDENCE)
    np.testing.assert_allclose(weights.sum(axis=0), 2100 * 0.025, rtol=1e-12)
    contributions = euler_expected_shortfall(repeated, weights, positions)
    np.testing.assert_allclose(
        contributions.sum(axis=1), expected_shortfall(losses, CONFIDENCE), rtol=0, atol=1e-12
    )


def test_tail_weights_of_ten_scenarios_by_hand():
    losses = np.array([1.0, 5.0, 4.0, 4.0, 0.0, -1.0, 2.0, 3.0, 0.5, 4.0])
    weights = tail_weights(losses, np.float64(4.0), 0.75)
    np.testing.assert_allclose(weights, [0, 1, 0.5, 0.5, 0, 0, 0, 0, 0, 0.5])


def test_a_number_that_is_not_the_value_at_risk_is_refused():
    losses = np.arange(10.0)
    with pytest.raises(ValueError, match="not the value-at-risk"):
        tail_weights(losses, np.float64(7.5), 0.75)
    with pytest.raises(ValueError, match="not the value-at-risk"):
        tail_weights(losses, np.float64(3.0), 0.75)


def test_a_contribution_is_the_derivative_of_the_shortfall(asset_losses, positions):
    held, step = positions[0], 1e-7
    losses = asset_losses @ held
    weights = tail_weights(losses, value_at_risk(losses, CONFIDENCE), CONFIDENCE)
    contributions = euler_expected_shortfall(asset_losses, weights, held)
    for asset in range(8):
        up, down = held.copy(), held.copy()
        up[asset] += step
        down[asset] -= step
        slope = float(
            expected_shortfall(asset_losses @ up, CONFIDENCE)
            - expected_shortfall(asset_losses @ down, CONFIDENCE)
        ) / (2 * step)
        assert contributions[asset] == pytest.approx(held[asset] * slope, abs=1e-8)


def bands_of(losses: np.ndarray) -> tuple[Band, Band]:
    """Return tail and window of losses (scenarios, portfolios), straight from the sorted losses."""
    count, mass = len(losses), tail_mass(len(losses), CONFIDENCE)
    var = value_at_risk(losses, CONFIDENCE)
    above, tied = (losses > var).sum(axis=0), (losses == var).sum(axis=0)
    share, size = (mass - above) / tied, var.shape
    first, last = value_at_risk_window(count, CONFIDENCE)
    ordered = -np.sort(-losses, axis=0)
    low, high = ordered[last], ordered[first]
    low_weight, high_weight = (
        (ordered[first : last + 1] == end).sum(axis=0) / (losses == end).sum(axis=0) for end in (low, high)
    )
    tail = Band(var, np.full(size, np.inf), share, share, np.full(size, mass))
    return tail, Band(low, high, low_weight, high_weight, np.full(size, last - first + 1.0))


def weighted_sums(band: Band, asset_losses: np.ndarray, losses: np.ndarray, block: int) -> np.ndarray:
    total = np.zeros((losses.shape[1], asset_losses.shape[1]))
    for first in range(0, len(losses), block):
        some = losses[first : first + block].T
        gathered = Weighted()
        for part in (slice(0, 2), slice(2, len(some))):
            rows, scenarios = np.divmod(np.arange(some[part].size), some.shape[1])
            gathered.add(band.part(part), rows, scenarios, some[part].ravel(), part.start)
        total += gathered.sums(len(some), asset_losses[first : first + block])
    return total


def test_sums_over_blocks_give_the_contributions_of_all_scenarios_at_once(asset_losses, positions):
    for scenarios in (asset_losses, np.repeat(asset_losses[:300], 7, axis=0)):
        losses = scenarios @ positions.T
        tail, window = bands_of(losses)
        var = value_at_risk(losses, CONFIDENCE)
        expected = euler_expected_shortfall(scenarios, tail_weights(losses, var, CONFIDENCE), positions)
        means = positions * weighted_sums(tail, scenarios, losses, 400) / tail.total[:, np.newaxis]
        np.testing.assert_allclose(means, expected, rtol=0, atol=1e-12)
        means = positions * weighted_sums(window, scenarios, losses, 400) / window.total[:, np.newaxis]
        for place in range(5):
            expected = euler_value_at_risk(
                scenarios, losses[:, place], float(var[place]), CONFIDENCE, positions[place]
            )
            moved = adding_up(means[place : place + 1], var[place : place + 1])[0]
            np.testing.assert_allclose(moved, expected, rtol=0, atol=1e-12)


def test_the_window_by_hand_shares_places_among_scenarios_that_tie():
    # At 75 % of ten scenarios the rank of the value-at-risk is 2; one deviation makes ranks 1 to 3.
    losses = np.array([1.0, 5.0, 4.0, 4.0, 0.0, -1.0, 2.0, 3.0, 0.5, 4.0])
    assert value_at_risk_window(10, 0.75) == (1, 3)
    assets = np.column_stack((losses - 1.0, np.ones(10)))
    assets[[2, 3, 9], 0] = [1.0, 2.0, 3.0]
    found = euler_value_at_risk(assets, losses, 4.0, 0.75)
    # The ranks are those of the three fours: first asset 2, second 1, and 1 missing shared as 2 to 1.
    np.testing.assert_allclose(found, [2.0 + 2.0 / 3.0, 1.0 + 1.0 / 3.0])
    # Two fours that tie for rank 3 have half a place each beside 7 and 5: means 3/2 and 23/6, scaled to 5.
    losses = np.array([0.0, 4.0, 7.0, 1.0, 9.0, 5.0, 4.0, 2.0, -1.0, 3.0])
    own = np.array([0.0, 3.0, 1.0, 0.0, 8.0, 2.0, 0.0, 1.0, 0.0, 1.0])
    found = euler_value_at_risk(np.column_stack((own, losses - own)), losses, 5.0, 0.75)
    np.testing.assert_allclose(found, np.array([3.0 / 2.0, 23.0 / 6.0]) * 15.0 / 16.0)


def test_contributions_of_one_sign_are_scaled_and_those_of_a_hedge_stay_bounded():
    scaled = adding_up(np.array([[1.0, 3.0]]), np.array([6.0]))
    np.testing.assert_allclose(scaled, [[1.5, 4.5]])
    hedged = adding_up(np.array([[1.0, -1.0], [0.0, 0.0]]), np.array([0.1, 0.0]))
    np.testing.assert_allclose(hedged, [[1.05, -0.95], [0.0, 0.0]])


def test_value_at_risk_contributions_add_up_and_agree_with_the_gaussian_ones():
    generator = np.random.default_rng(14)
    covariance = np.array([[4.0, 1.0, 0.5], [1.0, 2.0, -0.3], [0.5, -0.3, 1.0]])
    asset_losses = generator.multivariate_normal(np.zeros(3), covariance, 400_000)
    held = np.array([1.0, 2.0, -0.5])
    losses = asset_losses @ held
    var = float(value_at_risk(losses, 0.99))
    contributions = euler_value_at_risk(asset_losses, losses, var, 0.99, held)
    assert contributions.sum() == pytest.approx(var, rel=1e-12)
    gaussian = held * (covariance @ held) / (held @ covariance @ held) * var
    np.testing.assert_allclose(contributions, gaussian, atol=0.25)
