"""Rows of a table on this machine for a person who asks: read by delta-rs, without Spark, Java or a run.

delta-rs answers with DataFusion's SQL; `translated` says what a condition of Spark's means there. No run
reads its rows this way.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from acceleray.engines.delta.log import (
    Overview,
    UnreadableLogError,
    arrow,
    open_table,
    overview,
    readable,
    stored,
    table_folder,
)
from acceleray.settings import Settings
from acceleray.tables.contract import Table, quoted
from acceleray.tables.stored import refuse_misfit, refuse_newer

# Of all dialects, MySQL's takes quotes, backticks and backslashes as Spark does.
_DIALECT = {
    "datafusion.sql_parser.dialect": "mysql",
    "datafusion.sql_parser.enable_ident_normalization": "true",
}
_SQL_TYPE = {"string": "VARCHAR", "long": "BIGINT", "timestamp": "TIMESTAMP"}
_QUOTED_OR_SLASH = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`[^`]*`|/""", re.DOTALL)


class ConditionError(Exception):
    """A condition that rows cannot be asked for; the message says why in one line."""


class FilesReader:
    """The tables of a state folder, read from Delta's log and Parquet files; nothing is created or changed.

    A method of a table raises UnreadableLogError where delta-rs cannot read it: Spark may.
    """

    def __init__(self, settings: Settings) -> None:
        """Keep where tables live; nothing is opened yet."""
        self._settings = settings

    def exists(self, table: Table) -> bool:
        """Return whether the table has been created."""
        return (table_folder(self._settings, table) / "_delta_log").is_dir()

    def overview(self, table: Table) -> Overview:
        """Return rows, version and time of the last commit; `rows` is None where they have to be counted."""
        return overview(self._folder(table))

    def count(self, table: Table, where: str | None = None) -> int:
        """Return how many rows meet a condition.

        Raises:
            ConditionError: the condition does not fit the table.
        """
        counted = self._asked(table, "count(*) AS n", where)
        return int(counted.column("n")[0].as_py())

    def rows(
        self,
        table: Table,
        columns: Sequence[str] = (),
        where: str | None = None,
        limit: int | None = None,
        distinct: bool = False,
    ) -> pa.Table:
        """Return rows in the order of the key; all declared columns if none are given.

        Raises:
            ConditionError: the condition does not fit the table.
        """
        names = list(columns) or list(table.column_names)
        listed = ", ".join(map(quoted, names))
        order = ", ".join(quoted(name) for name in table.key if not distinct or name in names)
        ending = f" ORDER BY {order}" if order else ""
        ending += "" if limit is None else f" LIMIT {int(limit)}"
        found = self._asked(table, f"{'DISTINCT ' if distinct else ''}{listed}", where, ending)
        return found.cast(pa.schema([pa.field(n, table.arrow_schema.field(n).type) for n in names]))

    def _asked(self, table: Table, what: str, where: str | None, ending: str = "") -> pa.Table:
        from deltalake import QueryBuilder

        opened = open_table(self._folder(table))
        there = stored(opened)
        refuse_newer(table, there)
        refuse_misfit(table, there)
        # A column that an older contract did not have is NULL in every row.
        columns = [
            quoted(c.name)
            if c.name in there.columns
            else f"CAST(NULL AS {_SQL_TYPE.get(c.type, c.type)}) AS {quoted(c.name)}"
            for c in table.columns
        ]
        asked = f"(SELECT {', '.join(columns)} FROM stored) AS {quoted(table.name)}"

        def answer(sql: str) -> pa.Table:
            return arrow(QueryBuilder(_DIALECT).register("stored", opened).execute(sql))

        condition = "" if where is None else f" WHERE (\n{translated(where)}\n)"
        try:
            return answer(f"SELECT {what} FROM {asked}{condition}{ending}")
        except Exception as error:
            reason = _reason(error)
        # Where no row can be read without the condition either, it is not the condition.
        try:
            answer(f"SELECT * FROM {asked} LIMIT 1")
        except Exception as error:
            raise UnreadableLogError(_reason(error)) from None
        raise ConditionError(reason) if where is not None else UnreadableLogError(reason)

    def _folder(self, table: Table) -> Path:
        folder = table_folder(self._settings, table)
        if not readable(folder):
            raise UnreadableLogError(f"its path has a percent sign: {folder}")
        return folder


def translated(where: str) -> str:
    """Return a condition of Spark's in DataFusion's SQL: there `/` would drop the rest of whole numbers."""
    return _QUOTED_OR_SLASH.sub(lambda found: "* 1.0 /" if found[0] == "/" else found[0], where)


def _reason(error: BaseException) -> str:
    """Return in one line what DataFusion says, without the places in a query that nobody has typed."""
    text = str(error).split("caused by")[-1].strip()
    line = (text.splitlines() or [type(error).__name__])[0]
    inner = re.search(r"(?:Parser|Tokenizer)Error\(\"(.*)\"\)", line)
    line = inner[1].replace('\\"', '"') if inner else line
    line = re.sub(r" at Line: \d+, Column: \d+", "", line)
    return re.sub(r"^(?:(?:Schema|SQL|Arrow|External|Parquet) error: |Error during planning: )+", "", line)
