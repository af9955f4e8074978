"""Which part of a table a delivery moves: what is replaced and what stays are together what was delivered."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from acceleray.stages.ingest.moved import NOTHING, Part, compare

FIRST = date(1969, 12, 20)
SCHEMA = pa.schema([("instrument_id", pa.string()), ("date", pa.date32()), ("price", pa.float64())])
Prices = dict[tuple[str, int], float]


def table(prices: Prices) -> pa.Table:
    rows = [(name, FIRST + timedelta(days=day), price) for (name, day), price in prices.items()]
    return pa.table([pa.array(column) for column in zip(*rows, strict=True)], schema=SCHEMA)


def market(names: str = "abcd'", days: int = 60) -> Prices:
    generator = np.random.default_rng(3)
    return {(name, day): float(generator.uniform(1, 9)) for name in names for day in range(days)}


def in_part(part: Part, name: str, day: int) -> bool:
    return name in part.named or (
        part.first is not None and np.datetime64(FIRST + timedelta(days=day)) >= part.first
    )


def test_what_is_held_already_moves_nothing() -> None:
    rows = market()
    shuffled = list(rows.items())
    np.random.default_rng(1).shuffle(shuffled)  # type: ignore[arg-type]
    moved = compare(table(rows), table({(name, int(day)): price for (name, day), price in shuffled}))
    assert moved.same
    assert moved.part == Part(None, ())
    assert moved.part.where == NOTHING
    assert not moved.part.rows(table(rows)).num_rows


def test_without_rows_held_everything_is_replaced() -> None:
    moved = compare(table(market()), SCHEMA.empty_table())
    assert (moved.part, moved.same) == (None, False)


def test_a_new_day_is_the_end_of_every_series() -> None:
    held = market()
    moved = compare(table(held | {(name, 60): 1.0 for name in "abcd'"}), table(held))
    assert moved.part == Part(np.datetime64(FIRST + timedelta(days=60)), ())
    assert moved.part.where == f"date >= DATE'{FIRST + timedelta(days=60)}'"


def test_an_old_price_corrected_names_its_instrument_and_leaves_the_others() -> None:
    held = market()
    given = held | {(name, 60): 1.0 for name in "abcd'"} | {("'", 4): 2.0}
    moved = compare(table(given), table(held))
    assert moved.part == Part(np.datetime64(FIRST + timedelta(days=60)), ("'",))
    assert moved.part.where == f"date >= DATE'{FIRST + timedelta(days=60)}' OR `instrument_id` IN ('\\'')"
    now, before = moved.both()
    assert now.to_pylist() == [{"instrument_id": "'", "date": FIRST + timedelta(days=4), "price": 2.0}]
    assert before["price"].to_pylist() == [held["'", 4]]


def test_where_most_rows_move_everything_is_replaced() -> None:
    held = market()
    assert compare(table({key: price * 2 for key, price in held.items()}), table(held)).part is None


@pytest.mark.parametrize("seed", range(60))
def test_what_stays_and_what_is_replaced_are_what_was_delivered(seed: int) -> None:
    """Random edits: days appended, prices corrected, added and removed, instruments begun and ended."""
    generator = np.random.default_rng(seed)
    held = market("abcdefgh", 80)
    for name in "abc"[: generator.integers(0, 4)]:
        held = {key: price for key, price in held.items() if key[0] != name or key[1] < 50}
    given = dict(held)
    for _ in range(int(generator.integers(0, 4))):
        name, day = "abcdefgh"[generator.integers(8)], int(generator.integers(80))
        match generator.integers(5):
            case 0:
                given |= {(one, 80 + step): 5.0 + step for one in "defgh" for step in range(day % 5 + 1)}
            case 1:
                given[name, day] = given.get((name, day), 1.0) * 1.5
            case 2:
                given.pop((name, day), None)
            case 3:
                given |= {("new", one): 3.0 + one for one in range(day, 80)}
            case 4:
                given = {key: price for key, price in given.items() if key[0] != name}
    moved = compare(table(given), table(held))
    assert moved.same == (given == held)
    part = moved.part
    if part is None:
        return
    replaced = {
        (row["instrument_id"], (row["date"] - FIRST).days): row["price"]
        for row in part.rows(table(given)).to_pylist()
    }
    assert all(in_part(part, *key) for key in replaced)
    stays = {key: price for key, price in held.items() if not in_part(part, *key)}
    assert stays | replaced == given
    assert len(replaced) <= 0.5 * len(given)


def test_texts_and_missing_values_are_compared_too() -> None:
    rows = table({("a", 1): 1.0, ("a", 2): 2.0, ("b", 1): 3.0})
    named = rows.append_column("text", pa.array(["x", "y", "z"]))
    other = rows.append_column("text", pa.array(["x", "Y", None]))
    moved = compare(named, other)
    assert sorted(moved.both()[0]["text"].to_pylist()) == ["y", "z"]
    gone = rows.set_column(2, "price", pa.array([1.0, None, 3.0]))
    assert compare(rows, gone).both()[0]["price"].to_pylist() == [2.0]
    assert pc.sum(compare(rows, gone).given["price"]).as_py() == 6.0
