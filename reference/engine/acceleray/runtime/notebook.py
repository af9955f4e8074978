"""Helpers that let a notebook run on Databricks, in an editor and as a plain script."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from acceleray.errors import PortfolioError
from acceleray.runtime.identity import Touch
from acceleray.runtime.run import Run
from acceleray.runtime.showing import offered, show_frame, show_line, show_report, show_table
from acceleray.runtime.workload import Comparison, Conclusion
from acceleray.settings import Settings, load
from acceleray.settings.topology import on_databricks
from acceleray.tables.contract import Table


def parameters(**defaults: str) -> dict[str, str]:
    """Return the notebook's parameters: Databricks widgets, else `name=value` on the command line.

    Raises:
        PortfolioError: the command line names a parameter the notebook does not have.
    """
    widgets = getattr(offered("dbutils"), "widgets", None)
    if widgets is not None:
        for name, default in defaults.items():
            widgets.text(name, default)
        return {name: str(widgets.get(name)) for name in defaults}
    given = dict(argument.partition("=")[::2] for argument in sys.argv[1:] if "=" in argument)
    unknown = sorted(set(given) - set(defaults))
    if unknown:
        raise PortfolioError(f"Unknown parameter '{unknown[0]}'; this notebook has {', '.join(defaults)}.")
    return defaults | given


def settings_from(chosen: Mapping[str, str]) -> Settings:
    """Return the settings that the parameters `project`, `environment`, `as_of` and `set` choose.

    An empty `project` is the first folder with a `conf/base.yml` from the notebook's own upwards; an empty
    `environment` is `dev` on Databricks, `local` elsewhere; an empty `as_of` is the last price; `set` has
    settings as `section.key=value`, separated by blanks, quoted where they contain some.

    Raises:
        PortfolioError: there is no such project, or a setting is unknown or out of range.
    """
    environment = "dev" if on_databricks(os.environ) else "local"
    return load(
        Path(chosen["project"]).resolve() if chosen["project"] else _project(),
        chosen["environment"] or environment,
        shlex.split(chosen["set"]),
        as_of=chosen["as_of"] or None,
    )


def show_stage(run: Run, name: str = "") -> None:
    """Show what a stage did, the last one unless another is named.

    Seconds; every table it read or committed, with Delta version and rows; how many tasks Ray ran, for how
    long and how many at once; and how rows went from Spark to Ray.
    """
    name = name or run.last_stage
    began, seconds = run.began[name], run.seconds[name]
    show_line(f"{name}: {seconds:.1f} s")
    last = {(t.direction, t.table.label): t for t in run.touches if t.stage == name}.values()
    rows = [(t.direction, t.table.label, t.version, f"{t.rows:,}", _what(t)) for t in last]
    if rows:
        show_table(("Spark and Delta", "table", "version", "rows", ""), rows)
    mapped = [one for one in run.fan_out.mapped if began <= one.began < began + seconds]
    # A simulation maps its passes again for every horizon: one function is one line.
    names = dict.fromkeys(one.function for one in mapped)
    together = [[one for one in mapped if one.function == function] for function in names]
    if together:
        show_table(
            ("Ray", "tasks", "at once", "seconds"),
            [
                (
                    group[0].function.strip("_"),
                    sum(one.tasks for one in group),
                    max(one.at_once for one in group),
                    f"{sum(one.seconds for one in group):.1f}",
                )
                for group in together
            ],
        )
    for stage, table, reason in run.handed:
        if stage == name:
            show_line(f"Hand-off of {table.label}: {reason}")


def show_rows(run: Run, table: Table, *columns: str, limit: int = 5, **among: Sequence[Any]) -> None:
    """Show the first rows of a table that this run read or committed, in order of its key.

    Args:
        run: whose rows they are.
        table: as declared.
        columns: which of its columns.
        limit: how many rows at most.
        among: columns, and the values they may have.
    """
    # Reading a table makes it, and a run that changes nothing may not: a simulated book has no holdings.
    if not run.lake.exists(table):
        show_line(f"No rows of {table.label}: this run wrote none.")
        return
    rows = run.sample(table, columns, limit, **among)
    show_line(f"First rows of {table.label}:")
    show_frame(columns, [tuple(row.values()) for row in rows.to_pylist()])


def show_comparison(compared: Comparison | None) -> None:
    """Show models next to each other, with the reason for each verdict."""
    if compared is None:
        return
    if offered("displayHTML") is None:
        show_line("\n".join(["", *compared.lines(), ""]))
        return
    rows = [(*row, words) for row, words in zip(compared.rows, compared.words, strict=True)]
    show_table((*compared.names, "reason"), rows)


def show_conclusion(conclusion: Conclusion) -> None:
    """Show what a workload concluded: headline, verdict, models compared, portfolios, report."""
    verdict = [(conclusion.verdict_on, conclusion.verdict)] if conclusion.verdict else []
    show_table(("", "value"), (*conclusion.headline, *verdict))
    show_comparison(conclusion.comparison)
    if (book := conclusion.portfolios) is not None:
        show_table(book.header, book.rows)
        if book.caption:
            show_line(book.caption)
    show_report(conclusion.report)


def _what(touch: Touch) -> str:
    if touch.direction == "read":
        return ""
    return "committed" if touch.changed else "the same rows were there: nothing to commit"


def _project() -> Path:
    notebook = getattr(sys.modules["__main__"], "__file__", None)
    # In a notebook of a workspace `__main__` is what started it, and the folder is the notebook's own.
    starts = [Path(notebook).resolve().parent] if notebook else []
    for start in (*starts, Path.cwd()):
        for folder in (start, *start.parents):
            if (folder / "conf" / "base.yml").is_file():
                return folder
    raise PortfolioError(
        f"{start} and the folders above it have no conf/base.yml; name the project's folder in `project`."
    )
