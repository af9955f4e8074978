"""Table access of the reading commands, without Spark if the tables are files of this machine."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from acceleray.cli import text
from acceleray.engines.delta.files import ConditionError
from acceleray.engines.delta.reader import Reader, columns_of, reader, records
from acceleray.errors import PortfolioError
from acceleray.governance import lineage
from acceleray.runtime.project import Project
from acceleray.settings import Settings
from acceleray.tables import KEPT_WORK, PRICES_RECEIVED, RUN_TABLES, RUNS, Table
from acceleray.tables.contract import literal
from acceleray.whole_files import put_in_place

# Kilobytes of letters a row, which say nothing to a person; a CSV file has them.
_NOT_SHOWN = {KEPT_WORK.label: "payload"}


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
        raise PortfolioError(f"'{name}' is not unique; use {labels}.")
    known = {table.label: table.label for table in every} | {table.name: table.label for table in every}
    close = difflib.get_close_matches(wanted, known, n=1)
    hint = f"did you mean {known[close[0]]}?" if close else "`portfolio tables` lists them."
    raise PortfolioError(f"Unknown table '{name}'; {hint}")


def list_tables(settings: Settings, project: Project) -> list[str]:
    """Return a line for every declared table: rows, newest version, when it was committed, comment."""
    rows: list[tuple[Any, ...]] = []
    with reader(settings) as tables:
        for table in project.all_tables():
            if not tables.exists(table):
                rows.append((table.label, None, None, "not created yet", table.comment))
                continue
            found = tables.overview(table)
            at = f"{found.committed:%Y-%m-%d %H:%M}" if found.committed else None
            rows.append((table.label, found.rows, found.version, at, table.comment))
    names = ("table", "rows", "version", "last commit (UTC)", "comment")
    return text.table(names, rows, text.terminal_width())


def show_table(settings: Settings, table: Table, where: str | None, limit: int) -> tuple[list[str], str]:
    """Return up to `limit` rows as lines, and a line that says how many there are in all.

    Raises:
        PortfolioError: the condition does not fit the table.
    """
    with reader(settings) as tables, _condition(where):
        if not tables.exists(table):
            return [], _not_created(table)
        total = tables.count(table, where)
        unread = _NOT_SHOWN.get(table.label)
        wanted = [name for name in table.column_names if name != unread] if unread else []
        rows = tables.rows(table, wanted, where, limit)
    shown = rows.num_rows
    hint = "" if shown == total else "; --limit N shows more, --csv FILE writes all of them"
    values = list(zip(*columns_of(rows), strict=True))
    lines = text.table(rows.column_names, values, text.terminal_width()) if shown else []
    return lines, f"{table.label}: {shown} of {_counted(total)}{hint}"


def write_csv(
    settings: Settings, table: Table, where: str | None, limit: int | None, target: Path
) -> tuple[int, str]:
    """Write the matching rows to a CSV file, whole or not at all; return how many, and a line on it.

    Raises:
        PortfolioError: the file cannot be written, or the condition does not fit the table.
    """
    refuse_unwritable(target)
    with reader(settings) as tables, _condition(where):
        if not tables.exists(table):
            return 0, _not_created(table)
        rows = tables.rows(table, where=where, limit=limit)
    replace_csv(target, rows)
    return rows.num_rows, f"{table.label}: {_counted(rows.num_rows)} written to {target}"


def trace(settings: Settings, table: Table, pairs: Sequence[str], project: Project) -> tuple[list[str], str]:
    """Return where the rows with these values come from; no line and a reason if there are none.

    Raises:
        PortfolioError: an argument does not fit the table.
    """
    where = lineage.predicate(lineage.parse_key(table, pairs))
    with reader(settings) as tables:
        if not tables.exists(table):
            return [], _not_created(table)
        if table.scope == "source":
            lines = _trace_source(tables, table, where)
        else:
            lines = _trace_runs(tables, table, where, project.code_version())
    asked = " ".join(pairs) or "any value"
    return lines, "" if lines else f"{table.label} has no row with {asked}."


def _trace_runs(tables: Reader, table: Table, where: str, code_version: str) -> list[str]:
    """Return the whole story of the latest of the runs, and a line on each of the others."""
    run_ids = tables.rows(table, ["run_id"], where, distinct=True).column("run_id").to_pylist()
    if not run_ids:
        return []
    found = lineage.evidence(run_ids, _rows(tables, RUNS), ())
    latest, others = found[0], found[1:]
    touches = _rows(tables, RUN_TABLES, f"run_id = {literal(latest.run_id)}")
    lines = lineage.describe_run(replace(latest, touches=tuple(touches)), code_version)
    if others:
        which = "1 other run has" if len(others) == 1 else f"{len(others)} other runs have"
        lines += ["", f"{which} such a row; add run_id=... for all rows of one run."]
    return [*lines, *[f"  {lineage.summary(one)}" for one in others]]


def _trace_source(tables: Reader, table: Table, where: str) -> list[str]:
    columns = [name for name in ("source", "load_id") if name in table.column_names]
    keys = records(
        tables.rows(table, columns, where, distinct=True).sort_by([(n, "ascending") for n in columns])
    )
    if not keys:
        return []
    received = records(tables.rows(PRICES_RECEIVED, ["source", "load_id", "loaded_at"], distinct=True))
    newest: dict[tuple[str, str], Any] = {}
    for row in received:
        at = newest.get((row["source"], row["load_id"]))
        newest[row["source"], row["load_id"]] = row["loaded_at"] if at is None else max(at, row["loaded_at"])
    loads = [lineage.Load(*load, at) for load, at in newest.items()]
    runs = _rows(tables, RUNS)
    uses = _rows(tables, RUN_TABLES, f"table_name = {literal(table.label)}")
    lines: list[str] = []
    for load in lineage.loads_of(keys, loads):
        readers = lineage.evidence(lineage.runs_of_load(load, runs), runs, uses)
        lines += [*lineage.describe_load(load, readers, table), ""]
    return lines[:-1]


@contextmanager
def _condition(where: str | None) -> Iterator[None]:
    """Say in one line what is wrong with a condition."""
    try:
        yield
    except ConditionError as error:
        raise PortfolioError(f"--where {where!r} does not work: {error}") from None


def _rows(tables: Reader, table: Table, where: str | None = None) -> list[dict[str, Any]]:
    return records(tables.rows(table, where=where)) if tables.exists(table) else []


def refuse_unwritable(target: Path) -> None:
    """Refuse a file that cannot be written, before anything is read for it.

    Raises:
        PortfolioError: it is a folder, or its folder does not exist.
    """
    if target.is_dir() or not target.absolute().parent.is_dir():
        raise PortfolioError(f"{target} cannot be written: it is a folder, or its folder does not exist.")


def replace_csv(target: Path, rows: pa.Table) -> None:
    """Write rows to a CSV file, whole or not at all.

    Raises:
        PortfolioError: permission is denied.
    """
    from pyarrow import csv

    scratch = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        csv.write_csv(rows, scratch)
        put_in_place(scratch, target)
    except PermissionError:
        raise PortfolioError(f"{target} cannot be written: permission denied.") from None
    finally:
        with suppress(OSError):
            scratch.unlink(missing_ok=True)


def _counted(rows: int) -> str:
    return f"{rows} row{'' if rows == 1 else 's'}"


def _not_created(table: Table) -> str:
    return f"{table.label} has not been created yet; run a workload that writes it."
