"""Rules of dashboard and alerts: what they show is asked for, and what they ask for is declared."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import acceleray.tables
from acceleray.tables.contract import Table
from bundle_node import Node

_FROM = re.compile(r"\b(?:FROM|JOIN)\s+([\w.${}]+)")
GOLD = {one.name for one in vars(acceleray.tables).values() if isinstance(one, Table) and one.layer == "gold"}
# Tables of the platform itself.
BILLING = {"system.billing.usage", "system.billing.list_prices"}
# What a deployment's gold schema is called in a query that has no default schema.
_SCHEMA = "${var.catalog}.${resources.schemas.gold.name}."


def broken(project: Path, kinds: Node) -> Iterator[str]:
    """Yield one line for each broken rule, with file and line."""
    for name, board in kinds["dashboards"].value.items() if "dashboards" in kinds else []:
        at = board["file_path"]
        path = (project / at.where.rsplit(":", 1)[0]).parent / at.value
        if not path.is_file():
            yield f"{at.where}: dashboards.{name}: there is no file {at.value}"
            continue
        where = f"{path.relative_to(project).as_posix()}:1"
        yield from (f"{where}: dashboards.{name}: {line}" for line in _board(path))
        for key in ("dataset_catalog", "dataset_schema"):
            if key not in board:
                yield f"{board.where}: dashboards.{name}: {key} is missing, so no table is found"
    for name, alert in kinds["alerts"].value.items() if "alerts" in kinds else []:
        query, column = alert["query_text"], alert["evaluation"]["source"]["name"]
        if not re.search(rf"\bAS {re.escape(column.value)}\b", query.value):
            yield f"{column.where}: alerts.{name}: its query has no column {column.value}"
        for table in _tables(query.value):
            if table not in BILLING and (
                not table.startswith(_SCHEMA) or table.removeprefix(_SCHEMA) not in GOLD
            ):
                yield f"{query.where}: alerts.{name}: {table} is no table of this deployment"


def _board(path: Path) -> Iterator[str]:
    board = json.loads(path.read_text(encoding="utf-8"))
    queries = {one["name"]: "".join(one["queryLines"]) for one in board["datasets"]}
    for name, query in queries.items():
        for table in _tables(query):
            if table not in GOLD | BILLING:
                yield f"dataset {name} reads {table}, which nobody declares"
    widgets = [entry["widget"] for page in board["pages"] for entry in page["layout"]]
    for widget in widgets:
        (asked,) = widget["queries"]
        if asked["query"]["datasetName"] not in queries:
            yield f"widget {widget['name']} shows {asked['query']['datasetName']}, which is no dataset"
        fields = {field["name"] for field in asked["query"]["fields"]}
        encoded = set(re.findall(r'"fieldName": "(\w+)"', json.dumps(widget["spec"])))
        if encoded - fields:
            yield f"widget {widget['name']} shows {sorted(encoded - fields)}, which it does not ask for"


def _tables(query: str) -> list[str]:
    return [name for name in _FROM.findall(query) if "(" not in name]
