"""What the reading commands ask of the tables; each opens Spark, asks, and closes it again."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acceleray.cli import text
from acceleray.engines.processes.signals import first_line
from acceleray.errors import PortfolioError
from acceleray.governance import lineage
from acceleray.runtime.project import Project
from acceleray.settings import Settings
from acceleray.tables import PRICES_RECEIVED, RUN_TABLES, RUNS, Table

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

    from acceleray.engines.delta.lake import Lake

# More runs than this are listed one a line instead of being told in full.
_TOLD_IN_FULL = 3


def find_table(name: str, project: Project) -> Table:
    """Return the table with this label (gold.runs) or this bare name (runs).

    Raises:
        PortfolioError: there is none.
    """
    wanted, every = name.strip().lower(), project.all_tables()
    for table in every:
        if wanted == table.label:
            return table
    named = [table for table in every if wanted == table.name]
    if len(named) == 1:
        return named[0]
    if named:
        labels = " or ".join(table.label for table in named)
        raise PortfolioError(f"'{name}' is not unique; say {labels}.")
    known = {table.label: table.label for table in every} | {table.name: table.label for table in every}
    close = difflib.get_close_matches(wanted, known, n=1)
    hint = f"did you mean {known[close[0]]}?" if close else "`portfolio tables` lists them."
    raise PortfolioError(f"Unknown table '{name}'; {hint}")


def list_tables(settings: Settings, project: Project) -> list[str]:
    """Return a line for every declared table: rows, newest version, when it was committed, comment."""
    rows: list[tuple[Any, ...]] = []
    with _lake(settings) as lake:
        for table in project.all_tables():
            if not lake.exists(table):
                rows.append((table.label, None, None, "not created yet", table.comment))
                continue
            count = lake.read(table).count()
            history = lake.spark.sql(f"DESCRIBE HISTORY {lake.identifier(table)} LIMIT 1")
            newest = history.selectExpr("version", "date_format(timestamp, 'yyyy-MM-dd HH:mm')")
            version, at = newest.collect()[0]
            rows.append((table.label, count, version, at, table.comment))
    names = ("table", "rows", "version", "last commit (UTC)", "comment")
    return text.table(names, rows, text.terminal_width())


def show_table(settings: Settings, table: Table, where: str | None, limit: int) -> tuple[list[str], str]:
    """Return up to `limit` rows as lines, and a line that says how many there are in all.

    Raises:
        PortfolioError: the condition is not one that Spark understands.
    """
    with _lake(settings) as lake, _condition(where):
        matching = _matching(lake, table, where)
        if matching is None:
            return [], _not_created(table)
        total = matching.count()
        rows = _fetched(matching.orderBy(*table.key).limit(limit))
    shown = rows.num_rows
    hint = "" if shown == total else "; --limit N shows more, --csv FILE writes all of them"
    values = list(zip(*[column.to_pylist() for column in rows.columns], strict=True))
    lines = text.table(rows.column_names, values, text.terminal_width()) if shown else []
    return lines, f"{table.label}: {shown} of {_counted(total)}{hint}"


def write_csv(
    settings: Settings, table: Table, where: str | None, limit: int | None, target: Path
) -> tuple[int, str]:
    """Write the matching rows to a CSV file, whole or not at all; return how many, and a line on it.

    Raises:
        PortfolioError: the file cannot be written, or the condition is not one that Spark understands.
    """
    if target.is_dir() or not target.absolute().parent.is_dir():
        raise PortfolioError(f"{target} cannot be written: it is a folder, or its folder does not exist.")
    with _lake(settings) as lake, _condition(where):
        matching = _matching(lake, table, where)
        if matching is None:
            return 0, _not_created(table)
        ordered = matching.orderBy(*table.key)
        rows = _fetched(ordered if limit is None else ordered.limit(limit))
    _replace(target, rows)
    return rows.num_rows, f"{table.label}: {_counted(rows.num_rows)} written to {target}"


def trace(settings: Settings, table: Table, pairs: Sequence[str]) -> tuple[list[str], str]:
    """Return where the rows with these values come from; no line and a reason if there are none.

    Raises:
        PortfolioError: an argument does not fit the table.
    """
    values = lineage.parse_key(table, pairs)
    with _lake(settings) as lake:
        if not lake.exists(table):
            return [], _not_created(table)
        matching = lake.read(table).where(lineage.predicate(values))
        if table.scope == "source":
            lines = _trace_source(lake, table, matching)
        else:
            lines = _trace_runs(lake, matching)
    asked = " ".join(pairs) or "any value"
    return lines, "" if lines else f"{table.label} has no row with {asked}."


def _trace_runs(lake: Lake, matching: DataFrame) -> list[str]:
    run_ids = [row[0] for row in matching.select("run_id").distinct().collect()]
    if not run_ids:
        return []
    found = lineage.evidence(run_ids, _rows(lake, RUNS), _rows(lake, RUN_TABLES))
    if len(found) > _TOLD_IN_FULL:
        heading = f"{len(found)} runs have such a row; add run_id=... for the whole story of one."
        return [heading, *[f"  {lineage.summary(one)}" for one in found]]
    return [line for one in found for line in (*lineage.describe_run(one), "")][:-1]


def _trace_source(lake: Lake, table: Table, matching: DataFrame) -> list[str]:
    columns = [name for name in ("source", "load_id") if name in table.column_names]
    keys = [row.asDict() for row in matching.select(*columns).distinct().orderBy(*columns).collect()]
    if not keys:
        return []
    received = lake.read(PRICES_RECEIVED).groupBy("source", "load_id").agg({"loaded_at": "max"})
    loads = [lineage.Load(*row.values()) for row in _fetched(received).to_pylist()]
    runs, run_tables = _rows(lake, RUNS), _rows(lake, RUN_TABLES)
    lines: list[str] = []
    for load in lineage.loads_of(keys, loads):
        readers = lineage.evidence(lineage.runs_of_load(load, runs), runs, run_tables)
        lines += [*lineage.describe_load(load, readers, table), ""]
    return lines[:-1]


@contextmanager
def _lake(settings: Settings) -> Iterator[Lake]:
    from acceleray.engines.delta.lake import Lake
    from acceleray.engines.spark.session import spark_session

    with spark_session(settings) as session:
        yield Lake(session, settings)


@contextmanager
def _condition(where: str | None) -> Iterator[None]:
    """Say in one line what Spark does not like about a condition."""
    from pyspark.errors import PySparkException

    try:
        yield
    except PySparkException as error:
        if where is None:
            raise
        reason = first_line(error).partition(" SQLSTATE:")[0]
        raise PortfolioError(f"--where {where!r} does not work: {reason}") from None


def _matching(lake: Lake, table: Table, where: str | None) -> DataFrame | None:
    if not lake.exists(table):
        return None
    rows = lake.read(table)
    return rows if where is None else rows.where(where)


def _fetched(rows: DataFrame) -> pa.Table:
    return rows.toArrow()


def _rows(lake: Lake, table: Table) -> list[dict[str, Any]]:
    return _fetched(lake.read(table)).to_pylist() if lake.exists(table) else []


def _replace(target: Path, rows: pa.Table) -> None:
    from pyarrow import csv

    scratch = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        csv.write_csv(rows, scratch)
        scratch.replace(target)
    except PermissionError:
        raise PortfolioError(f"{target} cannot be written: permission denied.") from None
    finally:
        with suppress(OSError):
            scratch.unlink(missing_ok=True)


def _counted(rows: int) -> str:
    return f"{rows} row{'' if rows == 1 else 's'}"


def _not_created(table: Table) -> str:
    return f"{table.label} has not been created yet; run a workload that writes it."
