"""The commands: what they are called, what they take, and what they print."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from acceleray.cli.archive import archive, archived, reproduce
from acceleray.cli.cluster import cluster
from acceleray.cli.explain import explain
from acceleray.cli.guard import Place, guarded
from acceleray.cli.limits import limits
from acceleray.cli.maintain import maintain
from acceleray.cli.model_document import model_document
from acceleray.cli.models import models, rollback
from acceleray.cli.new_workload import new_workload
from acceleray.cli.notebooks import notebooks
from acceleray.cli.options import Environment, Overrides, Profile, ProjectFolder
from acceleray.cli.project import find_project, version_line
from acceleray.cli.report import report
from acceleray.cli.reports import reports
from acceleray.cli.text import conclusion_lines, tell
from acceleray.cli.what_if import what_if
from acceleray.cli.workloads import workloads
from acceleray.errors import PortfolioError
from acceleray.runtime.project import Project
from acceleray.settings import Settings, load

TableName = Annotated[str, typer.Argument(metavar="TABLE", help="As layer.name, or only the name.")]


def main(of: Project, arguments: Sequence[str] | None = None) -> int:
    """Run the command line of a project and return its exit code.

    Args:
        of: what the project adds to the engine.
        arguments: `sys.argv` is read if none are given.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    place = Place(of)
    if not sys.warnoptions:
        # Warnings of libraries about each other tell a user nothing; python -W default shows them.
        warnings.simplefilter("ignore")
    app = _application()

    def action() -> int:
        return int(app(given or ["--help"], standalone_mode=False, obj=place, prog_name="portfolio") or 0)

    return guarded(action, place)


