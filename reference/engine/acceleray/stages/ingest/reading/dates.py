"""Dates as text: which of day, month and year comes first is decided by the whole column, or not at all."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from acceleray.stages.ingest.reading.closes import live_prices
from acceleray.stages.ingest.reading.grid import BLANK, clean
from acceleray.stages.ingest.reading.instants import exchange_days

_TIME = (
    r"(?:[T ]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d*)?)?"
    r"\s*(?P<half>[AaPp]\.?[Mm]\.?)?)?"
    r"\s*(?P<zone>Z|[A-Z]{3,4}|[+-]\d{2}(?::?\d{2})?)?"
)
_WEEKDAY = r"(?:(?:[Mm]on|[Tt]ue|[Ww]ed|[Tt]hu|[Ff]ri|[Ss]at|[Ss]un)[a-z]*\.?,?\s+)?"
_NAMED = r"(?P<word>[A-Za-z]{3,9})\.?"
_FAMILIES = {
    "ISO": r"(?P<year>[12]\d{3})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})",
    "compact": r"(?P<year>[12]\d{3})(?P<month>\d{2})(?P<day>\d{2})",
    "numeric": r"(?P<one>\d{1,2})(?P<mark>[-/.]) ?(?P<two>\d{1,2})(?P=mark) ?(?P<three>\d{4}|\d{2})",
    "day and name": r"(?P<one>\d{1,2})\.?[-/ ]+" + _NAMED + r",?[-/ ]+(?P<three>\d{4}|\d{2})",
    "name and day": _NAMED + r"[-/ ]+(?P<day>\d{1,2})(?:st|nd|rd|th)?,?[-/ ]+(?P<year>\d{4})",
    "year and name": r"(?P<year>\d{4})[-/ ]" + _NAMED + r"[-/ ](?P<day>\d{1,2})",
}
_PATTERNS = {family: re.compile(_WEEKDAY + text + _TIME) for family, text in _FAMILIES.items()}
_EPOCH = re.compile(r"(?:\d{10}|\d{13}|\d{16}|\d{19})")
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
    "november", "december",
)  # fmt: skip
_ORDERS = {
    "numeric": ("day-first", "month-first", "year-first"),
    "day and name": ("day-first", "year-first"),
}
_SEPARATED = ("ISO", "numeric", "day and name", "name and day", "year and name")
_MIDNIGHT = timedelta()
_SATURDAY = 5
# Two in seven days are at a weekend: that none of 60 is by chance happens once in 600 million times.
_MANY_DAYS, _SOME_WEEKENDS = 60, 0.1
# Years of two digits are those of POSIX: 69 is 1969, 68 is 2068.
_PIVOT = 69
_ONE_BLANK = str.maketrans({blank: " " if blank.isspace() else None for blank in BLANK})
_PLAINLY = "write dates as 2020-12-31"
_OTHERWISE = "other rows have another date format; write all dates as 2020-12-31"
_TIME_OF_DAY = (
    "a time of day from which no exchange's day follows; keep one close per day and write its date alone"
)


@dataclass(frozen=True)
class Stamp:
    """A date, the time of day as it is written, and the offset, None where none is given."""

    day: date
    time: timedelta
    offset: timedelta | None


@dataclass(frozen=True)
class Days:
    """Format of the dates of a file.

    Attributes:
        days: of each text in the order given; None where the row is left out.
        wording: how they are written.
        odd: position of the text that is refused, None if all can be read.
        why: what is wrong with it and what to do, one sentence that ends the message.
        left_out: positions of texts that are left out, live prices among closes.
    """

    days: tuple[date | None, ...]
    wording: str = ""
    odd: int | None = None
    why: str = ""
    left_out: tuple[int, ...] = ()


def looks_like_date(text: str) -> bool:
    """Return whether text is a date with marks in it: a number alone is none."""
    return any(_PATTERNS[family].fullmatch(text) for family in _SEPARATED)


def may_be_date(text: str) -> bool:
    """Return whether text can be a date, also 20241231 or seconds since 1970, below the name date."""
    return looks_like_date(text) or bool(_PATTERNS["compact"].fullmatch(text) or _EPOCH.fullmatch(text))


def decide_days(texts: Sequence[str]) -> Days:
    """Return the day of each of a file's different date texts, or which one is refused and why.

    All must be written alike. Where day and month could both come first, that order is taken under which
    every text is a date; if that is so for two orders that differ, the one under which there is no Saturday
    and no Sunday among many days, while there are under every other; else the column does not decide.
    """
    cleaned = [" ".join(clean(text).translate(_ONE_BLANK).split()) for text in texts]
    families = [_family(text) for text in cleaned]
    counted = Counter(family for family in families if family)
    if not counted:
        return _refused(0, _PLAINLY)
    family = counted.most_common(1)[0][0]
    for at, found in enumerate(families):
        if found != family:
            return _refused(at, _OTHERWISE if found else _PLAINLY)
    if family == "epoch":
        return _from_instants(
            [datetime.fromtimestamp(_seconds(text), UTC) for text in cleaned], "seconds since 1970"
        )
    readings = {
        order: [_read(family, order, text) for text in cleaned] for order in _ORDERS.get(family, (family,))
    }
    whole = {order: stamps for order, stamps in readings.items() if None not in stamps}
    if not whole:
        best = max(readings.values(), key=lambda stamps: len(stamps) - stamps.count(None))
        odd = best.index(None)
        if any(stamps[odd] for stamps in readings.values()):
            return _refused(
                odd, "other rows have day and month the other way round; write dates as 2020-12-31"
            )
        return _refused(odd, _PLAINLY)
    sure = _on_weekdays(whole)
    whole = {sure: whole[sure]} if sure else whole
    order, stamps = next(iter(whole.items()))
    for other, others in whole.items():
        for at, (one, two) in enumerate(zip(stamps, others, strict=True)):
            if one and two and one.day != two.day:
                return _refused(
                    at,
                    f"no row shows whether it is {order} or {other}; write dates as {one.day} or {two.day}",
                )
    return _of_stamps([stamp for stamp in stamps if stamp], order)


def _on_weekdays(readings: Mapping[str, Sequence[Stamp | None]]) -> str | None:
    """Return the one order under which many days are weekdays all, while under each other some are not."""
    at_weekends = {}
    for order, stamps in readings.items():
        days = {stamp.day for stamp in stamps if stamp}
        at_weekends[order] = sum(day.weekday() >= _SATURDAY for day in days) / len(days)
        if len(days) < _MANY_DAYS:
            return None
    never = [order for order, share in at_weekends.items() if share == 0.0]
    others = [share for share in at_weekends.values() if share > 0.0]
    return never[0] if len(never) == 1 and all(share >= _SOME_WEEKENDS for share in others) else None


def _family(text: str) -> str | None:
    if _EPOCH.fullmatch(text):
        return "epoch"
    return next((family for family, pattern in _PATTERNS.items() if pattern.fullmatch(text)), None)


def _seconds(text: str) -> float:
    return int(text) / 1000.0 ** ((len(text) - 10) // 3)


def _read(family: str, order: str, text: str) -> Stamp | None:
    match = _PATTERNS[family].fullmatch(text)
    if match is None:
        return None
    parts = match.groupdict()
    try:
        return Stamp(_day(order, parts), _time(parts), _offset(parts["zone"]))
    except (ValueError, OverflowError):
        return None


def _day(order: str, parts: dict[str, str | None]) -> date:
    def part(name: str) -> str:
        return parts.get(name) or ""

    month = _month(part("word")) if part("word") else 0
    if part("year"):
        return date(int(part("year")), month or int(part("month")), int(part("day")))
    first, last = part("one"), part("three")
    if order == "year-first":
        if len(last) == 4:
            raise ValueError("the year is last")
        return date(_year(first), month or int(part("two")), int(last))
    if month:
        return date(_year(last), month, int(first))
    day, middle = (first, part("two")) if order == "day-first" else (part("two"), first)
    return date(_year(last), int(middle), int(day))


def _month(word: str) -> int:
    for number, name in enumerate(_MONTHS, 1):
        if word.lower() in (name, name[:3]) or (number == 9 and word.lower() == "sept"):
            return number
    raise ValueError(word)


def _year(text: str) -> int:
    if len(text) == 4:
        if text[0] not in "12":
            raise ValueError(text)
        return int(text)
    if len(text) != 2:
        raise ValueError(text)
    return int(text) + (1900 if int(text) >= _PIVOT else 2000)


def _time(parts: dict[str, str | None]) -> timedelta:
    if parts["hour"] is None:
        return _MIDNIGHT
    hour, minute, second = (int(parts[name] or 0) for name in ("hour", "minute", "second"))
    if half := parts["half"]:
        if not 1 <= hour <= 12:
            raise ValueError(hour)
        hour = hour % 12 + (12 if half[0] in "pP" else 0)
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError(hour)
    return timedelta(hours=hour, minutes=minute, seconds=second)


def _offset(zone: str | None) -> timedelta | None:
    if zone in ("Z", "UTC", "GMT"):
        return timedelta()
    if zone is None or zone[0] not in "+-":
        return None
    digits = zone[1:].replace(":", "")
    size = timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or 0))
    if size > timedelta(hours=15):
        raise ValueError(zone)
    return -size if zone[0] == "-" else size


def _of_stamps(stamps: list[Stamp], wording: str) -> Days:
    days = tuple(stamp.day for stamp in stamps)
    name = {"ISO": "ISO dates", "compact": "dates as 20241231"}.get(wording, f"{wording} dates")
    name = "dates with names of months" if wording in ("name and day", "year and name") else name
    late = [at for at, stamp in enumerate(stamps) if stamp.time]
    if not late:
        return Days(days, name)
    if all(stamp.offset == timedelta() for stamp in stamps):
        instants = [datetime(*stamp.day.timetuple()[:3], tzinfo=UTC) + stamp.time for stamp in stamps]
        return _from_instants(instants, name)
    # The row of today that a download adds while the market is open; a close of that day comes later.
    if 2 * len(late) < len(stamps) and {days[at] for at in late} == {max(days)}:
        kept = tuple(None if stamp.time else stamp.day for stamp in stamps)
        return Days(kept, name, left_out=tuple(late))
    closes = live_prices(days, [stamp.time for stamp in stamps], [stamp.offset for stamp in stamps])
    if closes is not None:
        taken = tuple(None if at in closes else day for at, day in enumerate(days))
        return Days(taken, f"{name}, times of closes", left_out=closes)
    fewer = late if 2 * len(late) <= len(stamps) else range(len(stamps))
    return _refused(next(iter(fewer)), _TIME_OF_DAY)


def _from_instants(instants: list[datetime], name: str) -> Days:
    found = exchange_days([instant.astimezone(UTC).replace(tzinfo=None) for instant in instants])
    if found.days is None:
        return _refused(found.odd, _TIME_OF_DAY)
    wording = name if found.zone == "UTC" else f"{name}, {found.words}"
    return Days(found.days, wording)


def _refused(at: int, why: str) -> Days:
    return Days((), odd=at, why=why)
