"""`portfolio report`: the pages of a finished run from its tables, and its tables as XLSX."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from acceleray.cli import text
from acceleray.cli.options import Environment, Overrides, ProjectFolder
from acceleray.cli.project import find_project
from acceleray.errors import PortfolioError
from acceleray.settings import load

_NAMED = 5


def report(
    context: typer.Context,
    run_id: Annotated[
        str | None,
        typer.Argument(metavar="[RUN_ID]", help="Default: the newest report of the book."),
    ] = None,
    xlsx: Annotated[
        Path | None, typer.Option("--xlsx", metavar="FILE", help="Write its tables to an XLSX file instead.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="DIR", help="Folder to write to; var/reports otherwise."),
    ] = None,
    overrides: Overrides = None,
    environment: Environment = "local",
    project: ProjectFolder = None,
) -> int:
    """Write the report of a finished run again, with a page for each portfolio; nothing is computed.

    \b
    portfolio report
    portfolio report 0123456789abcdef --output board
    portfolio report --xlsx desk.xlsx
    """
    settings = load(find_project(project), environment, overrides or ())
    context.obj.state_dir = settings.state_dir
    from acceleray.cli.reading import refuse_unwritable
    from acceleray.engines.delta.reader import reader
    from acceleray.report import again
    from acceleray.report.model_document.run_rows import KeptInTables

    if xlsx is not None:
        refuse_unwritable(xlsx)
    if output is not None and output.exists() and not output.is_dir():
        raise PortfolioError(f"{output} is a file; --output needs a folder.")
    with reader(settings) as tables:
        kept = KeptInTables(tables)
        run = again.run_of(kept, run_id)
        if different := again.other_settings(run, settings):
            more = f" and {len(different) - _NAMED} more" if len(different) > _NAMED else ""
            print(
                f"Run {run['run_id']} had other settings than conf/ has now:"
                f" {', '.join(different[:_NAMED])}{more}.",
                file=sys.stderr,
            )
        if xlsx is not None:
            text.tell([f"Tables: {again.write_workbook(kept, run, settings, xlsx)}"])
            return 0
        own = context.obj.project.own_sections(run["workload"])
        path = again.write_page(kept, run, settings, output or settings.state_dir / "reports", own)
    text.tell([f"Report: {path}"])
    return 0
