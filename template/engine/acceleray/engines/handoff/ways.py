"""Three ways from Spark to Ray, and the choice between them, with the reason in words.

small   through the driver: one Arrow table, sorted by key, stored once for all tasks
direct  Ray reads the Delta table's own files, where that is the same as reading the table
staged  Spark writes the rows to a stage and Ray reads that: always possible, and the driver holds nothing
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyspark.sql import functions as F

from acceleray.engines.delta.lake import Lake
from acceleray.engines.handoff.direct import Known, NotDirectError, direct_files, known
from acceleray.engines.handoff.files import StageDamagedError, fragments
from acceleray.engines.handoff.selection import Selection
from acceleray.engines.handoff.stage import new_stage
from acceleray.engines.handoff.staged import write_stage
from acceleray.engines.handoff.work import Done, Fragment, Job, Output, work
from acceleray.engines.ray.fanout import FanOut
from acceleray.errors import PortfolioError
from acceleray.settings import Settings
from acceleray.tables.contract import quoted


@dataclass(frozen=True)
class Handed:
    """Rows on their way: `reason` is the way and why, `rows` how many, `stage` a folder for files."""

    reason: str
    rows: int
    stage: Path
    selection: Selection
    fragments: tuple[Fragment, ...]
    # The whole selection if it went through the driver.
    source: pa.Table | None = None
    # Column and value that rows read from files must have.
    scope: tuple[str, str] | None = None

    def map(
        self,
        fan_out: FanOut,
        function: Callable[..., Any],
        shared: Sequence[Any] = (),
        output: Output | None = None,
        **fixed: Any,
    ) -> Iterator[Done]:
        """Yield what became of each fragment, in order; tasks call `function(rows, *shared, **fixed)`.

        Raises:
            StageDamagedError: a file is not what it was, or the fragments are not all the rows.
            PortfolioError: the function raised.
        """
        job = Job(self.selection.table.label, self.selection.schema, self.scope, function, fixed, output)
        handed = 0
        for done in fan_out.map(work, tuple(enumerate(self.fragments)), (job, self.source, *shared)):
            handed += done.rows_in
            yield done
        if handed != self.rows:
            raise StageDamagedError(
                f"{job.label} has {self.rows} rows at version {self.selection.version}; {handed} came to Ray."
            )


@contextmanager
def handed_over(lake: Lake, selection: Selection, settings: Settings) -> Iterator[Handed]:
    """Yield a selection on its way to Ray, with a new stage that is removed when the block ends.

    Raises:
        PortfolioError: `hand_off.way` forces a way that cannot be gone.
        StageDamagedError: the stage is not what Spark wrote.
    """
    with new_stage(settings) as stage:
        yield _chosen(lake, selection, settings, stage)


def _chosen(lake: Lake, selection: Selection, settings: Settings, stage: Path) -> Handed:
    forced, limit = settings.hand_off.way, settings.hand_off.small_mb
    why = "hand_off.way says so"
    reason = f"{forced}: {why}"
    if forced == "small":
        return _small(lake, selection, settings, stage, why)
    if forced != "staged":
        small = limit * 2**20 // selection.row_bytes if forced == "auto" else 0
        # Before narrowing: how many rows Spark logic leaves is only known once it has run.
        facts = known(lake, selection, small)
        if forced == "auto" and facts.scope <= small:
            return _small(lake, selection, settings, stage, f"up to {limit} go through the driver")
        try:
            return _direct(lake, selection, settings, stage, facts)
        except NotDirectError as error:
            if forced == "direct":
                raise PortfolioError(
                    f"hand_off.way is direct, but {selection.table.label} has {error}; set it to auto."
                ) from None
            reason = f"staged: {selection.table.label} has {error}"
    manifest = write_stage(lake, selection, settings, stage)
    pieces = fragments(manifest.files, settings.hand_off.rows_per_task)
    return Handed(reason, manifest.rows, stage, selection, pieces)


def _small(lake: Lake, selection: Selection, settings: Settings, stage: Path, why: str) -> Handed:
    # The order of rows from Spark is not defined, so they are sorted before any arithmetic.
    key = selection.table.key
    needed = [F.col(quoted(name)) for name in dict.fromkeys((*key, *selection.columns))]
    rows = selection.rows(lake).select(*needed).toArrow()
    rows = rows.sort_by([(name, "ascending") for name in key]).select(selection.columns)
    rows = rows.cast(selection.schema).combine_chunks()
    step = settings.hand_off.rows_per_task
    ranges = tuple((first, min(step, len(rows) - first)) for first in range(0, len(rows), step))
    megabytes = len(rows) * selection.row_bytes / 2**20
    reason = f"small: {len(rows):,} rows, about {megabytes:.1f} MB; {why}"
    return Handed(reason, len(rows), stage, selection, ranges, source=rows)


def _direct(lake: Lake, selection: Selection, settings: Settings, stage: Path, facts: Known) -> Handed:
    files = direct_files(lake, selection, facts)
    number = "1 file" if len(files) == 1 else f"{len(files)} files"
    reason = f"direct: Ray reads the {number} of version {selection.version} directly"
    scope = None if selection.scope is None else (selection.table.scope, selection.scope)
    pieces = fragments(files, settings.hand_off.rows_per_task)
    return Handed(reason, facts.scope, stage, selection, pieces, scope=scope)
