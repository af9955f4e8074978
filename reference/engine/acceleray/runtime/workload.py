"""A workload: its declaration, its conclusion, and its execution."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from acceleray.extend import Rows
from acceleray.runtime.progress import Reporter
from acceleray.runtime.project import NOTHING_ADDED, Project
from acceleray.runtime.run import Run
from acceleray.runtime.session import session
from acceleray.settings import Settings


@dataclass(frozen=True)
class Comparison:
    """Models side by side: names of columns, cells and words for each model; its name is the first cell."""

    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: tuple[str, ...]

    def lines(self) -> list[str]:
        """Return a line of names and one for each model, aligned, and below them the words on each."""
        widths = [max(map(len, column)) for column in zip(self.names, *self.rows, strict=True)]
        grid = []
        for first, *others in (self.names, *self.rows):
            cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
            grid.append("  ".join([first.ljust(widths[0]), *cells]))
        said = [f"{row[0]}: {words}" for row, words in zip(self.rows, self.words, strict=True)]
        return [*grid, "", *said]


@dataclass(frozen=True)
class Conclusion:
    """Conclusion of a workload: headline numbers, verdict, report, compared models, portfolios."""

    headline: tuple[tuple[str, str], ...]
    verdict: str
    report: Path | None
    verdict_on: str = "Backtest"
    comparison: Comparison | None = None
    portfolios: Rows | None = None


@dataclass(frozen=True)
class Outcome:
    """One finished run: stage, rows written and seconds for each stage, and the conclusion."""

    run_id: str
    stages: tuple[tuple[str, int, float], ...]
    conclusion: Conclusion


@dataclass(frozen=True)
class Workload:
    """One recipe over the stages; `run` does the work, and `fits` says that it fits the signal model.

    Only such a workload knows of `model.device`: the others run on the CPU whatever is set.
    `check` refuses with a PortfolioError what can be seen to be wrong before any engine has started.
    """

    name: str
    title: str
    engine: Literal["spark", "ray"]
    run: Callable[[Run], Conclusion]
    check: Callable[[Settings], object] = lambda settings: None
    fits: bool = False


def execute(
    workload: Workload, settings: Settings, reporter: Reporter, project: Project = NOTHING_ADDED
) -> Outcome:
    """Run a workload under the lock of its folder and return what it concluded.

    Raises:
        PortfolioError: the profile is not available here, or anything the user can put right.
    """
    with session(workload, settings, reporter, project) as run:
        conclusion = workload.run(run)
    return Outcome(run.identity.run_id, stages(run), conclusion)


def stages(run: Run) -> tuple[tuple[str, int, float], ...]:
    """Return stage, rows written and seconds, in the order in which stages ran."""
    return tuple(
        (name, sum(t.rows for t in run.touches if t.stage == name and t.direction == "wrote"), seconds)
        for name, seconds in run.seconds.items()
    )
