"""Where a notebook's output goes: a page that is being rendered, a Databricks notebook, or plain lines."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from html import escape
from pathlib import Path
from typing import Any

_page: ContextVar[Callable[[str], None] | None] = ContextVar("page", default=None)


@contextmanager
def shown_on(page: Callable[[str], None]) -> Iterator[None]:
    """Give tables and reports that are shown in the block to `page`, as HTML."""
    before = _page.set(page)
    try:
        yield
    finally:
        _page.reset(before)


def show_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Show rows as a table; floats have four significant digits."""
    cells = [tuple(_cell(value) for value in row) for row in rows]
    show = _page.get() or offered("displayHTML")
    if show is not None:
        show(_html(header, cells))
        return
    widths = [max(map(len, column)) for column in zip(header, *cells, strict=True)]
    grid = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in (tuple(header), *cells)]
    sys.stdout.write("\n".join(["", *grid, "", ""]))


def show_frame(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Show rows of a Delta table: with `display` on Databricks, where a reader may sort and plot them."""
    display = offered("display")
    if display is None or _page.get() is not None:
        show_table(header, rows)
        return
    import pandas as pd

    display(pd.DataFrame([list(row) for row in rows], columns=list(header)))


def show_line(line: str) -> None:
    """Print a plain line."""
    sys.stdout.write(f"{line}\n")


def show_report(path: Path | None) -> None:
    """Show a report where there is a page to show it on, and say where it is."""
    if path is None:
        return
    markup = path.read_text(encoding="utf-8")
    if (page := _page.get()) is not None:
        # In a frame: the report's style is not to reach the page around it.
        page(f'<iframe class="report" srcdoc="{escape(markup)}"></iframe>')
    elif (display_html := offered("displayHTML")) is not None:
        display_html(markup)
    show_line(f"Report: {path}")


def offered(name: str) -> Any:
    """Return what the notebook's IPython offers under a name, such as `dbutils`; None outside of one."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell.user_ns.get(name) if shell is not None else None


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _html(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
