"""Notices: input that a run left out of its numbers, or took otherwise than given, told and kept.

A line on the console is gone in the morning. So the same line stands in `gold.run_notices`, at the top of the
report, and in the model document.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from acceleray.tables import RUN_NOTICES

if TYPE_CHECKING:
    from acceleray.runtime.run import Run


class Notices:
    """The notices of one run, in the order in which they came; the same line twice is one."""

    def __init__(self, run: Run) -> None:
        """Begin without any."""
        self._run = run
        self._lines: dict[str, str] = {}
        self._committed: tuple[str, ...] | None = None

    @property
    def lines(self) -> tuple[str, ...]:
        """Return them as they were told."""
        return tuple(self._lines)

    def add(self, *lines: str) -> None:
        """Print lines on the console, and keep them for the report.

        Args:
            lines: each says which row, column, instrument or position was left out or replaced, and why.
        """
        for line in lines:
            stage = self._run.last_stage
            self._run.reporter.say(f"    {line}" if stage else line)
            self._lines.setdefault(line, stage)

    def commit(self) -> None:
        """Replace the rows of the run if they are others now: with its evidence, and before its report."""
        if self.lines == self._committed:
            return
        self._committed = self.lines
        # A run without notices writes nothing, unless an earlier attempt at it had some.
        if not self._lines and not self._run.rows(RUN_NOTICES).num_rows:
            return
        rows = [
            {"place": place, "stage": stage, "text": text}
            for place, (text, stage) in enumerate(self._lines.items(), 1)
        ]
        names = ("place", "stage", "text")
        schema = pa.schema([RUN_NOTICES.arrow_schema.field(name) for name in names])
        self._run.commit(RUN_NOTICES, pa.Table.from_pylist(rows, schema))
