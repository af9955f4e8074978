"""`portfolio what-if`: what trades would do to the risk, from scenarios that stay in memory."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from acceleray.cli.options import Environment, Overrides, Profile, ProjectFolder
from acceleray.cli.project import find_project
from acceleray.cli.text import tell
from acceleray.errors import PortfolioError
from acceleray.settings import load

if TYPE_CHECKING:
    from acceleray.settings import Settings


def what_if(
    context: typer.Context,
    trades: Annotated[
        Path | None,
        typer.Argument(metavar="TRADES.csv", help="Columns instrument_id, and quantity, amount or weight."),
    ] = None,
    hedges: Annotated[
        str, typer.Option("--hedges", metavar="A,B,C", help="Find the best amount of each of these.")
    ] = "",
    portfolio: Annotated[
        str,
        typer.Option("--portfolio", metavar="P", help="Portfolio; default: the one of the headline numbers."),
    ] = "",
    shell: Annotated[bool, typer.Option("--shell", help="Open a session for many questions.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Write the answer to gold.what_if.")] = False,
    overrides: Overrides = None,
    profile: Profile = None,
    environment: Environment = "local",
    project: ProjectFolder = None,
) -> int:
    """Say what trades would do to VaR, expected shortfall and limits, and which hedge is best.

    \b
    portfolio what-if trades.csv
    portfolio what-if trades.csv --hedges XOM,WMT --portfolio GROWTH
    portfolio what-if --shell

    The question refers to the last run with a simulation. Regenerating its scenarios takes up to a minute;
    each question then takes a fraction of a second. Nothing is written without --keep.
    """
    settings = load(find_project(project), environment, overrides or (), profile=profile)
    context.obj.state_dir = settings.state_dir
    if trades is None and not shell and not hedges:
        raise PortfolioError("Name a file of trades, or --hedges, or open a session with --shell.")
    return _asked(settings, trades, names(hedges), portfolio, shell, keep)


def names(text: str) -> tuple[str, ...]:
    """Return the names in a list separated by commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _asked(
    settings: Settings, path: Path | None, hedges: tuple[str, ...], portfolio: str, shell: bool, keep: bool
) -> int:
    from acceleray.runtime.progress import Reporter
    from acceleray.stages.limits.definitions import read_limits
    from acceleray.stages.limits.on_trades import limits_on_trades
    from acceleray.stages.what_if.keep import keep as written
    from acceleray.stages.what_if.session import risk_session
    from acceleray.stages.what_if.trades import read_trades, refuse_too_many

    # Invalid trades are refused before anything starts.
    trades = read_trades(path) if path is not None else ()
    refuse_too_many(len(trades), settings.what_if.maximum_trades, "trades")
    refuse_too_many(len(hedges), settings.what_if.maximum_hedges, "hedges")
    limits = limits_on_trades(read_limits(settings))
    with risk_session(settings, portfolio, limits, Reporter()) as risk:
        answer = risk.ask(trades, hedges) if trades or hedges else None
        if answer is not None:
            tell(answer.text())
        if shell:
            from acceleray.cli.what_if_shell import Shell

            Shell(settings, risk, hedges, answer).loop()
    if keep and answer is not None:
        print(f"Kept as {written(settings, risk.base, answer)} in gold.what_if.", file=sys.stderr)
    return 0
