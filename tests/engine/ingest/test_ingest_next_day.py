"""The next morning: prices are merged into those held, and the result is that of a run from nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pytest

from acceleray.runtime.run import Run
from acceleray.settings import Settings
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
from ingest.tables_in_memory import MemoryRun

LAYERS = (PRICES_RECEIVED, PRICES, PRICES_QUARANTINED)
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
    "an instrument begins": lambda prices: prices | {"G": dict(list(prices["D"].items())[-90:])},
    "an instrument ends": lambda prices: prices | {"F": dict(list(prices["F"].items())[:-30])},
    "an instrument has gone": lambda prices: {name: its for name, its in prices.items() if name != "A"},
    "a day comes again with other prices": lambda prices: again(append(prices, 1)),
    "a day has gone": lambda prices: without(prices, DAYS[150]),
}


class Mornings:
    """Tables in memory, and a file of prices that changes from day to day."""

    def __init__(self, settings: Callable[..., Settings], folder: Path) -> None:
        self.settings, self.folder = settings, folder
        self.tables: dict[str, pa.Table] = {}

    def run(self, prices: Prices, source: str) -> MemoryRun:
        path = self.folder / "prices.csv"
        write(path, prices)
        return MemoryRun(
            self.settings("market_data.source=csv", f"market_data.path={path}"), source, self.tables
        )

    def take(self, prices: Prices, source: str = "daily") -> tuple[MemoryRun, Loaded]:
        run: Any = self.run(prices, source)
        return run, ingest(run)


@pytest.fixture
def mornings(settings: Callable[..., Settings], tmp_path: Path) -> Mornings:
    return Mornings(settings, tmp_path)


def rows(found: pa.Table, table: Table) -> list[dict[str, Any]]:
    """Return what is compared of a table by key, less what tells sources and loads apart."""
    names = [name for name in table.compared_names if name not in ("source", "load_id")]
    found = found.select(names).sort_by([(name, "ascending") for name in table.key if name != "source"])
    return [row for row in found.to_pylist() if row.get("kind") not in RECORDS]


def same(one: MemoryRun, other: MemoryRun) -> None:
    for table in TABLES:
        assert rows(one.rows(table), table) == rows(other.rows(table), table), table.label


def history(run: MemoryRun | Run) -> list[dict[str, Any]]:
    found = run.rows(PRICE_FINDINGS).drop_columns(["source"]).to_pylist()
    kept = [row for row in found if row["kind"] in RECORDS]
    return sorted(kept, key=lambda row: (row["instrument_id"], row["kind"]))


# Two draws of edits in every run, the others at night.
@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=[pytest.mark.nightly] if seed > 1 else []) for seed in range(6)]
)
def test_edits_of_every_kind_leave_what_a_run_from_nothing_finds(mornings: Mornings, seed: int) -> None:
    """Every edit upon all before it, in a random order."""
    prices = market(330)
    mornings.take(prices)
    for number, name in enumerate(np.random.default_rng(seed).permutation(list(EDITS))):
        prices = EDITS[str(name)](prices)
        merged, loaded = mornings.take(prices)
        anew, other = mornings.take(prices, f"anew{number}")
        assert loaded == other, name
        same(merged, anew)
        told = history(merged)
        again, _ = mornings.take(prices)
        assert history(again) == told, name
        assert [again.written[table.label] for table in LAYERS] == [0, 0, 0], name


@pytest.mark.parametrize("dies_at", range(6))
@pytest.mark.parametrize("after", ["the same", "another", "the old"])
def test_a_morning_killed_before_any_commit_is_put_right_by_the_next(
    mornings: Mornings, dies_at: int, after: str
) -> None:
    prices = market(330)
    edited = append(changed(changed(prices, "A", 9, "51.00"), "B", 9, "none"), 1)
    mornings.take(prices)
    killed, commits = mornings.run(edited, "daily"), list[str]()
    commit = killed.commit

    def dying(table: Table, *more: Any, **named: Any) -> None:
        commits.append(table.label)
        if len(commits) > dies_at:
            raise KeyboardInterrupt
        commit(table, *more, **named)

    killed.commit = dying  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        ingest(cast(Any, killed))
    following = {"the same": edited, "another": append(prices, 3), "the old": prices}[after]
    merged, _ = mornings.take(following)
    anew, _ = mornings.take(following, "anew")
    same(merged, anew)
    if after == "the same":
        assert [row["instrument_id"] for row in history(merged)] == ["A"]
    elif after == "the old" and dies_at < 3:
        assert not history(merged)


def test_a_new_day_is_a_day_of_rows(mornings: Mornings) -> None:
    prices = market(330)
    mornings.take(prices)
    run, _ = mornings.take(append(prices, 1))
    assert [run.written[table.label] for table in LAYERS] == [6, 6, 0]


def test_a_readjusted_history_is_written_for_its_instrument_alone_and_remembered(mornings: Mornings) -> None:
    prices = market(330)
    mornings.take(prices)
    halved = {day: f"{float(text) / 2:.3f}" for day, text in prices["E"].items()}
    adjusted = append(prices | {"E": halved}, 1)
    run, _ = mornings.take(adjusted)
    assert [run.written[table.label] for table in LAYERS] == [336, 336, 0]
    (row,) = history(run)
    again, _ = mornings.take(adjusted)
    assert history(again) == [row]
    later, _ = mornings.take(append(adjusted, 1))
    assert history(later) == []
    assert (row["kind"], row["instrument_id"], row["count"]) == ("readjusted", "E", 330)


@pytest.fixture(scope="module")
def make(new_project: Callable[[], Callable[..., Run]]) -> Callable[..., Run]:
    return new_project()


def took(make: Callable[..., Run], path: Path, prices: Prices, source: str) -> tuple[Run, Loaded]:
    """Ingest with real Spark and Delta."""
    write(path, prices)
    run = make("market_data.source=csv", f"market_data.path={path}", f"market_data.name={source}")
    with run.stage("ingest", "Ingest"):
        return run, ingest(run)


def test_a_new_day_keeps_where_the_others_came_from(make: Callable[..., Run], tmp_path: Path) -> None:
    prices = market(330)
    _, first = took(make, tmp_path / "prices.csv", prices, "one")
    run, second = took(make, tmp_path / "prices.csv", append(prices, 1), "one")
    assert first.load_id != second.load_id
    for table, before in ((PRICES_RECEIVED, first.received), (PRICES, first.accepted)):
        counts = run.read(table).groupBy("load_id").count().collect()
        loads = {row["load_id"]: row["count"] for row in counts}
        assert loads == {first.load_id: before, second.load_id: 6}
    touched = {touch.table.label: touch for touch in run.touches}
    assert touched[PRICES.label].rows == second.accepted
    assert not touched[PRICES_QUARANTINED.label].changed


@pytest.mark.nightly
def test_this_process_and_spark_judge_alike_and_hold_the_same(
    make: Callable[..., Run], mornings: Mornings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prices = EDITS["an old price becomes none"](market(330))
    later = append(changed(prices, "D", 10, "61.00"), 1)
    mornings.take(prices)
    here, loaded = mornings.take(later)
    monkeypatch.setattr(grouped, "MOST_HERE", 0)
    took(make, tmp_path / "prices.csv", prices, "spark")
    run, by_spark = took(make, tmp_path / "prices.csv", later, "spark")
    assert loaded == by_spark
    for table in TABLES:
        assert rows(run.rows(table), table) == rows(here.rows(table), table), table.label
    assert history(run) == history(here) != []
    again, _ = took(make, tmp_path / "prices.csv", later, "spark")
    assert history(again) == history(run)
