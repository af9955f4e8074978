"""The ingest stage on prices that are partly bad, and what it leaves in the tables."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from acceleray.engines.delta.lake import Lake
from acceleray.errors import PortfolioError
from acceleray.runtime.run import Run
from acceleray.settings import Settings
from acceleray.stages.ingest.grouped import Here
from acceleray.stages.ingest.quality import judge
from acceleray.stages.ingest.sample import from_sample
from acceleray.stages.ingest.shipped import sample_prices
from acceleray.stages.ingest.stage import Loaded, ingest, resolve_as_of
from acceleray.tables import (
    PRICE_FINDINGS,
    PRICE_SERIES,
    PRICES,
    PRICES_QUARANTINED,
    PRICES_RECEIVED,
    RISK_DAYS,
    Table,
)

STAGES = (PRICES_RECEIVED, PRICES, PRICES_QUARANTINED, PRICE_SERIES, RISK_DAYS)
# So few prices leave no day on which most instruments have one.
CALENDAR = "market_data.calendar=weekdays"
# A byte order mark, Windows line ends, names a program would not choose, late and early series, gaps, blank
# lines, rows of nothing but commas, a holiday, an instrument without prices, and prices that are none.
MESSY = (
    '\ufeff Date ,Zürich A.G.,"O\'Neil, ""Sons""",b`tick,late,early,never\r\n'
    "2024-01-02,10.0,1e2,5,,7,\r\n"
    "2024-01-03, 10.50 ,+101,-5,,7.25,\r\n"
    "\r\n"
    "2024-01-04 00:00:00,0,,gone,,.5,\r\n"
    "2024-01-05,,,,,,\r\n"
    '2024-01-08,0.1,1e999,"1,000,00",3,,\r\n'
    ",,,,,,\r\n"
    "2024-01-09,1e-7,inf,2e9,3.5, ,\r\n"
)
FIRST, SECOND, THIRD = "Zürich A.G.", 'O\'Neil, "Sons"', "b`tick"
ACCEPTED = {
    (FIRST, "2024-01-02"): 10.0,
    (FIRST, "2024-01-03"): 10.5,
    (FIRST, "2024-01-08"): 0.1,
    (SECOND, "2024-01-02"): 100.0,
    (SECOND, "2024-01-03"): 101.0,
    (THIRD, "2024-01-02"): 5.0,
    ("late", "2024-01-08"): 3.0,
    ("late", "2024-01-09"): 3.5,
    ("early", "2024-01-02"): 7.0,
    ("early", "2024-01-03"): 7.25,
    ("early", "2024-01-04"): 0.5,
}
QUARANTINED = {
    (FIRST, "2024-01-04"): ("0", "zero"),
    (FIRST, "2024-01-09"): ("1e-7", "smaller than 0.000001"),
    (SECOND, "2024-01-08"): ("1e999", "infinite"),
    (SECOND, "2024-01-09"): ("inf", "infinite"),
    (THIRD, "2024-01-03"): ("-5", "negative"),
    (THIRD, "2024-01-04"): ("gone", "not a number"),
    (THIRD, "2024-01-08"): ("1,000,00", "not a number"),
    (THIRD, "2024-01-09"): ("2e9", "larger than 1000000000"),
}


@dataclass(frozen=True)
class Story:
    """A project that has loaded the messy file once."""

    make: Callable[..., Run]
    path: Path
    loaded: Loaded
    run: Run

    def again(self, *overrides: str) -> Run:
        """Return a run of a new process on the same file."""
        return self.make("market_data.source=csv", f"market_data.path={self.path}", CALENDAR, *overrides)


@pytest.fixture(scope="module")
def story(new_project: Callable[[], Callable[..., Run]], tmp_path_factory: pytest.TempPathFactory) -> Story:
    # A name that Spark would take for a pattern, or hide.
    path = tmp_path_factory.mktemp("données {1}") / "_prices [1] é*.csv"
    path.write_bytes(MESSY.encode())
    make = new_project()
    run = make("market_data.source=csv", f"market_data.path={path}", CALENDAR)
    with run.stage("ingest", "Ingest"):
        loaded = ingest(run)
    return Story(make, path, loaded, run)


