"""The log-likelihood of GJR-GARCH(1,1)-t, its gradient, its Hessian and the products of its scores.

The model and its start are those of `garch`. Here returns are divided by the root of their mean squared
demeaned value, so that the presample variance is one. Parameters are in the order mu, omega, alpha, gamma,
beta, nu, and everything is a total over the days, not a mean.

First derivatives of the variance follow its own recursion. Second ones would need twenty-one more; what the
likelihood wants of them is summed backwards instead, by one weight a day (`adjoint`): d l / d h[t] through all
later variances, as in reverse differentiation (Griewank & Walther 2008, ch. 3).

Plain functions of numbers and arrays that are written to: `compiled` turns them into machine code, tests call
them as they are. One logarithm serves eight days: products of eight variances stay far from the limits of a
float.
"""

from __future__ import annotations

import math

from numpy.typing import NDArray

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
) -> None:
    """Write the `gradient` (6,) and the `hessian` (6, 6) of `log_likelihood`, which has written `variance`.

    `slope` and `adjoint` (days + 1,) are room: d l[t] / d h[t], and the same through all later variances.
    """
    mu, alpha, gamma, beta, nu = theta[0], theta[2], theta[3], theta[4], theta[5]
    days, m, nu1 = returns.size, nu - 2.0, nu + 1.0
    weight = 0.0
    adjoint[days] = 0.0
    for day in range(days - 1, -1, -1):
        shock = returns[day] - mu
        inverse = 1.0 / variance[day]
        square = shock * shock * inverse
        slope[day] = 0.5 * inverse * (nu1 / (m + square) * square - 1.0)
        weight = slope[day] + beta * weight
        adjoint[day] = weight
    g_mu = g_omega = g_alpha = g_gamma = g_beta = g_nu = 0.0
    mu_mu = mu_omega = mu_alpha = mu_gamma = mu_beta = mu_nu = 0.0
    omega_omega = omega_alpha = omega_gamma = omega_beta = omega_nu = 0.0
    alpha_alpha = alpha_gamma = alpha_beta = alpha_nu = 0.0
    gamma_gamma = gamma_beta = gamma_nu = beta_beta = beta_nu = nu_nu = 0.0
    # Of the variance by each parameter, on the day: it does not depend on nu.
    d_mu, d_omega, d_alpha, d_gamma, d_beta = 0.0, 1.0, 1.0, 0.5, 1.0
    tails, log_tails = 1.0, 0.0
    for day in range(days):
        shock = returns[day] - mu
        inverse = 1.0 / variance[day]
        square = shock * shock * inverse
        share = 1.0 / (m + square)
        w = nu1 * share
        by_h = slope[day]
        by_shock = -w * shock * inverse
        h_h = 0.5 * inverse * inverse * (1.0 - w * square - w * square * m * share)
        h_shock = w * m * share * shock * inverse * inverse
        shock_shock = w * inverse * (2.0 * square * share - 1.0)
        excess = (1.0 - w) * share
        h_nu = 0.5 * square * excess * inverse
        tails *= 1.0 + square / m
        if day & 7 == 7:
            log_tails += math.log(tails)
            tails = 1.0
        # The shock falls as mu rises: its derivative is -1.
        g_mu += by_h * d_mu - by_shock
        g_omega += by_h * d_omega
        g_alpha += by_h * d_alpha
        g_gamma += by_h * d_gamma
        g_beta += by_h * d_beta
        g_nu += w * square
        cross = h_h * d_mu - h_shock
        mu_mu += cross * d_mu - h_shock * d_mu + shock_shock
        mu_omega += cross * d_omega
        mu_alpha += cross * d_alpha
        mu_gamma += cross * d_gamma
        mu_beta += cross * d_beta
        mu_nu += h_nu * d_mu + excess * shock * inverse
        cross = h_h * d_omega
        omega_omega += cross * d_omega
        omega_alpha += cross * d_alpha
        omega_gamma += cross * d_gamma
        omega_beta += cross * d_beta
        omega_nu += h_nu * d_omega
        cross = h_h * d_alpha
        alpha_alpha += cross * d_alpha
        alpha_gamma += cross * d_gamma
        alpha_beta += cross * d_beta
        alpha_nu += h_nu * d_alpha
        cross = h_h * d_gamma
        gamma_gamma += cross * d_gamma
        gamma_beta += cross * d_beta
        gamma_nu += h_nu * d_gamma
        beta_beta += h_h * d_beta * d_beta
        beta_nu += h_nu * d_beta
        nu_nu += square * ((2.0 - w) * share - w / m)
        # What this day's shock and derivatives add to the second derivatives of the variance of the next.
        later = adjoint[day + 1]
        reaction = alpha + gamma if shock < 0.0 else alpha
        down = shock if shock < 0.0 else 0.0
        mu_mu += later * 2.0 * reaction
        mu_alpha -= later * 2.0 * shock
        mu_gamma -= later * 2.0 * down
        mu_beta += later * d_mu
        omega_beta += later * d_omega
        alpha_beta += later * d_alpha
        gamma_beta += later * d_gamma
        beta_beta += later * 2.0 * d_beta
        d_beta = variance[day] + beta * d_beta
        d_mu = -2.0 * reaction * shock + beta * d_mu
        d_omega = 1.0 + beta * d_omega
        d_alpha = shock * shock + beta * d_alpha
        d_gamma = down * down + beta * d_gamma
    log_tails += math.log(tails)
    constant = 0.5 * (digamma(0.5 * nu1) - digamma(0.5 * nu) - 1.0 / m)
    curvature = 0.25 * (trigamma(0.5 * nu1) - trigamma(0.5 * nu)) + 0.5 / (m * m)
    gradient[0], gradient[1], gradient[2] = g_mu, g_omega, g_alpha
    gradient[3], gradient[4] = g_gamma, g_beta
    gradient[5] = days * constant - 0.5 * log_tails + 0.5 * g_nu / m
    hessian[0, 0], hessian[0, 1], hessian[0, 2] = mu_mu, mu_omega, mu_alpha
    hessian[0, 3], hessian[0, 4], hessian[0, 5] = mu_gamma, mu_beta, mu_nu
    hessian[1, 1], hessian[1, 2], hessian[1, 3] = omega_omega, omega_alpha, omega_gamma
    hessian[1, 4], hessian[1, 5] = omega_beta, omega_nu
    hessian[2, 2], hessian[2, 3], hessian[2, 4] = alpha_alpha, alpha_gamma, alpha_beta
    hessian[2, 5], hessian[3, 3], hessian[3, 4] = alpha_nu, gamma_gamma, gamma_beta
    hessian[3, 5], hessian[4, 4], hessian[4, 5] = gamma_nu, beta_beta, beta_nu
    hessian[5, 5] = days * curvature + 0.5 * nu_nu / m
    for row in range(6):
        for column in range(row):
            hessian[row, column] = hessian[column, row]


