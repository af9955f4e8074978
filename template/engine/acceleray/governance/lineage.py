"""The way back from a row to what made it: prices, seed, model, code, settings and Delta versions.

Pure functions over rows of `gold.runs` and `gold.run_tables`, given as mappings from column to value.
"""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from acceleray.errors import PortfolioError
from acceleray.tables.contract import Column, Table, literal, quoted

Row = Mapping[str, Any]
Value = str | float | int | bool | date | datetime
# How far a number may be from what is shown of it, relative to it.
_SHOWN = 1e-5


@dataclass(frozen=True)
class RunEvidence:
    """Evidence of one run; `run` is None if it ended before it wrote its evidence."""

    run_id: str
    run: Row | None
    touches: tuple[Row, ...]


@dataclass(frozen=True)
class Load:
    """One load of prices."""

    source: str
    load_id: str
    loaded_at: datetime | None


def parse_key(table: Table, pairs: Sequence[str]) -> dict[str, Value]:
    """Return `KEY=VALUE` arguments as values of the columns' types.

    Raises:
        PortfolioError: an argument has no `=`, names no column of the table, or does not fit its type.
    """
    columns = {column.name: column for column in table.columns}
    values: dict[str, Value] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            key = _listed(table.key)
            raise PortfolioError(f"Write KEY=VALUE, not '{pair}'; the key of {table.label} is {key}.")
        if name not in columns:
            close = difflib.get_close_matches(name, columns, n=1)
            hint = f"did you mean {close[0]}? Its" if close else "its"
            raise PortfolioError(
                f"{table.label} has no column '{name}'; {hint} columns are {_listed(table.column_names)}."
            )
        values[name] = _value(columns[name], text)
    return values


def predicate(values: Mapping[str, Value]) -> str:
    """Return the SQL condition that a row holds these values; true for none.

    Spark and DataFusion read it alike. Numbers with a fraction are shown with six digits; such a one finds
    its row all the same.
    """
    return " AND ".join(_is(quoted(name), value) for name, value in values.items()) or "true"


def evidence(run_ids: Iterable[str], runs: Iterable[Row], run_tables: Iterable[Row]) -> list[RunEvidence]:
    """Return the evidence of each run once, the one that ended last first; stopped ones come last."""
    known = {row["run_id"]: row for row in runs}
    touches: dict[str, list[Row]] = {}
    for row in run_tables:
        touches.setdefault(row["run_id"], []).append(row)
    found = [RunEvidence(one, known.get(one), tuple(touches.get(one, ()))) for one in sorted(set(run_ids))]
    return sorted(found, key=_finished, reverse=True)


def loads_of(keys: Iterable[Row], received: Iterable[Load]) -> list[Load]:
    """Return the loads that rows came with, by their `source` and, where they name it, `load_id`.

    A table that does not name the load was made from all that is there now: the newest load and what it left
    as it was.
    """
    present = {(load.source, load.load_id): load for load in received}
    newest: dict[str, Load] = {}
    for load in sorted(present.values(), key=lambda one: (one.loaded_at is not None, one.loaded_at or 0)):
        newest[load.source] = load
    found: list[Load] = []
    for key in keys:
        if load_id := key.get("load_id"):
            found.append(present.get((key["source"], load_id), Load(key["source"], load_id, None)))
        else:
            found += [newest[key["source"]]] if key["source"] in newest else []
    return found


def runs_of_load(load: Load, runs: Iterable[Row]) -> list[str]:
    """Return the runs that worked on a load of prices, or on a later one that left its rows as they were.

    Rows that a later load moved are of that load, so a row that is there was there for every later run.
    """
    return [row["run_id"] for row in runs if row["source"] == load.source and _has(load, row)]


def _has(load: Load, run: Row) -> bool:
    later = (
        load.loaded_at is not None and run["finished_at"] is not None and run["finished_at"] > load.loaded_at
    )
    return bool(run["load_id"] == load.load_id or later)


def describe_load(load: Load, readers: Sequence[RunEvidence], table: Table) -> list[str]:
    """Return lines on a load of prices and on what each run that worked on it did with a table."""
    lines = [f"Load {load.load_id}", f"  Source         {load.source}"]
    if load.loaded_at is not None:
        lines.append(f"  Received       {_moment(load.loaded_at)}")
    if not readers:
        return [*lines, "  Runs           none has finished with this load"]
    for number, reader in enumerate(readers):
        lines.append(f"  {'Runs' if number == 0 else '':<15}{summary(reader)}{_use(reader, table)}")
    return lines


