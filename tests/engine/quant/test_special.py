import math

import numpy as np
import pytest
from scipy.special import polygamma, psi

from acceleray.quant.special import digamma, trigamma

# Half of the degrees of freedom that a fit may take, and on both sides of where the series begins.
POINTS = [*np.geomspace(1.0, 251.0, 40), 9.999, 10.0, 10.001]


@pytest.mark.parametrize("x", POINTS)
def test_digamma_and_trigamma_are_those_of_scipy(x):
    assert digamma(x) == pytest.approx(psi(x), rel=2e-14, abs=2e-14)
    assert trigamma(x) == pytest.approx(polygamma(1, x), rel=2e-14)


def test_digamma_and_trigamma_of_one_are_the_constants_of_euler_and_of_basel():
    assert digamma(1.0) == pytest.approx(-0.5772156649015329, rel=1e-14)
    assert trigamma(1.0) == pytest.approx(math.pi**2 / 6.0, rel=1e-14)
