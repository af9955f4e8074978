"""Results made a part at a time: few go through the driver, many through files, in one commit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa

from acceleray.engines.delta.content import whole_rows
from acceleray.engines.delta.delta_rs import Parts
from acceleray.engines.delta.lake import Commit, Lake
from acceleray.engines.handoff.arrays import with_constants, without_nan
from acceleray.engines.handoff.files import DataFile, write_part
from acceleray.engines.handoff.manifest import Manifest
from acceleray.engines.handoff.results import result_frame
from acceleray.engines.handoff.stage import new_stage
from acceleray.engines.handoff.transform import Target
from acceleray.settings import Settings

# One file of a result: large enough to be worth opening, small compared with all else in memory.
_FILE_BYTES = 16 * 2**20


def commit_parts(lake: Lake, settings: Settings, target: Target, parts: Iterable[pa.Table] | Parts) -> Commit:
    """Replace the target's rows of one scope by those of all parts, in one commit.

    Parts that a function makes again are committed by this process as they come, where it may commit. Up to
    `hand_off.small_mb` others go through the driver as one Arrow table. Beyond that they are written to a
    stage, from where Spark reads them: neither Python nor Java then holds more than some megabytes of them.

    Raises:
        PortfolioError: Spark did not read as many rows as were written.
    """
    if callable(parts):
        again = parts

        def made() -> Iterator[pa.Table]:
            for rows in again():
                yield whole_rows(
                    target.table, with_constants(without_nan(rows), target.table, target.constants)
                )

        if (done := lake.commit_here(target.table, made, target.scope)) is not None:
            return done
        parts = again()
    files = _gathered(parts, target.schema)
    held, size, limit = list[pa.Table](), 0, settings.hand_off.small_mb * 2**20
    for rows in files:
        held.append(rows)
        size += rows.nbytes
        if size > limit:
            break
    else:
        whole = pa.concat_tables([target.schema.empty_table(), *held])
        return lake.commit(target.table, with_constants(whole, target.table, target.constants), target.scope)
    with new_stage(settings) as stage:
        written = [write_part(stage, number, rows) for number, rows in enumerate(_emptied(held, files))]
        frame = result_frame(lake, settings, _manifest(target, written), target.table, target.constants)
        count = sum(file.rows for file in written)
        return lake.commit(target.table, frame, target.scope, count, keep=False)


def _gathered(parts: Iterable[pa.Table], schema: pa.Schema) -> Iterator[pa.Table]:
    """Yield the rows of all parts in order, in tables of about the size of a file."""
    waiting, size = list[pa.Table](), 0
    for part in parts:
        waiting.append(without_nan(part.select(schema.names)).cast(schema))
        size += waiting[-1].nbytes
        if size >= _FILE_BYTES:
            yield pa.concat_tables(waiting)
            waiting, size = [], 0
    if waiting:
        yield pa.concat_tables(waiting)


def _emptied(held: list[pa.Table], rest: Iterator[pa.Table]) -> Iterator[pa.Table]:
    while held:
        yield held.pop(0)
    yield from rest


def _manifest(target: Target, files: list[DataFile]) -> Manifest:
    columns = tuple((field.name, str(field.type)) for field in target.schema)
    return Manifest(target.table.label, 0, columns, tuple(files))
