"""Instants without a time zone: the day of the exchange on which all of them are midnight, or its close."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd

from acceleray.stages.ingest.reading.closes import live_prices

# One zone for each rule of offset and summer time that an exchange lives by.
ZONES = (
    "UTC", "Europe/London", "Europe/Zurich", "Europe/Helsinki", "Europe/Istanbul", "Europe/Moscow",
    "Africa/Johannesburg", "Africa/Lagos", "Africa/Cairo", "Asia/Jerusalem", "Asia/Riyadh", "Asia/Dubai",
    "Asia/Karachi", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Colombo", "Asia/Dhaka", "Asia/Bangkok",
    "Asia/Shanghai", "Asia/Tokyo", "Australia/Sydney", "Australia/Brisbane", "Pacific/Auckland",
    "America/New_York", "America/Chicago", "America/Denver",
    "America/Los_Angeles", "America/Mexico_City", "America/Bogota",
    "America/Santiago", "America/Sao_Paulo", "America/Argentina/Buenos_Aires", "America/Halifax",
)  # fmt: skip
_SATURDAY = 5
# Exchanges close in these hours of their own day: Tel Aviv and New York late, half a day at one.
_EARLIEST, _LATEST = timedelta(hours=13), timedelta(hours=18)
# Crypto has no close; its day ends with the last second of UTC.
_LAST_MINUTE = timedelta(hours=23, minutes=59)


@dataclass(frozen=True)
class Found:
    """The days, in the order of the instants, and the zone; or None and the position of an odd instant.

    The zone is empty where the instants are closes: exchanges of several zones may close at that time.
    """

    days: tuple[date, ...] | None
    zone: str = ""
    odd: int = 0

    @property
    def words(self) -> str:
        """How the instants are written."""
        return f"midnights in {self.zone}" if self.zone else "times of closes"


def exchange_days(instants: Sequence[datetime]) -> Found:
    """Return the days on which instants (UTC, without a zone) are midnight or the close at an exchange.

    A database keeps midnight of New York as 04:00 or 05:00 UTC and forgets why. If every instant is midnight
    in some zone of `ZONES`, its days are taken. East of Greenwich that is the day after UTC's: such a reading
    must have Mondays and no Saturday, else 21:00 UTC could as well be a time after the close. Else they are
    closes if there are exchanges at which they are one time of an afternoon, all on the same days.
    """
    index = pd.DatetimeIndex(np.array(instants, "datetime64[us]")).tz_localize("UTC")
    plain = index.tz_localize(None).normalize()
    readings: dict[str, pd.DatetimeIndex] = {}
    last = index[-1:]
    for zone in ZONES:
        if not _midnight(last.tz_convert(zone)):
            continue
        local = index.tz_convert(zone)
        if _midnight(local):
            readings[zone] = local.tz_localize(None).normalize()
    days = {tuple(reading): zone for zone, reading in reversed(readings.items())}
    if len(days) == 1:
        (reading, zone), *_ = days.items()
        found = pd.DatetimeIndex(reading)
        weekdays = set(found.weekday)
        if found.equals(plain) or (0 in weekdays and _SATURDAY not in weekdays):
            return Found(tuple(found.date), zone)
    return Found(_closes(index), odd=_odd(index))


def _closes(index: pd.DatetimeIndex) -> tuple[date, ...] | None:
    """Return the days of closes, None where they are none or fall on other days at another exchange."""
    found = set()
    last = index.max()
    for zone in ZONES:
        time = _time_of_day(last.tz_convert(zone))
        if _EARLIEST <= time <= _LATEST or (zone == "UTC" and time >= _LAST_MINUTE):
            local = [stamp.replace(tzinfo=None) for stamp in index.tz_convert(zone).to_pydatetime()]
            days = tuple(stamp.date() for stamp in local)
            if live_prices(days, [_time_of_day(stamp) for stamp in local]) == ():
                found.add(days)
    return found.pop() if len(found) == 1 else None


def _time_of_day(stamp: datetime) -> timedelta:
    return timedelta(hours=stamp.hour, minutes=stamp.minute, seconds=stamp.second)


def _midnight(local: pd.DatetimeIndex) -> bool:
    return bool((local == local.normalize()).all())


def _odd(index: pd.DatetimeIndex) -> int:
    """Return the first instant whose time of day is the rarest."""
    times = pd.Series(index - index.normalize())
    return int(np.argmin(times.map(times.value_counts()).to_numpy()))
