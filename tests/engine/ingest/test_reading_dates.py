"""Dates: the whole column decides, zones give the exchange's day, what is undecided is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from acceleray.stages.ingest.reading.dates import decide_days
from ingest.reading_files import DAYS, EXPECTED, cells, csv_text, read, refusal, rows


def summer(day: date) -> int:
    return 4 if 4 <= day.month <= 10 else 5


WRITTEN: dict[str, tuple[Callable[[date], str], str]] = {
    "ISO": (lambda d: d.isoformat(), "ISO dates"),
    "ISO with slashes": (lambda d: f"{d:%Y/%m/%d}", "ISO dates"),
    "compact": (lambda d: f"{d:%Y%m%d}", "dates as 20241231"),
    "day first": (lambda d: f"{d:%d.%m.%Y}", "day-first dates"),
    "day first without zeros": (lambda d: f"{d.day}/{d.month}/{d.year}", "day-first dates"),
    "Czech": (lambda d: f"{d.day}. {d.month}. {d.year}", "day-first dates"),
    "month first": (lambda d: f"{d:%m/%d/%Y}", "month-first dates"),
    "month first with midnight": (lambda d: f"{d.month}/{d.day}/{d.year} 12:00:00 AM", "month-first dates"),
    "names of months": (lambda d: f"{d:%d-%b-%Y}", "day-first dates"),
    "American names of months": (lambda d: f"{d:%b} {d.day}, {d.year}", "dates with names of months"),
    "weekdays": (lambda d: f"{d:%a, %d %b %Y}", "day-first dates"),
    "midnight": (lambda d: f"{d} 00:00:00", "ISO dates"),
    "midnight in New York": (lambda d: f"{d} 00:00:00-0{summer(d)}:00", "ISO dates"),
    "midnight in Tokyo": (lambda d: f"{d}T00:00:00.000+0900", "ISO dates"),
    "midnights of two exchanges": (
        lambda d: f"{d} 00:00:00{'+09:00' if d.day % 2 else '-05:00'}",
        "ISO dates",
    ),
    "midnight in UTC": (lambda d: f"{d}T00:00:00Z", "ISO dates"),
    "New York as UTC": (lambda d: f"{d}T0{summer(d)}:00:00Z", "ISO dates, midnights in America/New_York"),
    "seconds": (
        lambda d: str(int(datetime(d.year, d.month, d.day, tzinfo=ZoneInfo("UTC")).timestamp())),
        "seconds since 1970",
    ),
    "milliseconds": (
        lambda d: str(int(datetime(d.year, d.month, d.day, tzinfo=ZoneInfo("UTC")).timestamp()) * 1000),
        "seconds since 1970",
    ),
    "closes": (lambda d: f"{d} 16:00:00", "ISO dates, times of closes"),
    "closes in the afternoon": (lambda d: f"{d:%m/%d/%Y} 4:00 PM", "month-first dates, times of closes"),
    "closes of New York": (lambda d: f"{d} 16:00:00-0{summer(d)}:00", "ISO dates, times of closes"),
    "closes of two exchanges": (
        lambda d: f"{d} {'17:30:00+01:00' if d.day % 2 else '16:00:00-05:00'}",
        "ISO dates, times of closes",
    ),
    "closes of New York as UTC": (
        lambda d: f"{d}T{16 + summer(d)}:00:00Z",
        "ISO dates, times of closes",
    ),
    "closes of Tokyo as UTC": (lambda d: f"{d}T06:30:00Z", "ISO dates, times of closes"),
    "the last second of UTC": (lambda d: f"{d}T23:59:59.999Z", "ISO dates, times of closes"),
    "closes in seconds": (
        lambda d: str(int(datetime(d.year, d.month, d.day, 21, tzinfo=ZoneInfo("UTC")).timestamp())),
        "seconds since 1970, times of closes",
    ),
    "no-break spaces": (lambda d: f"\u00a0{d}\u00a000:00:00\t", "ISO dates"),
}


@pytest.mark.parametrize("case", WRITTEN)
def test_each_way_of_writing_dates_is_read_and_said(case: str, tmp_path: Path) -> None:
    write, said = WRITTEN[case]
    path = tmp_path / "prices.csv"
    path.write_text(csv_text(rows([write(day) for day in DAYS])), encoding="utf-8")
    found = read(path)
    assert cells(found) == EXPECTED
    assert said in found.understood[0]


def test_midnights_of_zurich_kept_as_utc_are_the_next_day() -> None:
    zone = ZoneInfo("Europe/Zurich")
    days = [date(2024, 1, 1) + timedelta(days=step) for step in range(300) if step % 7 < 5]
    texts = [
        f"{datetime(d.year, d.month, d.day, tzinfo=zone).astimezone(ZoneInfo('UTC')):%Y-%m-%dT%H:%M:%SZ}"
        for d in days
    ]
    assert texts[0].startswith("2023-12-31T23")
    assert list(decide_days(texts).days) == days


def test_a_time_after_the_close_is_not_taken_for_a_midnight_elsewhere() -> None:
    # 21:00 UTC is four in the afternoon in New York, and midnight in Moscow.
    texts = [f"{day}T21:00:00Z" for day in DAYS]
    assert list(decide_days(texts).days) == list(DAYS)


def workdays(count: int) -> list[date]:
    return [day for step in range(count) if (day := date(2024, 1, 1) + timedelta(days=step)).weekday() < 5]


def test_a_close_before_a_holiday_is_a_close_and_an_open_market_s_price_is_none() -> None:
    days = workdays(40)
    texts = [f"{day} 16:00:00-05:00" for day in days]
    texts[10] = f"{days[10]} 13:00:00-05:00"
    assert list(decide_days(texts).days) == days
    texts[-1] = f"{days[-1]} 11:23:45-05:00"
    found = decide_days(texts)
    assert found.left_out == (len(days) - 1,)
    assert list(found.days) == [*days[:-1], None]


@pytest.mark.parametrize(
    ("case", "texts"),
    {
        # Closes of New York, as a computer in Tokyo writes them: Tuesdays to Saturdays.
        "another zone": [f"{day + timedelta(days=1)} 06:00:00+09:00" for day in workdays(40)],
        "hours of a day": [f"{day} {hour}:00" for day in workdays(8) for hour in range(10, 17)],
        "any time": [f"{day} {9 + at % 8}:{at:02}:00" for at, day in enumerate(workdays(40))],
        # Eight in the morning in New Zealand, six in the evening before in Bogota.
        "neither of two exchanges": [f"{day}T{10 + at % 2}:00:00Z" for at, day in enumerate(workdays(40))],
    }.items(),
)
def test_a_time_of_day_from_which_no_day_follows_is_refused(case: str, texts: list[str]) -> None:
    assert "no exchange's day" in decide_days(texts).why, case


def test_one_live_row_is_left_out_with_its_line(tmp_path: Path) -> None:
    shown = [f"{day} 00:00:00-05:00" for day in DAYS]
    shown[-1] = f"{DAYS[-1]} 15:59:58-05:00"
    path = tmp_path / "prices.csv"
    path.write_text(csv_text(rows(shown)), encoding="utf-8")
    found = read(path)
    assert f"line {len(DAYS) + 1} left out: '{shown[-1]}' is a live price" in found.understood[1]
    assert cells(found) == {cell for cell in EXPECTED if cell[1] != DAYS[-1].isoformat()}


def swapped(change: dict[int, str]) -> list[str]:
    return [change.get(at, day.isoformat()) for at, day in enumerate(DAYS)]


REFUSED = {
    "undecided": (
        [f"0{m}/0{d}/2024" for m in (1, 2, 3, 4) for d in (1, 2, 3, 5, 6, 7, 8)],
        "Line 3 of .*'01/02/2024'.*no row shows",
    ),
    "another way once": (swapped({2: "03/01/2024"}), "Line 4 of .* has '03/01/2024' for a date; other rows"),
    "a day that never was": (swapped({2: "2023-02-29"}), "Line 4 of .* has '2023-02-29' for a date; write"),
    "times of day": (
        [f"{day} {9 + at % 8}:00:00" for at, day in enumerate(DAYS)],
        "Line 2 of .* has '2024-01-01 9:00:00'.*time of day",
    ),
    "a time of day in the middle": (swapped({5: f"{DAYS[5]} 16:00"}), "Line 7 of .*time of day"),
    "none": (swapped({3: ""}), "Line 5 of .* has '' for a date"),
    "a word": (swapped({3: "total"}), "Line 5 of .* has 'total' for a date"),
    "months and days mixed": (
        [f"{d:%m/%d/%Y}" if at % 2 else f"{d:%d/%m/%Y}" for at, d in enumerate(DAYS)],
        "has '.*' for a date; other rows have day and month the other way round",
    ),
    "years of two digits": (
        [f"{d:%d/%m/%y}" for d in DAYS],
        "no row shows whether it is day-first or year-first",
    ),
    "serial numbers": (
        [str(45292 + at) for at in range(len(DAYS))],
        "Line 2 of .* has '45292' for a date; write dates",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_dates_that_are_undecided_are_refused_with_line_and_value(case: str, tmp_path: Path) -> None:
    shown, expected = REFUSED[case]
    path = tmp_path / "prices.csv"
    path.write_text(
        csv_text(
            rows(shown + shown[: len(DAYS) - len(shown)] if len(shown) < len(DAYS) else shown[: len(DAYS)])
        ),
        encoding="utf-8",
    )
    assert re.search(expected, refusal(path))


MANY = [date(2020, 12, 1) + timedelta(days=step) for step in range(300)]


def weekdays(write: str, count: int = 300) -> list[str]:
    return [f"{day:{write}}" for day in MANY[:count] if day.weekday() < 5]


@pytest.mark.parametrize("write", ["%d.%m.%y", "%d-%b-%y", "%m/%d/%y"])
def test_years_of_two_digits_are_decided_by_many_weekdays(write: str) -> None:
    assert list(decide_days(weekdays(write)).days) == [day for day in MANY if day.weekday() < 5]


def test_few_days_or_days_at_weekends_do_not_decide() -> None:
    assert decide_days(weekdays("%d.%m.%y", 80)).odd is not None
    assert decide_days([f"{day:%d.%m.%y}" for day in MANY]).odd is not None