def rows(run: Run, table: Table) -> dict[tuple[str, str], Any]:
    found = run.lake.rows(table, run.source).to_pylist()
    keyed = {(row["instrument_id"], row["date"].isoformat()): row for row in found}
    assert len(keyed) == len(found)
    return keyed


def versions(lake: Lake) -> list[int]:
    return [lake.version(table) for table in STAGES]


def test_good_prices_are_accepted_with_their_exact_value(story: Story) -> None:
    assert {key: row["price"] for key, row in rows(story.run, PRICES).items()} == ACCEPTED


def test_bad_prices_are_quarantined_one_by_one_with_text_and_reason(story: Story) -> None:
    found = rows(story.run, PRICES_QUARANTINED)
    assert {key: (row["price_text"], row["reason"]) for key, row in found.items()} == QUARANTINED


def test_everything_received_is_kept_as_it_came_and_nothing_is_lost(story: Story) -> None:
    received = rows(story.run, PRICES_RECEIVED)
    assert set(received) == set(ACCEPTED) | set(QUARANTINED)
    assert received[FIRST, "2024-01-03"]["price_text"] == " 10.50 "
    assert {row["load_id"] for row in received.values()} == {story.loaded.load_id}
    assert story.loaded == Loaded(
        load_id=story.loaded.load_id,
        first_date=date(2024, 1, 2),
        last_date=date(2024, 1, 9),
        as_of=date(2024, 1, 9),
        received=len(ACCEPTED) + len(QUARANTINED),
        accepted=len(ACCEPTED),
        quarantined=len(QUARANTINED),
        instruments=5,
    )
    assert len(story.loaded.load_id) == 64


def test_the_stage_records_every_table_it_wrote(story: Story) -> None:
    counts = [19, 11, 8, 5, 6]
    touched = [(touch.table, touch.rows) for touch in story.run.touches if touch.table in STAGES]
    assert touched == list(zip(STAGES, counts, strict=True))
    tracker: Any = story.run.tracker
    recorded = tracker.stages["ingest"].tables
    assert recorded[0][:2] == ("wrote", PRICE_FINDINGS.label)
    assert [(direction, rows) for direction, _, _, rows in recorded[1:]] == [
        ("wrote", count) for count in counts
    ]


def test_loading_the_same_prices_again_writes_nothing_whatever_the_order_of_rows(story: Story) -> None:
    before = versions(story.run.lake)
    header, *lines = MESSY.splitlines(keepends=True)
    shuffled = story.path.with_name(story.path.name.replace("_", ""))
    shuffled.write_bytes("".join([header.strip("\ufeff"), *reversed(lines)]).encode())
    run = story.again(f"market_data.path={shuffled}", f"market_data.name={story.path.stem}")
    assert run.source == story.run.source
    assert ingest(run) == story.loaded
    assert versions(run.lake) == before


@pytest.mark.nightly
def test_an_as_of_date_limits_what_is_seen_and_not_what_is_loaded(story: Story) -> None:
    before = versions(story.run.lake)
    loaded = ingest(story.again("as_of=2024-01-07"))
    assert (loaded.as_of, loaded.last_date) == (date(2024, 1, 5), date(2024, 1, 9))
    assert loaded.load_id == story.loaded.load_id
    assert versions(story.run.lake) == before


def test_bad_input_later_leaves_the_tables_as_they_are(story: Story, tmp_path: Path) -> None:
    before = versions(story.run.lake)
    bad = tmp_path / story.path.name
    bad.write_bytes(MESSY.replace("2024-01-09", "2024-01-08").encode())
    run = story.again(f"market_data.path={bad}")
    assert run.source == story.run.source
    with pytest.raises(PortfolioError, match="has 2024-01-08 again"):
        ingest(run)
    assert versions(story.run.lake) == before


