"""Which version a commit became, found by what it carries: another writer may have committed since."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from pyspark.sql import SparkSession

from acceleray.engines.delta.log import UnreadableLogError, newest_version, readable, version_with


def version_of(spark: SparkSession, name: str, folder: Path | None, metadata: str) -> int:
    """Return the newest version whose commit carries this user metadata, or the newest of all.

    Args:
        spark: asked where the log cannot be read here.
        name: by which Spark knows the table, a quoted SQL identifier.
        folder: of the table; None where the catalog alone knows it.
        metadata: what was given as `userMetadata`.
    """
    if folder is not None and readable(folder):
        with suppress(UnreadableLogError):
            found_here = version_with(folder, metadata)
            return newest_version(folder) if found_here is None else found_here
    for limit in (1, 100):
        history = spark.sql(f"DESCRIBE HISTORY {name} LIMIT {limit}").collect()
        if found := [row["version"] for row in history if row["userMetadata"] == metadata]:
            return int(max(found))
    return int(history[0]["version"])
