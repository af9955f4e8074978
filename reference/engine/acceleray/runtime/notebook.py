"""What a notebook needs so that it runs the same on Databricks, in an editor and as a plain script."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from acceleray.errors import PortfolioError
from acceleray.runtime.workload import Comparison


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


def show_comparison(compared: Comparison | None) -> None:
    """Show models side by side: a table in a notebook, plain lines elsewhere."""
    if compared is None:
        return
    display_html = _databricks("displayHTML")
    names = (*compared.names, "reason")
    rows = [(*row, words) for row, words in zip(compared.rows, compared.words, strict=True)]
    if display_html is not None:
        display_html(_html(names, rows))
    elif _shell() is not None:
        show_table(names, rows)
    else:
        sys.stdout.write("\n".join(["", *compared.lines(), "", ""]))


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
    shell = _shell()
    return shell.user_ns.get(name) if shell is not None else None


def _shell() -> Any:
    """Return the IPython that runs a notebook, or None in a plain script."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


def _html(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
