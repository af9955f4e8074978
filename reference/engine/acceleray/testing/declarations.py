"""Errors in the table declarations of a project."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from acceleray.tables.contract import Table


def faults(own: Iterable[Table], of_engine: Iterable[Table]) -> list[str]:
    """Return a line for everything that is wrong with a project's tables, none if all are declared well."""
    own = tuple(own)
    names = Counter(table.name for table in (*own, *of_engine))
    return [line for table in own for line in _of(table, names)]


def _of(table: Table, names: Counter[str]) -> Iterator[str]:
    if names[table.name] > 1:
        yield f"{table.label}: {names[table.name]} tables have this name; choose another one."
    if len(set(table.column_names)) < len(table.columns):
        yield f"{table.label}: a column is declared twice."
    declared = {column.name: column for column in table.columns}
    for name in table.key:
        if name not in declared:
            yield f"{table.label}: {name} is in the key but is no column; declare it."
        elif declared[name].nullable:
            yield f"{table.label}: {name} is in the key and may be empty; take nullable=True away."
    if table.scope not in table.key:
        yield f"{table.label}: a commit replaces one {table.scope}, which is not in the key; add it."
    for column in table.columns:
        if not column.comment:
            yield f"{table.label}: {column.name} has no comment; say what it means."
