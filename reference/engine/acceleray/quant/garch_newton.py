"""Newton's method for GJR-GARCH(1,1)-t within the bounds of the model, from several starts.

Each step, in the coordinates of `garch_coordinates`, minimises the quadratic model of minus the
log-likelihood with the exact Hessian, within the bounds: a quadratic programme solved through its dual, one
bound after another (Hildreth 1957). Where the Hessian is not positive definite its diagonal is raised; a step
that does not help is shortened (Armijo; Nocedal & Wright 2006, ch. 3 and 18). Returns are scaled as in
`garch_likelihood`. Plain functions that `compiled` turns into machine code; nothing in them is allocated.
"""

from __future__ import annotations

import math

from numpy.typing import NDArray

from acceleray.quant.garch_coordinates import (
    BOUNDS,
    by_coordinates,
    clip,
    set_bounds,
    to_inside,
    to_parameters,
)
from acceleray.quant.garch_likelihood import gradient_and_hessian, log_likelihood, score_products
from acceleray.quant.garch_starts import extreme_start, grid_start
from acceleray.quant.quadratic import bounded_step, factorise

Floats = NDArray  # of float64

STARTS = 3
CONVERGED, OUT_OF_STEPS, STUCK, NOT_DEFINITE, KNOWN = 0, 1, 2, 3, 4
_STEPS, _SHORTER, _LONGER, _RAISES = 60, 40, 20, 30
# Log-likelihood that a full step is expected to gain when the search ends, and where rounding may stop it.
_GAIN, _ROUNDING = 1e-8, 1e-6
# A search ends where another one did if that is so near, in log-likelihood: a seventh of a standard error.
_NEAR = 1e-2
# A later start must be better by this much: equal optima differ in rounding.
_BETTER = 1e-7


def raised_to_definite(curvature: Floats, raised: Floats, lower: Floats) -> float:
    """Write `curvature` with its diagonal raised until it is positive definite, and its factor.

    It is raised in the scale of each coordinate; returns by how much, the least of 0, 0.001, 0.004, ... that
    is enough, or -1 if nothing is.
    """
    lift = 0.0
    for _ in range(_RAISES):
        for row in range(6):
            for column in range(6):
                raised[row, column] = curvature[row, column]
            raised[row, row] += lift * max(abs(curvature[row, row]), 1e-8)
        if factorise(raised, lower):
            return lift
        lift = 1e-3 if lift == 0.0 else 4.0 * lift
    return -1.0


def set_slack(
    x: Floats, normal: Floats, distance: Floats, force: Floats, slack: Floats, curvature: Floats
) -> None:
    """Write how far each bound is from `x` (6,), `slack` (9,).

    A bound that held the last step back may hide a direction of wrong curvature. Its square is added to
    `curvature`, which changes no step along it.
    """
    for bound in range(BOUNDS):
        away = distance[bound]
        scale = 0.0
        for place in range(6):
            away += normal[bound, place] * x[place]
            scale += normal[bound, place] * normal[bound, place] * abs(curvature[place, place])
        slack[bound] = max(away, 0.0)
        if slack[bound] <= 1e-14 and force[bound] > 0.0:
            for row in range(6):
                for column in range(6):
                    curvature[row, column] += 100.0 * scale * normal[bound, row] * normal[bound, column]


def rise(slope: Floats, step: Floats) -> float:
    """Return how much a `step` (6,) adds along a `slope` (6,)."""
    along = 0.0
    for place in range(6):
        along += slope[place] * step[place]
    return along


def bend(curvature: Floats, step: Floats) -> float:
    """Return how much a `step` (6,) adds by a `curvature` (6, 6)."""
    bent = 0.0
    for row in range(6):
        for column in range(6):
            bent += step[row] * curvature[row, column] * step[column]
    return 0.5 * bent


def is_known(x: Floats, value: float, curvature: Floats, maxima: Floats, found: int, apart: Floats) -> bool:
    """Return whether `x` (6,), on the way to `value`, leads to one of the first `found` rows of `maxima`.

    Each is six coordinates and the value there; `apart` (6,) is room.
    """
    for other in range(found):
        for place in range(6):
            apart[place] = x[place] - maxima[other, place]
        if bend(curvature, apart) < _NEAR and abs(value - maxima[other, 6]) < _NEAR:
            return True
    return False


