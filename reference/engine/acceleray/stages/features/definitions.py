"""Definition and source of each feature, in one place.

Windows end on the row's own day and count the instrument's own prices, or its own one-day returns, not
calendar days: a gap makes a window reach further back. A feature is NULL until the instrument has the full
window behind it; one of returns is NULL on a day without a one-day return. The market is the equal-weight
mean of the one-day returns of a day.
"""

from __future__ import annotations

from functools import partial

from acceleray.extend import Signal
from acceleray.quant import rolling as r

WEEK, MONTH, QUARTER, HALF_YEAR, YEAR = 5, 21, 63, 126, 252

DEFINITIONS = (
    Signal(
        name="momentum_12_1",
        of="prices",
        length=YEAR + 1,
        statistic=partial(r.change, skipped=MONTH),
        meaning="price 21 prices ago over that 252 ago, less one",
        proposed_by="Jegadeesh & Titman 1993; the last month left out as in Fama & French 1996",
    ),
    Signal(
        name="momentum_6_1",
        of="prices",
        length=HALF_YEAR + 1,
        statistic=partial(r.change, skipped=MONTH),
        meaning="price 21 prices ago over that 126 ago, less one",
        proposed_by="Jegadeesh & Titman 1993",
    ),
    Signal(
        name="momentum_3m",
        of="prices",
        length=QUARTER + 1,
        statistic=r.change,
        meaning="price over that 63 prices ago, less one",
        proposed_by="Jegadeesh & Titman 1993",
    ),
    Signal(
        name="reversal_1m",
        of="prices",
        length=MONTH + 1,
        statistic=r.change,
        meaning="price over that 21 prices ago, less one",
        proposed_by="Jegadeesh 1990",
    ),
    Signal(
        name="reversal_1w",
        of="prices",
        length=WEEK + 1,
        statistic=r.change,
        meaning="price over that 5 prices ago, less one",
        proposed_by="Lehmann 1990",
    ),
    Signal(
        name="volatility_3m",
        of="returns",
        length=QUARTER,
        statistic=r.deviation,
        meaning="sample standard deviation of the last 63 returns",
        proposed_by="Blitz & van Vliet 2007",
    ),
    Signal(
        name="downside_3m",
        of="returns",
        length=QUARTER,
        statistic=r.downside_deviation,
        meaning="root of the mean of min(return, 0) squared over the last 63 returns",
        proposed_by="Sortino & van der Meer 1991",
    ),
    Signal(
        name="drawdown_12m",
        of="prices",
        length=YEAR,
        statistic=r.drawdown,
        meaning="price over the highest of the last 252 prices, less one",
        proposed_by="George & Hwang 2004",
    ),
    Signal(
        name="skewness_12m",
        of="returns",
        length=YEAR,
        statistic=r.skewness,
        meaning="third central moment of the last 252 returns over the 3/2 power of the second",
        proposed_by="Bali, Engle & Murray 2016, chapter 14",
    ),
    Signal(
        name="maximum_1m",
        of="returns",
        length=MONTH,
        statistic=r.largest,
        meaning="largest of the last 21 returns",
        proposed_by="Bali, Cakici & Whitelaw 2011",
    ),
    Signal(
        name="beta_12m",
        of="returns and market",
        length=YEAR,
        statistic=r.slope,
        meaning="least-squares slope, with intercept, of the last 252 returns on the market's",
        proposed_by="Sharpe 1964; as a signal Black, Jensen & Scholes 1972",
    ),
    Signal(
        name="downside_beta_12m",
        of="returns and market",
        length=YEAR,
        statistic=r.downside_slope,
        meaning="the same slope over those of the 252 days on which the market's return was below zero",
        proposed_by="Ang, Chen & Xing 2006",
    ),
    Signal(
        name="residual_momentum_12_1",
        of="returns and market",
        length=YEAR,
        statistic=partial(r.residual_momentum, skipped=MONTH),
        meaning=(
            "of the last 252 returns without the last 21: the sum of e = return - beta_12m * market return "
            "over the sample standard deviation of e, with the row's own beta_12m"
        ),
        proposed_by="Blitz, Huij & Martens 2011, with one factor and the intercept left in e",
    ),
    Signal(
        name="specific_volatility_3m",
        of="returns and market",
        length=QUARTER,
        statistic=r.residual_deviation,
        meaning="standard deviation, 61 degrees of freedom, of what beta leaves of the last 63 returns",
        proposed_by="Ang, Hodrick, Xing & Zhang 2006, with one factor",
    ),
)
"""The engine's own signals, in the order of the columns of gold.features; those of a project follow them."""

FEATURE_NAMES = tuple(each.name for each in DEFINITIONS)
"""Their names; `Project.feature_names` returns those of a run."""
