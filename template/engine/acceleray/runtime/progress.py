"""Progress on the console: one line per stage, a bar while tasks finish."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.progress import TimeRemainingColumn as _Rich
from rich.text import Text


class TimeLeft(_Rich):
    """How long the tasks of a stage still take at their pace, as soon as two have finished."""

    def render(self, task: Task) -> Text:
        """Return the time in words, or nothing while it is not known."""
        left = task.time_remaining if task.total and task.completed >= 2 else None
        return Text("" if left is None or task.finished else f"about {max(1, round(left))} s left")


class Reporter:
    """Prints progress to standard error, so that standard output stays for results."""

    def __init__(self, console: Console | None = None, quiet: bool = False) -> None:
        """Write to `console`, standard error by default; a quiet reporter prints nothing."""
        self.console = console or Console(stderr=True, quiet=quiet, highlight=False)
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    @contextmanager
    def stage(self, title: str) -> Iterator[None]:
        """Show a stage while it works; when it is done, print its title and seconds."""
        started = time.monotonic()
        if not self.console.is_terminal:
            yield
            self.console.print(f"  {title:<48} {time.monotonic() - started:6.1f} s")
            return
        columns = (SpinnerColumn(), TextColumn("{task.description:<48}"), BarColumn(24), MofNCompleteColumn())
        with Progress(
            *columns, TimeElapsedColumn(), TimeLeft(), console=self.console, transient=True
        ) as self._bar:
            self._task = self._bar.add_task(title, total=None)
            try:
                yield
            finally:
                self._bar, self._task = None, None
        self.console.print(f"  [green]✓[/green] {title:<46} {time.monotonic() - started:6.1f} s")

    def counter(self, total: int, what: str) -> Callable[[int], None]:
        """Return a function to call with the number of finished tasks out of `total`."""

        def done(count: int) -> None:
            if self._bar is not None and self._task is not None:
                self._bar.update(self._task, completed=count, total=total)
            elif total >= 20 and count % max(1, total // 4) == 0 and count < total:
                self.console.print(f"    {count} of {total} {what}")

        return done

    def say(self, line: str) -> None:
        """Print one plain line."""
        self.console.print(line, markup=False, soft_wrap=True)
