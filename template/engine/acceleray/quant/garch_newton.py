"""Newton's method for GJR-GARCH(1,1)-t within the bounds of the model, from several starts.

The optimiser works in coordinates in which every bound is linear and the likelihood nearly quadratic:

    x = (mu, omega, alpha, alpha + gamma, alpha + gamma / 2 + beta, 1 / nu)

Each step minimises the quadratic model of minus the log-likelihood with the exact Hessian, within the bounds:
a quadratic programme solved through its dual, one bound after another (Hildreth 1957). Where the Hessian is
not positive definite its diagonal is raised; a step that does not help is shortened (Armijo; Nocedal & Wright
2006, ch. 3 and 18). Returns are scaled as in `garch_likelihood`. Plain functions that `compiled` turns into
machine code; nothing in them is allocated.
"""

from __future__ import annotations

from numpy.typing import NDArray

from acceleray.quant.garch_likelihood import gradient_and_hessian, log_likelihood, score_products
from acceleray.quant.garch_starts import extreme_start, grid_start
from acceleray.quant.quadratic import bounded_step, factorise

Floats = NDArray  # of float64

# Bounds: those of arch, with the presample variance one. Those that others imply are left out.
BOUNDS = 9
_OMEGA_LOW, _OMEGA_HIGH = 1e-8, 10.0
_NU_LOW, _NU_HIGH = 2.05, 500.0
STARTS = 3
CONVERGED, OUT_OF_STEPS, STUCK, NOT_DEFINITE, KNOWN = 0, 1, 2, 3, 4
_STEPS, _SHORTER, _RAISES = 60, 40, 30
# Log-likelihood that a full step is expected to gain when the search ends, and where rounding may stop it.
_GAIN, _ROUNDING = 1e-8, 1e-6
# A search ends where another one did if that is so near, in log-likelihood: a seventh of a standard error.
_NEAR = 1e-2
# A later start must be better by this much: equal optima differ in rounding.
_BETTER = 1e-7


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


def raised_to_definite(curvature: Floats, raised: Floats, lower: Floats) -> bool:
    """Write `curvature` with its diagonal raised until it is positive definite, and its factor, or fail.

    It is raised in the scale of each coordinate, by the least of 0, 0.001, 0.004, ... that is enough.
    """
    lift = 0.0
    for _ in range(_RAISES):
        for row in range(6):
            for column in range(6):
                raised[row, column] = curvature[row, column]
            raised[row, row] += lift * max(abs(curvature[row, row]), 1e-8)
        if factorise(raised, lower):
            return True
        lift = 1e-3 if lift == 0.0 else 4.0 * lift
    return False


def is_near(x: Floats, value: float, curvature: Floats, maximum: Floats) -> bool:
    """Return whether `x` (6,), on the way to `value`, leads to a maximum: six coordinates and its value."""
    apart = 0.0
    for row in range(6):
        for column in range(6):
            apart += (x[row] - maximum[row]) * curvature[row, column] * (x[column] - maximum[column])
    return 0.5 * apart < _NEAR and abs(value - maximum[6]) < _NEAR


