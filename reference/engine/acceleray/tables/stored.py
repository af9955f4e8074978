"""A stored table compared with its declaration: how it evolves, or why it cannot."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from acceleray.errors import PortfolioError
from acceleray.tables.contract import CONTRACT_VERSION, Table, literal, quoted

CONTRACT_PROPERTY = "portfolio.contract_version"
SCOPE_PROPERTY, KEY_PROPERTY = "portfolio.scope", "portfolio.key"
CHECK_PROPERTY = "delta.constraints."
_APPEND_ONLY_PROPERTY = "delta.appendOnly"

# Scope and key of tables that record neither, where they have changed since: 0.2.0 and before recorded none.
SCOPE_AND_KEY_UNRECORDED: Mapping[str, tuple[str, tuple[str, ...]]] = {}

# Checks that no declaration has any more: arithmetic prices may be negative, and lose more than everything.
RETIRED_CHECKS = frozenset({"price_is_positive", "adjusted_price_is_positive", "return_above_minus_one"})


class MisfitError(PortfolioError):
    """A stored table cannot take its declared form; the message says why in one line."""


@dataclass(frozen=True)
class Stored:
    """Delta metadata of a table.

    Attributes:
        columns: type as a declaration names it, and whether it may be NULL, by name.
        properties: of the table, by key.
    """

    columns: Mapping[str, tuple[str, bool]]
    properties: Mapping[str, str]

    @property
    def contract(self) -> int:
        """Return the contract that the table was written by, 0 if it does not say."""
        return int(self.properties.get(CONTRACT_PROPERTY, 0))


def properties(table: Table) -> dict[str, str]:
    """Return the part of its declaration that a new table records."""
    recorded = {CONTRACT_PROPERTY: str(CONTRACT_VERSION)}
    recorded |= {SCOPE_PROPERTY: table.scope, KEY_PROPERTY: ", ".join(table.key)}
    if table.append_only:
        recorded[_APPEND_ONLY_PROPERTY] = "true"
    return recorded | {f"{CHECK_PROPERTY}{name}": condition for name, condition in table.checks}


def refuse_newer(table: Table, stored: Stored) -> None:
    """Refuse a table that newer code wrote.

    Raises:
        PortfolioError: its contract is above this code's.
    """
    if stored.contract > CONTRACT_VERSION:
        raise PortfolioError(
            f"Table {table.label} was written by contract {stored.contract}, this code knows "
            f"{CONTRACT_VERSION}; update the project before running it here."
        )


def misfit(table: Table, stored: Stored) -> str:
    """Return why a stored table cannot take its declared form, in words, or nothing if it can."""
    scope, key = SCOPE_AND_KEY_UNRECORDED.get(table.label, (table.scope, table.key))
    scope_then = stored.properties.get(SCOPE_PROPERTY, scope)
    if scope_then != table.scope:
        return f"its scope was {scope_then} and is now {table.scope}"
    key_then, key_now = stored.properties.get(KEY_PROPERTY, ", ".join(key)), ", ".join(table.key)
    if key_then != key_now:
        return f"its key was {key_then} and is now {key_now}"
    for column in table.columns:
        if column.name not in stored.columns:
            if column.name in (*table.key, table.scope):
                return f"its rows lack {column.name}, which is now part of its key"
            continue
        type_then, _ = stored.columns[column.name]
        if type_then != column.type:
            return f"its column {column.name} was {type_then} and is now {column.type}"
    return ""


def refuse_misfit(table: Table, stored: Stored) -> None:
    """Refuse a table that cannot take its declared form; a run sets it aside instead.

    Raises:
        MisfitError: it has another key or scope, or a column of another type.
    """
    if reason := misfit(table, stored):
        raise MisfitError(
            f"{table.label} does not fit its declaration: {reason}; run a workload that uses it, and it is "
            "set aside by name."
        )


def evolution(table: Table, stored: Stored) -> list[str]:
    """Return what to alter so that rows as declared can be written, each as it follows ALTER TABLE <name>.

    Rows that are there stay, with NULL in columns that are new; a column that is no longer declared stays,
    with NULL in new rows.
    """
    outdated = _outdated_checks(table, stored)
    clauses = [f"DROP CONSTRAINT {quoted(name)}" for name in outdated]
    clauses += [
        f"ADD CONSTRAINT {quoted(name)} CHECK ({outdated[name]})" for name in outdated if outdated[name]
    ]
    declared = {column.name: column for column in table.columns}
    clauses += [
        f"ALTER COLUMN {quoted(name)} DROP NOT NULL"
        for name, (_, nullable) in stored.columns.items()
        if not nullable and (name not in declared or declared[name].nullable)
    ]
    added = [column for column in table.columns if column.name not in stored.columns]
    if added:
        clauses.append(f"ADD COLUMNS ({', '.join(replace(column, nullable=True).sql for column in added)})")
    if stored.contract < CONTRACT_VERSION:
        clauses.append(f"SET TBLPROPERTIES ({literal(CONTRACT_PROPERTY)} = {literal(str(CONTRACT_VERSION))})")
    return clauses


def _outdated_checks(table: Table, stored: Stored) -> dict[str, str]:
    """Return the checks that new rows could break: changed and retired ones, and those on columns no longer
    declared; and what is set in their place.

    That is nothing for a changed one, because rows that are there may break it; new tables have it. One that
    only says the same in other words is set again.
    """
    gone = set(stored.columns) - set(table.column_names)
    declared = {name.lower(): condition for name, condition in table.checks}
    found = (
        (key.removeprefix(CHECK_PROPERTY), condition)
        for key, condition in stored.properties.items()
        if key.startswith(CHECK_PROPERTY)
    )
    return {
        name: declared[name.lower()] if _in_other_words(condition) == declared.get(name.lower()) else ""
        for name, condition in found
        if declared.get(name.lower(), condition) != condition
        or (
            name.lower() not in declared
            and (name.lower() in RETIRED_CHECKS or gone & set(re.findall(r"\w+", condition)))
        )
    }


def _in_other_words(condition: str) -> str:
    """Return a check of releases before 0.3.0 as it is declared now: delta-rs knows no function `double`."""
    return condition.replace("double('infinity')", "CAST('infinity' AS DOUBLE)")
