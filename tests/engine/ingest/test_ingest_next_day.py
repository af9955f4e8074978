"""The next morning: prices are merged into those held, and the result is that of a run from nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from acceleray.runtime.run import Run
from acceleray.stages.ingest import grouped
from acceleray.stages.ingest.stage import Loaded, ingest
from acceleray.tables import (
    PRICE_FINDINGS,
    PRICE_SERIES,
    PRICES,
    PRICES_QUARANTINED,
    PRICES_RECEIVED,
    RISK_DAYS,
    Table,
)

TABLES = (PRICES_RECEIVED, PRICES, PRICES_QUARANTINED, PRICE_SERIES, RISK_DAYS, PRICE_FINDINGS)
NAMES = tuple("ABCDEF")
DAYS = np.busday_offset(np.datetime64("2022-01-03"), np.arange(400))
# A finding about the history records what was delivered before, which a run from nothing cannot know.
RECORDS = ("readjusted", "history_changed")
Prices = dict[str, dict[np.datetime64, str]]


def market(days: int) -> Prices:
    generator = np.random.default_rng(5)
    moves = generator.standard_t(5, (DAYS.size, len(NAMES))) * 0.01
    levels = np.round(50.0 * np.exp(moves.cumsum(axis=0)), 2)
    every = {
        name: {day: f"{levels[row, at]:.2f}" for row, day in enumerate(DAYS[:days])}
        for at, name in enumerate(NAMES)
    }
    # A cell that is no price, a price that stands still, and a bad print.
    every["B"][DAYS[50]] = "n.a."
    every["C"] |= dict.fromkeys(DAYS[100:160], "7.00")
    every["D"][DAYS[200]] = "5000.00"
    return every


def write(path: Path, prices: Prices) -> None:
    days = sorted({day for its in prices.values() for day in its})
    lines = [",".join(["date", *prices])]
    lines += [",".join([str(day), *(its.get(day, "") for its in prices.values())]) for day in days]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def append(prices: Prices, count: int) -> Prices:
    have = max(day for its in prices.values() for day in its)
    new = DAYS[have < DAYS][:count]
    return {
        name: its | {day: f"{40 + at + row}.5{at}" for row, day in enumerate(new)}
        for at, (name, its) in enumerate(prices.items())
    }


def changed(prices: Prices, name: str, row: int, text: str) -> Prices:
    return prices | {name: prices[name] | {DAYS[row]: text}}


def again(prices: Prices) -> Prices:
    last = max(day for its in prices.values() for day in its)
    return {name: its | {last: f"{30 + at}.25"} for at, (name, its) in enumerate(prices.items())}


def without(prices: Prices, gone: np.datetime64) -> Prices:
    return {name: {day: text for day, text in its.items() if day != gone} for name, its in prices.items()}


EDITS: dict[str, Callable[[Prices], Prices]] = {
    "nothing": lambda prices: prices,
    "a day": lambda prices: append(prices, 1),
    "five days": lambda prices: append(prices, 5),
    "an old price": lambda prices: changed(prices, "E", 20, "49.99"),
    "an old price becomes none": lambda prices: changed(prices, "E", 21, "gone"),
    "a quarantined cell is mended": lambda prices: changed(prices, "B", 50, "50.00"),
    "an instrument begins": lambda prices: prices | {"G": dict(list(prices["A"].items())[-90:])},
    "an instrument ends": lambda prices: prices | {"F": dict(list(prices["F"].items())[:-30])},
    "an instrument has gone": lambda prices: {name: its for name, its in prices.items() if name != "A"},
    "a day comes again with other prices": lambda prices: again(append(prices, 1)),
    "a day has gone": lambda prices: without(prices, DAYS[150]),
}


class Home:
    """A project whose file of prices changes from day to day."""

    def __init__(self, make: Callable[..., Run], folder: Path) -> None:
        self.make, self.folder = make, folder

    def take(self, prices: Prices, source: str = "daily") -> tuple[Run, Loaded]:
        path = self.folder / "prices.csv"
        write(path, prices)
        run = self.make("market_data.source=csv", f"market_data.path={path}", f"market_data.name={source}")
        with run.stage("ingest", "Ingest"):
            return run, ingest(run)


@pytest.fixture(scope="module")
def home(new_project: Callable[[], Callable[..., Run]], tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(new_project(), tmp_path_factory.mktemp("mornings"))


def rows(run: Run, table: Table) -> list[dict[str, Any]]:
    """Return what is compared of a table by key, less what tells sources and loads apart."""
    found = run.lake.read(table, run.source).toArrow()
    names = [name for name in table.compared_names if name not in ("source", "load_id")]
    found = found.select(names).sort_by([(name, "ascending") for name in table.key if name != "source"])
    listed = found.to_pylist()
    return [row for row in listed if row.get("kind") not in RECORDS]


def same(one: Run, other: Run) -> None:
    for table in TABLES:
        # How the file was read is said with its name.
        assert rows(one, table) == rows(other, table), table.label


def written(run: Run, table: Table) -> int:
    """Return how many rows the newest version of a table added."""
    history = run.lake.spark.sql(f"DESCRIBE HISTORY {run.lake.identifier(table)} LIMIT 1").collect()
    return int(history[0]["operationMetrics"]["numOutputRows"])


def test_edits_of_every_kind_leave_what_a_run_from_nothing_finds(home: Home) -> None:
    """Every edit after the other, each upon all before it, in an order that a seed decides."""
    prices = market(330)
    home.take(prices)
    order = np.random.default_rng(7).permutation(list(EDITS))
    for number, name in enumerate(order):
        prices = EDITS[str(name)](prices)
        merged, loaded = home.take(prices)
        anew, other = home.take(prices, f"anew{number}")
        assert loaded == other, name
        same(merged, anew)


def test_a_new_day_writes_a_day_and_keeps_where_the_others_came_from(home: Home) -> None:
    prices = market(330)
    _, first = home.take(prices, "one")
    run, second = home.take(append(prices, 1), "one")
    assert [written(run, table) for table in (PRICES_RECEIVED, PRICES)] == [6, 6]
    assert first.load_id != second.load_id
    loads = {row["load_id"]: row["count"] for row in run.read(PRICES).groupBy("load_id").count().collect()}
    assert loads == {first.load_id: first.accepted, second.load_id: 6}
    days = {row["date"]: row["content"] for row in run.read(RISK_DAYS).collect()}
    assert len(days) == 331
    touched = {touch.table.label: touch for touch in run.touches}
    assert touched[PRICES.label].rows == second.accepted
    assert not touched[PRICES_QUARANTINED.label].changed


def test_this_process_and_spark_judge_alike_and_hold_the_same(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    prices = EDITS["an old price becomes none"](market(330))
    _, loaded = home.take(prices, "here")
    later = append(changed(prices, "D", 10, "61.00"), 1)
    here_again, _ = home.take(later, "here")
    monkeypatch.setattr(grouped, "MOST_HERE", 0)
    _, by_spark = home.take(prices, "spark")
    assert loaded == by_spark
    spark_again, _ = home.take(later, "spark")
    same(here_again, spark_again)
    kinds = [rows_of_history(run) for run in (here_again, spark_again)]
    assert kinds[0] == kinds[1] != []
    assert home.take(later, "spark")[1] == home.take(later, "here")[1]
    assert rows_of_history(spark_again) == kinds[0]


def rows_of_history(run: Run) -> list[dict[str, Any]]:
    found = run.lake.read(PRICE_FINDINGS, run.source).toArrow().drop_columns(["source"]).to_pylist()
    return [row for row in found if row["kind"] in RECORDS]


def test_a_morning_killed_between_two_commits_is_put_right_by_the_next(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after the received prices are merged; the next day's file has other ones, or the old ones."""
    commit = Run.commit

    def dying(run: Run, table: Table, *more: Any, **named: Any) -> Any:
        if table is PRICES:
            raise KeyboardInterrupt
        return commit(run, table, *more, **named)

    prices = market(330)
    for number, next_day in enumerate((append(prices, 1), append(prices, 3), prices)):
        name = f"killed{number}"
        home.take(prices, name)
        with monkeypatch.context() as patched:
            patched.setattr(Run, "commit", dying)
            with pytest.raises(KeyboardInterrupt):
                home.take(append(changed(prices, "A", 9, "51.00"), 1), name)
        merged, _ = home.take(next_day, name)
        anew, _ = home.take(next_day, f"nothing{number}")
        same(merged, anew)
