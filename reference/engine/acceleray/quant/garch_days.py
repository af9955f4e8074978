"""Eight days of GJR-GARCH(1,1)-t at once: their derivatives, and what these add to gradient and Hessian.

Everything lies in one array, eight numbers a row, one for each day: then a compiler knows that no row
overlaps another, and one instruction serves all eight days. Sums are kept apart by the place of a day in its
eight until `sum_of` adds them, always in the same order. `garch_likelihood` says what the numbers mean.
"""

from __future__ import annotations

import math

from numpy.typing import NDArray

Floats = NDArray  # of float64

# Where rows begin. Of each day: shock, variance, adjoint of the next day's variance, reaction to the shock,
# the shock if it is negative, the variance by mu, omega, alpha, gamma and beta, and the tail 1 + z^2 / (nu -
# 2).
SHOCK, VARIANCE, LATER, REACTION, DOWN, D_MU, D_OMEGA, D_ALPHA, D_GAMMA, D_BETA, TAIL = range(0, 88, 8)
# A score of each day, six sums of the gradient, and 21 of the upper triangle of a matrix by its rows.
SCORE, GRADIENT, HESSIAN = 88, 96, 144
# Derivatives of the variance of the day after.
STATE = HESSIAN + 8 * 21
ROOM = STATE + 8


def lay_days(
    returns: Floats, theta: Floats, variance: Floats, adjoint: Floats, first: int, eight: Floats
) -> None:
    """Write the rows of the eight days from `first`, and the derivatives of the variance after them.

    Days after the last have an infinite variance and no shock, and so add nothing.
    """
    mu, alpha, gamma, beta = theta[0], theta[2], theta[3], theta[4]
    d_mu, d_omega, d_alpha = eight[STATE], eight[STATE + 1], eight[STATE + 2]
    d_gamma, d_beta = eight[STATE + 3], eight[STATE + 4]
    known = min(8, returns.size - first)
    for place in range(known):
        day = first + place
        shock = returns[day] - mu
        reaction = alpha + gamma if shock < 0.0 else alpha
        down = shock if shock < 0.0 else 0.0
        eight[SHOCK + place], eight[VARIANCE + place] = shock, variance[day]
        eight[LATER + place] = adjoint[day + 1]
        eight[REACTION + place], eight[DOWN + place] = reaction, down
        eight[D_MU + place], eight[D_OMEGA + place], eight[D_ALPHA + place] = d_mu, d_omega, d_alpha
        eight[D_GAMMA + place], eight[D_BETA + place] = d_gamma, d_beta
        d_mu = -2.0 * reaction * shock + beta * d_mu
        d_omega = 1.0 + beta * d_omega
        d_alpha = shock * shock + beta * d_alpha
        d_gamma = down * down + beta * d_gamma
        d_beta = variance[day] + beta * d_beta
    eight[STATE], eight[STATE + 1], eight[STATE + 2] = d_mu, d_omega, d_alpha
    eight[STATE + 3], eight[STATE + 4] = d_gamma, d_beta
    for place in range(known, 8):
        for row in range(SHOCK, TAIL, 8):
            eight[row + place] = 0.0
        eight[VARIANCE + place] = math.inf


