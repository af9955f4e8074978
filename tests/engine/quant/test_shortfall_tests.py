import math

import numpy as np
import pytest

from acceleray.quant import shortfall_tests as tests
from acceleray.quant.risk import gaussian_expected_shortfall, gaussian_value_at_risk

VAR = float(gaussian_value_at_risk(1.0, 0.975))
SHORTFALL = float(gaussian_expected_shortfall(1.0, 0.975))


def test_z2_is_about_zero_for_a_right_model_and_below_the_critical_value_for_a_mild_one():
    losses = np.random.default_rng(42).standard_normal((4000, 250))
    var, shortfall = np.full(250, VAR), np.full(250, SHORTFALL)
    z2 = np.array([tests.acerbi_szekely_z2(each, var, shortfall, 0.975) for each in losses])
    assert z2.mean() == pytest.approx(0.0, abs=0.03)
    # Acerbi & Szekely 2014: about -0.70 at 5 % for 250 days.
    assert np.quantile(z2, 0.05) == pytest.approx(-0.70, abs=0.05)
    mild = [tests.acerbi_szekely_z2(1.5 * each, var, shortfall, 0.975) for each in losses[:200]]
    assert np.mean(np.array(mild) < -0.70) > 0.95


def test_no_exception_at_all_makes_z2_one():
    assert tests.acerbi_szekely_z2(np.zeros(10), np.ones(10), np.full(10, 1.2), 0.975) == 1.0


def test_residuals_are_of_exceedances_alone_in_shares_of_the_shortfall():
    losses, var, shortfall = np.array([1.0, 3.0, 2.5]), np.full(3, 2.0), np.array([2.4, 2.4, 2.5])
    np.testing.assert_allclose(tests.exceedance_residuals(losses, var, shortfall), [0.25, 0.0])


def test_the_bootstrap_rejects_a_right_model_as_seldom_as_it_should_and_a_mild_one_mostly():
    generator = np.random.default_rng(75)
    right, mild = [], []
    for number in range(300):
        losses = generator.standard_normal(4000)
        var, shortfall = np.full(4000, VAR), np.full(4000, SHORTFALL)
        right.append(tests.mcneil_frey(tests.exceedance_residuals(losses, var, shortfall), 1, number))
        # The threshold is right, and the shortfall a tenth too small.
        mild.append(tests.mcneil_frey(tests.exceedance_residuals(losses, var, 0.9 * shortfall), 1, number))
    assert np.mean(np.array(right) < 0.05) == pytest.approx(0.05, abs=0.03)
    assert np.mean(np.array(mild) < 0.05) > 0.9


def test_the_bootstrap_gives_the_published_value_of_the_test_that_mcneil_and_frey_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Efron & Tibshirani 1993, section 16.4: days that seven treated mice lived, against a mean of 129:
    # t = -1.67, and 100 of 1,000 bootstraps below it, which has a standard error of 0.009 itself.
    monkeypatch.setattr(tests, "FEWEST", 7)
    residuals = 129.0 - np.array([94.0, 197.0, 16.0, 38.0, 99.0, 141.0, 23.0])
    assert tests.mean_in_errors(residuals) == pytest.approx(1.67, abs=0.005)
    found = [tests.mcneil_frey(residuals, 16, number) for number in range(10)]
    assert np.mean(found) == pytest.approx(0.10, abs=0.02)


def test_a_handful_of_exceedances_is_not_tested():
    assert math.isnan(tests.mean_in_errors(np.ones(tests.FEWEST - 1)))
    assert math.isnan(tests.mcneil_frey(np.linspace(0.0, 1.0, tests.FEWEST - 1), 1))
    assert math.isnan(tests.mean_in_errors(np.ones(20)))


def test_the_bootstrap_depends_on_its_seed_and_on_nothing_else():
    residuals = np.random.default_rng(76).normal(0.02, 0.1, 40)
    assert tests.mcneil_frey(residuals, 5) == tests.mcneil_frey(residuals, 5)
    assert tests.mcneil_frey(residuals, 5) != tests.mcneil_frey(residuals, 6)
