"""When a Quartz expression fires: for what the pattern of its question cannot see.

Fields are seconds, minutes, hours, day of month, month, day of week and, if anybody wants, years.
Source: the documentation of Quartz 2.3, class CronExpression.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
# Quartz itself looks no further ahead.
LAST_YEAR = 2099


@dataclass(frozen=True)
class _Field:
    """The name of a field, its least and greatest number, and names of numbers from the least."""

    name: str
    least: int
    greatest: int
    names: tuple[str, ...] = ()

    def number(self, text: str) -> int:
        """Return the number that a text stands for, or raise ValueError with what is wrong."""
        if text in self.names:
            return self.least + self.names.index(text)
        if not (text.isascii() and text.isdigit() and self.least <= int(text) <= self.greatest):
            also = f" or {self.names[0]} to {self.names[-1]}" if self.names else ""
            raise ValueError(f"{self.name} {text!r} is not {self.least} to {self.greatest}{also}")
        return int(text)

    def numbers(self, text: str) -> set[int]:
        """Return the numbers that a field such as 1,5-9 or 0/15 stands for."""
        found: set[int] = set()
        for item in text.split(","):
            span, slash, step = item.partition("/")
            stride = _step(self, step) if slash else 1
            first, dash, last = span.partition("-")
            if span == "*":
                low, high = self.least, self.greatest
            else:
                low = self.number(first)
                high = self.number(last) if dash else self.greatest if slash else low
            if low > high and self.name == "year":
                raise ValueError(f"years {span} run backwards")
            # A range such as 22-2 or FRI-MON goes over the end.
            size = self.greatest - self.least + 1
            length = (high - low) % size + 1
            found |= {(low - self.least + ahead) % size + self.least for ahead in range(0, length, stride)}
        return found


SECOND, MINUTE, HOUR = _Field("second", 0, 59), _Field("minute", 0, 59), _Field("hour", 0, 23)
DAY, MONTH = _Field("day", 1, 31), _Field("month", 1, 12, MONTHS)
WEEKDAY, YEAR = _Field("weekday", 1, 7, WEEKDAYS), _Field("year", 1970, LAST_YEAR)


def problem(expression: str) -> str | None:
    """Return what keeps a Quartz expression from ever firing, or None if it fires."""
    fields = expression.split(" ")
    if len(fields) not in (6, 7):
        return f"it has {len(fields)} fields instead of six or seven"
    second, minute, hour, day, month, weekday, year = [*fields, "*"][:7]
    try:
        for field, text in ((SECOND, second), (MINUTE, minute), (HOUR, hour)):
            field.numbers(text)
        months, years = MONTH.numbers(month), YEAR.numbers(year)
        if (day == "?") == (weekday == "?"):
            return "one of its two days, and only one, has to be ?"
        if day == "?":
            _weekdays(weekday)
            earliest = 1
        else:
            earliest = _earliest(day)
    except ValueError as error:
        return str(error)
    # Every weekday comes in every month, so that only a day of the month can be one that never comes.
    if not any(earliest <= calendar.monthrange(within, number)[1] for within in years for number in months):
        return "there is no such day"
    return None


def _step(field: _Field, text: str) -> int:
    most = field.greatest - field.least + (1 if field.least else 0)
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= most):
        raise ValueError(f"step {text!r} of {field.name} is not 1 to {most}")
    return int(text)


def _earliest(text: str) -> int:
    """Return the day that a month must at least have for a field of days to fire in it."""
    if text in ("L", "LW"):
        return 1
    if text.startswith("L-"):
        before = text.removeprefix("L-")
        if not (before.isdigit() and int(before) <= 30):
            raise ValueError(f"day {text!r} is not L-0 to L-30")
        return int(before) + 1
    if text.endswith("W"):
        return DAY.number(text.removesuffix("W"))
    return min(DAY.numbers(text))


def _weekdays(text: str) -> None:
    if text == "L":
        return
    if text.endswith("L"):
        WEEKDAY.number(text.removesuffix("L"))
    elif "#" in text:
        name, _, which = text.partition("#")
        WEEKDAY.number(name)
        if which not in tuple("12345"):
            raise ValueError(f"weekday {text!r} is not one of the first to the fifth")
    else:
        WEEKDAY.numbers(text)
