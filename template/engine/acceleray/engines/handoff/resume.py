"""Work of many hours in parts that outlive a killed run: the next run goes on where that one stopped.

A part is known by what it was made from (the key) and its number, so it is the same in every process. It is
checked, every page of it, before it is taken for done.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from acceleray.engines.delta.lake import Lake
from acceleray.engines.handoff.arrays import with_constants
from acceleray.engines.handoff.files import DataFile, StageDamagedError, check_pages, part_name, write_part
from acceleray.engines.handoff.stage import spark_pattern
from acceleray.engines.handoff.unfinished import this_machine, unfinished_folder
from acceleray.settings import Settings
from acceleray.settings.topology import shares_stage
from acceleray.tables.contract import Table
from acceleray.whole_files import put_in_place

# Spark passes over names that begin with an underscore.
_MARK = "_needed-by-"


class Resumable:
    """Parts of one result, kept in the state folder until the result is committed.

    Only one run of a machine at a time works on a state folder (see `run_lock`). Another machine may, such as
    another cluster on Databricks: then both write the same parts, each whole, and the last removes them.
    """

    def __init__(self, settings: Settings, name: str, key: str, schema: pa.Schema) -> None:
        """Open the parts that are there for this name and key; parts nobody came back to are removed."""
        self._settings = settings
        self._schema = schema
        self.folder = unfinished_folder(settings, f"{name}-{key}")
        self._mark = self.folder / f"{_MARK}{this_machine(settings)}"
        self._mark.touch()

    def done(self, number: int) -> bool:
        """Return whether a part is there and is what was written; one that is not is removed."""
        note = self._note(number)
        try:
            fields = json.loads(note.read_text(encoding="utf-8"))
            file = DataFile(
                str(self.folder / part_name(number)),
                fields["bytes"],
                tuple(fields["group_rows"]),
                fields["footer_crc32"],
            )
            check_pages(file)
            return bool(pq.read_schema(file.path).remove_metadata().equals(self._schema))
        except FileNotFoundError:
            return False
        except (StageDamagedError, ValueError, KeyError, TypeError):
            note.unlink(missing_ok=True)
            return False

    def keep(self, number: int, rows: pa.Table) -> None:
        """Write one part; it counts as done once its note is there too."""
        file = write_part(self.folder, number, rows.select(self._schema.names).cast(self._schema))
        note = self._note(number)
        # Each machine has its own, or one would put in place what the other has just begun.
        unfinished = note.with_name(f"{note.name}{self._mark.name}.unfinished")
        unfinished.write_text(json.dumps(asdict(file)), encoding="utf-8")
        put_in_place(unfinished, note)

    def rows(self, number: int) -> pa.Table:
        """Return one part that is done."""
        return pq.read_table(self.folder / part_name(number), page_checksum_verification=True)

    def frame(self, lake: Lake, table: Table, constants: Mapping[str, Any]) -> DataFrame:
        """Return the rows of all parts for Spark, constant columns added, in declared order."""
        if not shares_stage(self._settings):
            paths = sorted(self.folder.glob("part-*.parquet"))
            read = [pq.read_table(path, page_checksum_verification=True) for path in paths]
            rows = pa.concat_tables([self._schema.empty_table(), *read])
            return lake.frame(table, with_constants(rows, table, constants))
        declared = {column.name: column.sql for column in table.columns}
        reader = lake.spark.read.schema(", ".join(declared[name] for name in self._schema.names))
        reader = reader.option("parquet.page.verify-checksum.enabled", "true")
        # The folder and not each part: there may be ten thousand.
        rows = reader.parquet(spark_pattern(self._settings, self.folder))
        for name, value in constants.items():
            if name in declared:
                rows = rows.withColumn(name, F.lit(value))
        return lake.frame(table, rows)

    def forget(self) -> None:
        """Remove all parts: their result is committed. While another machine needs them, they stay."""
        self._mark.unlink(missing_ok=True)
        # The mark of a machine that was lost goes with the folder, when nobody has come back to it.
        if not any(self.folder.glob(f"{_MARK}*")):
            shutil.rmtree(self.folder, ignore_errors=True)

    def _note(self, number: int) -> Path:
        # Spark passes over names that begin with an underscore.
        return self.folder / f"_{part_name(number)}.json"
