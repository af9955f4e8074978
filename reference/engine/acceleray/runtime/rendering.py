"""Notebooks as HTML pages with the output of a real run.

The cells run in this process, one after the other; markdown is set by markdown-it, which rich brings along.
nbconvert would do it too, for some forty more packages in every lock: a kernel, a server's parts and
Jupyter's widgets, none of which a Databricks notebook in source format needs.
"""

from __future__ import annotations

import io
import sys
import traceback
from collections.abc import Iterable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from html import escape
from pathlib import Path
from types import ModuleType
from typing import Any

from markdown_it import MarkdownIt

from acceleray.errors import PortfolioError
from acceleray.runtime.session import close_open
from acceleray.runtime.showing import shown_on

_HEADER = "# Databricks notebook source"
_BETWEEN = "# COMMAND ----------"
_MAGIC = "# MAGIC"
_STYLE = """
body { font: 16px/1.5 sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1b1b1b }
pre, code { font: 13px/1.45 ui-monospace, monospace }
pre { padding: .7rem 1rem; overflow-x: auto; margin: .5rem 0 }
pre.code { background: #f4f5f7; border-left: 3px solid #8a94a6 }
pre.out { margin-left: 1rem }
pre.error { background: #fdecea }
table { border-collapse: collapse; margin: .5rem 0 .5rem 1rem; font-size: 14px }
th, td { border-bottom: 1px solid #d6dae1; padding: .2rem .7rem; text-align: left }
iframe.report { width: 100%; height: 40rem; border: 1px solid #d6dae1 }
"""


@dataclass(frozen=True)
class Cell:
    """One cell: its text, without magics, the line it starts at, and whether it is markdown."""

    text: str
    line: int
    markdown: bool


def cells(source: str) -> list[Cell]:
    """Return the cells of a notebook in Databricks source format.

    Raises:
        PortfolioError: the text is no such notebook.
    """
    lines = source.splitlines()
    if not lines or lines[0] != _HEADER:
        raise PortfolioError(f"This is not a notebook: its first line is not '{_HEADER}'.")
    found, part, start = [], [], 2
    for number, line in enumerate([*lines[1:], _BETWEEN], 2):
        if line.strip() != _BETWEEN:
            part.append(line)
            continue
        marked = [one for one in part if one.strip()]
        if marked and all(one.startswith(_MAGIC) for one in marked):
            text = "\n".join(one.removeprefix(_MAGIC).removeprefix(" ") for one in marked)
            found.append(Cell(text.removeprefix("%md").strip(), start, True))
        elif marked:
            found.append(Cell("\n".join(part), start, False))
        part, start = [], number + 1
    return found


def rendered(path: Path, parameters: Mapping[str, str]) -> tuple[str, BaseException | None]:
    """Run a notebook and return its page, and the error at which it stopped; its session is closed then.

    Args:
        path: of the notebook.
        parameters: as a job or a command line would give them.
    """
    page = [f"<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'><title>{escape(path.stem)}</title>"]
    page.append(f"<style>{_STYLE}</style></head><body>")
    set_markdown = MarkdownIt("commonmark").enable("table")
    main = ModuleType("__main__")
    main.__file__ = str(path)
    before, arguments = sys.modules["__main__"], sys.argv
    failed: BaseException | None = None
    try:
        sys.modules["__main__"], sys.argv = main, [str(path), *(f"{k}={v}" for k, v in parameters.items())]
        for cell in cells(path.read_text(encoding="utf-8")):
            if cell.markdown:
                page.append(set_markdown.render(cell.text))
                continue
            page.append(f"<pre class='code'>{escape(cell.text.strip())}</pre>")
            if failed := _ran(cell, path, vars(main), page):
                break
    finally:
        sys.modules["__main__"], sys.argv = before, arguments
    return "\n".join([*page, "</body></html>\n"]), failed


def render_all(
    paths: Iterable[Path], parameters: Mapping[str, str], folder: Path
) -> Iterable[tuple[Path, BaseException | None]]:
    """Run notebooks in order; yield each page's path in `folder`, and the error at which it stopped."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in paths:
        markup, failed = rendered(path, parameters)
        target = folder / f"{path.stem}.html"
        target.write_text(markup, encoding="utf-8", newline="\n")
        yield target, failed


class _Printed(io.StringIO):
    """Output of a cell, flushed to its page before anything else is shown."""

    def __init__(self, page: list[str]) -> None:
        super().__init__()
        self._page = page

    def settle(self) -> None:
        if text := self.getvalue().strip("\n"):
            self._page.append(f"<pre class='out'>{escape(text)}</pre>")
        self.seek(0)
        self.truncate()

    def show(self, markup: str) -> None:
        self.settle()
        self._page.append(markup)


def _ran(cell: Cell, path: Path, names: dict[str, Any], page: list[str]) -> BaseException | None:
    """Run one cell, append what it shows, and return its error."""
    printed = _Printed(page)
    try:
        with redirect_stdout(printed), shown_on(printed.show):
            # Lines of a traceback are those of the file.
            exec(compile("\n" * (cell.line - 1) + cell.text, str(path), "exec"), names)
    except Exception as error:
        close_open(error)
        printed.settle()
        page.append(f"<pre class='out error'>{escape(traceback.format_exc(limit=-3))}</pre>")
        return error
    except BaseException as error:
        close_open(error)
        raise
    printed.settle()
    return None
