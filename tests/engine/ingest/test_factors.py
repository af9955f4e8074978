"""Levels of risk factors: the sample's known values, what a CSV may hold, and what is refused in one line."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from acceleray.errors import PortfolioError
from acceleray.runtime.run import Run
from acceleray.settings import Settings
from acceleray.stages.ingest.factors import ingest_factors
from acceleray.tables import FACTORS

Levels = dict[tuple[str, date], tuple[float, str, str]]

GOOD = (
    '\ufeff Date ,"credit",oil_price,vix2\r\n'
    "2020-01-31,-0.50,60.5,20\r\n"
    "\r\n"
    ",,,\r\n"
    "2020-03-31 00:00:00, 2.25 ,,65.0\r\n"
    "2020-02-29,+1e0,45,\r\n"
)


def take(settings: Settings) -> tuple[Levels, str]:
    """Return what would be committed, and the hash."""
    kept: list[pa.Table] = []
    run: Any = SimpleNamespace(settings=settings, commit=lambda table, rows: kept.append(rows))
    digest = ingest_factors(run)
    rows = kept[0].to_pylist()
    levels = {(row["factor_id"], row["date"]): (row["level"], row["unit"], row["origin"]) for row in rows}
    assert len(levels) == len(rows)
    return levels, digest


@pytest.fixture
def from_file(settings: Callable[..., Settings], tmp_path: Path) -> Callable[..., Settings]:
    """Return a function from the content of a factor file to settings that name it."""

    def write(content: str | bytes, *overrides: str) -> Settings:
        path = tmp_path / "levels.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return settings("factors.source=csv", f"factors.path={path}", *overrides)

    return write


def test_the_sample_holds_levels_everybody_can_look_up(settings: Callable[..., Settings]) -> None:
    levels, _ = take(settings())
    assert {name for name, _ in levels} == {"credit", "equity", "oil"}
    # S&P 500 on the day Lehman failed, oil at its peak, Baa 8.43 less Aaa 5.05 in the month after.
    assert levels["equity", date(2008, 9, 15)][:2] == (1192.70, "index")
    assert levels["oil", date(2008, 7, 3)][:2] == (145.31, "USD a barrel")
    assert levels["credit", date(2008, 12, 31)][:2] == (3.38, "percentage points")


def test_a_monthly_mean_is_dated_on_the_last_day_of_its_month(settings: Callable[..., Settings]) -> None:
    levels, _ = take(settings())
    days = sorted(day for name, day in levels if name == "credit")
    assert (days[0], days[-1], len(days)) == (date(1919, 1, 31), date(2018, 12, 31), 1200)
    assert date(2016, 2, 29) in days
    assert all(day.day >= 28 for day in days)


def test_a_day_without_a_level_is_left_out(settings: Callable[..., Settings]) -> None:
    levels, _ = take(settings())
    # Oil has no price on New Year's Day 2019 in the data set, and one on the day after.
    assert ("oil", date(2019, 1, 1)) not in levels
    assert levels["oil", date(2019, 1, 2)][0] == 46.31


def test_a_csv_gives_its_levels_with_gaps_and_points_below_zero(from_file: Callable[..., Settings]) -> None:
    levels, _ = take(from_file(GOOD))
    points, plain = ("percentage points", "levels.csv"), ("level", "levels.csv")
    assert levels == {
        ("credit", date(2020, 1, 31)): (-0.5, *points),
        ("credit", date(2020, 2, 29)): (1.0, *points),
        ("credit", date(2020, 3, 31)): (2.25, *points),
        ("oil_price", date(2020, 1, 31)): (60.5, *plain),
        ("oil_price", date(2020, 2, 29)): (45.0, *plain),
        ("vix2", date(2020, 1, 31)): (20.0, *plain),
        ("vix2", date(2020, 3, 31)): (65.0, *plain),
    }


def test_the_hash_follows_the_levels_and_not_the_order_of_lines(from_file: Callable[..., Settings]) -> None:
    _, digest = take(from_file(GOOD))
    header, *lines = GOOD.splitlines()
    assert take(from_file("\n".join([header, *reversed(lines)])))[1] == digest
    assert take(from_file(GOOD.replace("60.5", "60.6")))[1] != digest
    assert take(from_file(GOOD.replace("2020-02-29", "2020-02-28")))[1] != digest
    assert take(from_file(GOOD.replace("oil_price", "oil")))[1] != digest
    assert len(digest) == 64


def test_a_source_of_none_has_no_levels(settings: Callable[..., Settings]) -> None:
    levels, digest = take(settings("factors.source=none"))
    assert levels == {}
    assert len(digest) == 64


REFUSED = {
    "empty": ("", "is empty; it needs a header with date and factors"),
    "no factor": ("date\n2020-01-31\n", "nothing else; it needs one column per factor"),
    "no date": ("day,oil\n2020-01-31,1\n", "no column named date"),
    "semicolons": ("date;oil\n2020-01-31;1\n", "separate cells by commas"),
    "the same factor twice": ("date,oil,oil\n2020-01-31,1,1\n", "more than one column named 'oil'"),
    "a capital": ("date,Oil\n2020-01-31,1\n", "Column 'Oil' of .* use small letters"),
    "a blank in a name": ("date,oil price\n2020-01-31,1\n", "Column 'oil price'"),
    "not UTF-8": ("date,café\n2020-01-31,1\n".encode("latin-1"), "not UTF-8"),
    "a short line": ("date,oil,vix\n\n2020-01-31,1\n", "Line 3 of .* has 2 cells, its header 3"),
    "a word": ("date,oil\n2020-01-30,1\n2020-01-31,n/a\n", "Line 3 of .* has 'n/a' for oil, .*not a number"),
    "a thousands separator": ('date,oil\n2020-01-31,"1,000"\n', "Line 2 of .* has '1,000' for oil"),
    "infinite": ("date,oil\n2020-01-31,inf\n", "has 'inf' for oil, which is not a number"),
    "too large": ("date,oil\n2020-01-31,1e999\n", "has '1e999' for oil, which is not a number"),
    "an underscore": ("date,oil\n2020-01-31,1_0\n", "has '1_0' for oil, which is not a number"),
    "zero": ("date,oil\n2020-01-31,0\n", "Line 2 of .* has '0' for oil, which is not above zero"),
    "negative": ("date,oil\n2020-01-31,-37.63\n", "not above zero; .* name oil in factors.points"),
    "a date twice": (
        "date,oil\n2020-01-31,1\n2020-02-29,1\n2020-01-31,1\n",
        "Line 4 of .* has 2020-01-31 again, after line 2",
    ),
    "day first": ("date,oil\n31/01/2020,1\n", "Line 2 of .* has '31/01/2020' for a date"),
    "a day that never was": ("date,oil\n2020-02-30,1\n", "has '2020-02-30' for a date"),
    "a time of day": ("date,oil\n2020-01-31 16:00,1\n", "has '2020-01-31 16:00' for a date"),
    "no date in a line": ("date,oil\n,1\n", "Line 2 of .* has '' for a date"),
    "no level at all": ("date,oil\n2020-01-31,\n", "has no level"),
    "header only": ("date,oil\n", "has no level"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_bad_file_is_refused_in_one_line(case: str, from_file: Callable[..., Settings]) -> None:
    content, expected = REFUSED[case]
    with pytest.raises(PortfolioError, match=expected) as refused:
        take(from_file(content))
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_names_the_setting(
    settings: Callable[..., Settings], tmp_path: Path
) -> None:
    with pytest.raises(PortfolioError, match=r"There is no file .*data/none.csv; set factors\.path"):
        take(settings("factors.source=csv", "factors.path=data/none.csv"))
    with pytest.raises(PortfolioError, match=r"is a folder; set factors\.path"):
        take(settings("factors.source=csv", f"factors.path={tmp_path}"))
    with pytest.raises(PortfolioError, match=r"set factors\.path to a CSV"):
        take(settings("factors.source=csv"))


def test_equity_in_points_is_refused(settings: Callable[..., Settings]) -> None:
    with pytest.raises(PortfolioError, match="names equity"):
        take(settings("factors.points=[equity]"))


def test_levels_are_committed_once_and_go_when_the_source_is_none(
    new_project: Callable[[], Callable[..., Run]], tmp_path: Path
) -> None:
    make = new_project()
    path = tmp_path / "levels.csv"
    path.write_text(GOOD, encoding="utf-8")
    run = make("factors.source=csv", f"factors.path={path}")
    first = ingest_factors(run)
    rows = run.lake.rows(FACTORS, run.source).to_pylist()
    assert len(rows) == 7
    assert {row["source"] for row in rows} == {"sample"}
    assert {row["date"]: row["level"] for row in rows if row["factor_id"] == "vix2"} == {
        date(2020, 1, 31): 20.0,
        date(2020, 3, 31): 65.0,
    }
    before = run.lake.version(FACTORS)
    again = make("factors.source=csv", f"factors.path={path}")
    assert ingest_factors(again) == first
    assert again.lake.version(FACTORS) == before
    ingest_factors(make("factors.source=none"))
    assert run.lake.rows(FACTORS, run.source).num_rows == 0