def describe_run(found: RunEvidence, code_version: str = "") -> list[str]:
    """Return lines on everything that decided a run's numbers, and on every table it read and wrote.

    Args:
        found: the run's evidence.
        code_version: of the code that is here now, `<engine>-<project>`, to say whether it is the run's.
    """
    lines = [f"Run {found.run_id}"]
    if found.run is None:
        lines.append("  gold.runs has no row of it: the run was stopped. Run the workload again.")
    else:
        lines += _facts(found.run, code_version)
    if found.touches:
        lines.append("  Tables, with the Delta version of each")
        lines += [f"    {line}" for line in _touch_lines(found.touches)]
    return lines


def summary(found: RunEvidence) -> str:
    """Return a run on one line."""
    if found.run is None:
        return f"{found.run_id}  stopped early"
    run = found.run
    return f"{found.run_id}  {run['workload']}  as of {run['as_of']}  finished {_moment(run['finished_at'])}"


def _facts(run: Row, code_version: str) -> list[str]:
    facts = [
        ("Workload", run["workload"]),
        ("As of", run["as_of"]),
        ("Finished", _moment(run["finished_at"])),
        ("Prices", run["source"]),
        ("Load", run["load_id"]),
        ("Seed", run["seed"]),
        ("Model", run["model_uri"] or "none"),
        ("Code version", run["code_version"] + _compared(run["code_version"], code_version)),
        ("MLflow run", run["mlflow_run_id"]),
    ]
    lines = [f"  {name:<15}{value}" for name, value in facts]
    settings = _settings(run["settings_json"])
    return [*lines, f"  {'Settings':<15}{settings[0]}", *[f"{'':<17}{line}" for line in settings[1:]]]


def _compared(then: str, now: str) -> str:
    """Return whether engine and project are today what they were, in words; nothing if that is not asked."""
    if not now:
        return ""
    if then == now:
        return "  (the current code is the same)"
    (engine, _, project), (engine_now, _, project_now) = then.partition("-"), now.partition("-")
    if engine == engine_now:
        return "  (the current engine is the same, src/portfolio differs)"
    also = "src/portfolio is the same" if project == project_now else "src/portfolio differs too"
    return f"  (the current engine is another, {engine_now}; {also})"


def _settings(text: str) -> list[str]:
    content = json.loads(text)
    alone = [f"{name}={_json(value)}" for name, value in content.items() if not isinstance(value, dict)]
    lines = ["  ".join(alone)] if alone else []
    for section, values in content.items():
        if isinstance(values, dict):
            lines.append("  ".join(f"{section}.{name}={_json(value)}" for name, value in values.items()))
    return lines or ["none"]


def _touch_lines(touches: Sequence[Row]) -> list[str]:
    header = ("stage", "", "table", "version", "rows", "fingerprint")
    columns = ("stage", "direction", "table_name", "version", "row_count", "fingerprint")
    body = [tuple(str(row[name]) for name in columns) for row in sorted(touches, key=_touch_order)]
    widths = [max(len(line[index]) for line in (header, *body)) for index in range(len(header))]
    return [
        "  ".join(
            text.rjust(width) if name in ("version", "rows") else text.ljust(width)
            for text, width, name in zip(line, widths, header, strict=True)
        ).rstrip()
        for line in (header, *body)
    ]


def _touch_order(row: Row) -> tuple[Any, ...]:
    return row["stage"], row["direction"], row["table_name"]


def _use(found: RunEvidence, table: Table) -> str:
    mine = [row for row in found.touches if row["table_name"] == table.label]
    mine.sort(key=_touch_order)
    uses = [f"{row['direction']} version {row['version']} in {row['stage']}" for row in mine]
    return f"  ({', '.join(uses)})" if uses else ""


def _finished(found: RunEvidence) -> str:
    return "" if found.run is None else f"{found.run['finished_at']:%Y-%m-%d %H:%M:%S.%f}"


def _value(column: Column, text: str) -> Value:
    try:
        match column.type:
            case "double":
                return float(text)
            case "long":
                return int(text)
            case "boolean":
                return {"true": True, "yes": True, "false": False, "no": False}[text.lower()]
            case "date":
                return date.fromisoformat(text)
            case "timestamp":
                return datetime.fromisoformat(text)
            case _:
                return text
    except (ValueError, KeyError):
        raise PortfolioError(f"'{text}' is not a {column.type}, which column {column.name} needs.") from None


def _is(column: str, value: Value) -> str:
    if isinstance(value, float) and math.isfinite(value):
        return f"abs({column} - {_sql(value)}) <= {_sql(_SHOWN * abs(value))}"
    return f"{column} = {_sql(value)}"


def _sql(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return f"timestamp{literal(value.isoformat(sep=' '))}"
    if isinstance(value, date):
        return f"date{literal(value.isoformat())}"
    if isinstance(value, float):
        return f"CAST({literal(repr(value))} AS DOUBLE)"
    return str(value) if isinstance(value, int) else literal(value)


def _json(value: Any) -> str:
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)


def _moment(value: datetime) -> str:
    return f"{value:%Y-%m-%d %H:%M:%S} UTC"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
