from collections.abc import Callable

import numpy as np
import pytest

from acceleray.quant.garch import GjrParameters


def simulate(parameters: GjrParameters, days: int, seed: int) -> np.ndarray:
    """Step a GJR-GARCH-t model day by day, independently of the filter under test."""
    generator = np.random.default_rng(seed)
    scale = np.sqrt((parameters.nu - 2.0) / parameters.nu)
    variance = parameters.unconditional_variance
    returns = np.empty(days)
    for day, z in enumerate(generator.standard_t(parameters.nu, days) * scale):
        shock = np.sqrt(variance) * z
        returns[day] = parameters.mu + shock
        reaction = parameters.alpha + (parameters.gamma if shock < 0 else 0.0)
        variance = parameters.omega + reaction * shock**2 + parameters.beta * variance
    return returns


@pytest.fixture(scope="session")
def planted() -> GjrParameters:
    return GjrParameters(mu=4e-4, omega=2e-6, alpha=0.03, gamma=0.08, beta=0.91, nu=7.0)


@pytest.fixture(scope="session")
def planted_series(planted: GjrParameters) -> Callable[[int, int], np.ndarray]:
    """Return a function from days and seed to returns of the planted model."""
    return lambda days, seed: simulate(planted, days, seed)


@pytest.fixture(scope="session")
def planted_returns(planted: GjrParameters) -> np.ndarray:
    return simulate(planted, 6000, seed=20240229)
