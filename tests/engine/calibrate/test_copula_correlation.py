"""The correlation of the t copula is one of ranks: it describes how instruments move, not how far."""

from __future__ import annotations

import numpy as np
import pytest

from acceleray.stages.calibrate.dependence import estimate

PLANTED = 0.5
PAIRS = np.triu_indices(5, 1)


def test_jumps_of_single_instruments_leave_the_correlation_of_the_copula_where_it_was() -> None:
    generator = np.random.default_rng(4)
    root = np.linalg.cholesky(np.full((5, 5), PLANTED) + (1.0 - PLANTED) * np.eye(5))
    residuals = generator.normal(size=(2000, 5)) @ root.T
    jumps = residuals.copy()
    for place in range(5):
        # Three days in eight years on which one instrument alone falls by 25 deviations.
        jumps[[100 + place, 900 + place, 1700 + place], place] = -25.0
    shrunk, copula = estimate(jumps.shape, jumps)
    quiet, _ = estimate(residuals.shape, residuals)

    assert shrunk.correlation[PAIRS].mean() == pytest.approx(PLANTED, abs=0.03)
    assert shrunk.correlation[PAIRS].mean() == pytest.approx(quiet.correlation[PAIRS].mean(), abs=0.01)
    assert np.corrcoef(jumps, rowvar=False)[PAIRS].mean() < 0.3, "Pearson's correlation follows the jumps"
    assert copula.nu > 20.0


def test_margins_of_another_shape_leave_correlation_and_degrees_of_freedom_as_they_are() -> None:
    residuals = np.random.default_rng(5).standard_t(6, size=(500, 5))
    shrunk, copula = estimate(residuals.shape, residuals)
    other, same = estimate(residuals.shape, np.sinh(residuals))
    np.testing.assert_array_equal(shrunk.correlation, other.correlation)
    assert copula == same
