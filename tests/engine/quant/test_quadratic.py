import numpy as np
import pytest
from scipy.optimize import minimize

from acceleray.quant.quadratic import bounded_step, factorise, solve


def programme(generator, bounds=9):
    root = generator.normal(size=(6, 6))
    matrix = root @ root.T + 0.1 * np.eye(6)
    return matrix, generator.normal(size=6), generator.normal(size=(bounds, 6)), generator.random(bounds)


def stepped(matrix, slope, normal, slack):
    bounds, lower = len(slack), np.zeros((6, 6))
    assert factorise(matrix, lower)
    step, force, free = np.empty(6), np.empty(bounds), np.empty(bounds)
    bounded_step(
        slope, lower, normal, slack, step, force, np.empty((bounds, 6)), np.empty((bounds, bounds)), free
    )
    return step, force


@pytest.mark.parametrize("seed", range(8))
def test_a_step_within_bounds_is_the_one_scipy_finds(seed):
    matrix, slope, normal, slack = programme(np.random.default_rng(seed))
    step, force = stepped(matrix, slope, normal, slack)
    found = minimize(
        lambda s: slope @ s + 0.5 * s @ matrix @ s,
        np.zeros(6),
        jac=lambda s: slope + matrix @ s,
        constraints={"type": "ineq", "fun": lambda s: normal @ s + slack, "jac": lambda s: normal},
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 500},
    )
    np.testing.assert_allclose(step, found.x, atol=1e-6)
    # Karush, Kuhn and Tucker: forces balance the slope, and only a bound that is reached has one.
    np.testing.assert_allclose(slope + matrix @ step, normal.T @ force, atol=1e-9)
    assert np.all(normal @ step + slack > -1e-9)
    assert np.all(force * (normal @ step + slack) < 1e-9)


def test_without_a_bound_in_the_way_the_step_is_that_of_newton():
    matrix, slope, normal, _ = programme(np.random.default_rng(1))
    step, force = stepped(matrix, slope, normal, np.full(9, 1e6))
    np.testing.assert_allclose(step, -np.linalg.solve(matrix, slope), rtol=1e-10)
    assert not force.any()


def test_a_matrix_that_is_not_positive_definite_is_refused():
    lower = np.zeros((6, 6))
    assert not factorise(np.diag([1.0, 1.0, 1.0, 1.0, 1.0, -1.0]), lower)
    assert not factorise(np.ones((6, 6)), lower)
    x = np.arange(6.0)
    assert factorise(2.0 * np.eye(6), lower)
    solve(lower, x)
    np.testing.assert_allclose(x, np.arange(6.0) / 2.0)
