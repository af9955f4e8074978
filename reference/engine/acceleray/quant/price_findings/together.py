"""Dates and moves of all prices together: another unit for all, dates a day off, or few dates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from acceleray.counts import counted
from acceleray.quant.price_findings.finding import THE_FILE, Finding, Series, percent, plain
from acceleray.quant.price_findings.market import WEEKLY_D, Market

LARGEST_SHARED = float(np.log(1.25))
"""Median log return in size that no market has had in a day: the Dow fell by 22.6 % on 1987-10-19."""

FEWEST_ALIKE = 3
"""Instruments whose median is a market's."""

MOST_SHARED_DAYS = 5
"""Days on which that may be; if there are more, these are no prices, which other findings say."""

LONGEST_STEP_D = 7
"""Calendar days over which a move counts as a day's."""

FEWEST_DATES = 60
"""Dates from which weekdays that are missing are no chance: three months."""

NO_SHARE, SOME_SHARE = 0.02, 0.1
"""Share of dates of a weekday up to which it is missing, and from which it is there; a fifth is usual."""

SPARSE_D = 2.0
"""Median of the days between two dates from which every second one is missing; one of a daily file."""

FEWEST_THIN = 12
"""Steps of a week or longer in a row that are a stretch of weekly prices: three months."""

_MONDAY, _FRIDAY, _SATURDAY, _SUNDAY = 0, 4, 5, 6


def weekday(days: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Return the day of the week, Monday 0; 1970-01-01 was a Thursday."""
    return np.asarray((days.astype("datetime64[D]").astype(np.int64) + 3) % 7)


def all_jumped(market: Market) -> Finding | None:
    """Return the finding that on some day half of all prices moved further than any market does in a day."""
    steps = np.diff(market.days, prepend=market.days[:1]).astype(np.int64)
    hit = (np.abs(market.middle) >= LARGEST_SHARED) & (market.listed >= FEWEST_ALIKE)
    at = np.flatnonzero(hit & (steps <= LONGEST_STEP_D))
    if not 0 < at.size <= MOST_SHARED_DAYS:
        return None
    worst = at[np.argmax(np.abs(market.middle[at]))]
    move = float(np.expm1(market.middle[worst]))
    day = market.days[worst]
    sign, more = "+" if move > 0 else "", f" ({counted(at.size, 'such day')})" if at.size > 1 else ""
    text = (
        f"half of {counted(int(market.listed[worst]), 'price')} moved by {sign}{percent(move)} or further on "
        f"{day}{more}: no market does that in a day; looks like another unit or currency from there on"
    )
    advice = "bring all prices in one unit and currency"
    return Finding(
        "jump", "warning", THE_FILE, market.days[at[0]], market.days[at[-1]], at.size, move, text, advice
    )


def shifted(market: Market) -> Finding | None:
    """Return the finding that dates run from Tuesday to Saturday, or from Sunday to Thursday."""
    if market.days.size < FEWEST_DATES or market.frequency != "daily":
        return None
    share = np.bincount(weekday(market.days), minlength=7) / market.days.size
    if share[_MONDAY] <= NO_SHARE and share[_SATURDAY] >= SOME_SHARE:
        span, way, where = "Tuesdays to Saturdays", "late", ""
    elif share[_FRIDAY] <= NO_SHARE and share[_SUNDAY] >= SOME_SHARE:
        span, way, where = "Sundays to Thursdays", "early", " if this is no exchange of the Middle East"
    else:
        return None
    first, last = market.days[0], market.days[-1]
    text = (
        f"dates run from {span}, {first} to {last}: they are a day {way}, as a change of time zone makes them"
    )
    return Finding(
        "shifted_dates", "warning", THE_FILE, first, last, market.days.size, 0.0, f"{text}{where}",
        "bring the exchange's own dates: other files meet these prices on the wrong day",
    )  # fmt: skip


def sparse(market: Market) -> Finding | None:
    """Return the finding that a daily file lacks about half of the weekdays."""
    if market.days.size < FEWEST_DATES or not SPARSE_D <= market.step_d < WEEKLY_D:
        return None
    first, last = market.days[0], market.days[-1]
    text = (
        f"{counted(market.days.size, 'date')} from {first} to {last}, one every {plain(market.step_d)} days: "
        "more than a third of the weekdays are missing, and each return counts as one of a day"
    )
    advice = "bring the missing dates"
    return Finding(
        "frequency", "warning", THE_FILE, first, last, market.days.size, market.step_d, text, advice
    )


def thin_file(market: Market) -> Finding | None:
    """Return the finding that a daily file is weekly or monthly for a while."""
    found = _stretch(market.days)
    if found is None or market.frequency != "daily":
        return None
    return _thin(THE_FILE, market.days, *found, "and each of these returns counts as one of a day")


def thin(series: Series, market: Market) -> Finding | None:
    """Return the finding that a series is weekly or monthly for a while in which others are daily."""
    found = _stretch(series.days)
    if found is None or market.frequency != "daily":
        return None
    first, last = series.days[list(found)]
    inside = np.searchsorted(market.days, last) - np.searchsorted(market.days, first)
    if inside < 2 * (found[1] - found[0]):
        return None
    return _thin(series.instrument, series.days, *found, "and others daily: its moves of days come in one")


def _thin(name: str, days: NDArray[np.datetime64], begin: int, end: int, what: str) -> Finding:
    step = float(np.median(np.diff(days[begin : end + 1]).astype(np.int64)))
    text = (
        f"one price every {plain(step)} days from {days[begin]} to {days[end]}, "
        f"{counted(end - begin + 1, 'date')}, {what}"
    )
    advice = "bring daily prices of that time, or leave it out"
    return Finding("frequency", "warning", name, days[begin], days[end], end - begin + 1, step, text, advice)


def _stretch(days: NDArray[np.datetime64]) -> tuple[int, int] | None:
    """Return the positions of first and last day of the longest run of steps of a week or longer."""
    long = np.diff(days).astype(np.int64) > WEEKLY_D
    if not long.any() or long.all():
        return None
    edges = np.flatnonzero(np.diff(np.concatenate(([0], long.astype(np.int8), [0]))))
    begins, ends = edges[::2], edges[1::2]
    longest = int(np.argmax(ends - begins))
    begin, end = int(begins[longest]), int(ends[longest])
    return (begin, end) if end - begin >= FEWEST_THIN else None
