"""A table written under another declaration evolves with its rows, or is set aside by name in one line."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pyarrow as pa
import pytest

from acceleray.engines.delta.files import FilesReader
from acceleray.engines.delta.lake import Lake
from acceleray.engines.delta.upkeep import upkeep
from acceleray.runtime.run import Run
from acceleray.tables.contract import Column, Table, source_column
from acceleray.tables.stored import MisfitError

SCORES = Table(
    layer="gold",
    name="scores",
    comment="A table for tests.",
    scope="source",
    key=("source", "name"),
    columns=(source_column(), Column("name", "string", "Name"), Column("amount", "double", "Amount")),
    checks=(("amount_is_positive", "amount > 0"),),
)
OLD = {"source": "one", "name": "a", "amount": 1.0}


def rows(table: Table, *given: dict[str, object]) -> pa.Table:
    return pa.Table.from_pylist(list(given), schema=table.arrow_schema)


def read(lake: Lake, table: Table) -> list[dict[str, object]]:
    return sorted(lake.read(table).toArrow().to_pylist(), key=lambda row: str(row["source"]))


@pytest.fixture
def later(make_run: Callable[..., Run]) -> Callable[..., Lake]:
    """Return a function that opens, as a later run would, a lake in which `SCORES` has one row."""
    first = make_run().lake
    first.commit(SCORES, rows(SCORES, OLD), "one")

    def lake(said: list[str] | None = None) -> Lake:
        return Lake(first.spark, first.settings, None if said is None else said.append)

    return lake


def test_a_column_that_came_and_one_that_went_leave_the_rows_that_are_there(
    later: Callable[..., Lake],
) -> None:
    now = replace(
        SCORES, columns=(*SCORES.columns[:2], Column("day", "date", "Day", nullable=True)), checks=()
    )
    said: list[str] = []
    lake = later(said)
    lake.commit(now, rows(now, {"source": "two", "name": "b", "day": None}), "two")
    expected = [{"source": "one", "name": "a", "day": None}, {"source": "two", "name": "b", "day": None}]
    assert read(lake, now) == expected
    assert FilesReader(lake.settings).rows(now).to_pylist() == expected
    # The column that went is still there, with its value.
    whole = replace(now, columns=(*now.columns, Column("amount", "double", "", nullable=True)))
    assert [row["amount"] for row in read(later(), whole)] == [1.0, None]
    version = lake.version(now)
    later([]).open(now)
    assert (lake.version(now), said) == (version, []), "it evolves once"


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (replace(SCORES, key=("name",)), "its key was source, name and is now name"),
        pytest.param(
            replace(SCORES, columns=(*SCORES.columns[:2], Column("amount", "long", "Amount"))),
            "its column amount was double and is now long",
            marks=pytest.mark.nightly,
        ),
    ],
)
def test_a_table_that_cannot_evolve_is_set_aside_by_a_run_and_refused_to_others(
    later: Callable[..., Lake], now: Table, reason: str
) -> None:
    before = later().version(SCORES)
    for refused in (lambda: later().open(now), lambda: upkeep(later(), now), lambda: read(later(), now)):
        with pytest.raises(
            MisfitError, match=re.escape(f"gold.scores does not fit its declaration: {reason}")
        ):
            refused()
    with pytest.raises(MisfitError, match=re.escape(reason)):
        FilesReader(later().settings).rows(now)
    assert later().version(SCORES) == before, "whoever only looks changes nothing"
    said: list[str] = []
    lake = later(said)
    new = {"source": "one", "name": "c", "amount": 5}
    lake.commit(now, rows(now, new), "one")
    assert said == [f"gold.scores is set aside as gold.scores_set_aside_1: {reason}"]
    assert read(lake, now) == [new]
    assert read(later(), replace(SCORES, name="scores_set_aside_1")) == [OLD]
    # The next run has nothing to say, and a second change finds another name.
    again: list[str] = []
    later(again).open(now)
    assert again == []
    later(again).commit(SCORES, rows(SCORES, OLD), "one")
    assert again[0].startswith("gold.scores is set aside as gold.scores_set_aside_2: ")
    assert read(later(), SCORES) == [OLD]
