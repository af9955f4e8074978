"""Results of Ray: one Parquet file per fragment, all checked before Spark reads any of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from acceleray.engines.delta.lake import Lake
from acceleray.engines.handoff.arrays import with_constants
from acceleray.engines.handoff.files import StageDamagedError, check, inspect, part_name
from acceleray.engines.handoff.manifest import Manifest
from acceleray.engines.handoff.selection import Selection
from acceleray.engines.handoff.stage import spark_pattern
from acceleray.engines.handoff.work import Done
from acceleray.settings import Settings
from acceleray.settings.topology import shares_stage
from acceleray.tables.contract import Table

MANIFEST = "results.json"


def validated(
    parts: Sequence[Done], count: int, selection: Selection, schema: pa.Schema, folder: Path
) -> Manifest:
    """Return the manifest of the results, after writing it next to their folder.

    Args:
        parts: what the tasks returned.
        count: how many fragments there were.
        selection: what they were made from.
        schema: the columns every file must have.
        folder: holds the files.

    Raises:
        StageDamagedError: a fragment has no result or two, or a file is not what its task wrote.
    """
    files = {part.number: part.file for part in parts if part.file is not None}
    if len(parts) != count or sorted(files) != list(range(count)):
        missing = sorted(set(range(count)) - set(files))
        raise StageDamagedError(f"{folder} has {len(parts)} results of {count}; missing are {missing}.")
    unknown = {path.name for path in folder.glob("*.parquet")} - {part_name(number) for number in files}
    if unknown:
        raise StageDamagedError(f"{folder / min(unknown)} is the result of no part.")
    ordered = tuple(files[number] for number in range(count))
    for file in ordered:
        check(file)
        now, found = inspect(Path(file.path))
        if now.rows != file.rows:
            raise StageDamagedError(f"{file.path} has {now.rows} rows instead of {file.rows}.")
        if not found.equals(schema):
            raise StageDamagedError(f"{file.path} has other columns than declared: {found.names}.")
    columns = tuple((field.name, str(field.type)) for field in schema)
    manifest = Manifest(selection.table.label, selection.version, columns, ordered)
    manifest.write(folder.parent / MANIFEST)
    return manifest


def result_frame(
    lake: Lake, settings: Settings, results: Manifest, table: Table, constants: Mapping[str, Any]
) -> DataFrame:
    """Return the rows of exactly the files in a manifest, with constant columns added, in declared order."""
    if not shares_stage(settings):
        read = [pq.read_table(file.path, page_checksum_verification=True) for file in results.files]
        return lake.frame(table, with_constants(pa.concat_tables(read), table, constants))
    declared = {column.name: column.sql for column in table.columns}
    reader = lake.spark.read.schema(", ".join(declared[name] for name, _ in results.columns))
    reader = reader.option("parquet.page.verify-checksum.enabled", "true")
    rows = reader.parquet(*[spark_pattern(settings, Path(file.path)) for file in results.files])
    for name, value in constants.items():
        if name in declared:
            rows = rows.withColumn(name, F.lit(value))
    return lake.frame(table, rows)
