"""`portfolio notebooks`: the notebooks as HTML pages, with the output of a real run."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from acceleray.cli.options import Environment, Overrides, ProjectFolder
from acceleray.cli.project import find_project
from acceleray.cli.text import tell
from acceleray.errors import PortfolioError
from acceleray.settings import load

Names = Annotated[list[str] | None, typer.Argument(metavar="[WORKLOAD]...", help="Default: all.")]


def notebooks(
    context: typer.Context,
    workload: Names = None,
    overrides: Overrides = None,
    environment: Environment = "local",
    project: ProjectFolder = None,
) -> int:
    """Run notebooks and write each as an HTML page, with its output, into the state folder.

    \b
    portfolio notebooks
    portfolio notebooks end_to_end_pipeline --set book.portfolios=100
    """
    folder = find_project(project)
    settings = load(folder, environment, overrides or ())
    context.obj.state_dir = settings.state_dir
    from acceleray.runtime.rendering import render_all

    chosen = {"project": str(folder), "environment": environment, "set": shlex.join(overrides or ())}
    stopped = []
    for page, failed in render_all(_paths(folder, workload or []), chosen, settings.state_dir / "notebooks"):
        tell([f"Notebook: {page}"])
        if failed is not None:
            stopped.append(f"{page.stem} ({type(failed).__name__}: {(str(failed).splitlines() or [''])[0]})")
    if stopped:
        raise PortfolioError(f"{len(stopped)} did not run to the end: {'; '.join(stopped)}")
    return 0


def _paths(folder: Path, workloads: list[str]) -> list[Path]:
    paths = sorted((folder / "notebooks").glob("*.py"))
    known = {path.stem.partition("_")[2]: path for path in paths}
    if unknown := [name for name in workloads if name not in known]:
        raise PortfolioError(f"There is no notebook of '{unknown[0]}'; this project has {', '.join(known)}.")
    return [known[name] for name in workloads] or paths
