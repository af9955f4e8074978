"""Metadata of a table for Unity Catalog, besides its columns: keys, tags, and the order of its files.

Keys are informational there: nothing checks them, and the optimiser and people read them. That they hold is
what commits see to, by replacing whole scopes, and tests on local data.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator

from acceleray.tables.contract import Table, literal, quoted

DOMAIN = "portfolio_risk"
# Tables of what somebody holds or earned, by name; `licensed` are prices as a vendor gives them.
_CONFIDENTIAL = frozenset(
    {"bronze.holdings_received", "gold.reported_risk", "gold.live_record", "gold.limit_utilisation"}
)
_HELD = frozenset({"portfolio_id"})


def primary_key(table: Table) -> tuple[str, str]:
    """Return the name of the constraint that states what identifies a row, and its columns.

    `name` and `columns` make `ADD CONSTRAINT name PRIMARY KEY (columns)`.
    """
    return f"{table.name}_key", ", ".join(quoted(name) for name in table.key)


def foreign_keys(table: Table, pointed_to: Iterable[Table]) -> Iterator[tuple[Table, str, str]]:
    """Yield tables whose whole key each row of this one holds, with the constraint's name and its columns.

    `name` and `columns` make `ADD CONSTRAINT name FOREIGN KEY (columns) REFERENCES other`.

    Args:
        table: whose rows point.
        pointed_to: tables that may be pointed to.
    """
    for other in pointed_to:
        if other.label != table.label and set(other.key) <= set(table.column_names):
            yield other, f"{table.name}_to_{other.name}", ", ".join(quoted(name) for name in other.key)


def checks(table: Table, set_already: Container[str] = ()) -> Iterator[str]:
    """Yield the clauses, as they follow ALTER TABLE <name>, of the conditions that Delta enforces."""
    for name, condition in table.checks:
        if name not in set_already:
            yield f"ADD CONSTRAINT {quoted(name)} CHECK ({condition})"


def clustering(table: Table) -> str:
    """Return the clause of CREATE TABLE that keeps a scope's rows together: most queries ask for one."""
    return f"CLUSTER BY ({quoted(table.scope)})"


def tags(table: Table, workloads: Iterable[str] = ()) -> dict[str, str]:
    """Return the tags of a table: domain, layer, data class, what one commit replaces, and its workloads.

    Those are the ones that have written it; without any there is no such tag.
    """
    held = table.label in _CONFIDENTIAL or bool(_HELD & set(table.column_names))
    licensed = table.layer in ("bronze", "silver") and "price" in table.name
    kind = "confidential" if held else "licensed" if licensed else "internal"
    found = {"domain": DOMAIN, "layer": table.layer, "data_class": kind, "scope": table.scope}
    wrote = ", ".join(sorted(workloads))
    # A value has room for so many characters.
    return found | {"workload": wrote[:1000]} if wrote else found


def set_tags(table: Table, workloads: Iterable[str] = ()) -> str:
    """Return the clause, as it follows ALTER TABLE <name>, that sets the tags of a table."""
    listed = ", ".join(f"{literal(key)} = {literal(value)}" for key, value in tags(table, workloads).items())
    return f"SET TAGS ({listed})"
