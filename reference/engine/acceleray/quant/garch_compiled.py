"""GJR-GARCH(1,1)-t by Newton's method in machine code: what `garch` calls, and what it gets back."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acceleray.compiled import Program, load
from acceleray.quant import garch_coordinates as at
from acceleray.quant import garch_newton as newton
from acceleray.quant.garch_days import ROOM, add_derivatives, add_scores, lay_days, sum_of
from acceleray.quant.garch_estimate import Estimate
from acceleray.quant.garch_likelihood import (
    gradient_and_hessian,
    log_likelihood,
    score_products,
    student_constant,
)
from acceleray.quant.garch_starts import GRID, extreme_start, grid_start, nu_of_residuals
from acceleray.quant.quadratic import bounded_step, factorise, solve
from acceleray.quant.special import digamma, trigamma

_WORDS = {
    newton.OUT_OF_STEPS: "it took all of its steps",
    newton.STUCK: "no step raised the likelihood",
    newton.NOT_DEFINITE: "the likelihood has no curvature",
}


def _entry(fit: Callable[..., int], carray: Callable[..., Any]) -> Callable[..., int]:
    def entry(returns: Any, days: int, grid: Any, eight: Any, rows: Any, vectors: Any, matrices: Any) -> int:
        return fit(
            carray(returns, (days,)),
            carray(grid, (7, GRID)),
            carray(eight, (ROOM,)),
            carray(rows, (4, days + 1)),
            carray(vectors, (13, 9)),
            carray(matrices, (9, 9, 9)),
        )

    return entry


PROGRAM = Program(
    name="gjr_garch_t",
    functions=(
        *(digamma, trigamma, lay_days, add_derivatives, add_scores, sum_of),
        *(student_constant, log_likelihood, gradient_and_hessian, score_products),
        *(nu_of_residuals, grid_start, extreme_start, factorise, solve, bounded_step),
        *(at.set_bounds, at.clip, at.to_coordinates, at.to_parameters, at.to_inside, at.by_coordinates),
        *(newton.raised_to_definite, newton.set_slack, newton.rise, newton.bend, newton.is_known),
        *(newton.value_after, newton.try_step, newton.search, newton.fit),
    ),
    entry=_entry,
    arguments=("float64*", "int64", *["float64*"] * 5),
)


def estimate_compiled(returns: NDArray[np.float64], initial_variance: float, folder: Path) -> Estimate:
    """Return the best of three maxima of the likelihood of decimal returns of shape (days,).

    `folder` is where machine code is kept. Standard errors are robust, H^-1 S H^-1 with the exact Hessian H
    of the log-likelihood and the sum S of the outer products of the daily scores (Bollerslev & Wooldridge
    1992).

    Raises:
        CannotCompileError: there is no machine code, and none can be made.
    """
    run = load(PROGRAM, folder)
    scale = math.sqrt(initial_variance)
    scaled = np.ascontiguousarray(returns / scale, dtype=np.float64)
    grid, eight, rows = np.empty((7, GRID)), np.empty(ROOM), np.empty((4, scaled.size + 1))
    vectors, matrices = np.zeros((13, 9)), np.zeros((9, 9, 9))
    rooms = [room.ctypes.data for room in (grid, eight, rows, vectors, matrices)]
    ended = run(scaled.ctypes.data, scaled.size, *rooms)
    units = np.array([scale, initial_variance, 1.0, 1.0, 1.0, 1.0])
    failed = "" if ended == newton.CONVERGED else f"the optimiser did not converge: {_WORDS[ended]}"
    return Estimate(
        parameters=vectors[11, :6] * units,
        standard_errors=robust_errors(matrices[0, :6, :6], matrices[7, :6, :6]) * units,
        # Density of r = density of r / scale, over the scale, on each day.
        log_likelihood=float(vectors[0, 0]) - scaled.size * math.log(scale),
        starts=newton.STARTS,
        failed=failed,
    )


def robust_errors(hessian: NDArray[np.float64], products: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the roots of the diagonal of H^-1 S H^-1, of shape (6,); NaN where H is singular."""
    try:
        inverse = np.linalg.inv(hessian)
    except np.linalg.LinAlgError:  # a singular information matrix leaves the parameters valid
        return np.full(len(hessian), np.nan)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.sqrt(np.diag(inverse @ products @ inverse)), dtype=np.float64)
