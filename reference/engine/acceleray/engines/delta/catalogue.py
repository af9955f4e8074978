"""Keys, tags and metric views told to Unity Catalog, for people and the optimiser; nothing checks them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from acceleray.engines.delta.lake import Lake
from acceleray.engines.processes.signals import first_line
from acceleray.tables import PORTFOLIOS, RUN_TABLES, RUNS
from acceleray.tables.catalogued import checks, foreign_keys, primary_key, set_tags
from acceleray.tables.contract import Table, literal, quoted
from acceleray.tables.metric_views import METRIC_VIEWS
from acceleray.tables.stored import CHECK_PROPERTY

# Tables referenced by rows of other tables, by their whole key.
POINTED_TO = (RUNS, PORTFOLIOS)


def describe(lake: Lake, tables: Iterable[Table]) -> Iterator[str]:
    """Tell the catalog what it does not know yet of these tables, and yield a line for each refusal.

    All of that changes no row and no query's result, so a refusal stops nothing: whoever asks may lack APPLY
    TAG, or be no owner. Tables that are files on this machine are in no such catalog.
    """
    there = [table for table in tables if lake.location(table) is None]
    known = {table.label: _constraints(lake, table) for table in there}
    wrote = _workloads(lake, known)
    # Rows can only point to a key that the catalog knows, so all of those come first.
    for statements in (_described, _pointed):
        for table in there:
            for statement in statements(lake, table, known, wrote.get(table.label, [])):
                try:
                    lake.spark.sql(statement)
                except Exception as error:
                    clause = statement.split(" ", 3)[3][:60]
                    yield f"{table.label} is without {clause}: {first_line(error)[:160]}"
    catalog = lake.settings.catalog
    for view in METRIC_VIEWS:
        if {table.label for table in view.tables} <= known.keys():
            name = ".".join(quoted(part) for part in (catalog.name, catalog.gold, view.name))
            try:
                lake.spark.sql(view.statement(name, lake.identifier))
            except Exception as error:
                yield f"There is no metric view gold.{view.name}: {first_line(error)[:160]}"


def _workloads(lake: Lake, known: Collection[str]) -> dict[str, list[str]]:
    """Return by table the workloads that have written it, as far as evidence of them is there."""
    if not {RUNS.label, RUN_TABLES.label} <= set(known):
        return {}
    found: dict[str, list[str]] = {}
    for row in lake.spark.sql(
        f"SELECT DISTINCT t.table_name, r.workload FROM {lake.identifier(RUN_TABLES)} AS t"
        f" INNER JOIN {lake.identifier(RUNS)} AS r ON t.run_id = r.run_id WHERE t.direction = 'wrote'"
    ).collect():
        found.setdefault(str(row["table_name"]), []).append(str(row["workload"]))
    return found


def _described(lake: Lake, table: Table, known: dict[str, set[str]], workloads: list[str]) -> Iterator[str]:
    yield f"ALTER TABLE {lake.identifier(table)} {set_tags(table, workloads)}"
    # A run that was killed as it created the table may have left some out.
    for clause in checks(table, known[table.label]):
        yield f"ALTER TABLE {lake.identifier(table)} {clause}"
    name, columns = primary_key(table)
    if name not in known[table.label]:
        yield f"ALTER TABLE {lake.identifier(table)} ADD CONSTRAINT {quoted(name)} PRIMARY KEY ({columns})"


def _pointed(lake: Lake, table: Table, known: dict[str, set[str]], workloads: list[str]) -> Iterator[str]:
    for other, name, columns in foreign_keys(table, POINTED_TO):
        if other.label in known and name not in known[table.label]:
            yield (
                f"ALTER TABLE {lake.identifier(table)} ADD CONSTRAINT {quoted(name)}"
                f" FOREIGN KEY ({columns}) REFERENCES {lake.identifier(other)}"
            )


def _constraints(lake: Lake, table: Table) -> set[str]:
    catalog = lake.settings.catalog
    schema = literal(getattr(catalog, table.layer))
    rows = lake.spark.sql(
        f"SELECT constraint_name FROM {quoted(catalog.name)}.information_schema.table_constraints"
        f" WHERE table_schema = {schema} AND table_name = {literal(table.name)}"
    ).collect()
    kept = lake.spark.sql(f"SHOW TBLPROPERTIES {lake.identifier(table)}").collect()
    enforced = {str(row["key"]).removeprefix(CHECK_PROPERTY) for row in kept}
    return {str(row["constraint_name"]) for row in rows} | enforced
