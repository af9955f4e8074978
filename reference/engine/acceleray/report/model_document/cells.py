"""Cells of a model document: values by the unit that their column declares, and where each comes from."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from acceleray.report.formats import MISSING, confidence, number, p_value, percent, printable, significant
from acceleray.report.model_document.tree import Fact, Facts, Grid, Head, Words
from acceleray.tables import ALL, RUNS, Table
from acceleray.tables.contract import Column

Row = Mapping[str, Any]
# Of every row of a run, so they are said once at the top of the document.
OF_THE_RUN = ("run_id", "as_of", "source")
_LONG = 1000.0
# Whole numbers that name something.
_NAMES = ("seed", "version", "model_version", "compared_with", "scenario", "fold", "trial", "bin", "position")


def declared(label: str) -> Table | None:
    """Return the declaration of a table by its label, None if the engine has no such table."""
    return next((table for table in ALL if table.label == label), None)


def source(table: Table, *columns: str) -> str:
    """Return where a number comes from: the table, and the columns that it declares of those named.

    Raises:
        ValueError: it declares none of them.
    """
    known = [name for name in columns if name in table.column_names]
    if not known:
        raise ValueError(f"{table.label} has none of the columns {', '.join(columns)}")
    return f"{table.label}.{', '.join(known)}"


def setting(settings: Mapping[str, Any], section: str, name: str) -> tuple[str, str]:
    """Return the value of a setting as the run recorded it, and where that is."""
    value = settings.get(section, {}).get(name)
    return shown(value), f"{RUNS.label}.settings_json: {section}.{name}"


def column(table: Table, name: str) -> Column | None:
    """Return the declaration of a column, None if the table has none of that name."""
    return next((each for each in table.columns if each.name == name), None)


def shown(value: Any, of: Column | None = None) -> str:
    """Return a value as the document writes it; its column says whether it is a share or a p-value."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value) if of is not None and of.name in _NAMES else number(float(value), 0)
    if isinstance(value, float):
        return _real(value, of)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M UTC")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return ", ".join(shown(each) for each in value)
    return printable(value)


def _real(value: float, of: Column | None) -> str:
    unit, name = (of.unit, of.name) if of is not None else ("", "")
    if unit.startswith("%"):
        return percent(value)
    if name.endswith("_p") or name == "p_value":
        return p_value(value)
    if name == "confidence" or name.endswith("_confidence"):
        return confidence(value)
    if abs(value) >= _LONG:
        return number(value, 0)
    return significant(value, 4)


def fact(what: str, row: Row | None, table: Table, name: str) -> Fact:
    """Return one cell of a row as a fact."""
    value = None if row is None else row.get(name)
    return Fact(what, shown(value, column(table, name)), source(table, name))


def facts(rows: Sequence[Fact]) -> Facts:
    """Return facts as a part."""
    return Facts(tuple(rows))


def grid(
    table: Table,
    rows: Sequence[Row],
    caption: str = "",
    columns: Sequence[str] = (),
    without: Collection[str] = (),
    shorten: Mapping[str, Callable[[str], str]] | None = None,
) -> Grid | Words:
    """Return rows with a column for each declared one, or a sentence where there is none.

    Args:
        table: the declaration, which names the columns and says where numbers come from.
        rows: as mappings.
        caption: above the table.
        columns: which, in which order; all but those of every run, if none are named. One that the table
            does not declare is left out.
        without: columns that are left out.
        shorten: by column, what is made of the text of a cell.
    """
    names = [
        name
        for name in columns or table.column_names
        if name in table.column_names and name not in without and (columns or name not in OF_THE_RUN)
    ]
    if not rows:
        return Words(f"{table.label} has no rows of this run.")
    known = {each.name: each for each in table.columns}
    heads = tuple(Head(_title(known[n]), f"{table.label}.{n}", known[n].type in _NUMBERS) for n in names)
    change = shorten or {}

    def cell(row: Row, name: str) -> str:
        text = shown(row.get(name), known[name])
        return change[name](text) if name in change else text

    return Grid(caption, heads, tuple(tuple(cell(row, name) for name in names) for row in rows))


def transposed(
    table: Table,
    rows: Sequence[Row],
    names: Sequence[str],
    caption: str = "",
    without: Collection[str] = (),
) -> Grid | Words:
    """Return rows side by side: a line for each declared column with its comment, a column for each row.

    A column that a later release declares is there without another word.

    Args:
        table: the declaration.
        rows: as mappings.
        names: of the rows, above their columns.
        caption: above the table.
        without: columns that are left out, besides those of every run.
    """
    if not rows:
        return Words(f"{table.label} has no rows of this run.")
    lines = [
        (f"{each.comment}{f' [{each.unit}]' if each.unit else ''}", *cells, f"{table.label}.{each.name}")
        for each in table.columns
        if each.name not in (*OF_THE_RUN, *without)
        for cells in [tuple(shown(row.get(each.name), each) for row in rows)]
    ]
    heads = (Head("What"), *map(Head, names), Head("From", names=True))
    return Grid(caption, heads, tuple(lines))


_NUMBERS = ("double", "long")


def _title(of: Column) -> str:
    words = of.name.removesuffix("_pct_nav").removesuffix("_d").replace("_", " ")
    unit = of.unit if of.unit else ""
    return f"{words[0].upper()}{words[1:]}{f', {unit}' if unit else ''}"
