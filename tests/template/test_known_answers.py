"""Published answers whose data a customer's project should not have to install."""

from __future__ import annotations

import numpy as np
import pytest
from arch.univariate import GARCH, ConstantMean, Normal
from numpy.typing import NDArray
from scipy.optimize import minimize

from acceleray.quant.garch import GjrParameters, variance_path
from published import mark_pound_returns

# Fiorentini, Calzolari & Panattoni 1996: mu, omega, alpha, beta of GARCH(1,1) with normal innovations on
# 1,974 daily DEM/GBP returns in per cent; the presample variance is the mean squared residual.
PUBLISHED = (-0.00619041, 0.0107613, 0.153134, 0.805974)


@pytest.fixture(scope="module")
def returns() -> NDArray[np.float64]:
    values = mark_pound_returns()
    assert values.size == 1974
    return values


def test_the_variance_path_leads_to_the_garch_benchmark(returns: NDArray[np.float64]) -> None:
    def likelihood(estimates: NDArray[np.float64]) -> float:
        mu, omega, alpha, beta = estimates
        squares = (returns - mu) ** 2
        parameters = GjrParameters(mu, omega, alpha, 0.0, beta, 8.0)
        variance = variance_path(returns, parameters, float(squares.mean()))[:-1]
        return 0.5 * float(np.sum(np.log(variance) + squares / variance))

    bounds = ((-0.1, 0.1), (1e-5, 0.1), (1e-4, 0.5), (0.1, 0.99))
    start = np.array([0.0, 0.02, 0.1, 0.7])
    rough = minimize(likelihood, start, method="L-BFGS-B", bounds=bounds).x
    options = {"xatol": 1e-9, "fatol": 1e-10, "maxiter": 5000, "maxfev": 5000}
    found = minimize(likelihood, rough, method="Nelder-Mead", options=options).x
    np.testing.assert_allclose(found, PUBLISHED, rtol=5e-5)


def test_another_presample_variance_leads_elsewhere(returns: NDArray[np.float64]) -> None:
    # The default of arch: without it, the test above could not tell.
    model = ConstantMean(returns, volatility=GARCH(1, 0, 1), distribution=Normal(), rescale=False)
    alpha, beta = model.fit(disp="off").params.to_numpy()[2:]
    assert (alpha, beta) == (pytest.approx(0.1455, abs=5e-5), pytest.approx(0.8168, abs=5e-5))
