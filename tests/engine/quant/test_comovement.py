import numpy as np
import pytest

from acceleray.quant.comovement import DECAY, Comovement


def joint(days: int, correlation: np.ndarray, names: int, seed: int = 81) -> np.ndarray:
    """Return residuals of variance one with one correlation between all pairs, day by day."""
    generator = np.random.default_rng(seed)
    common, own = generator.standard_normal((days, 1)), generator.standard_normal((days, names))
    rho = np.broadcast_to(correlation, (days,))[:, np.newaxis]
    return np.sqrt(rho) * common + np.sqrt(1.0 - rho) * own


def test_past_days_are_brought_to_the_correlation_of_today_and_keep_their_variance():
    # A calm past with a correlation of 0.2, then a crisis with 0.8: the past is replayed as the crisis moves.
    rho = np.repeat([0.2, 0.8], [1800, 200])
    found = Comovement.of(joint(2000, rho, 20))
    replayed = found.replayed(0, 2000)
    calm = np.corrcoef(replayed[:1800], rowvar=False)
    assert calm[np.triu_indices(20, 1)].mean() == pytest.approx(0.8, abs=0.1)
    np.testing.assert_allclose(replayed[:1800].var(axis=0).mean(), 1.0, atol=0.1)
    assert np.corrcoef(found.residuals[:1800], rowvar=False)[0, 1] == pytest.approx(0.2, abs=0.1)


def test_the_share_is_that_of_one_correlation_between_all_pairs():
    share = Comovement.of(joint(20_000, np.array(0.4), 10)).share
    assert share[5000:].mean() == pytest.approx((1.0 + 9 * 0.4) / 10, abs=0.02)


def test_the_share_before_a_day_is_the_smoothed_one_of_the_days_before():
    residuals = joint(300, np.array(0.3), 4)
    found = Comovement.of(residuals, learnt=200)
    mean = residuals.mean(axis=1)
    common, whole = (mean[:200] ** 2).mean(), (residuals[:200] ** 2).mean()
    for day in range(300):
        assert found.share[day] == pytest.approx(common / whole, rel=1e-12)
        common = DECAY * common + (1.0 - DECAY) * mean[day] ** 2
        whole = DECAY * whole + (1.0 - DECAY) * (residuals[day] ** 2).mean()
    assert found.share[300] == pytest.approx(common / whole, rel=1e-12)


def test_nothing_is_known_of_a_day_that_is_still_to_come():
    residuals = joint(400, np.array(0.5), 5)
    changed = residuals.copy()
    changed[350:] = 9.0
    one, other = (Comovement.of(each, learnt=300) for each in (residuals, changed))
    np.testing.assert_array_equal(one.replayed(0, 350), other.replayed(0, 350))
    assert not np.array_equal(one.replayed(0, 351), other.replayed(0, 351))


def test_a_single_instrument_and_a_market_that_stands_still_stay_as_they_are():
    alone = joint(200, np.array(0.0), 1)
    np.testing.assert_array_equal(Comovement.of(alone).replayed(20, 200), alone[20:])
    still = np.zeros((50, 3))
    np.testing.assert_array_equal(Comovement.of(still).replayed(0, 50), still)


def test_what_is_no_member_moves_nobody_else():
    residuals = joint(500, np.array(0.4), 6)
    members = np.array([True] * 6 + [False])
    with_coin = np.column_stack([residuals, 5.0 * np.random.default_rng(82).standard_normal(500)])
    found = Comovement.of(with_coin, members).replayed(0, 500)
    np.testing.assert_array_equal(found[:, :6], Comovement.of(residuals).replayed(0, 500))


def test_instruments_that_are_one_and_the_same_are_not_torn_apart():
    one = joint(300, np.array(0.0), 1)
    replayed = Comovement.of(np.hstack([one, one, one])).replayed(0, 300)
    assert np.isfinite(replayed).all()
    np.testing.assert_allclose(replayed, np.hstack([one, one, one]), atol=1e-6)
