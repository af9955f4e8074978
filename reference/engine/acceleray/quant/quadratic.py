"""A small convex quadratic programme with linear bounds, solved through its dual.

Plain functions that `compiled` turns into machine code; nothing in them is allocated.
"""

from __future__ import annotations

import math

from numpy.typing import NDArray

Floats = NDArray  # of float64

# Unknowns, and sweeps over the bounds: a handful unless two bounds nearly say the same.
SIZE = 6
_SWEEPS = 2000
# Change of a slack, as a share of its scale, below which the dual has settled.
_SETTLED = 1e-13


def factorise(matrix: Floats, lower: Floats) -> bool:
    """Write the Cholesky factor of `matrix` (6, 6); return whether it is clearly positive definite."""
    for row in range(SIZE):
        for column in range(row + 1):
            rest = matrix[row, column]
            for place in range(column):
                rest -= lower[row, place] * lower[column, place]
            if row == column:
                if not rest > 1e-10 * matrix[row, row] or not rest > 0.0:
                    return False
                lower[row, row] = math.sqrt(rest)
            else:
                lower[row, column] = rest / lower[column, column]
    return True


def solve(lower: Floats, x: Floats) -> None:
    """Replace `x` (6,) by the solution of the equations whose Cholesky factor is `lower` (6, 6)."""
    for row in range(SIZE):
        rest = x[row]
        for place in range(row):
            rest -= lower[row, place] * x[place]
        x[row] = rest / lower[row, row]
    for row in range(SIZE - 1, -1, -1):
        rest = x[row]
        for place in range(row + 1, SIZE):
            rest -= lower[place, row] * x[place]
        x[row] = rest / lower[row, row]


def bounded_step(
    slope: Floats,
    lower: Floats,
    normal: Floats,
    slack: Floats,
    step: Floats,
    force: Floats,
    solved: Floats,
    products: Floats,
    free: Floats,
) -> None:
    """Write the `step` s (6,) that minimises slope s + s' B s / 2 where normal s + slack >= 0.

    `lower` is the Cholesky factor of B, `normal` (bounds, 6) the bounds and `slack` (bounds,) how far each is
    away. `force` (bounds,) are their multipliers, zero for bounds that do not hold the step back. The dual
    is solved one multiplier after another (Hildreth 1957). `solved` (bounds, 6), `products` (bounds,
    bounds) and `free` (bounds,) are room.
    """
    bounds = slack.size
    for place in range(SIZE):
        step[place] = -slope[place]
    solve(lower, step)
    nearest = 0.0
    for bound in range(bounds):
        force[bound] = 0.0
        free[bound] = slack[bound]
        for place in range(SIZE):
            free[bound] += normal[bound, place] * step[place]
            solved[bound, place] = normal[bound, place]
        nearest = min(nearest, free[bound])
    if nearest >= 0.0:
        return
    for bound in range(bounds):
        solve(lower, solved[bound])
    for one in range(bounds):
        for other in range(bounds):
            products[one, other] = 0.0
            for place in range(SIZE):
                products[one, other] += normal[one, place] * solved[other, place]
    for _ in range(_SWEEPS):
        change = 0.0
        for bound in range(bounds):
            distance = free[bound]
            for other in range(bounds):
                distance += products[bound, other] * force[other]
            pushed = max(0.0, force[bound] - distance / products[bound, bound])
            change = max(change, abs(pushed - force[bound]) * math.sqrt(products[bound, bound]))
            force[bound] = pushed
        if change < _SETTLED:
            break
    for bound in range(bounds):
        for place in range(SIZE):
            step[place] += force[bound] * solved[bound, place]
