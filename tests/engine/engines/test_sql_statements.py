"""Every statement that the engine gives to Spark is SQL of Databricks."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import sqlfluff

import acceleray

ENGINE = Path(acceleray.__file__).parent
TABLE, SCHEMA = "`main`.`gold`.`runs`", "`main`.`gold`"
# What stands in a statement for an expression of Python.
SAMPLES = {
    "name": TABLE,
    "identifier": TABLE,
    "schema": SCHEMA,
    "quoted(catalog.name)": "`main`",
    "place": "'dbfs:/a'",
    "columns": "`run_id`, `as_of`",
    "clause": "DROP COLUMN `load_id`",
    "pinned": " VERSION AS OF 3",
    "where": " WHERE run_id = 'a'",
    "latest": "3",
    "each.version": "3",
    "limit": "1",
    "days": "7",
    "hours": "168",
    "KEEPS_PROPERTY": "delta.deletedFileRetentionDuration",
    "wanted": "interval 30 days",
    "literal(table.name)": "'runs'",
    "begun": f"CREATE TABLE {TABLE} (`run_id` STRING NOT NULL) USING DELTA",
    "clustering(table)": "CLUSTER BY (`run_id`)",
    "literal(table.comment)": "'Runs'",
    "listed": "'delta.appendOnly' = 'true'",
    "self._place(table)": " LOCATION 'dbfs:/a'",
}
# Given as a variable: tested with what makes them, in test_catalogue.py and the tests of metric views.
ELSEWHERE = {"statement", "view.statement(name, lake.identifier)"}


def given() -> Iterator[tuple[str, str]]:
    """Yield the place and the text of each statement."""
    for path in sorted(ENGINE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "sql"
            ):
                place = f"{path.relative_to(ENGINE).as_posix()}:{node.lineno}"
                if ast.unparse(node.args[0]) not in ELSEWHERE:
                    # A place is given with and without its keyword.
                    yield place, written(node.args[0]).replace("DELTA'", "DELTA LOCATION '")


def written(argument: ast.expr) -> str:
    if isinstance(argument, ast.Constant):
        return str(argument.value)
    assert isinstance(argument, ast.JoinedStr), ast.unparse(argument)
    return "".join(
        str(part.value) if isinstance(part, ast.Constant) else sample(part) for part in argument.values
    )


def sample(part: ast.expr) -> str:
    assert isinstance(part, ast.FormattedValue)
    text = ast.unparse(part.value)
    if text in SAMPLES:
        return SAMPLES[text]
    assert ".identifier(" in text, f"{text} needs a sample"
    return TABLE


def test_every_statement_that_spark_is_given_is_sql_of_databricks() -> None:
    statements = dict(given())
    assert len(statements) > 20
    several = ";\n".join(sorted(set(statements.values()))) + ";\n"
    found = sqlfluff.lint(several, dialect="databricks", rules=["PRS"])
    assert [one for one in found if one["code"] == "PRS"] == []
