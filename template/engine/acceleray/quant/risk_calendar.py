"""The risk calendar: the days on which a book is valued, out of the days on which anything has a price.

Markets have different days. The union of them all makes holes in every series; an intersection loses days on
which most of a book moved. So a day counts if most instruments that could have a price then have one.
Instruments that trade at weekends, as coins do, have no say where others do not: what they did at a weekend
belongs to the next risk day.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Sunday to Thursday markets move on a fifth of their days at a weekend, seven-day markets on two sevenths;
# the special Saturday session of a stock exchange is one day in some hundreds.
WEEKEND_SHARE = 0.1
# numpy counts days from a Thursday.
_SATURDAY = 2

Days = NDArray[np.datetime64]


@dataclass(frozen=True)
class Listed:
    """Calendar inputs of each instrument, arrays of shape (instruments,).

    Attributes:
        first, last: dates of its first and its last price.
        at_weekends: whether its price moves at weekends.
    """

    first: Days
    last: Days
    at_weekends: NDArray[np.bool_]


@dataclass(frozen=True)
class Calendar:
    """Days on which anything has a price: how many instruments were listed and priced, and which are risk
    days.

    Arrays are of shape (days,), days ascending. Instruments that trade at weekends are in neither count,
    unless they all do.
    """

    days: Days
    listed: NDArray[np.int64]
    priced: NDArray[np.int64]
    is_risk_day: NDArray[np.bool_]

    @property
    def risk_days(self) -> Days:
        """Return the risk days, ascending."""
        return self.days[self.is_risk_day]


def weekend(days: Days) -> NDArray[np.bool_]:
    """Return which days are a Saturday or a Sunday."""
    number = days.astype("datetime64[D]").astype(np.int64) % 7
    return (number == _SATURDAY) | (number == _SATURDAY + 1)


def counted(days: Days, prices: NDArray[np.float64]) -> tuple[NDArray[np.bool_], bool]:
    """Return which prices speak for their day, and whether the instrument trades at weekends.

    A price at a weekend that repeats the one before it was filled in. `days` ascend, prices are finite; both
    are of shape (prices,).
    """
    moved = np.concatenate(([True], prices[1:] != prices[:-1])) if prices.size else np.zeros(0, dtype=bool)
    at_weekend = weekend(days)
    trades = bool(np.sum(moved & at_weekend) > WEEKEND_SHARE * prices.size)
    return moved | ~at_weekend, trades


def observed_calendar(
    days: Days,
    priced: NDArray[np.int64],
    priced_at_weekends: NDArray[np.int64],
    of: Listed,
    still_listed_d: int,
) -> Calendar:
    """Return the risk days as observed: those on which more than half of the listed instruments have a price.

    Instruments are asked whose prices do not move at weekends, or all if all do. Where none of those is
    listed, all are asked, from Monday to Friday. An instrument is listed from its first price to its last;
    one whose price ended within `still_listed_d` calendar days of the end of the data still is, so that a
    stray last line is no risk day.

    Args:
        days: days with any price, ascending.
        priced: instruments with a price that counts on each day, without those that trade at weekends.
        priced_at_weekends: the same of those that do.
        of: the instruments.
        still_listed_d: calendar days.
    """
    last = np.where(of.last >= days[-1] - np.timedelta64(still_listed_d, "D"), days[-1], of.last)
    some, most = (_listed(days, of.first[which], last[which]) for which in (of.at_weekends, ~of.at_weekends))
    if bool(of.at_weekends.all()):
        return Calendar(days, some, priced_at_weekends, 2 * priced_at_weekends > some)
    everybody = (2 * (priced + priced_at_weekends) > some + most) & ~weekend(days)
    return Calendar(days, most, priced, np.where(most > 0, 2 * priced > most, everybody))


def named_calendar(calendar: Calendar, sessions: Days) -> Calendar:
    """Return a calendar whose risk days are `sessions` between its first and last day.

    A session without any price is one all the same: every market was closed, and nothing moved.
    """
    inside = sessions[(sessions >= calendar.days[0]) & (sessions <= calendar.days[-1])]
    days = np.union1d(calendar.days, inside)
    at = np.searchsorted(days, calendar.days)
    listed, priced = (np.zeros(days.size, dtype=np.int64) for _ in range(2))
    listed[at], priced[at] = calendar.listed, calendar.priced
    return Calendar(days, listed, priced, np.isin(days, inside))


def weekdays(first: np.datetime64, last: np.datetime64) -> Days:
    """Return every Monday to Friday between two days, both included."""
    every = np.arange(first, last + np.timedelta64(1, "D"), dtype="datetime64[D]")
    return every[~weekend(every)]


def _listed(days: Days, first: Days, last: Days) -> NDArray[np.int64]:
    begun = np.searchsorted(np.sort(first), days, side="right")
    ended = np.searchsorted(np.sort(last), days, side="left")
    return np.asarray(begun - ended, dtype=np.int64)
