"""`portfolio model-document`: the page that a validator of a risk model or a signal model asks for first."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from acceleray.cli import text
from acceleray.cli.options import Environment, Overrides, Profile, ProjectFolder
from acceleray.cli.project import find_project
from acceleray.errors import PortfolioError
from acceleray.settings import load

if TYPE_CHECKING:
    from acceleray.report.model_document.context import Kind, Made

_NAMES = ("risk", "signal")


def model_document(
    context: typer.Context,
    kind: Annotated[str, typer.Argument(metavar="risk|signal", help="Which model.")],
    run_id: Annotated[
        str | None,
        typer.Option("--run", metavar="RUN_ID", help="Of this run; of the latest that promoted otherwise."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="DIR", help="Folder to write to; var/reports otherwise."),
    ] = None,
    overrides: Overrides = None,
    profile: Profile = None,
    environment: Environment = "local",
    project: ProjectFolder = None,
) -> int:
    """Write the document about a model, as HTML and as Markdown, from the tables of the run that made it.

    \b
    portfolio model-document risk
    portfolio model-document signal --output validation
    portfolio model-document risk --run 0123456789abcdef

    Facts come from tables, each with its column. What only people can say is marked "To be filled in by the
    owner". A run that makes a model writes its document too, and attaches it to its MLflow run; a model that
    the gate refused has one that says so first, and --run writes it again.
    """
    found = _kind(kind)
    settings = load(find_project(project), environment, overrides or (), profile=profile)
    context.obj.state_dir = settings.state_dir
    if output is not None and output.exists() and not output.is_dir():
        raise PortfolioError(f"{output} is a file; --output needs a folder.")
    from acceleray.engines.delta.reader import reader
    from acceleray.report.model_document.context import models
    from acceleray.report.model_document.run_rows import KeptInTables
    from acceleray.report.model_document.writing import write

    with reader(settings) as tables:
        kept = KeptInTables(tables)
        if run_id is None:
            every = models(kept, found)
            run_id = next((str(each.run["run_id"]) for each in every if each.promoted), None)
            if run_id is None:
                print(_none(found, every), file=sys.stderr)
                return 1
        written = write(kept, found, run_id, settings, output or settings.state_dir / "reports")
    text.tell([f"Model document: {path}" for path in written])
    return 0


def _kind(given: str) -> Kind:
    if given == "risk":
        return "risk"
    if given == "signal":
        return "signal"
    raise PortfolioError(f"There is no model document of '{given}'; say {' or '.join(_NAMES)}.")


def _none(kind: Kind, every: list[Made]) -> str:
    from acceleray.report.model_document.context import to_make

    if not every:
        return f"No run has made a {kind} model yet; {to_make(kind)}."
    latest = every[0].run["run_id"]
    return f"No {kind} model has been promoted; `--run {latest}` documents the latest, which was refused."
