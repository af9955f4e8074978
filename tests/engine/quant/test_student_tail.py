import math

import numpy as np
import pytest
from scipy.stats import norm, t

from acceleray.quant import student_tail as st


@pytest.mark.parametrize("nu", [3.0, 5.0, 30.0])
def test_the_shortfall_is_the_mean_beyond_the_quantile(nu):
    probabilities = np.linspace(0.975, 1.0, 2_000_001)[:-1] + 0.025 / 4_000_000
    assert st.shortfall(nu, 0.975) == pytest.approx(t.ppf(probabilities, nu).mean(), rel=2e-3)
    np.testing.assert_allclose(st.quantiles(np.array([0.9, 0.99]), nu), t.ppf([0.9, 0.99], nu), rtol=1e-9)


def test_infinite_degrees_of_freedom_are_the_normal_law():
    assert st.shortfall(math.inf, 0.975) == pytest.approx(2.3378, abs=5e-5)
    np.testing.assert_allclose(st.quantiles(np.array([0.99]), math.inf), norm.ppf([0.99]))


@pytest.mark.parametrize("nu", st.GRID)
def test_the_ratio_of_shortfall_to_quantile_gives_its_degrees_of_freedom_back(nu):
    edge = float(st.quantiles(np.array([0.975]), nu)[0])
    assert st.degrees_of_freedom(st.shortfall(nu, 0.975) / edge, 0.975) == nu


def test_a_ratio_beyond_every_t_gives_the_end_of_the_grid():
    assert st.degrees_of_freedom(1.01, 0.975) == math.inf
    assert st.degrees_of_freedom(5.0, 0.975) == st.GRID[0]
    with pytest.raises(ValueError, match="a ratio of 1"):
        st.degrees_of_freedom(1.0, 0.975)


@pytest.mark.parametrize("nu", st.GRID)
def test_tail_quantiles_are_the_quantiles_to_a_billionth_part(nu):
    spread = np.random.default_rng(5).uniform(st.TAIL_FROM, 1.0, 20_000)
    probabilities = np.concatenate(([st.TAIL_FROM, 0.99, 1.0 - 2.0**-53], spread))
    np.testing.assert_allclose(
        st.tail_quantiles(probabilities, nu), st.quantiles(probabilities, nu), rtol=4e-9
    )