def add_derivatives(eight: Floats, m: float, nu1: float) -> None:
    """Add the gradient and the Hessian of the eight days that `lay_days` wrote; `m` is nu - 2, `nu1` nu + 1.

    Of nu only what depends on the day is added, for its curvature times 2 (nu - 2).
    """
    for day in range(8):
        shock, later = eight[SHOCK + day], eight[LATER + day]
        d_mu, d_omega, d_alpha = eight[D_MU + day], eight[D_OMEGA + day], eight[D_ALPHA + day]
        d_gamma, d_beta = eight[D_GAMMA + day], eight[D_BETA + day]
        inverse = 1.0 / eight[VARIANCE + day]
        square = shock * shock * inverse
        share = 1.0 / (m + square)
        w = nu1 * share
        excess = (1.0 - w) * share
        # By the variance, by the shock, by both and by nu.
        by_h = 0.5 * inverse * (w * square - 1.0)
        h_h = 0.5 * inverse * inverse * (1.0 - w * square - w * square * m * share)
        h_shock = w * m * share * shock * inverse * inverse
        shock_shock = w * inverse * (2.0 * square * share - 1.0)
        h_nu = 0.5 * square * excess * inverse
        eight[TAIL + day] = 1.0 + square / m
        # The shock falls as mu rises: its derivative is -1.
        eight[GRADIENT + day] += by_h * d_mu + w * shock * inverse
        eight[GRADIENT + 8 + day] += by_h * d_omega
        eight[GRADIENT + 16 + day] += by_h * d_alpha
        eight[GRADIENT + 24 + day] += by_h * d_gamma
        eight[GRADIENT + 32 + day] += by_h * d_beta
        eight[GRADIENT + 40 + day] += w * square
        # With `later`: what this day adds to the second derivatives of the variance of the next.
        cross = h_h * d_mu - h_shock
        eight[HESSIAN + day] += (
            cross * d_mu - h_shock * d_mu + shock_shock + later * 2.0 * eight[REACTION + day]
        )
        eight[HESSIAN + 8 + day] += cross * d_omega
        eight[HESSIAN + 16 + day] += cross * d_alpha - later * 2.0 * shock
        eight[HESSIAN + 24 + day] += cross * d_gamma - later * 2.0 * eight[DOWN + day]
        eight[HESSIAN + 32 + day] += cross * d_beta + later * d_mu
        eight[HESSIAN + 40 + day] += h_nu * d_mu + excess * shock * inverse
        cross = h_h * d_omega
        eight[HESSIAN + 48 + day] += cross * d_omega
        eight[HESSIAN + 56 + day] += cross * d_alpha
        eight[HESSIAN + 64 + day] += cross * d_gamma
        eight[HESSIAN + 72 + day] += cross * d_beta + later * d_omega
        eight[HESSIAN + 80 + day] += h_nu * d_omega
        cross = h_h * d_alpha
        eight[HESSIAN + 88 + day] += cross * d_alpha
        eight[HESSIAN + 96 + day] += cross * d_gamma
        eight[HESSIAN + 104 + day] += cross * d_beta + later * d_alpha
        eight[HESSIAN + 112 + day] += h_nu * d_alpha
        cross = h_h * d_gamma
        eight[HESSIAN + 120 + day] += cross * d_gamma
        eight[HESSIAN + 128 + day] += cross * d_beta + later * d_gamma
        eight[HESSIAN + 136 + day] += h_nu * d_gamma
        eight[HESSIAN + 144 + day] += (h_h * d_beta + later * 2.0) * d_beta
        eight[HESSIAN + 152 + day] += h_nu * d_beta
        eight[HESSIAN + 160 + day] += square * ((2.0 - w) * share - w / m)


def add_scores(eight: Floats, m: float, nu1: float, constant: float, known: int) -> None:
    """Add the products of the scores of the first `known` days that `lay_days` wrote.

    `constant` is what the score by nu has on every day.
    """
    for day in range(8):
        shock = eight[SHOCK + day]
        tail = 1.0 + shock * shock / (eight[VARIANCE + day] * m)
        eight[SCORE + day] = constant - 0.5 * math.log(tail) if day < known else 0.0
    for day in range(8):
        shock, inverse = eight[SHOCK + day], 1.0 / eight[VARIANCE + day]
        square = shock * shock * inverse
        w = nu1 / (m + square)
        by_h = 0.5 * inverse * (w * square - 1.0)
        mu = by_h * eight[D_MU + day] + w * shock * inverse
        omega = by_h * eight[D_OMEGA + day]
        alpha = by_h * eight[D_ALPHA + day]
        gamma = by_h * eight[D_GAMMA + day]
        beta = by_h * eight[D_BETA + day]
        nu = eight[SCORE + day] + 0.5 * w * square / m
        eight[HESSIAN + day] += mu * mu
        eight[HESSIAN + 8 + day] += mu * omega
        eight[HESSIAN + 16 + day] += mu * alpha
        eight[HESSIAN + 24 + day] += mu * gamma
        eight[HESSIAN + 32 + day] += mu * beta
        eight[HESSIAN + 40 + day] += mu * nu
        eight[HESSIAN + 48 + day] += omega * omega
        eight[HESSIAN + 56 + day] += omega * alpha
        eight[HESSIAN + 64 + day] += omega * gamma
        eight[HESSIAN + 72 + day] += omega * beta
        eight[HESSIAN + 80 + day] += omega * nu
        eight[HESSIAN + 88 + day] += alpha * alpha
        eight[HESSIAN + 96 + day] += alpha * gamma
        eight[HESSIAN + 104 + day] += alpha * beta
        eight[HESSIAN + 112 + day] += alpha * nu
        eight[HESSIAN + 120 + day] += gamma * gamma
        eight[HESSIAN + 128 + day] += gamma * beta
        eight[HESSIAN + 136 + day] += gamma * nu
        eight[HESSIAN + 144 + day] += beta * beta
        eight[HESSIAN + 152 + day] += beta * nu
        eight[HESSIAN + 160 + day] += nu * nu


def sum_of(eight: Floats, row: int) -> float:
    """Return the sum of the eight numbers from `row` on."""
    front = (eight[row] + eight[row + 1]) + (eight[row + 2] + eight[row + 3])
    return front + ((eight[row + 4] + eight[row + 5]) + (eight[row + 6] + eight[row + 7]))
