"""Closes written with a time of day: one time for all rows says that each is the close of its day."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from datetime import date, timedelta

_MONDAY, _SATURDAY, _SUNDAY = 0, 5, 6
# An exchange closes early before some holidays: three days of 252 in New York.
_SELDOM = 0.1


def weekdays_fit(days: Sequence[date]) -> bool:
    """Return whether days are those of an exchange: a Saturday stands beside a Monday or a Sunday.

    A close of New York, written at six the next morning in Tokyo, makes Tuesdays to Saturdays.
    """
    found = {day.weekday() for day in days}
    return _SATURDAY not in found or bool(found & {_MONDAY, _SUNDAY})


def live_prices(
    days: Sequence[date], times: Sequence[timedelta], zones: Sequence[Hashable] | None = None
) -> tuple[int, ...] | None:
    """Return the positions of live prices among closes; None if these are no closes, one per day.

    Args:
        days: of each row, as written in its own zone.
        times: of day of each row, there.
        zones: of each row, None where all have the same; exchanges of two zones close at two times.

    In each zone one time of day is that of closes. A seldom earlier one is the close before a holiday; on the
    last day it is a price of a market still open.
    """
    places: defaultdict[Hashable, list[int]] = defaultdict(list)
    for at in range(len(days)):
        places[zones[at] if zones else None].append(at)
    live: list[int] = []
    for here in places.values():
        if len({days[at] for at in here}) < len(here):
            return None
        usual = Counter(times[at] for at in here).most_common(1)[0][0]
        other = [at for at in here if times[at] != usual]
        if not usual or 2 * len(other) >= len(here) or any(times[at] > usual for at in other):
            return None
        if len(other) > max(1.0, _SELDOM * len(here)):
            return None
        live += [at for at in other if days[at] == max(days)]
    return tuple(live) if weekdays_fit(days) else None
