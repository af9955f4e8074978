"""A stored table evolves into its declaration, or the reason why it cannot is said in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from acceleray.tables import PRICES, stored
from acceleray.tables.contract import CONTRACT_VERSION, Column, Table, source_column
from acceleray.tables.stored import (
    KEY_PROPERTY,
    SCOPE_PROPERTY,
    Stored,
    evolution,
    misfit,
    properties,
)

LOANS = Table(
    layer="gold",
    name="loans",
    comment="Loans.",
    scope="source",
    key=("source", "loan_id"),
    columns=(
        source_column(),
        Column("loan_id", "string", "Loan"),
        Column("rate", "double", "Rate"),
        Column("note", "string", "Note", nullable=True),
    ),
    checks=(("rate_is_positive", "rate > 0"), ("a_note_says_something", "note <> ''")),
)


def as_stored(table: Table, without: tuple[str, ...] = ()) -> Stored:
    """Return what Delta knows of a table that was created as declared, less some properties."""
    kept: Mapping[str, str] = {k: v for k, v in properties(table).items() if k not in without}
    return Stored({column.name: (column.type, column.nullable) for column in table.columns}, kept)


def less(table: Table, *names: str) -> Table:
    return replace(table, columns=tuple(column for column in table.columns if column.name not in names))


def test_a_table_as_declared_is_left_as_it_is() -> None:
    assert (misfit(LOANS, as_stored(LOANS)), evolution(LOANS, as_stored(LOANS))) == ("", [])
    # 0.2.0 recorded neither.
    before = as_stored(LOANS, (KEY_PROPERTY, SCOPE_PROPERTY))
    assert (misfit(LOANS, before), evolution(LOANS, before)) == ("", [])


def test_a_new_column_is_added_and_may_be_missing_in_rows_that_are_there() -> None:
    there = as_stored(less(LOANS, "rate"))
    assert misfit(LOANS, there) == ""
    assert evolution(LOANS, there) == ["ADD COLUMNS (`rate` DOUBLE COMMENT 'Rate')"]


def test_a_column_that_is_declared_no_more_may_be_missing_in_new_rows() -> None:
    now = replace(less(LOANS, "rate"), checks=LOANS.checks[1:])
    assert misfit(now, as_stored(LOANS)) == ""
    assert evolution(now, as_stored(LOANS)) == [
        "DROP CONSTRAINT `rate_is_positive`",
        "ALTER COLUMN `rate` DROP NOT NULL",
    ]


def test_a_check_that_now_allows_more_is_dropped_because_new_rows_would_break_it() -> None:
    now = replace(LOANS, checks=(("rate_is_positive", "rate > -1"), LOANS.checks[1]))
    assert misfit(now, as_stored(LOANS)) == ""
    assert evolution(now, as_stored(LOANS)) == ["DROP CONSTRAINT `rate_is_positive`"]
    # Once it is gone there is nothing left to do.
    gone = as_stored(replace(LOANS, checks=LOANS.checks[1:]))
    assert evolution(now, gone) == []


def test_a_check_that_is_given_up_is_dropped_and_one_of_the_user_stays() -> None:
    # A price may be negative now where it is declared arithmetic, as that of oil was.
    there = replace(LOANS, checks=(*LOANS.checks, ("price_is_positive", "rate > 0"), ("own", "rate < 9")))
    assert evolution(LOANS, as_stored(there)) == ["DROP CONSTRAINT `price_is_positive`"]


def test_an_older_contract_is_raised() -> None:
    older = Stored(as_stored(LOANS).columns, {**as_stored(LOANS).properties, stored.CONTRACT_PROPERTY: "1"})
    assert evolution(LOANS, older) == [
        f"SET TBLPROPERTIES ('{stored.CONTRACT_PROPERTY}' = '{CONTRACT_VERSION}')"
    ]


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (replace(LOANS, key=("source", "rate")), "its key was source, loan_id and is now source, rate"),
        (replace(LOANS, scope="run_id"), "its scope was source and is now run_id"),
        (
            replace(less(LOANS, "rate"), columns=(*less(LOANS, "rate").columns, Column("rate", "long", ""))),
            "its column rate was double and is now long",
        ),
    ],
)
def test_another_key_scope_or_type_is_no_evolution(now: Table, reason: str) -> None:
    assert misfit(now, as_stored(LOANS)) == reason


def test_a_key_that_was_not_recorded_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "SCOPE_AND_KEY_UNRECORDED", {"gold.loans": ("source", ("source",))})
    before = as_stored(LOANS, (KEY_PROPERTY, SCOPE_PROPERTY))
    assert misfit(LOANS, before) == "its key was source and is now source, loan_id"
    assert misfit(LOANS, as_stored(LOANS)) == "", "what a table records counts"


def test_rows_without_a_column_of_the_key_are_no_rows_of_the_table() -> None:
    before = as_stored(less(LOANS, "loan_id"), (KEY_PROPERTY,))
    assert misfit(LOANS, before) == "its rows lack loan_id, which is now part of its key"


def test_a_check_that_says_the_same_in_other_words_is_set_again() -> None:
    before = Stored(
        as_stored(PRICES).columns, {"delta.constraints.price_is_finite": "abs(price) < double('infinity')"}
    )
    assert evolution(PRICES, before)[:2] == [
        "DROP CONSTRAINT `price_is_finite`",
        "ADD CONSTRAINT `price_is_finite` CHECK (abs(price) < CAST('infinity' AS DOUBLE))",
    ]
    changed = Stored(before.columns, {"delta.constraints.price_is_finite": "price > 0"})
    assert not any("ADD CONSTRAINT" in clause for clause in evolution(PRICES, changed))
