"""Rows of every run in the tables: of the documented run, and of earlier ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from acceleray.engines.delta.files import FilesReader
from acceleray.engines.delta.log import UnreadableLogError
from acceleray.engines.delta.reader import Reader
from acceleray.report.model_document.cells import declared
from acceleray.report.rows import Reads
from acceleray.runtime.run import Run
from acceleray.settings.topology import in_catalog
from acceleray.tables import Table
from acceleray.tables.contract import literal, quoted
from acceleray.tables.stored import MisfitError


class Kept(Protocol):
    """Rows of any run."""

    def rows(self, table: Table, scope: str | None = None) -> pa.Table:
        """Return the declared columns, of one run or price source or of all; none without a table."""


class KeptInTables:
    """Rows as the reading commands find them, without a run."""

    def __init__(self, tables: Reader) -> None:
        """Keep what reads the tables of an environment."""
        self._tables = tables

    def rows(self, table: Table, scope: str | None = None) -> pa.Table:
        """Return the declared columns, of one run or price source or of all; none without a table."""
        if not self._tables.exists(table):
            return table.arrow_schema.empty_table()
        return self._tables.rows(_whole(table), table.column_names, _where(table, scope))


class KeptByRun:
    """Rows as a run finds them while it is at work: its own, and those of others."""

    def __init__(self, run: Run) -> None:
        """Keep the run, and read files of this machine without Spark."""
        self._run = run
        self._files = None if in_catalog(run.settings) else FilesReader(run.settings)

    def rows(self, table: Table, scope: str | None = None) -> pa.Table:
        """Return the declared columns, of one run or price source or of all; none without a table."""
        if not self._run.lake.exists(table):
            return table.arrow_schema.empty_table()
        if self._files is not None:
            try:
                return self._files.rows(_whole(table), table.column_names, _where(table, scope))
            except MisfitError:
                # Of an older release, and not written by this run: a run that writes it sets it aside.
                return table.arrow_schema.empty_table()
            except (UnreadableLogError, FileNotFoundError):
                self._files = None
        return self._run.lake.read(table, scope).toArrow()


def reads(kept: Kept, run_id: str, source: str) -> Reads:
    """Return what gives the rows of one run, as `acceleray.report.rows.Reads` says.

    Tables of a price source have its rows as they are now: a later load may have replaced them.
    """

    def read(table: Table, per: Sequence[str] = (), **among: Sequence[Any]) -> pa.Table:
        rows = kept.rows(table, source if table.scope == "source" else run_id)
        for name, values in among.items():
            few = pa.array(list(values), rows.schema.field(name).type)
            rows = rows.filter(pc.is_in(rows[name], value_set=few))
        return _summed(rows, table, per) if per else rows

    return read


def _summed(rows: pa.Table, table: Table, per: Sequence[str]) -> pa.Table:
    others = [name for name in table.column_names if name not in per]
    wanted = [(name, which) for which in ("min", "max") for name in others]
    summed = rows.group_by(list(per)).aggregate([([], "count_all"), *wanted])
    return summed.rename_columns(["rows" if name == "count_all" else name for name in summed.column_names])


def _whole(table: Table) -> Table:
    # Rows are sorted by a key that a narrowed declaration may lack.
    return declared(table.label) or table


def _where(table: Table, scope: str | None) -> str | None:
    return None if scope is None else f"{quoted(table.scope)} = {literal(scope)}"
