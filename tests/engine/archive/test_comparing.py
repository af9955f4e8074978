"""Two files of the same rows: bit for bit, or to the tolerance of another processor."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from acceleray.archive.comparing import compare
from acceleray.archive.rows import GROUP, write_rows
from acceleray.tables.contract import Column, Table, run_columns

TABLE = Table(
    layer="gold",
    name="things",
    comment="Things.",
    scope="run_id",
    key=("run_id", "name"),
    columns=(
        *run_columns(),
        Column("name", "string", "Name"),
        Column("value", "double", "Value", nullable=True),
        Column("made_from", "string", "Digest", nullable=True),
        Column("at", "timestamp", "When", volatile=True),
    ),
)

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(values: dict[str, Any], run_id: str = "a", at: int = 0, digest: str = "x") -> Path:
        count = len(values)
        columns: dict[str, list[Any]] = {
            "run_id": [run_id] * count,
            "as_of": [0] * count,
            "name": list(values),
            "value": list(values.values()),
            "made_from": [digest] * count,
            "at": [at] * count,
        }
        schema = TABLE.arrow_schema
        rows = pa.table([pa.array(columns[f.name], f.type) for f in schema], schema.names)
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.parquet"
        write_rows(TABLE, [rows], path)
        return path

    return written


def test_the_same_rows_of_another_run_at_another_time_are_equal(write: Write) -> None:
    one = write({"A": 1.0, "B": None})
    found = compare(TABLE, one, write({"A": 1.0, "B": None}, run_id="b", at=7))
    assert (found.rows, found.difference) == (2, "")


@pytest.mark.parametrize(
    ("then", "now", "said"),
    [
        (0.1, 0.1 + 2**-56, "1 of 2 rows, first at name=B: value was 0.1, is 0.10000000000000002"),
        (0.0, -0.0, "1 of 2 rows, first at name=B: value was 0.0, is -0.0"),
        (None, 0.0, "1 of 2 rows, first at name=B: value was None, is 0.0"),
    ],
)
def test_one_bit_is_a_difference_and_its_key_is_named(write: Write, then: Any, now: Any, said: str) -> None:
    assert compare(TABLE, write({"A": 1.0, "B": then}), write({"A": 1.0, "B": now})).difference == said


def test_nan_equals_itself(write: Write) -> None:
    assert not compare(TABLE, write({"A": float("nan")}), write({"A": float("nan")})).difference


def test_a_row_that_is_missing_or_new_is_named(write: Write) -> None:
    two, one = write({"A": 1.0, "B": 2.0}), write({"B": 2.0})
    assert compare(TABLE, two, one).difference == "1 row, archived 2, first missing name=A"
    assert compare(TABLE, one, two).difference == "2 rows, archived 1, first new name=A"


def test_a_table_that_was_not_written_differs_unless_it_had_no_row(write: Write) -> None:
    assert compare(TABLE, write({"A": 1.0}), None).difference == "was not written"
    assert not compare(TABLE, write({}), None).difference


def test_rows_beyond_the_first_group_are_compared_too(write: Write) -> None:
    values = {f"{number:06d}": float(number) for number in range(GROUP + 2)}
    one, other = write(values), write(values | {f"{GROUP + 1:06d}": -1.0})
    assert compare(TABLE, one, other).difference.startswith(f"1 of {GROUP + 2:,} rows, first at name=065537:")


def test_on_another_processor_numbers_may_differ_by_ten_to_the_minus_ten_and_digests_anyhow(
    write: Write,
) -> None:
    one = write({"A": 1.0, "B": 1e6, "C": 1e-12})
    close = write({"A": 1.0 + 5e-11, "B": 1e6 + 5e-5, "C": 2e-12}, digest="y")
    far = write({"A": 1.0 + 3e-10, "B": 1e6, "C": 1e-12})
    assert compare(TABLE, one, close).difference.startswith("3 of 3 rows")
    assert not compare(TABLE, one, close, exact=False).difference
    assert compare(TABLE, one, far, exact=False).difference.startswith("1 of 3 rows, first at name=A")
