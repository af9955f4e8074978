"""Daily histories seen once a week, from Saturday to Friday: levels at its end, changes, returns of a week.

Betas see weeks where every factor has a level in each: a name of three years has 36 months and 156 weeks
(decision record 44 has what either explains of the months after). Nothing is bridged, as in ``months``.
"""

import math

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.stress import as_logs

WEEKS_A_MONTH = 365.25 / 12.0 / 7.0
MAXIMUM_MISSING_D = 1
"""Days a week may lack and still count: of an instrument's returns, or of weekdays after its last level."""
# Of the weeks from its first to its last level, those in which a series that is weekly has one.
_LEAST_SHARE = 0.95


def week_of(dates: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Return the number of the week of each date; a week begins on Saturday."""
    # Day 0 was a Thursday, so day 2 a Saturday.
    return np.asarray((dates.astype("datetime64[D]").astype(np.int64) - 2) // 7)


def friday_of(weeks: NDArray[np.int64]) -> NDArray[np.datetime64]:
    """Return the last day of each week."""
    return np.asarray((weeks * 7 + 8).astype("datetime64[D]"))


def weeks_between(first: np.datetime64, last: np.datetime64) -> NDArray[np.int64]:
    """Return the number of every week from that of the first date to that of the last one."""
    begin, end = week_of(np.array([first, last], dtype="datetime64[D]"))
    return np.arange(begin, end + 1)


def in_each_week(dates: NDArray[np.datetime64]) -> bool:
    """Return whether a series with levels on these dates, ascending, has one at the end of most weeks."""
    weeks = week_of(dates)
    weeks = np.unique(weeks[_ends(dates)])
    return bool(weeks.size > 1 and weeks.size >= _LEAST_SHARE * (weeks[-1] - weeks[0] + 1))


def weeks_in(months: int) -> int:
    """Return how many whole weeks there are in so many months."""
    return math.floor(months * WEEKS_A_MONTH)


def weekly_levels(
    dates: NDArray[np.datetime64], levels: NDArray[np.float64], weeks: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the last level of each week, of shape (weeks,), NaN for a week without one.

    Dates ascend and are of shape (observations,) like the levels; a level that is NaN is no observation. A
    level counts only if at most `MAXIMUM_MISSING_D` weekdays are left in its week: a day more, and it would
    be compared with returns that go on.
    """
    sampled = np.full(weeks.size, np.nan)
    known = np.isfinite(levels)
    dates, levels = dates[known].astype("datetime64[D]"), levels[known]
    if not dates.size:
        return sampled
    own, ends = week_of(dates), _ends(dates)
    last = np.flatnonzero(np.diff(own, append=own[-1] + 1))
    inside = last[(own[last] >= weeks[0]) & (own[last] <= weeks[-1]) & ends[last]]
    sampled[own[inside] - weeks[0]] = levels[inside]
    return sampled


def weekly_log_returns(
    dates: NDArray[np.datetime64],
    returns: NDArray[np.float64],
    weeks: NDArray[np.int64],
    arithmetic: NDArray[np.bool_] | None = None,
) -> NDArray[np.float64]:
    """Return the log return of each instrument in each week, of shape (weeks, instruments).

    Simple returns of shape (days, instruments), NaN where missing, are compounded within an instrument as
    ``sum(ln(1 + r))``; returns of ``arithmetic`` instruments, a mask (instruments,), are added as they are. A
    week is missing for an instrument that lacks more than `MAXIMUM_MISSING_D` of its days, or all; a day less
    is one without a change. The week of the first date is missing for all, because its first return is not
    known, and so is the last one if more weekdays are left in it.
    """
    compounded = np.full((weeks.size, returns.shape[1]), np.nan)
    daily = as_logs(returns, arithmetic)
    known = np.isfinite(daily)
    own = week_of(dates)
    firsts = np.flatnonzero(np.diff(own, prepend=own[0] - 1))
    days = np.diff(firsts, append=own.size)[:, None]
    present = np.add.reduceat(known.astype(np.int64), firsts, axis=0)
    sums = np.add.reduceat(np.where(known, daily, 0.0), firsts, axis=0)
    counts = (present > 0) & (days - present <= MAXIMUM_MISSING_D)
    counts[0] = False
    counts[-1] &= _ends(dates[-1:])
    at = own[firsts]
    inside = (at >= weeks[0]) & (at <= weeks[-1])
    compounded[at[inside] - weeks[0]] = np.where(counts, sums, np.nan)[inside]
    return compounded


def _ends(dates: NDArray[np.datetime64]) -> NDArray[np.bool_]:
    """Return on which dates at most `MAXIMUM_MISSING_D` weekdays of their week are left."""
    days = dates.astype("datetime64[D]")
    return np.asarray(np.busday_count(days + 1, friday_of(week_of(days)) + 1) <= MAXIMUM_MISSING_D)
