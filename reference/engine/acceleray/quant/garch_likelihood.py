"""The log-likelihood of GJR-GARCH(1,1)-t, its gradient, its Hessian and the products of its scores.

The model and its start are those of `garch`. Here returns are divided by the root of their mean squared
demeaned value, so that the presample variance is one. Parameters are in the order mu, omega, alpha, gamma,
beta, nu, and everything is a total over the days, not a mean.

First derivatives of the variance follow its own recursion. Second ones would need twenty-one more; what the
likelihood wants of them is summed backwards instead, by one weight a day (`adjoint`): d l / d h[t] through
all later variances, as in reverse differentiation (Griewank & Walther 2008, ch. 3).

What has a recursion is computed day by day, the rest for eight days at once (`garch_days`), whose sums stay
apart until the end: a processor does eight additions in the time of one, in an order that is written down.

Plain functions of numbers and arrays that are written to: `compiled` turns them into machine code, tests call
them as they are. One logarithm serves eight days: products of eight variances stay far from the limits of a
float.
"""

from __future__ import annotations

import math

from numpy.typing import NDArray

from acceleray.quant import garch_days as of
from acceleray.quant.garch_days import add_derivatives, add_scores, lay_days, sum_of
from acceleray.quant.special import digamma, trigamma

Floats = NDArray  # of float64


def student_constant(nu: float) -> float:
    """Return the log of the Student t density at zero, of variance one (Bollerslev 1987, eq. 1)."""
    return math.lgamma(0.5 * (nu + 1.0)) - math.lgamma(0.5 * nu) - 0.5 * math.log(math.pi * (nu - 2.0))


def log_likelihood(returns: Floats, theta: Floats, variance: Floats) -> float:
    """Return the log-likelihood of `returns` (days,) at `theta` (6,); `variance` (days + 1,) is written."""
    mu, omega, alpha, beta, nu = theta[0], theta[1], theta[2], theta[4], theta[5]
    alpha_down = alpha + theta[3]
    spread = 1.0 / (nu - 2.0)
    today = omega + 0.5 * (alpha + alpha_down) + beta
    variances = tails = 1.0
    log_variances = log_tails = 0.0
    for day in range(returns.size):
        variance[day] = today
        shock = returns[day] - mu
        square = shock * shock
        variances *= today
        tails *= 1.0 + square / today * spread
        if day & 7 == 7:
            log_variances += math.log(variances)
            log_tails += math.log(tails)
            variances = tails = 1.0
        today = omega + (alpha_down if shock < 0.0 else alpha) * square + beta * today
    variance[returns.size] = today
    log_variances += math.log(variances)
    log_tails += math.log(tails)
    return returns.size * student_constant(nu) - 0.5 * log_variances - 0.5 * (nu + 1.0) * log_tails


def gradient_and_hessian(
    returns: Floats,
    theta: Floats,
    variance: Floats,
    slope: Floats,
    adjoint: Floats,
    gradient: Floats,
    hessian: Floats,
    eight: Floats,
) -> None:
    """Write the `gradient` (6,) and the `hessian` (6, 6) of `log_likelihood`, which has written `variance`.

    `slope` and `adjoint` (days + 1,) are room: d l[t] / d h[t], and the same through all later variances;
    `eight` (ROOM,) is room of `garch_days`.
    """
    mu, beta, nu = theta[0], theta[4], theta[5]
    days, m, nu1 = returns.size, nu - 2.0, nu + 1.0
    for day in range(days):
        shock = returns[day] - mu
        square = shock * shock / variance[day]
        slope[day] = 0.5 * (nu1 / (m + square) * square - 1.0) / variance[day]
    weight = 0.0
    adjoint[days] = 0.0
    for day in range(days - 1, -1, -1):
        weight = slope[day] + beta * weight
        adjoint[day] = weight
    for place in range(of.ROOM):
        eight[place] = 0.0
    log_tails = 0.0
    eight[of.STATE + 1] = eight[of.STATE + 2] = eight[of.STATE + 4] = 1.0
    eight[of.STATE + 3] = 0.5
    for first in range(0, days, 8):
        lay_days(returns, theta, variance, adjoint, first, eight)
        add_derivatives(eight, m, nu1)
        tails = 1.0
        for day in range(8):
            tails *= eight[of.TAIL + day]
        log_tails += math.log(tails)
    constant = 0.5 * (digamma(0.5 * nu1) - digamma(0.5 * nu) - 1.0 / m)
    curvature = 0.25 * (trigamma(0.5 * nu1) - trigamma(0.5 * nu)) + 0.5 / (m * m)
    for row in range(5):
        gradient[row] = sum_of(eight, of.GRADIENT + 8 * row)
    gradient[5] = days * constant - 0.5 * log_tails + 0.5 * sum_of(eight, of.GRADIENT + 40) / m
    place = of.HESSIAN
    for row in range(6):
        for column in range(row, 6):
            hessian[row, column] = sum_of(eight, place)
            hessian[column, row] = hessian[row, column]
            place += 8
    hessian[5, 5] = days * curvature + 0.5 * hessian[5, 5] / m


def score_products(
    returns: Floats, theta: Floats, variance: Floats, adjoint: Floats, products: Floats, eight: Floats
) -> None:
    """Write the sum over days of each day's score times itself, `products` (6, 6).

    It is the middle of the robust covariance of Bollerslev & Wooldridge (1992), theorem 2.1. `adjoint` (days
    + 1,) is carried along without effect; `eight` (ROOM,) is room.
    """
    nu = theta[5]
    m, nu1 = nu - 2.0, nu + 1.0
    constant = 0.5 * (digamma(0.5 * nu1) - digamma(0.5 * nu) - 1.0 / m)
    for place in range(of.ROOM):
        eight[place] = 0.0
    eight[of.STATE + 1] = eight[of.STATE + 2] = eight[of.STATE + 4] = 1.0
    eight[of.STATE + 3] = 0.5
    for first in range(0, returns.size, 8):
        lay_days(returns, theta, variance, adjoint, first, eight)
        # Days after the last have a score of zero.
        add_scores(eight, m, nu1, constant, min(8, returns.size - first))
    place = of.HESSIAN
    for row in range(6):
        for column in range(row, 6):
            products[row, column] = sum_of(eight, place)
            products[column, row] = products[row, column]
            place += 8
