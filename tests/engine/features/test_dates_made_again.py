"""A table made again by dates is the one made from nothing, to the bit, and no more is made than moved."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from acceleray.extend import Signal
from acceleray.quant.day_prices import DayPrices
from acceleray.runtime.look_ahead import signal_content
from acceleray.stages.features.origin import MADE_BY, MADE_FROM
from acceleray.stages.features.part import parts
from acceleray.stages.features.recipe import Recipe, of_features, of_returns
from acceleray.stages.features.renewal import Held, Renewal, renewal
from acceleray.stages.features.spread import Making
from acceleray.tables import RETURNS
from acceleray.tables.contract import Table
from acceleray.tables.market import features_with

DAYS, LONG, NAMES = 320, 600, 6
CALENDAR = np.arange("2020-01-01", "2023-01-01", dtype="datetime64[D]")
CALENDAR = CALENDAR[np.is_busday(CALENDAR)]


def highest(prices: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(prices.max(axis=1) / prices[:, -1])


def lowest(prices: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(prices.min(axis=1) / prices[:, -1])


def own(statistic, length: int = 3) -> Signal:
    return Signal("own", "prices", length, statistic, "highest price over the last", "Tests 2026")


@dataclass(frozen=True)
class World:
    """Everything that decides returns and features."""

    prices: NDArray[np.float64]
    days: NDArray[np.datetime64]
    weekend: frozenset[int] = frozenset({5})
    horizon_d: int = 4
    closed_d: int = 5
    signals: tuple[Signal, ...] = (own(highest),)

    @property
    def day_prices(self) -> DayPrices:
        names = tuple(f"N{number:02d}" for number in range(self.prices.shape[1]))
        return DayPrices(self.days, names, self.prices)

    def recipes(self) -> tuple[tuple[Table, Recipe], ...]:
        prices = self.day_prices
        in_market = ~np.isin(np.arange(len(prices.instruments)), list(self.weekend))
        none = np.full(len(prices.instruments), np.nan)
        return (
            (RETURNS, of_returns(prices, none, self.closed_d)),
            (features_with(self.signals), of_features(prices, in_market, self.horizon_d, self.signals)),
        )


@dataclass
class Store:
    """Tables in memory, committed as `Lake.commit` does."""

    tables: dict[str, pa.Table] = field(default_factory=dict)
    runs: int = 0

    def build(self, world: World, anew: bool = False) -> dict[str, Renewal]:
        self.runs += 1
        found = {}
        for table, recipe in world.recipes():
            there = self.tables.get(table.name)
            renewed = renewal(recipe.expected, held(there), anew)
            making = Making(
                recipe.make,
                recipe.expected.days,
                recipe.expected.origins,
                {"source": "s", MADE_BY: str(self.runs)},
            )
            wanted = parts(renewed.wanted, recipe.reach, recipe.instruments)
            rows = [making.rows(table, part) for part in wanted]
            new = pa.concat_tables([table.arrow_schema.empty_table(), *rows])
            if renewed.where is not None:
                assert all(matching(renewed.where, new)), "every row that is given meets the condition"
                kept = there.filter(pc.invert(pa.array(matching(renewed.where, there))))
                new = pa.concat_tables([kept.select(table.column_names), new])
            self.tables[table.name] = new.sort_by([(name, "ascending") for name in table.key])
            found[table.name] = renewed
        return found


def held(rows: pa.Table | None) -> Held:
    if rows is None:
        return Held(np.empty(0, "datetime64[D]"), (), (), ())
    names = ["date", MADE_FROM, MADE_BY]
    found = rows.group_by(names).aggregate([([], "count_all")])
    columns = [found[name].to_pylist() for name in (*names, "count_all")]
    return Held(np.array(columns[0], "datetime64[D]"), *map(tuple, columns[1:]))


def matching(where: str, rows: pa.Table) -> list[bool]:
    """Return which rows meet a condition on dates, as SQL would."""
    condition = re.sub(r"DATE'([^']*)'", r"np.datetime64('\1')", where)
    condition = condition.replace(" AND ", " and ").replace(" OR ", " or ").replace("true", "True")
    code = compile(condition, "where", "eval")
    dates = {date: eval(code, {"np": np, "date": date}) for date in set(rows["date"].to_pylist())}
    return [bool(dates[date]) for date in rows["date"].to_pylist()]


def world(seed: int) -> World:
    random = np.random.default_rng(seed)
    prices = 50.0 * np.exp(random.normal(0.0, 0.02, (DAYS, NAMES)).cumsum(axis=0))
    prices[: random.integers(0, DAYS), 1] = np.nan
    prices[random.integers(DAYS // 2, DAYS) :, 2] = np.nan
    low = int(random.integers(0, DAYS - 40))
    prices[low : low + 30, 3] = np.nan
    prices[random.random(DAYS) < 0.05, 4] = np.nan
    return World(prices, CALENDAR[:DAYS])


def edited(random: np.random.Generator, before: World) -> World:
    prices, days = before.prices.copy(), before.days
    present = np.argwhere(np.isfinite(prices))
    day, place = present[random.integers(0, len(present))]
    match random.integers(0, 13):
        case 0 | 1 | 2:
            more = (1, 1, 5)[random.integers(0, 3)]
            last = np.where(np.isfinite(prices[-1]), prices[-1], np.nan)
            added = last * np.exp(random.normal(0.0, 0.02, (more, prices.shape[1])))
            return replace(before, prices=np.vstack([prices, added]), days=CALENDAR[: len(days) + more])
        case 3 | 4:
            prices[day, place] *= 1.01
        case 5:
            prices[day, place] = np.nan
        case 6:
            prices[day:, place] = np.nan
        case 7:
            added = 30.0 + random.random((len(days), 1))
            added[: random.integers(0, len(days))] = np.nan
            prices = np.hstack([prices, added])
        case 8:
            return replace(before, horizon_d=before.horizon_d % 5 + 1)
        case 9:
            return replace(before, closed_d=before.closed_d % 7 + 2)
        case 10:
            other = lowest if before.signals[0].statistic is highest else highest
            return replace(before, signals=(own(other),))
        case 11:
            return replace(before, weekend=frozenset({int(random.integers(0, NAMES))}))
        case 12:
            # A holiday that becomes known: the day is a risk day no more, and its prices are of the next.
            moved = np.delete(prices, day, axis=0)
            if day + 1 < len(prices):
                moved[day] = np.where(np.isfinite(moved[day]), moved[day], prices[day])
            return replace(before, prices=moved, days=np.delete(days, day))
    return replace(before, prices=prices)


def same(one: pa.Table, other: pa.Table) -> bool:
    return one.drop_columns([MADE_BY]).equals(other.drop_columns([MADE_BY]))


@given(st.integers(0, 2**32))
@settings(max_examples=12, deadline=None)
def test_after_any_edits_the_tables_are_those_made_from_nothing_to_the_bit(seed: int) -> None:
    random, store = np.random.default_rng(seed), Store()
    now = world(seed)
    store.build(now)
    for _ in range(4):
        now = edited(random, now)
        store.build(now)
        whole = Store()
        whole.build(now)
        for name, table in store.tables.items():
            assert same(table, whole.tables[name]), name


@pytest.fixture(scope="module")
def first() -> tuple[World, Store]:
    # All trade from the first day to the last, but one that ended.
    prices = 50.0 + np.random.default_rng(2).random((LONG, NAMES)).cumsum(axis=0)
    prices[200:, 2] = np.nan
    now, store = World(prices, CALENDAR[:LONG]), Store()
    store.build(now)
    return now, store


def again(first: tuple[World, Store], now: World) -> tuple[dict[str, list[int]], dict[str, Renewal]]:
    _, store = first
    copy = Store(dict(store.tables), store.runs)
    found = copy.build(now)
    whole = Store()
    whole.build(now)
    assert all(same(table, whole.tables[name]) for name, table in copy.tables.items())
    return {name: np.flatnonzero(one.wanted).tolist() for name, one in found.items()}, found


def test_a_new_day_makes_itself_and_the_targets_that_it_tells(first: tuple[World, Store]) -> None:
    now, _ = first
    prices = np.vstack([now.prices, now.prices[-1] * 1.01])
    made, found = again(first, replace(now, prices=prices, days=CALENDAR[: LONG + 1]))
    assert made["returns"] == [LONG]
    assert made["features"] == list(range(LONG - now.horizon_d, LONG + 1))
    assert found["returns"].made["the date is new"] == 1
    assert sum(found["features"].reused.values()) == LONG - now.horizon_d - 2
    assert set(found["features"].reused) == {"1"}


def test_a_corrected_price_makes_again_what_its_windows_and_horizon_reach(
    first: tuple[World, Store],
) -> None:
    now, _ = first
    prices = now.prices.copy()
    prices[30, 0] *= 1.02
    made, _ = again(first, replace(now, prices=prices))
    assert made["returns"] == [30, 31, LONG - 1]
    # The last window that contains the return after it begins one price before that.
    assert made["features"] == [*range(30 - now.horizon_d, 30 + 253), LONG - 1]


def test_nothing_moved_makes_the_last_date_alone(first: tuple[World, Store]) -> None:
    made, found = again(first, first[0])
    assert made == {"returns": [LONG - 1], "features": [LONG - 1]}
    assert {sum(one.made.values()) for one in found.values()} == {1}


def test_a_setting_makes_again_the_table_that_it_decides(first: tuple[World, Store]) -> None:
    now, _ = first
    made, _ = again(first, replace(now, horizon_d=2))
    assert made["returns"] == [LONG - 1]
    assert made["features"] == list(range(LONG))
    made, _ = again(first, replace(now, closed_d=2))
    assert made["returns"] == list(range(LONG))
    assert made["features"] == [LONG - 1]


def test_a_signals_code_makes_all_features_again(first: tuple[World, Store]) -> None:
    made, found = again(first, replace(first[0], signals=(own(lowest),)))
    assert made["returns"] == [LONG - 1]
    assert made["features"] == list(range(LONG))
    assert set(found["features"].made) >= {"inputs of the date have changed"}


def test_a_number_that_no_source_tells_is_part_of_what_a_signal_is() -> None:
    limits = {"a": 0.5, "b": 0.6}

    def signal(name: str) -> Signal:
        def share(prices: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.asarray((prices > limits[name] * prices[:, :1]).mean(axis=1))

        return own(share, 9)

    assert signal_content(own(highest)) == signal_content(own(highest))
    assert signal_content(own(highest)) != signal_content(own(highest, 4))
    limits["a"] = 1.0
    assert signal_content(signal("a")) != signal_content(signal("b"))


@pytest.mark.parametrize("name", ["returns", "features"])
def test_a_date_that_has_lost_rows_is_made_again(first: tuple[World, Store], name: str) -> None:
    now, store = first
    copy = Store(dict(store.tables), store.runs)
    rows = copy.tables[name]
    lost = pc.and_(
        pc.equal(rows["date"], pa.scalar(now.days[100].item())), pc.equal(rows["instrument_id"], "N03")
    )
    copy.tables[name] = rows.filter(pc.invert(lost))
    found = copy.build(now)
    assert np.flatnonzero(found[name].wanted).tolist() == [100, LONG - 1]
    assert same(copy.tables[name], store.tables[name])


def test_asked_for_everything_everything_is_made(first: tuple[World, Store]) -> None:
    now, store = first
    copy = Store(dict(store.tables), store.runs)
    found = copy.build(now, anew=True)
    assert all(one.where is None and one.wanted.all() and not one.reused for one in found.values())


def test_rows_of_before_there_were_origins_are_made_again(first: tuple[World, Store]) -> None:
    now, store = first
    copy = Store(dict(store.tables), store.runs)
    rows = copy.tables["features"]
    for name in (MADE_FROM, MADE_BY):
        rows = rows.set_column(rows.column_names.index(name), name, pa.nulls(len(rows), pa.string()))
    copy.tables["features"] = rows
    assert copy.build(now)["features"].wanted.all()
    assert same(copy.tables["features"], store.tables["features"])
