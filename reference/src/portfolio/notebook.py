"""What a notebook needs so that it runs the same on Databricks, in an editor and as a plain script."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from portfolio.errors import PortfolioError


def parameters(**defaults: str) -> dict[str, str]:
    """Return the notebook's parameters: Databricks widgets, else `name=value` on the command line.

    Raises:
        PortfolioError: the command line names a parameter the notebook does not have.
    """
    widgets = getattr(_databricks("dbutils"), "widgets", None)
    if widgets is not None:
        for name, default in defaults.items():
            widgets.text(name, default)
        return {name: str(widgets.get(name)) for name in defaults}
    given = dict(argument.partition("=")[::2] for argument in sys.argv[1:] if "=" in argument)
    unknown = sorted(set(given) - set(defaults))
    if unknown:
        raise PortfolioError(f"Unknown parameter '{unknown[0]}'; this notebook has {', '.join(defaults)}.")
    return defaults | given


def show_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows as a table."""
    table = Table(*header)
    for row in rows:
        table.add_row(*(f"{cell:.1f}" if isinstance(cell, float) else str(cell) for cell in row))
    Console().print(table)


def show_report(path: Path | None) -> None:
    """Show a report in a Databricks notebook; elsewhere print where it is."""
    if path is None:
        return
    display_html = _databricks("displayHTML")
    if display_html is not None:
        display_html(path.read_text(encoding="utf-8"))
    sys.stdout.write(f"Report: {path}\n")


def _databricks(name: str) -> Any:
    """Return what the Databricks notebook offers under a name, or None outside of one."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell.user_ns.get(name) if shell is not None else None
