"""The staged way: Spark writes the rows as Parquet into a stage, from where every Ray node can read them."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from pyspark.sql import Observation
from pyspark.sql import functions as F

from acceleray.engines.delta.lake import Lake
from acceleray.engines.handoff.files import StageDamagedError, inspect
from acceleray.engines.handoff.manifest import Manifest, read_manifest
from acceleray.engines.handoff.selection import Selection
from acceleray.engines.handoff.stage import spark_path
from acceleray.settings import Settings

MANIFEST = "manifest.json"


def write_stage(lake: Lake, selection: Selection, settings: Settings, stage: Path) -> Manifest:
    """Have Spark write the selection into the stage and return the manifest, as read back from its file.

    Raises:
        StageDamagedError: the files do not hold the rows that Spark says it wrote.
    """
    folder = stage / "rows"
    counted = Observation("hand-off")
    rows = selection.frame(lake).observe(counted, F.count(F.lit(1)).alias("rows"))
    writer = rows.write.option("maxRecordsPerFile", settings.hand_off.rows_per_task)
    writer = writer.option("compression", settings.hand_off.stage_codec)
    # A page whose checksum differs is refused when it is read.
    writer = writer.option("parquet.page.write-checksum.enabled", "true")
    # Numbers with a fraction hardly repeat: looking for a dictionary of them takes long and finds none.
    for field in selection.schema:
        if pa.types.is_floating(field.type):
            writer = writer.option(f"parquet.enable.dictionary#{field.name}", "false")
    writer.parquet(spark_path(settings, folder))
    files = tuple(inspect(path)[0] for path in sorted(folder.glob("*.parquet")))
    columns = tuple((field.name, str(field.type)) for field in selection.schema)
    manifest = Manifest(selection.table.label, selection.version, columns, files)
    if manifest.rows != counted.get["rows"]:
        raise StageDamagedError(f"{folder} holds {manifest.rows} rows instead of {counted.get['rows']}.")
    manifest.write(stage / MANIFEST)
    return read_manifest(stage / MANIFEST)
