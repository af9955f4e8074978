"""`portfolio cluster`: a real Spark standalone cluster on this machine, for tests and demonstrations."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from acceleray.cli.options import Environment, Overrides, ProjectFolder
from acceleray.cli.project import find_project
from acceleray.cli.text import tell
from acceleray.counts import counted
from acceleray.errors import PortfolioError
from acceleray.settings import load

Action = Annotated[str, typer.Argument(metavar="start|stop|status", help="start, stop or status.")]


def cluster(
    context: typer.Context,
    action: Action,
    overrides: Overrides = None,
    environment: Environment = "local",
    project: ProjectFolder = None,
) -> int:
    """Start, stop or look at a Spark standalone cluster on this machine, on loopback and for this user only.

    \b
    portfolio cluster start --set cluster.workers=3
    portfolio run WORKLOAD --profile cluster
    portfolio cluster stop

    A run with --profile cluster uses it; where there is none, the run starts its own and stops it.
    """
    settings = load(find_project(project), environment, overrides or ())
    context.obj.state_dir = settings.state_dir
    from acceleray.engines.profiles import CLUSTER_FOLDER
    from acceleray.engines.spark import standalone

    folder = settings.state_dir / CLUSTER_FOLDER
    known = standalone.remembered(folder)
    if action == "start":
        if known:
            raise PortfolioError(
                f"A cluster runs already at {known.master}; stop it first to change its size."
            )
        size = settings.cluster
        print(f"Starting a Spark master and {counted(size.workers, 'worker')}", file=sys.stderr)
        known = standalone.start(settings, folder)
        standalone.remember(known, folder)
    elif action == "stop":
        if known:
            standalone.stop(known)
        standalone.forget(folder)
        tell(["The cluster is stopped." if known else "No cluster was running."])
        return 0
    elif action != "status":
        raise PortfolioError(f"cluster takes start, stop or status, not '{action}'.")
    if known is None:
        tell(["No cluster is running; `portfolio cluster start` starts one."])
        return 1
    state = known.state()
    tell(
        [
            f"Master   {known.master}",
            f"Page     {known.page}",
            f"Workers  {state['workers']}",
            f"Slots    {state['slots']}, {state['held']} held by"
            f" {counted(state['applications'], 'application')}",
        ]
    )
    return 0
