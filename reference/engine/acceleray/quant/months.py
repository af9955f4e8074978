"""Daily histories seen once a month: levels at month end or their mean, changes between months, returns.

A month is a calendar month. Nothing is bridged: a month without a value is missing, and so is every change
next to it. Whatever is given must end at the day from which one looks; nothing here looks further.

A series that is published as a mean of each month is compared with means of the others, never with their
month ends: the change of a mean spans two months and lies half a month earlier (Working 1960, "Note on the
Correlation of First Differences of Averages in a Random Chain", Econometrica 28).
"""

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.stress import as_logs

TRADING_DAYS = 252
MONTH_D = 21
MAXIMUM_MISSING_D = 3
"""Days a month may lack and still count: of an instrument's returns, or of weekdays where a history ends."""
# Returns over 21 trading days span about 30 days of the calendar; over this many, the data is not daily.
_LONGEST_SPAN_D = 45


def month_of(dates: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    """Return the calendar month of each date."""
    return dates.astype("datetime64[M]")


def months_between(first: np.datetime64, last: np.datetime64) -> NDArray[np.datetime64]:
    """Return every calendar month from that of the first date to that of the last one."""
    return np.arange(first.astype("datetime64[M]"), last.astype("datetime64[M]") + 1)


def monthly_levels(
    dates: NDArray[np.datetime64], levels: NDArray[np.float64], months: NDArray[np.datetime64]
) -> NDArray[np.float64]:
    """Return the last level of each month, of shape (months,), NaN for a month without one.

    Dates ascend and are of shape (observations,) like the levels; a level that is NaN is no observation. The
    month in which a history ends counts only if at most `MAXIMUM_MISSING_D` weekdays are left in it: what is
    known in the middle of a month is not its end.
    """
    sampled = np.full(months.size, np.nan)
    known = np.isfinite(levels)
    dates, levels = dates[known].astype("datetime64[D]"), levels[known]
    if not dates.size:
        return sampled
    ends = np.searchsorted(dates, (months + 1).astype("datetime64[D]"), side="left") - 1
    inside = (ends >= 0) & (month_of(dates[ends]) == months)
    sampled[inside] = levels[ends[inside]]
    left = np.busday_count(dates[-1] + 1, (month_of(dates[-1:])[0] + 1).astype("datetime64[D]"))
    if left > MAXIMUM_MISSING_D:
        sampled[months == month_of(dates[-1:])[0]] = np.nan
    return sampled


def monthly_means(
    dates: NDArray[np.datetime64], levels: NDArray[np.float64], months: NDArray[np.datetime64], points: bool
) -> NDArray[np.float64]:
    """Return the mean level of each month, of shape (months,), NaN for a month without one.

    The geometric mean of positive levels, so that its log is the mean of logs; for points the arithmetic one.
    Dates ascend; a level that is NaN is no observation. The months in which a history begins and ends count
    only if they lack at most `MAXIMUM_MISSING_D` weekdays; a single level a month is its own mean.
    """
    averages = np.full(months.size, np.nan)
    known = np.isfinite(levels)
    dates, levels = dates[known].astype("datetime64[D]"), levels[known]
    if not dates.size:
        return averages
    own = month_of(dates)
    places = (own - months[0]).astype(np.int64)
    inside = (places >= 0) & (places < months.size)
    values = levels if points else np.log(levels)
    counts = np.bincount(places[inside], minlength=months.size)
    sums = np.bincount(places[inside], values[inside], minlength=months.size)
    some = counts > 0
    averages[some] = sums[some] / counts[some]
    began = np.busday_count(own[0].astype("datetime64[D]"), dates[0])
    left = np.busday_count(dates[-1] + 1, (own[-1] + 1).astype("datetime64[D]"))
    daily = bool((counts > 1).any())
    if daily and began > MAXIMUM_MISSING_D:
        averages[months == own[0]] = np.nan
    if left > MAXIMUM_MISSING_D:
        averages[months == own[-1]] = np.nan
    return averages if points else np.exp(averages)


def from_means_to_month_ends() -> float:
    """Return what the covariance of changes of monthly means is multiplied by to be that of month ends.

    Of levels whose daily changes are independent, the change between means of n days has
    (2 n^2 + 1) / (3 n^2) of the variance of the change over n days, two thirds for many days (Working 1960);
    covariances of series that are averaged over the same days shrink alike, so betas and correlations stay.
    n is `MONTH_D`.
    """
    return 3.0 * MONTH_D**2 / (2.0 * MONTH_D**2 + 1.0)


def monthly_changes(sampled: NDArray[np.float64], points: bool) -> NDArray[np.float64]:
    """Return the change of each month from the month before, NaN unless both have a level.

    Log changes ``ln(L[m] / L[m-1])`` of positive levels; for points differences ``L[m] - L[m-1]``.
    """
    changes = np.full(sampled.shape, np.nan)
    changes[1:] = np.diff(sampled if points else np.log(sampled))
    return changes


def monthly_log_returns(
    dates: NDArray[np.datetime64],
    returns: NDArray[np.float64],
    months: NDArray[np.datetime64],
    arithmetic: NDArray[np.bool_] | None = None,
) -> NDArray[np.float64]:
    """Return the log return of each instrument in each month, of shape (months, instruments).

    Simple daily returns of shape (days, instruments), NaN where missing, are compounded within an instrument
    as ``sum(ln(1 + r))``; log returns are never added across instruments. Returns of ``arithmetic``
    instruments, a mask (instruments,), are added as they are. A month is missing for an
    instrument that lacks more than `MAXIMUM_MISSING_D` of its trading days, or has returns on no more than
    half of its weekdays; fewer missing days count as days without a change. The month of the first date is
    missing for all: its first return is not known.
    """
    compounded = np.full((months.size, returns.shape[1]), np.nan)
    daily = as_logs(returns, arithmetic)
    for place, month in enumerate(months):
        first, end = np.searchsorted(month_of(dates), [month, month + 1])
        if first == 0 or first == end:
            continue
        within = daily[first:end]
        present = np.isfinite(within).sum(axis=0)
        weekdays = np.busday_count(month.astype("datetime64[D]"), (month + 1).astype("datetime64[D]"))
        counts = (end - first - present <= MAXIMUM_MISSING_D) & (2 * present > weekdays)
        compounded[place, counts] = np.nansum(within[:, counts], axis=0)
    return compounded


def monthly_mean_log_returns(
    dates: NDArray[np.datetime64],
    returns: NDArray[np.float64],
    months: NDArray[np.datetime64],
    arithmetic: NDArray[np.bool_] | None = None,
) -> NDArray[np.float64]:
    """Return the change of the mean log price of each month from the month before, (months, instruments).

    As `monthly_means` and `monthly_changes` make it of prices, from simple daily returns. Both months must
    count by the rule of `monthly_log_returns`; fewer missing days are days at the same price. Paths of
    ``arithmetic`` instruments, a mask (instruments,), are sums of returns and have no logarithm.
    """
    counted = np.isfinite(monthly_log_returns(dates, returns, months, arithmetic))
    paths = np.cumsum(as_logs(np.nan_to_num(returns, nan=0.0), arithmetic), axis=0)
    means = np.full(counted.shape, np.nan)
    starts = np.searchsorted(month_of(dates), months)
    ends = np.searchsorted(month_of(dates), months + 1)
    for place in np.flatnonzero(counted.any(axis=1)):
        means[place] = paths[starts[place] : ends[place]].mean(axis=0)
    moved = np.full(counted.shape, np.nan)
    moved[1:] = np.diff(np.where(counted, means, np.nan), axis=0)
    return moved


def realised_volatility(dates: NDArray[np.datetime64], levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the volatility realised over the last 21 trading days at each date, a year, as a fraction.

    ``sqrt(252 / 21 * sum of the last 21 squared log changes)``: realised variance as Andersen, Bollerslev,
    Diebold & Labys (2003) define it, on daily changes, so the mean is taken to be zero. Shape (dates,), from
    positive levels on trading days. NaN for the first 21 dates, where 21 changes span more than 45 days
    because data is missing or not daily, and where levels did not move at all.
    """
    volatility = np.full(levels.size, np.nan)
    if levels.size <= MONTH_D:
        return volatility
    squares = np.diff(np.log(levels)) ** 2
    sums = np.lib.stride_tricks.sliding_window_view(squares, MONTH_D).sum(axis=1)
    spans = (dates[MONTH_D:] - dates[:-MONTH_D]).astype("timedelta64[D]").astype(np.int64)
    usable = (spans <= _LONGEST_SPAN_D) & (sums > 0.0)
    volatility[MONTH_D:][usable] = np.sqrt(TRADING_DAYS / MONTH_D * sums[usable])
    return volatility


def last_known(
    dates: NDArray[np.datetime64], levels: NDArray[np.float64], days: NDArray[np.datetime64]
) -> NDArray[np.float64]:
    """Return the last level on or before each of the days, NaN before the first; dates and days ascend."""
    known = np.isfinite(levels)
    dates, levels = dates[known], levels[known]
    at = np.searchsorted(dates, days, side="right") - 1
    found = np.full(days.size, np.nan)
    found[at >= 0] = levels[at[at >= 0]]
    return found
