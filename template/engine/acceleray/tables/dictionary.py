"""The data dictionary: every table in words, from its declaration.

`make dictionary` writes docs/data_dictionary.md; a test of the project fails when the two differ.
"""

from __future__ import annotations

from collections.abc import Iterable

from acceleray.tables.contract import CONTRACT_VERSION, Table

_HEAD = f"""# Data dictionary

Written by `make dictionary` from the tables of the engine and of
`src/portfolio/tables`; contract version {CONTRACT_VERSION}.
Losses are positive. Columns in bold identify a row.
"""


def markdown(tables: Iterable[Table]) -> str:
    """Return the data dictionary as Markdown."""
    return _HEAD + "".join(_section(table) for table in tables)


def _section(table: Table) -> str:
    lines = ["", f"## {table.label}", "", table.comment, f"A commit replaces one `{table.scope}`.", ""]
    lines += ["| column | type | unit | meaning |", "|---|---|---|---|"]
    for column in table.columns:
        name = f"**{column.name}**" if column.name in table.key else column.name
        meaning = column.comment + ("; may be empty" if column.nullable else "")
        lines.append(f"| {name} | {column.type} | {column.unit} | {meaning} |")
    if table.checks:
        lines += ["", *(f"Enforced: `{condition}`." for _, condition in table.checks)]
    return "\n".join(lines) + "\n"
