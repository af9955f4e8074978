"""`portfolio models` and `portfolio rollback`: who is champion, why, and how to go back."""

from __future__ import annotations

import sys
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from acceleray.advice import TO_TRAIN
from acceleray.cli import text
from acceleray.cli.options import Environment, Overrides, Profile, ProjectFolder
from acceleray.cli.project import find_project
from acceleray.engines.processes.lock import run_lock
from acceleray.errors import PortfolioError
from acceleray.settings import load

if TYPE_CHECKING:
    from acceleray.stages.train.rollback import Plan

_NAMES = ("source", "version", "decision", "champion", "effective from", "rank IC", "t", "reason")


def models(
    context: typer.Context,
    overrides: Overrides = None,
    profile: Profile = None,
    environment: Environment = "local",
    project: ProjectFolder = None,
) -> int:
    """List every version of the signal model: what was decided last, since when, and why.

    \b
    portfolio models
    portfolio show gold.model_decisions --where "model_version = 3"
    """
    settings = load(find_project(project), environment, overrides or (), profile=profile)
    context.obj.state_dir = settings.state_dir
    from acceleray.engines.delta.reader import reader, records
    from acceleray.governance.champion import in_order
    from acceleray.tables import MODEL_DECISIONS

    with reader(settings) as tables:
        found = records(tables.rows(MODEL_DECISIONS)) if tables.exists(MODEL_DECISIONS) else []
    rows = _versions(in_order(found))
    if not rows:
        print(f"No model has been trained yet; train one: {TO_TRAIN}.", file=sys.stderr)
        return 1
    text.tell(text.table(_NAMES, rows, text.terminal_width()))
    return 0


def rollback(
    context: typer.Context,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Reason, for the record.")],
    to: Annotated[
        int | None, typer.Option("--to", metavar="VERSION", min=1, help="The version to make champion.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--from", metavar="YYYY-MM-DD", help="First as-of date without the withdrawn model."),
    ] = None,
    overrides: Overrides = None,
    profile: Profile = None,
    environment: Environment = "local",
    project: ProjectFolder = None,
) -> int:
    """Withdraw the champion of a price source; the version before it is champion again.

    \b
    portfolio rollback --reason "ranks upside down since the data vendor changed"
    portfolio rollback --to 3 --reason "versions 4 and 5 saw a wrong split"
    portfolio rollback --from 2022-06-01 --reason "was fine until then"

    Nothing is deleted: each decision is a row in gold.model_decisions. Scores that a withdrawn model has made
    stay as they are, with its name in them. Done twice, it withdraws one champion only; naming a version with
    --to goes further back, or undoes a rollback. Without --from the withdrawn model is not used for any date.
    """
    settings = load(find_project(project), environment, overrides or (), profile=profile)
    context.obj.state_dir = settings.state_dir
    first = _date(since)
    if not reason.strip():
        raise PortfolioError("--reason needs words, because the change is recorded with its reason.")
    with run_lock(settings.machine_dir):
        from acceleray.engines.delta.lake import Lake
        from acceleray.engines.profiles import spark_alone
        from acceleray.governance.tracking import tracked_run
        from acceleray.runtime.progress import Reporter
        from acceleray.runtime.run import Run
        from acceleray.stages.train.rollback import WORKLOAD, roll_back

        with tracked_run(settings, WORKLOAD) as tracker, spark_alone(settings) as session:
            # A rollback decides; there is nothing that Ray could compute.
            nobody: Any = None
            lake, reporter = Lake(session, settings), Reporter(quiet=True)
            run = Run(settings, lake, nobody, tracker, reporter, WORKLOAD)
            done = roll_back(run, to, first, reason.strip())
    text.tell([_line(run.source, done)])
    return 0


def _line(source: str, done: Plan) -> str:
    champion = f"version {done.champion['model_version']} is champion of {source}"
    if not done.changes:
        return (
            f"Nothing was changed: {champion} since {done.effective_from}. "
            "To go back further, name a version with --to."
        )
    if not done.withdrawn:
        return f"Reinstated: {champion} for dates from {done.effective_from} on."
    gone = ", ".join(str(version) for version in done.withdrawn)
    plural = "Versions" if len(done.withdrawn) > 1 else "Version"
    return f"{plural} {gone} withdrawn for dates from {done.effective_from} on; {champion}."


def _versions(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Return a line for each version, the newest first within its source."""
    from acceleray.governance.champion import champion_as_of

    last = {(row["source"], row["model_name"], row["model_version"]): row for row in rows}
    champions = {}
    for source in {row["source"] for row in rows}:
        found = champion_as_of([row for row in rows if row["source"] == source], date.max)
        champions[source] = (found["model_name"], found["model_version"]) if found else None
    ordered = sorted(last.values(), key=lambda row: (row["source"], -row["model_version"]))
    return [
        (
            row["source"],
            row["model_version"],
            row["decision"],
            champions[row["source"]] == (row["model_name"], row["model_version"]),
            row["effective_from"],
            row["rank_ic"],
            row["rank_ic_t"],
            row["reason"],
        )
        for row in ordered
    ]


def _date(given: str | None) -> date | None:
    if given is None:
        return None
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise PortfolioError(f"--from needs a date like 2020-06-30, not '{given}'.") from None
