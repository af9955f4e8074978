"""There and back: rows to Ray, a function on each fragment, and its results in one Delta commit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from acceleray.engines.delta.lake import Commit, Lake
from acceleray.engines.handoff.arrays import with_constants
from acceleray.engines.handoff.files import StageDamagedError, check_pages
from acceleray.engines.handoff.results import result_frame, validated
from acceleray.engines.handoff.selection import Selection
from acceleray.engines.handoff.ways import Handed, handed_over
from acceleray.engines.handoff.work import Output
from acceleray.engines.ray.fanout import FanOut
from acceleray.settings import Settings
from acceleray.tables.contract import Table


@dataclass(frozen=True)
class Target:
    """Where results go: table, the source or run they belong to, and columns that hold one value."""

    table: Table
    scope: str
    constants: Mapping[str, Any]

    @property
    def schema(self) -> pa.Schema:
        """Return the schema of what a function must return: the declared columns, less the constants."""
        fields = [field for field in self.table.arrow_schema if field.name not in self.constants]
        # Whether a value may be missing is for Delta to say, when it is committed.
        return pa.schema([field.with_nullable(True) for field in fields])


@dataclass(frozen=True)
class Transformed:
    """Result of a hand-off: the commit, the way of the rows and its reason, and their number."""

    commit: Commit
    reason: str
    rows: int


class HandOff:
    """Takes rows from Spark to Ray and back."""

    def __init__(
        self, lake: Lake, fan_out: FanOut, settings: Settings, say: Callable[[str], None] = lambda line: None
    ) -> None:
        """Keep the engines, and what to call with a line for people."""
        self._lake = lake
        self._fan_out = fan_out
        self._settings = settings
        self._say = say

    def transform(
        self,
        selection: Selection,
        function: Callable[..., pa.Table],
        target: Target,
        shared: Sequence[Any] = (),
        **fixed: Any,
    ) -> Transformed:
        """Replace the target's rows of one scope by `function(rows, *shared, **fixed)` of each fragment.

        The function is given some of the rows, in no promised order or number, and must treat each on its
        own: then the results do not depend on the way, the fragments or the workers. If a file on the way is
        damaged, everything is done once more from the pinned version.

        Args:
            selection: what is handed over.
            function: a module-level function; returns the columns of `target.schema`, in any order.
            target: where the results go.
            shared: large read-only arguments, stored once.
            fixed: small arguments.

        Raises:
            StageDamagedError: a file was damaged twice.
            PortfolioError: the function raised, or a forced way cannot be gone.
        """
        try:
            return self._once(selection, function, target, shared, fixed)
        except StageDamagedError as error:
            self._say(f"{error} Repeating the hand-off of version {selection.version}.")
        return self._once(selection, function, target, shared, fixed)

    def _once(
        self,
        selection: Selection,
        function: Callable[..., pa.Table],
        target: Target,
        shared: Sequence[Any],
        fixed: Mapping[str, Any],
    ) -> Transformed:
        with handed_over(self._lake, selection, self._settings) as handed:
            self._say(f"{selection.table.label} to Ray, {handed.reason}")
            if handed.source is not None:
                output = Output(target.schema, None)
                parts = [one.result for one in handed.map(self._fan_out, function, shared, output, **fixed)]
                commit = self._commit_tables(parts, target)
            else:
                commit = self._through_files(handed, function, target, shared, fixed)
            return Transformed(commit, handed.reason, handed.rows)

    def _through_files(
        self,
        handed: Handed,
        function: Callable[..., pa.Table],
        target: Target,
        shared: Sequence[Any],
        fixed: Mapping[str, Any],
    ) -> Commit:
        folder = handed.stage / "results"
        folder.mkdir()
        output = Output(target.schema, folder)
        parts = list(handed.map(self._fan_out, function, shared, output, **fixed))
        results = validated(parts, len(handed.fragments), handed.selection, target.schema, folder)
        if not results.files:
            return self._commit_tables([], target)
        frame = result_frame(self._lake, self._settings, results, target.table, target.constants)
        try:
            # Read from files, so there is nothing to gain from keeping it in memory.
            return self._lake.commit(target.table, frame, target.scope, results.rows, keep=False)
        except Exception:
            # Spark does not say which file it could not read.
            for file in results.files:
                check_pages(file)
            raise

    def _commit_tables(self, parts: Iterable[pa.Table], target: Target) -> Commit:
        rows = pa.concat_tables([target.schema.empty_table(), *parts])
        return self._lake.commit(
            target.table, with_constants(rows, target.table, target.constants), target.scope
        )
