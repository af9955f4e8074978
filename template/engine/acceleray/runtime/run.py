"""The context of a stage: settings, tables, the fan-out, and a record of all reads and writes."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from acceleray.engines.delta.delta_rs import Parts
from acceleray.engines.delta.lake import Commit, Lake
from acceleray.engines.handoff.arrays import with_constants, without_nan
from acceleray.engines.handoff.driver_read import rows_here
from acceleray.engines.handoff.order import in_order
from acceleray.engines.handoff.parts import commit_parts
from acceleray.engines.handoff.selection import Selection
from acceleray.engines.handoff.transform import HandOff, Target
from acceleray.engines.processes.memory import given_back
from acceleray.engines.ray.fanout import FanOut
from acceleray.governance.tracking import StageRecord, Tracker
from acceleray.runtime.document_page import Page
from acceleray.runtime.identity import Identity, Touch, source_name
from acceleray.runtime.inputs import Input, outside
from acceleray.runtime.kept_work import Kept
from acceleray.runtime.notices import Notices
from acceleray.runtime.progress import Reporter
from acceleray.runtime.project import NOTHING_ADDED, Project
from acceleray.settings import Settings
from acceleray.tables import whole
from acceleray.tables.contract import Table, quoted


class Run:
    """One execution of a workload."""

    def __init__(
        self,
        settings: Settings,
        lake: Lake,
        fan_out: FanOut,
        tracker: Tracker,
        reporter: Reporter,
        workload: str = "",
        project: Project = NOTHING_ADDED,
    ) -> None:
        """Keep what stages work with; the identity follows once prices are loaded."""
        self.settings = settings
        self.lake = lake
        self.fan_out = fan_out
        self.tracker = tracker
        self.reporter = reporter
        self.workload = workload
        self.project = project
        self.source = source_name(settings)
        self.touches: list[Touch] = []
        self.began: dict[str, float] = {}
        self.seconds: dict[str, float] = {}
        self.handed: list[tuple[str, Table, str]] = []
        self.kept = Kept(self, settings.anew)
        self.notices = Notices(self)
        self.outside: list[Input] = []
        self._identity: Identity | None = None
        self._stage = ""
        self._record: StageRecord | None = None
        self._pinned: dict[str, int] = {}
        self._rows: dict[str, int] = {}

    @property
    def identity(self) -> Identity:
        """Return what decides this run's numbers; known after ingest."""
        if self._identity is None:
            raise RuntimeError("the run has no identity before prices are ingested")
        return self._identity

    @property
    def as_of(self) -> date:
        """Return the last date the run may see."""
        return self.identity.as_of

    @property
    def last_stage(self) -> str:
        """Return the stage that began last, empty before the first."""
        return self._stage

    def identify(self, load_id: str, as_of: date, also: Sequence[str] = ()) -> None:
        """Fix the run's identity: same workload, prices, date, settings and code give the same run_id.

        `also` are digests of what else decides its numbers: factor levels, stress definitions.
        """
        code = self.project.code_version()
        parts = [self.workload, self.source, load_id, as_of.isoformat(), code, self.settings.numbers(), *also]
        digest = hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()
        self._identity = Identity(digest[:16], self.source, load_id, as_of, code)
        self.outside += outside(self.settings, self.lake.spark)
        self.tracker.describe(
            {"run_id": digest[:16], "source": self.source, "load_id": load_id, "code_version": code},
            {"as_of": as_of, **self.settings.numbers()},
        )

    @contextmanager
    def stage(self, name: str, title: str) -> Iterator[StageRecord]:
        """Show, time and track one stage; tables touched inside are recorded under its name."""
        started = self.began[name] = time.monotonic()
        with self.reporter.stage(title), self.tracker.stage(name) as record, given_back():
            self._stage, self._record = name, record
            yield record
            self.seconds[name] = time.monotonic() - started
            record.measure({"seconds": self.seconds[name]})

    def scope(self, table: Table) -> str:
        """Return the value of a table's scope column for this run."""
        return self.source if table.scope == "source" else self.identity.run_id

    def read(self, table: Table, where: str = "true") -> DataFrame:
        """Return this run's rows of a table, pinned to one Delta version for the run, and record it."""
        frame = self._frame(table)
        if table.label not in self._rows:
            self._rows[table.label] = frame.count()
        self._touch("read", table, self._pinned[table.label], self._rows[table.label], "", False)
        return frame.where(where)

    def arrow(self, table: Table, columns: tuple[str, ...], where: str = "true") -> pa.Table:
        """Hand a table over to Python: explicit columns, pinned version, sorted by its key."""

        def read(needed: tuple[str, ...]) -> pa.Table:
            if where == "true" and (rows := self._here(table, needed, {})) is not None:
                return rows
            chosen = None if where == "true" else where
            return self.lake.rows(whole(table), self.scope(table), self.version(table), chosen, needed)

        rows = in_order(read, table.key, columns)
        self._touch("read", table, self._pinned[table.label], rows.num_rows, "", False)
        return rows

    def rows(self, table: Table, per: Sequence[str] = (), **among: Sequence[Any]) -> pa.Table:
        """Return this run's rows of a table as they are now, with the columns that `table` declares.

        A table that no workload has written yet has none and is not created.

        Args:
            table: what is read.
            per: with it Spark makes one row of all rows that are alike in these columns: `rows`, how many
                they are, and of every other column `<name>_min` and `<name>_max`, NULL without a value.
            among: columns, and the values they may have.
        """
        if not (per or self.lake.exists(table)):
            return table.arrow_schema.empty_table()
        if not per and (rows := self._here(table, table.column_names, among)) is not None:
            return rows
        frame = self._frame(table)
        for name, values in among.items():
            frame = frame.where(F.col(quoted(name)).isin(*values))
        if per:
            others = [name for name in table.column_names if name not in per]
            least = [F.min(quoted(name)).alias(f"{name}_min") for name in others]
            largest = [F.max(quoted(name)).alias(f"{name}_max") for name in others]
            frame = frame.groupBy(*map(quoted, per)).agg(F.count(F.lit(1)).alias("rows"), *least, *largest)
        return frame.toArrow()

    def sample(self, table: Table, columns: Sequence[str], limit: int, **among: Sequence[Any]) -> pa.Table:
        """Return the first rows of a table by key, at most `limit`, for a person to look at."""
        names = tuple(dict.fromkeys((*table.key, *columns, *among)))
        if (rows := self._here(table, names, among)) is not None:
            return rows.sort_by([(name, "ascending") for name in table.key]).slice(0, limit).select(columns)
        frame = self._frame(table)
        for name, values in among.items():
            frame = frame.where(F.col(quoted(name)).isin(*values))
        return frame.orderBy(*map(quoted, table.key)).limit(limit).select(*map(quoted, columns)).toArrow()

    def commit(
        self,
        table: Table,
        rows: DataFrame | pa.Table,
        in_files: int | None = None,
        keep: bool = True,
        where: str | None = None,
    ) -> Commit:
        """Replace this run's (or source's) rows of a table in one commit, and record it.

        `in_files` is how many rows a DataFrame must have that reads files: Spark need not keep those too, nor
        rows that it holds already, for which `keep` is False. With `where` (`date >= DATE'2022-11-01'`), only
        rows that meet it are replaced, and all of `rows` must.
        """
        if isinstance(rows, pa.Table):
            rows = without_nan(with_constants(rows, table, self.constants()))
        keep = keep and in_files is None
        return self._wrote(self.lake.commit(table, rows, self.scope(table), in_files, keep, where))

    def append(self, table: Table, rows: pa.Table) -> Commit:
        """Add rows of this run to a table that is append only, and record it; the rows there stay."""
        rows = without_nan(with_constants(rows, table, self.constants()))
        return self._wrote(self.lake.append(table, rows, self.scope(table)))

    def commit_parts(self, table: Table, parts: Iterable[pa.Table] | Parts) -> Commit:
        """Replace this run's rows of a table in one commit by rows that come a part at a time.

        However many they are, memory holds only some. A function that makes them again spares files.
        """
        into = Target(table, self.scope(table), self.constants())
        return self._wrote(commit_parts(self.lake, self.settings, into, parts))

    def transform(
        self,
        table: Table,
        columns: tuple[str, ...],
        function: Callable[..., pa.Table],
        target: Table,
        shared: Sequence[Any] = (),
        narrow: Callable[[DataFrame], DataFrame] | None = None,
        **fixed: Any,
    ) -> Commit:
        """Hand this run's rows of a table to Ray, and commit what a function makes of them.

        Args:
            table: what is read, pinned to one Delta version for the run.
            columns: what the function is given, in this order.
            function: a module-level function from an Arrow table to one with the declared columns of
                `target`, less source, run_id and as_of; it treats each row on its own.
            target: where the results go, in one commit.
            shared: large read-only arguments of the function, stored once for all tasks.
            narrow: Spark logic that picks among the rows.
            fixed: small arguments of the function.

        Raises:
            PortfolioError: the function raised, or the way set in `hand_off.way` cannot be gone.
        """
        selection = Selection(table, self.version(table), self.scope(table), columns, narrow)
        hand_off = HandOff(self.lake, self.fan_out, self.settings, self._say)
        into = Target(target, self.scope(target), self.constants())
        done = hand_off.transform(selection, function, into, shared, **fixed)
        self._touch("read", table, selection.version, done.rows, "", False)
        self.handed.append((self._stage, table, done.reason))
        if self._record is not None:
            self._record.note(f"handoff.{table.label}", done.reason)
        return self._wrote(done.commit)

    def report(self, page: Page, **more: Any) -> Path:
        """Write this run's report, attach it to the evidence and return where it is; the stage `report`.

        The documents of the models it made are written and attached with it. `more` is whatever else the page
        asks for.
        """
        with self.stage("report", "Write the report"):
            name = f"{self.workload}-{self.as_of}-{self.identity.run_id}.html"
            path, own = self.settings.state_dir / "reports" / name, self.project.own_sections(self.workload)
            self.notices.commit()
            path = page.write(self.rows, self.settings, path, own, **more)
            # A page of a project's own may have none.
            documents = getattr(page, "documents", None)
            for written in (path, *(documents(self) if documents is not None else ())):
                self.tracker.attach(written)
        return path

    def constants(self) -> dict[str, Any]:
        """Return the columns that have the same value in every row of this run."""
        constants: dict[str, Any] = {"source": self.source}
        if self._identity is not None:
            constants |= {"run_id": self.identity.run_id, "as_of": self.identity.as_of}
        return constants

    def _wrote(self, commit: Commit) -> Commit:
        self._pinned[commit.table.label] = commit.version
        self._rows[commit.table.label] = commit.rows
        self._touch("wrote", commit.table, commit.version, commit.rows, commit.fingerprint, commit.changed)
        return commit

    def _frame(self, table: Table) -> DataFrame:
        return self.lake.read(table, self.scope(table), self.version(table))

    def _here(
        self, table: Table, columns: tuple[str, ...], among: Mapping[str, Sequence[Any]]
    ) -> pa.Table | None:
        # Whole: the files have columns that a narrowed declaration has not.
        selection = Selection(whole(table), self.version(table), self.scope(table), columns)
        return rows_here(self.lake, selection, among)

    def version(self, table: Table) -> int:
        """Return the Delta version of a table that this run reads or has written."""
        if table.label not in self._pinned:
            self._pinned[table.label] = self.lake.version(whole(table))
        return self._pinned[table.label]

    def _say(self, line: str) -> None:
        self.reporter.say(f"    {line}")

    def _touch(
        self, direction: str, table: Table, version: int, rows: int, fingerprint: str, changed: bool
    ) -> None:
        self.touches.append(Touch(self._stage, direction, table, version, rows, fingerprint, changed))
        if self._record is not None:
            self._record.table(direction, table.label, version, rows)