def score_products(returns: Floats, theta: Floats, variance: Floats, score: Floats, products: Floats) -> None:
    """Write the sum over days of each day's score times itself, `products` (6, 6); `score` (6,) is room.

    It is the middle of the robust covariance of Bollerslev & Wooldridge (1992), theorem 2.1.
    """
    mu, alpha, gamma, beta, nu = theta[0], theta[2], theta[3], theta[4], theta[5]
    m, nu1 = nu - 2.0, nu + 1.0
    constant = 0.5 * (digamma(0.5 * nu1) - digamma(0.5 * nu) - 1.0 / m)
    d_mu, d_omega, d_alpha, d_gamma, d_beta = 0.0, 1.0, 1.0, 0.5, 1.0
    for row in range(6):
        for column in range(6):
            products[row, column] = 0.0
    for day in range(returns.size):
        shock = returns[day] - mu
        inverse = 1.0 / variance[day]
        square = shock * shock * inverse
        w = nu1 / (m + square)
        by_h = 0.5 * inverse * (w * square - 1.0)
        score[0] = by_h * d_mu + w * shock * inverse
        score[1], score[2], score[3], score[4] = by_h * d_omega, by_h * d_alpha, by_h * d_gamma, by_h * d_beta
        score[5] = constant - 0.5 * math.log(1.0 + square / m) + 0.5 * w * square / m
        for row in range(6):
            for column in range(6):
                products[row, column] += score[row] * score[column]
        reaction = alpha + gamma if shock < 0.0 else alpha
        down = shock if shock < 0.0 else 0.0
        d_beta = variance[day] + beta * d_beta
        d_mu = -2.0 * reaction * shock + beta * d_mu
        d_omega = 1.0 + beta * d_omega
        d_alpha = shock * shock + beta * d_alpha
        d_gamma = down * down + beta * d_gamma
