"""Hashes of rows here are those of Spark: published ones, and of any values that a table may hold."""

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from acceleray.engines.delta import row_hash
from acceleray.engines.delta.content import content_of
from acceleray.engines.delta.delta_rs import content_here
from acceleray.runtime.run import Run
from acceleray.tables.contract import Column, Table, source_column

TYPES = ("string", "double", "long", "boolean", "date", "timestamp")
MIXED = Table(
    "silver",
    "mixed",
    "A table for tests",
    "source",
    ("source",),
    (source_column(), *(Column(f"a {kind}", kind, "Any", nullable=True) for kind in TYPES)),
)


def test_it_is_what_spark_documents() -> None:
    # SELECT xxhash64('Spark', array(123), 2) in Spark's reference of SQL functions.
    hashes = np.full(1, 42, np.uint64)
    hashes = row_hash._hashed(pa.array(["Spark"]), hashes)
    for number in (123, 2):
        hashes = row_hash._four_bytes(np.array([number], np.int32), hashes)
    assert hashes.view(np.int64).tolist() == [5602566077635097486]


@pytest.mark.parametrize(("text", "hashed"), [("", 0xEF46DB3751D8E999), ("abc", 0x44BC2CF5AD770999)])
def test_it_is_xxh64_as_published(text: str, hashed: int) -> None:
    assert row_hash._hashed(pa.array([text]), np.zeros(1, np.uint64)).tolist() == [hashed]


def test_the_sum_is_that_of_any_parts_and_order() -> None:
    rows = any_rows(500)
    whole = content_here(MIXED, rows)
    assert content_here(MIXED, rows.slice(7)) + content_here(MIXED, rows.slice(0, 7)) == whole
    assert content_here(MIXED, rows.take(list(range(499, -1, -1)))) == whole
    assert content_here(MIXED, pa.concat_tables([rows.slice(250), rows.slice(0, 250)])) == whole


@pytest.mark.parametrize("name", MIXED.column_names)
def test_every_column_counts(name: str) -> None:
    rows = any_rows(50)
    other = rows.take([*range(1, 50), 0]).column(name)
    assert not other.equals(rows.column(name))
    moved = rows.set_column(rows.column_names.index(name), MIXED.arrow_schema.field(name), other)
    assert content_here(MIXED, moved).total != content_here(MIXED, rows).total


def test_where_a_value_is_missing_counts() -> None:
    values = {name: [None, None] for name in MIXED.column_names[1:]}
    left = {"source": ["s", "s"], **values, "a double": [1.0, None], "a long": [None, None]}
    right = {**left, "a double": [None, None], "a long": [4607182418800017408, None]}
    # The bits of 1.0 are those of that number.
    schema = MIXED.arrow_schema
    assert (
        content_here(MIXED, pa.table(left, schema)).total
        != content_here(MIXED, pa.table(right, schema)).total
    )


def test_it_is_what_spark_computes_of_any_rows(make_run: Callable[..., Run]) -> None:
    lake, rows = make_run().lake, any_rows(3_000)
    for some in (rows, rows.slice(11, 700), rows.slice(3, 1), rows.slice(0, 0)):
        assert content_here(MIXED, some) == content_of(MIXED, lake.frame(MIXED, some))


def any_rows(count: int) -> pa.Table:
    """Return rows of values that are hard to hash, some missing."""
    chosen = random.Random(count)
    doubles = [0.0, -0.0, float("inf"), float("-inf"), float("nan"), 5e-324, 1.7e308]

    def text() -> str:
        return "".join(chosen.choice("aé€b😀 \0") for _ in range(chosen.randrange(80)))

    make: dict[str, Callable[[], Any]] = {
        "string": text,
        "double": lambda: chosen.choice([*doubles, chosen.gauss(0, 1e9)]),
        "long": lambda: chosen.randrange(-(2**63), 2**63),
        "boolean": lambda: chosen.random() < 0.5,
        "date": lambda: chosen.randrange(-100_000, 100_000),
        "timestamp": lambda: chosen.randrange(-(10**16), 10**16),
    }
    columns: dict[str, list[Any]] = {"source": [text() for _ in range(count)]}
    for kind in TYPES:
        columns[f"a {kind}"] = [None if chosen.random() < 0.2 else make[kind]() for _ in range(count)]
    return pa.table(columns, MIXED.arrow_schema)
