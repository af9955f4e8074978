import numpy as np
import pytest

from portfolio.quant.euler import TailSums, euler_value_at_risk
from portfolio.quant.risk import euler_expected_shortfall, expected_shortfall, tail_weights, value_at_risk

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


def test_sums_over_blocks_give_the_contributions_of_all_scenarios_at_once(asset_losses, positions):
    repeated = np.repeat(asset_losses[:300], 7, axis=0)
    losses = repeated @ positions.T
    var = value_at_risk(losses, CONFIDENCE)
    expected = euler_expected_shortfall(repeated, tail_weights(losses, var, CONFIDENCE), positions)
    parts = [
        TailSums.of(repeated[first : first + 400], losses[first : first + 400], var)
        for first in range(0, 2100, 400)
    ]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    np.testing.assert_allclose(total.contributions(2100, CONFIDENCE, positions), expected, rtol=0, atol=1e-12)


def test_sums_that_miss_a_block_are_refused(asset_losses, positions):
    losses = asset_losses @ positions.T
    var = value_at_risk(losses, CONFIDENCE)
    half = TailSums.of(asset_losses[:1000], losses[:1000], var)
    with pytest.raises(ValueError, match="not the value-at-risk"):
        half.contributions(2500, CONFIDENCE, positions)


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
