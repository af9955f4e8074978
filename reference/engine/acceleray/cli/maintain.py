"""`portfolio maintain`: every table compacted if it needs it, and rid of files that nobody needs."""

from __future__ import annotations

import sys

import typer

from acceleray.cli import text
from acceleray.cli.options import Environment, Overrides, Profile, ProjectFolder
from acceleray.cli.project import find_project
from acceleray.counts import counted
from acceleray.engines.processes.lock import run_lock
from acceleray.settings import load


def maintain(
    context: typer.Context,
    overrides: Overrides = None,
    profile: Profile = None,
    environment: Environment = "local",
    project: ProjectFolder = None,
) -> int:
    """Compact tables of many small files, and delete files that only old versions need.

    \b
    portfolio maintain
    portfolio maintain --set maintenance.vacuum_after_h=24

    No row and no number changes. Versions younger than maintenance.vacuum_after_h hours stay readable; those
    that runs pinned longer ago do not. A run compacts the tables it wrote by itself once they need it; this
    command looks at all tables. It waits for nobody: while a run is at work it ends in one line.
    """
    settings = load(find_project(project), environment, overrides or (), profile=profile)
    context.obj.state_dir = settings.state_dir
    with run_lock(settings.machine_dir):
        from acceleray.engines.delta.catalogue import describe
        from acceleray.engines.delta.lake import Lake
        from acceleray.engines.delta.upkeep import retention_h, upkeep
        from acceleray.engines.profiles import spark_alone
        from acceleray.tables.stored import MisfitError

        hours = retention_h(settings)
        with spark_alone(settings) as session:
            lake = Lake(session, settings)
            done = []
            for table in filter(lake.exists, context.obj.project.all_tables()):
                try:
                    done.append(upkeep(lake, table))
                except MisfitError as left_alone:
                    print(left_alone, file=sys.stderr)
            for line in describe(lake, filter(lake.exists, context.obj.project.all_tables())):
                print(line, file=sys.stderr)
    if tended := [one.table.label for one in done if one.by_itself]:
        print(f"Predictive optimization maintains {counted(len(tended), 'table')}; skipped.", file=sys.stderr)
    rows = [(one.table.label, one.before, one.after, one.deleted) for one in done]
    if not rows:
        text.tell(["No table has been created yet."])
        return 0
    text.tell(text.grid(("table", "files before", "files after", "files deleted"), rows))
    print(f"Versions of the last {counted(hours, 'hour')} stay readable.", file=sys.stderr)
    return 0
