"""`portfolio limits`: what of each limit is used, and an exit code that a scheduled job can act on."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from acceleray.cli import text
from acceleray.cli.options import Environment, Overrides, ProjectFolder
from acceleray.cli.project import find_project
from acceleray.settings import load

if TYPE_CHECKING:
    from acceleray.engines.delta.reader import Reader

BREACHED = 3
"""The exit code where a limit is breached."""
_NAMES = (
    "state",
    "limit",
    "portfolio",
    "measure",
    "value",
    "limit is",
    "unit",
    "used %",
    "before %",
    "owner",
)
# Worst first; what nobody looked at comes before what is fine.
_ORDER = ("red", "amber", "not evaluated", "green")


def limits(
    context: typer.Context,
    workload: Annotated[
        str | None,
        typer.Option("--workload", metavar="WORKLOAD", help="The newest run of this workload only."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", min=1, help="At most N rows; 20, or all for --csv.")
    ] = None,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write the rows to a CSV file instead.")
    ] = None,
    overrides: Overrides = None,
    environment: Environment = "local",
    project: ProjectFolder = None,
) -> int:
    """Show how much of each limit in conf/limits.yml the newest run found used, the worst first.

    \b
    portfolio limits
    portfolio limits --workload risk_stress_testing
    portfolio limits --csv limits.csv

    \b
    Ends with  0  no limit is breached
               1  no run has compared anything with limits yet
               2  bad input
               3  at least one limit is breached (red), whether it is among the rows shown or not

    A scheduled job can stop or alert on 3. A limit is red above it, amber from its warning level on, and not
    evaluated where the workload does not compute what it is on; the last column then says why.
    """
    settings = load(find_project(project), environment, overrides or ())
    context.obj.state_dir = settings.state_dir
    import pyarrow as pa

    from acceleray.cli.reading import refuse_unwritable, replace_csv
    from acceleray.engines.delta.reader import reader, records
    from acceleray.tables import LIMIT_UTILISATION
    from acceleray.tables.contract import literal

    if csv is not None:
        refuse_unwritable(csv)
    with reader(settings) as tables:
        run = _newest(tables, workload)
        if run is None:
            of = f" of {workload}" if workload else ""
            print(
                f"No run{of} has checked limits yet; write conf/limits.yml and run a workload.",
                file=sys.stderr,
            )
            return 1
        rows = tables.rows(LIMIT_UTILISATION, where=f"run_id = {literal(run['run_id'])}")
    found = sorted(records(rows), key=_worst_first)
    counts = [
        f"{count} {state}" for state in _ORDER if (count := sum(row["state"] == state for row in found))
    ]
    line = f"{', '.join(counts)}, as of {run['as_of']} ({run['workload']}, run {run['run_id']})"
    if csv is not None:
        replace_csv(csv, pa.Table.from_pylist(found[:limit], schema=rows.schema))
        text.tell([f"{line}: written to {csv}"])
    else:
        shown = found[: limit or 20]
        text.tell(text.table((*_NAMES, "note"), [_cells(row) for row in shown], text.terminal_width()))
        hint = "" if len(shown) == len(found) else f"; {len(shown)} shown, --limit N shows more"
        print(line + hint, file=sys.stderr)
    return BREACHED if any(row["state"] == "red" for row in found) else 0


def _newest(tables: Reader, workload: str | None) -> dict[str, Any] | None:
    """Return the finished run of the latest as-of date that has rows; of several the one that ended last."""
    from acceleray.engines.delta.reader import records
    from acceleray.tables import LIMIT_UTILISATION, RUNS

    if not (tables.exists(RUNS) and tables.exists(LIMIT_UTILISATION)):
        return None
    with_rows = set(tables.rows(LIMIT_UTILISATION, ["run_id"], distinct=True).column("run_id").to_pylist())
    # A run that was killed has no row in gold.runs, so it is not taken.
    runs = records(tables.rows(RUNS, ["run_id", "as_of", "workload", "finished_at"]))
    runs = [run for run in runs if run["run_id"] in with_rows and workload in (None, run["workload"])]
    return max(runs, key=lambda run: (run["as_of"], run["finished_at"], run["run_id"]), default=None)


def _worst_first(row: dict[str, Any]) -> tuple[Any, ...]:
    used = row["utilisation_pct"]
    return _ORDER.index(row["state"]), -(used or 0.0), row["limit_id"], row["portfolio_id"]


def _cells(row: dict[str, Any]) -> tuple[Any, ...]:
    state = row["state"].upper() if row["state"] == "red" else row["state"]
    return (
        state,
        row["limit_id"],
        row["portfolio_id"],
        _measure(row),
        row["value"],
        row["limit_value"],
        row["unit"],
        _rounded(row["utilisation_pct"]),
        _rounded(row["utilisation_before_pct"]),
        row["owner"],
        row["reason"],
    )


def _measure(row: dict[str, Any]) -> str:
    """Return what is limited, such as `value_at_risk 1 d` or `weight sector=Energy`."""
    words = [row["measure"]]
    if row["horizon_d"] is not None:
        words.append(f"{row['horizon_d']} d")
    if row["group_column"] is not None:
        words.append(f"{row['group_column']}={row['group_value'] or 'any'}")
    if row["scenario_id"] is not None:
        words.append(row["scenario_id"])
    return " ".join(words)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
