"""The keys that Unity Catalog is told, looked for in the tables that runs left: nothing else checks them."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from acceleray.engines.delta.catalogue import POINTED_TO
from acceleray.tables.catalogued import foreign_keys, primary_key
from acceleray.tables.contract import Table
from portfolio import PROJECT


def stored(state: Path) -> dict[str, pa.Table]:
    """Return the rows of every table that there is, by its label, without a Spark."""
    found = {}
    for table in PROJECT.all_tables():
        for folder in (state / "warehouse").glob(f"{table.layer}*/{table.name}"):
            found[table.label] = DeltaTable(str(folder)).to_pyarrow_table()
    return found


def broken_keys(rows: dict[str, pa.Table]) -> list[str]:
    """Return a line for each key that is there twice or not at all, and each row that points to none."""
    found = []
    for table in PROJECT.all_tables():
        if table.label in rows:
            found += _own(table, rows[table.label], _names(primary_key(table)[1]))
            for other, name, columns in foreign_keys(table, POINTED_TO):
                found += _pointing(table, rows, other, name, _names(columns))
    return found


def _own(table: Table, rows: pa.Table, key: list[str]) -> list[str]:
    empty = [name for name in key if rows[name].null_count]
    twice = len(rows) - len(rows.group_by(key).aggregate([]))
    found = [f"{table.label}: {name} is NULL in {rows[name].null_count} rows" for name in empty]
    return found + ([f"{table.label}: {twice} rows have the key of another"] if twice else [])


def _pointing(table: Table, rows: dict[str, pa.Table], other: Table, name: str, key: list[str]) -> list[str]:
    mine = rows[table.label].select(key)
    # As SQL has it, a row points nowhere if any of its columns is NULL.
    for column in key:
        mine = mine.filter(pc.is_valid(mine[column]))
    there = rows[other.label].select(key) if other.label in rows else mine.slice(0, 0)
    lost = mine.group_by(key).aggregate([]).join(there, key, join_type="left anti")
    return [f"{table.label}: {name} leads nowhere for {lost.slice(0, 1).to_pylist()}"] if len(lost) else []


def _names(columns: str) -> list[str]:
    return columns.replace("`", "").split(", ")