def _application() -> typer.Typer:
    app = typer.Typer(
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    for name, command, summary in (
        ("run", run, "Run one workload and write its report."),
        ("workloads", workloads, "List the workloads of this project."),
        ("notebooks", notebooks, "Run the notebooks and write them as pages, with their output."),
        ("new-workload", new_workload, "Write the files of a new workload, ready to run."),
        ("tables", tables, "List every table: rows, version, last commit."),
        ("show", show, "Show rows of a table, or write them to a CSV file."),
        ("report", report, "Write the report of a finished run again, or its tables as XLSX."),
        ("reports", reports, "List the reports, newest first, with verdicts; --open opens the newest."),
        ("limits", limits, "Show the utilisation of each limit; exits with 3 if one is breached."),
        ("lineage", lineage, "Trace a row back to data, model, settings and code."),
        ("explain", explain, "Show which results a run reused and computed, and why."),
        ("what-if", what_if, "Compute the risk of trades, and the best hedge."),
        ("models", models, "List the models with champion, date and reason."),
        ("rollback", rollback, "Withdraw the champion; the previous one is champion again."),
        ("model-document", model_document, "Write the model document for validators."),
        ("archive", archive, "Archive a run: tables, files, code, lock files."),
        ("reproduce", reproduce, "Run an archived run again and compare every table."),
        ("maintain", maintain, "Compact tables and delete files of old versions."),
        ("cluster", cluster, "Start, stop or inspect a Spark cluster on this machine."),
        ("dictionary", dictionary, "Print the data dictionary: every table, column and unit."),
        ("doctor", doctor, "Check this machine before a run."),
    ):
        app.command(name, short_help=summary)(command)
    return app


def _print_version(context: typer.Context, asked: bool) -> None:
    if asked:
        tell([version_line(context.obj.project)])
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Portfolio analytics on Spark, Delta Lake, Ray and MLflow.

    \b
    First:  portfolio doctor
    Then:   portfolio workloads
            portfolio run WORKLOAD
            portfolio tables
            portfolio show gold.risk_measures --where "confidence = 0.99"
            portfolio lineage gold.risk_measures portfolio_id=REFERENCE
    """


def run(
    context: typer.Context,
    workload: Annotated[str, typer.Argument(metavar="WORKLOAD", help="`portfolio workloads` lists them.")],
    overrides: Overrides = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="YYYY-MM-DD", help="Last date the run may see.")
    ] = None,
    anew: Annotated[
        bool, typer.Option("--anew", help="Compute everything; reuse no results of earlier runs.")
    ] = False,
    profile: Profile = None,
    environment: Environment = "local",
    project: ProjectFolder = None,
) -> int:
    """Run one workload; the last line says where its report is.

    \b
    portfolio run WORKLOAD --as-of 2020-06-30 --set book.portfolios=2000
    portfolio run WORKLOAD --set market_data.source=csv --set market_data.path=prices.csv
    portfolio run WORKLOAD --profile cluster
    """
    last = _date(as_of)
    chosen: dict[str, Any] = {"as_of": last, "profile": profile, "anew": anew or None}
    settings = load(find_project(project), environment, overrides or (), **chosen)
    context.obj.state_dir = settings.state_dir
    from acceleray.runtime.progress import Reporter
    from acceleray.runtime.workload import execute

    of: Project = context.obj.project
    done = execute(of.workload(workload), settings, Reporter(), of)
    try:
        tell(archived(of, settings, done.run_id) if settings.archive.auto else [])
    finally:
        tell(conclusion_lines(done))
    return 0


def tables(
    context: typer.Context,
    overrides: Overrides = None,
    environment: Environment = "local",
    project: ProjectFolder = None,
) -> int:
    """List every table: rows, newest version, last commit and what it holds."""
    settings = load(find_project(project), environment, overrides or ())
    context.obj.state_dir = settings.state_dir
    from acceleray.cli.reading import list_tables

    tell(list_tables(settings, context.obj.project))
    return 0


def show(
    context: typer.Context,
    table: TableName,
    where: Annotated[
        str | None, typer.Option("--where", metavar="SQL", help="Only rows that meet this condition.")
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
    """Show rows of a table, in the order of its key.

    \b
    portfolio show gold.backtest_verdicts
    portfolio show risk_measures --where "measure = 'value_at_risk' AND horizon_d = 1" --limit 50
    portfolio show gold.calibration --csv calibration.csv

    On Databricks the condition is Spark's SQL; elsewhere DataFusion reads it, which has other functions.
    """
    settings = load(find_project(project), environment, overrides or ())
    context.obj.state_dir = settings.state_dir
    from acceleray.cli import reading

    found = reading.find_table(table, context.obj.project)
    if csv is not None:
        written, line = reading.write_csv(settings, found, where, limit, csv)
        tell([line])
        return 0 if written else 1
    lines, line = reading.show_table(settings, found, where, limit or 20)
    tell(lines)
    print(line, file=sys.stderr)
    return 0 if lines else 1


def lineage(
    context: typer.Context,
    table: TableName,
    keys: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE...", help="Columns that identify the row.")
    ] = None,
    overrides: Overrides = None,
    environment: Environment = "local",
    project: ProjectFolder = None,
) -> int:
    """Follow a row back to its prices, seed, model, code, settings and Delta versions.

    \b
    portfolio lineage gold.risk_measures portfolio_id=REFERENCE measure=value_at_risk
    portfolio lineage silver.prices instrument_id=AAPL date=2020-03-16
    """
    settings = load(find_project(project), environment, overrides or ())
    context.obj.state_dir = settings.state_dir
    from acceleray.cli import reading

    of: Project = context.obj.project
    lines, reason = reading.trace(settings, reading.find_table(table, of), keys or (), of)
    tell(lines)
    if reason:
        print(reason, file=sys.stderr)
    return 0 if lines else 1


def dictionary(context: typer.Context) -> int:
    """Print the data dictionary as Markdown; `make dictionary` writes it to docs/data_dictionary.md."""
    from acceleray.tables.dictionary import markdown

    tell(markdown(context.obj.project.all_tables()).splitlines())
    return 0


def doctor(
    context: typer.Context,
    advice: Annotated[
        bool,
        typer.Option("--advise", help="Instead, print the recommended engine of each stage."),
    ] = False,
    instruments: Annotated[
        int | None,
        typer.Option("--instruments", metavar="N", min=1, help="For --advise: number of instruments."),
    ] = None,
    days: Annotated[
        int | None, typer.Option("--days", metavar="N", min=1, help="For --advise: days of history.")
    ] = None,
    overrides: Overrides = None,
    profile: Profile = None,
    environment: Environment = "local",
    project: ProjectFolder = None,
) -> int:
    """Say what is missing or mismatched here, before anything runs; starts neither Spark nor Ray.

    \b
    portfolio doctor
    portfolio doctor --profile cluster --set cluster.workers=4
    portfolio doctor --advise --instruments 10000 --days 5000 --set book.portfolios=100000
    """
    from acceleray.doctor import advise, examine

    def settings() -> Settings:
        return load(find_project(project), environment, overrides or (), profile=profile)

    if advice:
        tell(list(advise(settings(), instruments, days)))
        return 0
    missing = 0
    for one in examine(settings):
        tell([f"{one.status:<8} {one.subject}: {one.detail}"])
        missing += one.status == "missing"
    tell([f"{missing} missing." if missing else "Everything is here."])
    return 1 if missing else 0


def _date(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise PortfolioError(f"--as-of needs a date like 2020-06-30, not '{text}'.") from None