def test_a_run_killed_between_two_commits_is_repaired_by_running_again(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "other.csv"
    path.write_text("date,A\n2024-01-02,1\n2024-01-03,x\n2024-01-04,4\n2024-01-05,5\n")
    killed = story.again(f"market_data.path={path}")
    commit = killed.lake.commit

    def dying(table: Table, *arguments: Any, **named: Any) -> Any:
        if table is PRICES:
            raise KeyboardInterrupt
        return commit(table, *arguments, **named)

    monkeypatch.setattr(killed.lake, "commit", dying)
    with pytest.raises(KeyboardInterrupt):
        ingest(killed)
    assert killed.lake.rows(PRICES_RECEIVED, "csv:other").num_rows == 4
    assert killed.lake.rows(PRICES, "csv:other").num_rows == 0
    run = story.again(f"market_data.path={path}")
    loaded = ingest(run)
    assert (loaded.received, loaded.accepted, loaded.quarantined) == (4, 3, 1)
    assert run.rows(PRICES).sort_by("date")["price"].to_pylist() == [1.0, 4.0, 5.0]
    tables = [run.lake.rows(table, run.source) for table in STAGES]
    assert {row["load_id"] for table in tables for row in table.to_pylist()} == {loaded.load_id}


def test_days_on_which_most_instruments_have_no_price_are_named_and_are_no_risk_days(
    story: Story, tmp_path: Path
) -> None:
    path = tmp_path / "half.csv"
    path.write_text(
        "date,A,B\n2024-01-02,1,2\n2024-01-03,2,\n2024-01-04,4,3\n2024-01-05,5,4\n2024-01-08,,5\n"
    )
    run = story.again(f"market_data.path={path}", "market_data.calendar=observed")
    said: list[str] = []
    run.reporter.say = said.append  # type: ignore[method-assign]
    assert ingest(run).as_of == date(2024, 1, 5)
    days = {row["date"].isoformat(): row for row in run.lake.rows(RISK_DAYS, run.source).to_pylist()}
    assert [day for day, row in sorted(days.items()) if row["risk_day"]] == [
        "2024-01-02",
        "2024-01-04",
        "2024-01-05",
    ]
    assert (days["2024-01-08"]["listed"], days["2024-01-08"]["priced"]) == (2, 1)
    assert any(
        "2 days with prices are not risk days, the last one 2024-01-08 (1 of 2" in line for line in said
    )
    path.write_text("date,A,B\n2024-01-02,1,2\n2024-01-03,2,\n2024-01-04,4,3\n2024-01-05,5,4\n")
    ingest(run)
    assert any(
        "1 day with prices is not a risk day, 2024-01-03 (1 of 2 instruments have a price): its moves" in line
        for line in said
    )


def test_a_calendar_that_no_exchange_has_is_refused_by_name(story: Story) -> None:
    with pytest.raises(PortfolioError, match="XMOON"):
        ingest(story.again("market_data.calendar=XMOON"))


def test_a_named_exchange_has_its_own_sessions(story: Story, tmp_path: Path) -> None:
    path = tmp_path / "year.csv"
    days = np.arange("2023-12-27", "2024-01-05", dtype="datetime64[D]")
    path.write_text("\n".join(["date,A", *[f"{day},{place + 1}" for place, day in enumerate(days)]]))
    run = story.again(f"market_data.path={path}", "market_data.calendar=XNYS")
    ingest(run)
    found = {row["date"].isoformat() for row in run.rows(RISK_DAYS).to_pylist() if row["risk_day"]}
    assert found == {f"2023-12-{day}" for day in (27, 28, 29)} | {f"2024-01-0{day}" for day in (2, 3, 4)}


def test_sample_prices_come_through_bit_for_bit() -> None:
    prices = sample_prices()
    series = judge(from_sample().prices, 10_000).series
    assert isinstance(series, Here)
    judged = pa.concat_tables(series.tables).to_pandas().dropna(subset="price")
    found = judged.pivot(index="date", columns="instrument_id", values="price").sort_index()
    np.testing.assert_array_equal(found[prices.columns].to_numpy(), prices.to_numpy())
    assert [str(day) for day in found.index] == [str(day.date()) for day in prices.index]


def test_the_as_of_date_is_the_last_trading_day_not_after_the_wish(settings: Callable[..., Settings]) -> None:
    days = [date(2024, 1, 2), date(2024, 1, 4), date(2024, 1, 5)]
    assert resolve_as_of(settings(), days) == days[2]
    for wish, position in {"2024-01-02": 0, "2024-01-03": 0, "2024-01-04": 1, "2031-01-01": 2}.items():
        assert resolve_as_of(settings(f"as_of={wish}"), days) == days[position]
    with pytest.raises(PortfolioError, match="before the first price, 2024-01-02"):
        resolve_as_of(settings("as_of=2024-01-01"), days)
