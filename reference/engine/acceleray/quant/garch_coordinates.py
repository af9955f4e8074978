"""The coordinates in which GJR-GARCH(1,1)-t is optimised, and its bounds in them.

    x = (mu, omega, alpha, alpha + gamma, alpha + gamma / 2 + beta, 1 / nu)

In these every bound is linear and the likelihood nearly quadratic. Returns are scaled as in
`garch_likelihood`. Plain functions that `compiled` turns into machine code.
"""

from __future__ import annotations

from numpy.typing import NDArray

Floats = NDArray  # of float64

# Bounds: those of arch, with the presample variance one. Those that others imply are left out.
BOUNDS = 9
_OMEGA_LOW, _OMEGA_HIGH = 1e-8, 10.0
_NU_LOW, _NU_HIGH = 2.05, 500.0


def set_bounds(normal: Floats, distance: Floats) -> None:
    """Write the bounds normal x + distance >= 0: six columns of `normal` (9, 9), and `distance` (9,)."""
    for bound in range(BOUNDS):
        distance[bound] = 0.0
        for place in range(6):
            normal[bound, place] = 0.0
    normal[0, 1], distance[0] = 1.0, -_OMEGA_LOW
    normal[1, 1], distance[1] = -1.0, _OMEGA_HIGH
    normal[2, 2] = 1.0  # alpha >= 0
    normal[3, 2], distance[3] = -1.0, 1.0
    normal[4, 3] = 1.0  # alpha + gamma >= 0
    normal[5, 4], distance[5] = -1.0, 1.0  # persistence <= 1
    normal[6, 4], normal[6, 2], normal[6, 3] = 1.0, -0.5, -0.5  # beta >= 0
    normal[7, 5], distance[7] = 1.0, -1.0 / _NU_HIGH
    normal[8, 5], distance[8] = -1.0, 1.0 / _NU_LOW


def clip(x: Floats) -> None:
    """Move coordinates `x` (6,) that rounding has put outside of the bounds back onto them."""
    x[1] = min(max(x[1], _OMEGA_LOW), _OMEGA_HIGH)
    x[2] = min(max(x[2], 0.0), 1.0)
    # With alpha below one and beta above zero, persistence bounds alpha + gamma by two.
    x[3] = min(max(x[3], 0.0), 2.0 - x[2])
    x[4] = min(max(x[4], 0.5 * (x[2] + x[3])), 1.0)
    x[5] = min(max(x[5], 1.0 / _NU_HIGH), 1.0 / _NU_LOW)


def to_coordinates(theta: Floats, x: Floats) -> None:
    """Write the coordinates `x` (6,) of parameters `theta` (6,)."""
    x[0], x[1], x[2] = theta[0], theta[1], theta[2]
    x[3] = theta[2] + theta[3]
    x[4] = theta[2] + 0.5 * theta[3] + theta[4]
    x[5] = 1.0 / theta[5]


def to_parameters(x: Floats, theta: Floats) -> None:
    """Write the parameters `theta` (6,) of coordinates `x` (6,)."""
    theta[0], theta[1], theta[2] = x[0], x[1], x[2]
    theta[3] = x[3] - x[2]
    # Not below zero by rounding: where beta is on its bound, persistence is computed from the other two.
    theta[4] = max(x[4] - 0.5 * (x[2] + x[3]), 0.0)
    theta[5] = 1.0 / x[5]


def by_coordinates(x: Floats, gradient: Floats, hessian: Floats, slope: Floats, curvature: Floats) -> None:
    """Write slope and curvature of minus the log-likelihood by `x` (6,) from those by the parameters."""
    kappa = x[5]
    # alpha moves gamma by -1 and beta by -1/2, alpha + gamma moves gamma by 1 and beta by -1/2.
    slope[0], slope[1] = -gradient[0], -gradient[1]
    slope[2] = -(gradient[2] - gradient[3] - 0.5 * gradient[4])
    slope[3] = -(gradient[3] - 0.5 * gradient[4])
    slope[4] = -gradient[4]
    slope[5] = gradient[5] / (kappa * kappa)
    for row in range(6):
        for column in range(6):
            curvature[row, column] = -hessian[row, column]
    for row in range(6):
        curvature[row, 2] += -curvature[row, 3] - 0.5 * curvature[row, 4]
        curvature[row, 3] -= 0.5 * curvature[row, 4]
        curvature[row, 5] /= -kappa * kappa
    for column in range(6):
        curvature[2, column] += -curvature[3, column] - 0.5 * curvature[4, column]
        curvature[3, column] -= 0.5 * curvature[4, column]
        curvature[5, column] /= -kappa * kappa
    curvature[5, 5] -= gradient[5] * 2.0 / (kappa * kappa * kappa)


def to_inside(theta: Floats, x: Floats) -> None:
    """Write the coordinates `x` (6,) of a start, inside the bounds of nu and omega: at them nothing bends."""
    to_coordinates(theta, x)
    x[1] = min(max(x[1], 2.0 * _OMEGA_LOW), 0.99 * _OMEGA_HIGH)
    x[5] = min(max(x[5], 1.0 / (_NU_HIGH - 1.0)), 1.0 / (_NU_LOW + 0.01))
    clip(x)
