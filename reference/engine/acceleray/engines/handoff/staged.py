"""The staged way: rows as Parquet in a stage, from where every Ray node can read them.

Spark writes them, or this process does, batch by batch, where Spark cannot see the stage.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import pyarrow as pa
from pyspark.sql import DataFrame, Observation
from pyspark.sql import functions as F

from acceleray.engines.delta.lake import Lake
from acceleray.engines.handoff.files import StageDamagedError, inspect, write_part
from acceleray.engines.handoff.manifest import Manifest, read_manifest
from acceleray.engines.handoff.selection import Selection
from acceleray.engines.handoff.stage import spark_path
from acceleray.engines.spark.connect import batches
from acceleray.settings import Settings
from acceleray.settings.topology import shares_stage

MANIFEST = "manifest.json"


def write_stage(lake: Lake, selection: Selection, settings: Settings, stage: Path) -> Manifest:
    """Write the selection into the stage and return the manifest, as read back from its file.

    Raises:
        StageDamagedError: the files do not hold the rows that Spark says it wrote.
    """
    folder = stage / "rows"
    counted = Observation("hand-off")
    rows = selection.frame(lake).observe(counted, F.count(F.lit(1)).alias("rows"))
    if shares_stage(settings):
        _written_by_spark(rows, selection, settings, folder)
    else:
        _written_here(rows, selection, settings, folder)
    files = tuple(inspect(path)[0] for path in sorted(folder.glob("*.parquet")))
    columns = tuple((field.name, str(field.type)) for field in selection.schema)
    manifest = Manifest(selection.table.label, selection.version, columns, files)
    if manifest.rows != counted.get["rows"]:
        raise StageDamagedError(f"{folder} holds {manifest.rows} rows instead of {counted.get['rows']}.")
    manifest.write(stage / MANIFEST)
    return read_manifest(stage / MANIFEST)


def _written_by_spark(rows: DataFrame, selection: Selection, settings: Settings, folder: Path) -> None:
    writer = rows.write.option("maxRecordsPerFile", settings.hand_off.rows_per_task)
    writer = writer.option("compression", settings.hand_off.stage_codec)
    # A page whose checksum differs is refused when it is read.
    writer = writer.option("parquet.page.write-checksum.enabled", "true")
    # Numbers with a fraction hardly repeat: looking for a dictionary of them takes long and finds none.
    for field in selection.schema:
        if pa.types.is_floating(field.type):
            writer = writer.option(f"parquet.enable.dictionary#{field.name}", "false")
    writer.parquet(spark_path(settings, folder))


def _written_here(rows: DataFrame, selection: Selection, settings: Settings, folder: Path) -> None:
    folder.mkdir()
    parts = itertools.count()
    held: list[pa.RecordBatch] = []
    for batch in itertools.chain(batches(rows), (None,)):
        if held and (batch is None or sum(map(len, held)) + len(batch) > settings.hand_off.rows_per_task):
            write_part(folder, next(parts), pa.Table.from_batches(held).cast(selection.schema))
            held = []
        held += [batch] if batch is not None and len(batch) else []
