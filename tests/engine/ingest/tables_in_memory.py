"""A run whose tables are in memory, for tests of what a stage commits; no engine is started."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from acceleray.engines.handoff.arrays import with_constants, without_nan
from acceleray.runtime.project import NOTHING_ADDED
from acceleray.settings import Settings
from acceleray.tables import whole
from acceleray.tables.contract import Table, quoted

# The conditions that stages replace a part of a table by.
_SINCE = re.compile(r"date >= DATE'(\d{4}-\d{2}-\d{2})'")
_NAMED = re.compile(r"`instrument_id` IN \((.*)\)")
_LITERAL = re.compile(r"'((?:[^'\\]|\\.)*)'")


class MemoryRun:
    """Stands where a run would; tables outlive it in the mapping that it is given."""

    def __init__(self, settings: Settings, source: str, tables: dict[str, pa.Table]) -> None:
        self.settings, self.source, self.tables = settings, source, tables
        self.project, self.reporter, self.lake = NOTHING_ADDED, self, self
        self.spark: Any = None
        self.said: list[str] = []
        self.written: dict[str, int] = {}

    def say(self, line: str) -> None:
        self.said.append(line)

    def exists(self, table: Table) -> bool:
        return table.label in self.tables

    def rows(self, table: Table, per: Sequence[str] = (), **among: Sequence[Any]) -> pa.Table:
        rows = self.tables.get(table.label, whole(table).arrow_schema.empty_table())
        rows = rows.filter(pc.equal(rows["source"], self.source))
        for name, values in among.items():
            rows = rows.filter(pc.is_in(rows[name], pa.array(values, rows.schema.field(name).type)))
        return rows.select(table.column_names)

    def commit(
        self,
        table: Table,
        rows: pa.Table,
        in_files: int | None = None,
        keep: bool = True,
        where: str = "true",
    ) -> None:
        rows = without_nan(with_constants(rows, table, {"source": self.source}))
        rows = rows.select(table.column_names).cast(table.arrow_schema)
        held = self.tables.get(table.label, table.arrow_schema.empty_table())
        mine = pc.equal(held["source"], self.source)
        assert pc.all(meets(rows, where), min_count=0).as_py(), "a given row is not in the part it replaces"
        stays = held.filter(pc.invert(pc.and_(mine, meets(held, where))))
        self.tables[table.label] = pa.concat_tables([stays, rows]).combine_chunks()
        self.written[table.label] = rows.num_rows

    def commit_parts(self, table: Table, parts: Callable[[], Iterable[pa.Table]]) -> None:
        self.commit(table, pa.concat_tables(list(parts())))


def meets(rows: pa.Table, where: str) -> pa.ChunkedArray:
    """Return which rows meet a condition of the form that stages write."""
    found = pa.chunked_array([pa.repeat(where == "true", len(rows))])
    rest = where
    if since := _SINCE.search(where):
        found = pc.or_(found, pc.greater_equal(rows["date"], pa.scalar(date.fromisoformat(since[1]))))
        rest = rest.replace(since[0], "")
    if named := _NAMED.search(where):
        names = [re.sub(r"\\(.)", r"\1", one) for one in _LITERAL.findall(named[1])]
        found = pc.or_(found, pc.is_in(rows["instrument_id"], pa.array(names)))
        assert quoted("instrument_id") in where
        rest = rest.replace(named[0], "")
    assert rest.strip() in ("", "OR", "true", "false"), f"a condition of another form: {where}"
    return found
