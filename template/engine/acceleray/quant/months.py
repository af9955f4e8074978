"""Daily histories seen once a month: levels at month end, changes between months, returns within months.

A month is a calendar month. Nothing is bridged: a month without a value is missing, and so is every change
next to it. Whatever is given must end at the day from which one looks; nothing here looks further.
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
