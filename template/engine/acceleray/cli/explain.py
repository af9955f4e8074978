"""`portfolio explain`: what a run took from earlier runs, what it made, and why."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from acceleray.cli import text
from acceleray.cli.options import Environment, Overrides, ProjectFolder
from acceleray.cli.project import find_project
from acceleray.counts import counted
from acceleray.errors import PortfolioError
from acceleray.settings import load

if TYPE_CHECKING:
    from acceleray.engines.delta.reader import Reader

_NAMES = ("stage", "results", "kind", "", "why")
# Names of kinds of work; the others are words already.
_KINDS = {
    "fit": "scheduled fit",
    "backtest_block": "closed block of the backtest",
    "backtest_windows": "closed block of longer windows",
    "backtest_weights": "weights of a backtest",
    "null_path": "path of simulated records",
}


def explain(
    context: typer.Context,
    run_id: Annotated[
        str | None, typer.Argument(metavar="RUN_ID", help="Default: the run that finished last.")
    ] = None,
    overrides: Overrides = None,
    environment: Environment = "local",
    project: ProjectFolder = None,
) -> int:
    """Say what each stage of a run took from earlier runs, what it made, and why.

    \b
    portfolio explain
    portfolio explain 3f0c6a1b2d4e5f60

    A result is taken where nothing that decides it has moved: its inputs, its settings, the code that
    computes it and what that imports, the computing libraries, the type of processor. So a change of a report
    takes all fits from earlier runs, and a change of the model none. `portfolio run WORKLOAD --anew` takes
    nothing.
    """
    settings = load(find_project(project), environment, overrides or ())
    context.obj.state_dir = settings.state_dir
    from acceleray.engines.delta.reader import reader, records
    from acceleray.tables import RUN_WORK
    from acceleray.tables.contract import literal

    with reader(settings) as tables:
        run = _run(tables, run_id)
        if run is None:
            print("No run has finished yet; run a workload first.", file=sys.stderr)
            return 1
        where = f"run_id = {literal(run['run_id'])}"
        rows = records(tables.rows(RUN_WORK, where=where)) if tables.exists(RUN_WORK) else []
    text.tell([f"Run {run['run_id']}  {run['workload']}  as of {run['as_of']}"])
    if rows:
        text.tell(text.table(_NAMES, [_cells(row) for row in rows], text.terminal_width()))
    taken = sum(row["results"] for row in rows if not row["reason"])
    made = sum(row["results"] for row in rows if row["reason"])
    print(f"{counted(taken, 'result')} reused from earlier runs, {made} made", file=sys.stderr)
    return 0


def _run(tables: Reader, run_id: str | None) -> dict[str, Any] | None:
    """Return a finished run by its identifier, or the one that finished last.

    Raises:
        PortfolioError: no run of this identifier has finished.
    """
    from acceleray.engines.delta.reader import records
    from acceleray.tables import RUNS

    runs = (
        records(tables.rows(RUNS, ["run_id", "as_of", "workload", "finished_at"]))
        if tables.exists(RUNS)
        else []
    )
    if run_id is not None:
        runs = [run for run in runs if run["run_id"] == run_id]
        if not runs:
            raise PortfolioError(f"No run {run_id} has finished; `portfolio show gold.runs` lists them.")
    return max(runs, key=lambda run: (run["finished_at"], run["run_id"]), default=None)


def _cells(row: dict[str, Any]) -> tuple[Any, ...]:
    how = "made" if row["reason"] else f"taken from run {row['made_by']}"
    return row["stage"], row["results"], _KINDS.get(row["kind"], row["kind"]), how, row["reason"]
