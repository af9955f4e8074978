"""What serverless compute of Databricks refuses and open-source Spark Connect does, refused by name.

Read in Databricks' public documentation of serverless compute's limits, November 2026; not run there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from pyspark.sql.connect.catalog import Catalog
from pyspark.sql.connect.conf import RuntimeConf
from pyspark.sql.connect.dataframe import DataFrame
from pyspark.sql.connect.readwriter import DataFrameReader, DataFrameWriter
from pyspark.sql.connect.session import SparkSession

ALLOWED_SETTINGS = {
    "spark.sql.session.timeZone",
    "spark.sql.shuffle.partitions",
    "spark.sql.ansi.enabled",
    "spark.sql.files.maxPartitionBytes",
    "spark.sql.legacy.timeParserPolicy",
    "spark.databricks.execution.timeout",
}
ALWAYS = {
    DataFrame: (
        *("persist", "cache", "unpersist", "checkpoint", "localCheckpoint", "storageLevel", "is_cached"),
        *("createGlobalTempView", "createOrReplaceGlobalTempView"),
    ),
    Catalog: ("cacheTable", "uncacheTable", "clearCache", "isCached"),
    SparkSession: ("addArtifact", "addArtifacts", "copyFromLocalToFs"),
}
# Where client and server share no disk.
FILES = {
    DataFrameReader: ("parquet", "json", "csv", "orc", "text", "load"),
    DataFrameWriter: ("parquet", "json", "csv", "orc", "text", "save"),
}
_SQL = re.compile(
    r"^\s*(SET\b|RESET\b|CACHE\b|UNCACHE\b|CREATE\s.*GLOBAL\s+TEMP|ADD\s+(JAR|FILE|ARCHIVE)\b)", re.I
)
_LOCATION = re.compile(r"\bLOCATION\s+'", re.I)


class RefusedError(Exception):
    """Serverless compute refuses this."""


@contextmanager
def refusing(apart: bool = False) -> Iterator[list[str]]:
    """Refuse while the block runs, and yield what was refused: code may have passed over the error.

    Args:
        apart: whether Spark cannot see this machine's files.
    """
    refused: list[str] = []

    def refuse(name: str) -> None:
        refused.append(name)
        raise RefusedError(f"serverless compute refuses {name}")

    def never(name: str) -> Callable[..., Any]:
        return lambda *given, **named: refuse(name)

    sql, setting = SparkSession.sql, RuntimeConf.set

    def checked_sql(self: Any, text: str, *given: Any, **named: Any) -> Any:
        if _SQL.match(text) or (apart and _LOCATION.search(text)):
            refuse(text)
        return sql(self, text, *given, **named)

    def checked_setting(self: Any, key: str, value: Any) -> None:
        if key not in ALLOWED_SETTINGS:
            refuse(key)
        setting(self, key, value)

    with ExitStack() as stack:
        for owner, names in (ALWAYS | FILES if apart else ALWAYS).items():
            for name in names:
                stack.enter_context(patch.object(owner, name, never(f"{owner.__name__}.{name}")))
        stack.enter_context(patch.object(SparkSession, "sql", checked_sql))
        stack.enter_context(patch.object(RuntimeConf, "set", checked_setting))
        yield refused
