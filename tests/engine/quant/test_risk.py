import subprocess
import sys

import numpy as np
import pytest
from scipy.stats import norm

from acceleray.quant import risk


@pytest.mark.parametrize(("count", "confidence", "mass"), [(1000, 0.99, 10.0), (1_000_000, 0.975, 25_000.0)])
def test_the_tail_mass_is_free_of_floating_noise(count, confidence, mass):
    assert count * (1 - confidence) != mass
    assert risk.tail_mass(count, confidence) == mass


def test_the_tail_mass_may_be_a_fraction():
    assert risk.tail_mass(250, 0.99) == 2.5


def test_gaussian_multiples_are_the_known_ones():
    assert float(risk.gaussian_value_at_risk(1.0, 0.99)) == pytest.approx(2.3263, abs=5e-5)
    assert float(risk.gaussian_expected_shortfall(1.0, 0.975)) == pytest.approx(2.3378, abs=5e-5)
    assert float(risk.gaussian_expected_shortfall(0.02, 0.975)) == pytest.approx(0.046756, abs=1e-6)


def test_the_empirical_measures_of_a_normal_sample_agree_with_the_closed_forms():
    losses = norm.ppf((np.arange(400_000) + 0.5) / 400_000)
    assert float(risk.value_at_risk(losses, 0.99)) == pytest.approx(2.32635, abs=1e-3)
    assert float(risk.expected_shortfall(losses, 0.975)) == pytest.approx(2.33780, abs=1e-3)


def test_losses_of_1_to_10_at_75_percent_give_a_shortfall_with_the_scenario_at_the_edge_by_half():
    losses = np.array([3.0, 10.0, 1.0, 7.0, 5.0, 9.0, 2.0, 8.0, 4.0, 6.0])
    assert float(risk.value_at_risk(losses, 0.75)) == 8.0
    shortfall = float(risk.expected_shortfall(losses, 0.75))
    assert shortfall == pytest.approx((10.0 + 9.0 + 0.5 * 8.0) / 2.5)
    # Planted faults: the scenario at the edge forgotten, or taken as a whole one.
    assert shortfall != pytest.approx((10.0 + 9.0) / 2)
    assert shortfall != pytest.approx((10.0 + 9.0 + 8.0) / 3)


def test_value_at_risk_is_the_smallest_loss_that_enough_scenarios_do_not_exceed():
    generator = np.random.default_rng(4)
    for count in (7, 20, 100, 251):
        losses = generator.integers(-5, 15, count).astype(float)
        for confidence in (0.5, 0.9, 0.95, 0.975, 0.99):
            candidates = np.unique(losses)
            share = np.array([np.mean(losses <= each) for each in candidates])
            expected = candidates[share >= confidence - 1e-12].min()
            assert float(risk.value_at_risk(losses, confidence)) == expected


def test_shortfall_is_never_below_value_at_risk_nor_above_the_worst_loss_and_grows_with_confidence():
    generator = np.random.default_rng(5)
    for count in (5, 33, 250, 999):
        losses = generator.standard_t(3, (count, 40))
        previous = np.full(40, -np.inf)
        for confidence in (0.3, 0.9, 0.95, 0.975, 0.99, 0.999):
            shortfall = risk.expected_shortfall(losses, confidence)
            assert (shortfall >= risk.value_at_risk(losses, confidence)).all()
            assert (shortfall <= losses.max(axis=0) + 1e-12).all()
            assert (shortfall >= previous - 1e-12).all()
            previous = shortfall


def test_shortfall_of_equal_losses_is_that_loss():
    losses = np.full((1000, 3), 0.1)
    assert (risk.expected_shortfall(losses, 0.975) == 0.1).all()


def test_shortfall_is_subadditive_where_value_at_risk_is_not():
    # Two bonds, each defaulting alone in 4 of 100 scenarios: the textbook case of Artzner et al. 1999.
    first, second = np.zeros(100), np.zeros(100)
    first[:4], second[4:8] = 100.0, 100.0
    together = first + second
    assert risk.value_at_risk(together, 0.95) > risk.value_at_risk(first, 0.95) + risk.value_at_risk(
        second, 0.95
    )
    assert float(risk.expected_shortfall(together, 0.95)) == 100.0
    assert float(risk.expected_shortfall(first, 0.95)) == 80.0


def test_measures_shift_and_scale_with_the_losses():
    losses = np.random.default_rng(6).standard_t(4, 1000)
    for measure in (risk.value_at_risk, risk.expected_shortfall):
        moved = measure(3.0 * losses + 2.0, 0.975)
        assert float(moved) == pytest.approx(3.0 * float(measure(losses, 0.975)) + 2.0)


def test_one_portfolio_has_the_same_bits_alone_and_among_others():
    losses = np.random.default_rng(7).standard_t(4, (5000, 11))
    for measure in (
        risk.value_at_risk,
        risk.expected_shortfall,
        risk.value_at_risk_error,
        risk.expected_shortfall_error,
    ):
        together = measure(losses, 0.975)
        assert together.shape == (11,)
        for portfolio in range(11):
            alone = measure(losses[:, portfolio], 0.975)
            assert alone.shape == ()
            assert together[portfolio] == alone


def test_standard_errors_agree_with_the_spread_over_many_repetitions():
    losses = np.random.default_rng(8).standard_normal((10_000, 400))
    for measure, error in (
        (risk.value_at_risk, risk.value_at_risk_error),
        (risk.expected_shortfall, risk.expected_shortfall_error),
    ):
        spread = measure(losses, 0.975).std(ddof=1)
        assert error(losses, 0.975).mean() == pytest.approx(spread, rel=0.12)


def test_a_worker_that_measures_risk_does_not_load_the_half_second_of_scipy_stats() -> None:
    code = "import sys; import acceleray.quant.risk; print('scipy.stats' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"


def test_closed_forms_have_the_bits_of_the_normal_law_of_scipy() -> None:
    for confidence in (0.9, 0.95, 0.975, 0.99, 0.995, 0.999):
        quantile = norm.ppf(confidence)
        assert risk.gaussian_value_at_risk(0.02, confidence) == 0.02 * quantile
        multiple = float(norm.pdf(quantile)) / (1.0 - confidence)
        assert risk.gaussian_expected_shortfall(0.02, confidence) == 0.02 * multiple


def test_the_error_of_a_normal_quantile_is_the_asymptotic_one():
    losses = norm.ppf((np.arange(100_000) + 0.5) / 100_000)
    quantile = norm.ppf(0.99)
    asymptotic = np.sqrt(0.99 * 0.01 / 100_000) / norm.pdf(quantile)
    assert float(risk.value_at_risk_error(losses, 0.99)) == pytest.approx(asymptotic, rel=0.01)


@pytest.mark.parametrize("bad", [np.array([1.0, np.nan]), np.array([1.0, np.inf]), np.zeros((2, 2, 2))])
def test_losses_without_a_number_are_refused(bad):
    with pytest.raises(ValueError, match="loss"):
        risk.value_at_risk(bad, 0.9)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 1.5, -0.1])
def test_an_impossible_confidence_is_refused(confidence):
    with pytest.raises(ValueError, match="confidence"):
        risk.expected_shortfall(np.arange(10.0), confidence)