def value_after(
    returns: Floats,
    x: Floats,
    step: Floats,
    length: float,
    moved: Floats,
    theta: Floats,
    variance: Floats,
) -> float:
    """Return minus the log-likelihood at x + length step, and write `moved`, `theta` and `variance` there."""
    for place in range(6):
        moved[place] = x[place] + length * step[place]
    clip(moved)
    to_parameters(moved, theta)
    return -log_likelihood(returns, theta, variance)


def try_step(
    returns: Floats,
    x: Floats,
    step: Floats,
    along: float,
    value: float,
    last: bool,
    longer: bool,
    moved: Floats,
    theta: Floats,
    variance: Floats,
) -> float:
    """Go from `x` (6,) along `step` (6,) as far as it helps; return the new value, infinite if nothing helps.

    `along` is the rise expected of a whole step. The `last` step is taken whole, or not at all. One that a
    raised curvature has kept short is doubled while that helps, `longer`: along a beta that nothing
    determines it would crawl. `moved` (6,), `theta` (6,) and `variance` (days + 1,) are written.
    """
    length, reached = 1.0, math.inf
    for _ in range(_SHORTER):
        tried = value_after(returns, x, step, length, moved, theta, variance)
        if tried <= (value if last else value + 1e-4 * length * along):
            reached = tried
            break
        if last:
            break
        # The lowest point of a parabola through both ends and the slope, within a tenth and a half.
        over = 2.0 * (tried - value - length * along)
        lowest = -along * length * length / over if over > 0.0 else 0.1 * length
        length = min(max(lowest, 0.1 * length), 0.5 * length)
    if longer and length == 1.0 and reached < math.inf:
        for _ in range(_LONGER):
            tried = value_after(returns, x, step, 2.0 * length, moved, theta, variance)
            if not tried < reached:
                break
            length, reached = 2.0 * length, tried
        reached = value_after(returns, x, step, length, moved, theta, variance)
    return reached


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
    of earlier searches: one that comes near to their end has nothing new to find, and stops. `days` (4, days
    + 1), `vectors` (11, 9), `matrices` (7, 9, 9) and `eight` are room. The log-likelihood is left in
    vectors[0, 0]. Returns how it ended, one of the codes above.
    """
    gradient, x, moved, slope, step = vectors[1], vectors[2], vectors[3], vectors[4], vectors[5]
    force, slack, distance, tried = vectors[6], vectors[7], vectors[8], vectors[9]
    hessian, curvature, raised, lower = matrices[0], matrices[1], matrices[2], matrices[3]
    normal = matrices[4]
    set_bounds(normal, distance)
    for bound in range(BOUNDS):
        force[bound] = 0.0
    to_inside(theta, x)
    to_parameters(x, theta)
    value = -log_likelihood(returns, theta, days[0])
    ended = OUT_OF_STEPS
    for _ in range(_STEPS):
        gradient_and_hessian(returns, theta, days[0], days[2], days[3], gradient, hessian, eight)
        by_coordinates(x, gradient, hessian, slope, curvature)
        set_slack(x, normal, distance, force, slack, curvature)
        lift = raised_to_definite(curvature, raised, lower)
        if lift < 0.0:
            return NOT_DEFINITE
        bounded_step(slope, lower, normal, slack, step, force, matrices[5], matrices[6], vectors[10])
        along = rise(slope, step)
        gain = -along - bend(raised, step)
        if is_known(x, value - gain, raised, maxima, found, moved):
            return KNOWN
        last = gain < _GAIN
        new = try_step(returns, x, step, along, value, last, lift > 0.0, moved, tried, days[1])
        if new < math.inf:
            value = new
            for place in range(6):
                x[place], theta[place] = moved[place], tried[place]
            for day in range(returns.size + 1):
                days[0, day] = days[1, day]
            ended = CONVERGED if last else OUT_OF_STEPS
        else:
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
