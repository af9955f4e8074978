"""`portfolio reports`: the reports of this project, the newest first, and the newest in a browser."""

from __future__ import annotations

import webbrowser
from typing import Annotated

import typer

from acceleray.cli.options import Environment, Overrides, ProjectFolder
from acceleray.cli.project import find_project
from acceleray.cli.text import grid, tell
from acceleray.errors import PortfolioError
from acceleray.settings import load


def reports(
    context: typer.Context,
    newest: Annotated[bool, typer.Option("--open", help="Open the newest in the browser.")] = False,
    overrides: Overrides = None,
    environment: Environment = "local",
    project: ProjectFolder = None,
) -> int:
    """List the reports of this project, the newest first; reports/index.html has them as links.

    \b
    portfolio reports
    portfolio reports --open
    """
    settings = load(find_project(project), environment, overrides or ())
    context.obj.state_dir = settings.state_dir
    from acceleray.report import listing

    folder = settings.state_dir / "reports"
    found = listing.listed(folder)
    if not found:
        raise PortfolioError(f"There is no report in {folder} yet; `portfolio run WORKLOAD` writes one.")
    index = listing.write(folder)
    if newest:
        path = next((one for one in found if not one.document), found[0]).path
        if not webbrowser.open(path.resolve().as_uri()):
            raise PortfolioError(f"No browser was found; open {path} manually.")
        tell([f"Opened: {path}"])
        return 0
    rows = [(f"{one.written:%Y-%m-%d %H:%M}", one.title, one.verdict, one.path.name) for one in found]
    tell([*grid(("written", "report", "verdict", "file"), rows), "", f"List: {index}"])
    return 0