def search(
    returns: Floats,
    theta: Floats,
    days: Floats,
    vectors: Floats,
    matrices: Floats,
    maxima: Floats,
    found: int,
    eight: Floats,
) -> int:
    """Climb from the parameters `theta` (6,) to a maximum of the likelihood within the bounds, in place.

    The coordinates and the value of a new one are written to maxima[found], the first `found` rows are those
    of earlier searches: one that comes near to their end has nothing new to find, and stops.
    `days` (4, days + 1), `vectors` (11, 9) and `matrices` (7, 9, 9) are room, and `eight`. The log-likelihood
    and the variances of the parameters found are left in vectors[0, 0] and days[0], the derivatives in
    vectors[1] and matrices[0]. Returns how it ended, one of the codes above.
    """
    variance, variance_tried = days[0], days[1]
    gradient, x, x_tried, slope, step, force = (
        vectors[1],
        vectors[2],
        vectors[3],
        vectors[4],
        vectors[5],
        vectors[6],
    )
    slack, distance, free, tried = vectors[7], vectors[8], vectors[9], vectors[10]
    hessian, curvature, raised, lower = matrices[0], matrices[1], matrices[2], matrices[3]
    normal, solved, products = matrices[4], matrices[5], matrices[6]
    set_bounds(normal, distance)
    for bound in range(BOUNDS):
        force[bound] = 0.0
    to_coordinates(theta, x)
    # Begin inside: at its bounds of nu and omega the likelihood is nearly flat.
    x[1] = min(max(x[1], 2.0 * _OMEGA_LOW), 0.99 * _OMEGA_HIGH)
    x[5] = min(max(x[5], 1.0 / (_NU_HIGH - 1.0)), 1.0 / (_NU_LOW + 0.01))
    clip(x)
    to_parameters(x, theta)
    value = -log_likelihood(returns, theta, variance)
    ended = OUT_OF_STEPS
    for _ in range(_STEPS):
        gradient_and_hessian(returns, theta, variance, days[2], days[3], gradient, hessian, eight)
        by_coordinates(x, gradient, hessian, slope, curvature)
        for bound in range(BOUNDS):
            slack[bound] = distance[bound]
            for place in range(6):
                slack[bound] += normal[bound, place] * x[place]
            slack[bound] = max(slack[bound], 0.0)
            # A bound that held the last step back may hide a direction of wrong curvature. Its square is
            # added, which changes no step along it.
            if slack[bound] <= 1e-14 and force[bound] > 0.0:
                scale = 0.0
                for place in range(6):
                    scale += 100.0 * normal[bound, place] ** 2 * abs(curvature[place, place])
                for row in range(6):
                    for column in range(6):
                        curvature[row, column] += scale * normal[bound, row] * normal[bound, column]
        if not raised_to_definite(curvature, raised, lower):
            return NOT_DEFINITE
        bounded_step(slope, lower, normal, slack, step, force, solved, products, free)
        along = bent = 0.0
        for row in range(6):
            along += slope[row] * step[row]
            for column in range(6):
                bent += step[row] * raised[row, column] * step[column]
        gain = -along - 0.5 * bent
        for other in range(found):
            if is_near(x, value - gain, raised, maxima[other]):
                return KNOWN
        if gain < _GAIN:
            ended = CONVERGED
        length, moved = 1.0, False
        for _ in range(_SHORTER):
            for place in range(6):
                x_tried[place] = x[place] + length * step[place]
            clip(x_tried)
            to_parameters(x_tried, tried)
            value_tried = -log_likelihood(returns, tried, variance_tried)
            enough = value if ended == CONVERGED else value + 1e-4 * length * along
            if value_tried <= enough:
                moved = True
                break
            if ended == CONVERGED:
                break
            # The lowest point of a parabola through both ends and the slope, within a tenth and a half.
            over = 2.0 * (value_tried - value - length * along)
            lowest = -along * length * length / over if over > 0.0 else 0.1 * length
            length = min(max(lowest, 0.1 * length), 0.5 * length)
        if moved:
            for place in range(6):
                x[place], theta[place] = x_tried[place], tried[place]
            for day in range(variance.size):
                variance[day] = variance_tried[day]
            value = value_tried
        elif ended != CONVERGED:
            # No decrease is to be had: rounding, if hardly any was expected.
            ended = CONVERGED if gain < _ROUNDING else STUCK
        if ended != OUT_OF_STEPS:
            break
    vectors[0, 0] = -value
    for place in range(6):
        maxima[found, place] = x[place]
    maxima[found, 6] = value
    return ended


def fit(returns: Floats, grid: Floats, eight: Floats, days: Floats, vectors: Floats, matrices: Floats) -> int:
    """Find the parameters of the highest log-likelihood that `search` reaches from three starts.

    They are left in vectors[11], the log-likelihood in vectors[0, 0], the variances in days[0] (days + 1),
    the Hessian in matrices[0] and the products of the scores in matrices[7]. Returns how the search that
    reached them ended, one of the codes above. `grid` (7, 64), `eight` (ROOM of `garch_days`,), `days` (4,
    days + 1), `vectors` (13, 9) and `matrices` (9, 9, 9) are room.
    """
    theta, best, maxima = vectors[12], vectors[11], matrices[8]
    highest, ended = 0.0, NOT_DEFINITE
    mean, found = 0.0, 0
    for start in range(STARTS):
        if start == 0:
            grid_start(returns, grid, theta)
            mean = theta[0]
        else:
            extreme_start(start, mean, theta)
        how = search(returns, theta, days, vectors, matrices, maxima, found, eight)
        if how == KNOWN:
            continue
        # A search that converged is taken before one that did not, then the higher.
        better = ended != CONVERGED or vectors[0, 0] > highest + _BETTER
        if start == 0 or (how == CONVERGED and better):
            highest, ended = vectors[0, 0], how
            for place in range(6):
                best[place] = theta[place]
        if how == CONVERGED:
            found += 1
    vectors[0, 0] = log_likelihood(returns, best, days[0])
    gradient_and_hessian(returns, best, days[0], days[2], days[3], vectors[1], matrices[0], eight)
    score_products(returns, best, days[0], days[3], matrices[7], eight)
    return ended
