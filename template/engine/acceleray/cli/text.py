"""Rows as plain text: a grid where it fits, one record below the other where it does not.

`rich.table` is not used: it cuts or wraps what does not fit, and a thousand rows of twenty columns took it
1.1 s of processor time instead of 0.05 s. How wide a letter is, rich says.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len

if TYPE_CHECKING:
    from acceleray.runtime.workload import Outcome

_GAP = "  "


class OutputClosedError(Exception):
    """The reader of standard output has stopped reading, as `head` does."""


def tell(lines: Iterable[str]) -> None:
    """Print lines to standard output, each as it is: never wrapped, never shortened.

    Raises:
        OutputClosedError: nobody reads standard output any more.
    """
    try:
        for line in lines:
            print(line)
        sys.stdout.flush()
    except BrokenPipeError:
        raise OutputClosedError from None


def terminal_width() -> int | None:
    """Return the columns of the terminal, or None where standard output is a file or a pipe."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def table(names: Sequence[str], rows: Sequence[Sequence[Any]], width: int | None = None) -> list[str]:
    """Return rows as a grid, or as records if the grid is wider than `width`."""
    lines = grid(names, rows)
    if width is not None and any(cell_len(line) > width for line in lines):
        return records(names, rows)
    return lines


def grid(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    """Return a line of names and a line for each row; numbers are aligned on the right."""
    columns = list(zip(*rows, strict=True)) or [() for _ in names]
    right = [any(map(_is_number, column)) and all(map(_is_number_or_none, column)) for column in columns]
    cells = [list(names), *[[cell(value) for value in row] for row in rows]]
    widths = [max(cell_len(row[index]) for row in cells) for index in range(len(names))]
    return [_GAP.join(map(_padded, row, widths, right)).rstrip() for row in cells]


def records(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    """Return a block for each row with one line a column."""
    width = max((cell_len(name) for name in names), default=0)
    lines: list[str] = []
    for number, row in enumerate(rows, start=1):
        lines.append(f"row {number}")
        for name, value in zip(names, row, strict=True):
            lines.append(f"  {_padded(name, width, False)}{_GAP}{cell(value)}".rstrip())
    return lines


def conclusion_lines(outcome: Outcome) -> list[str]:
    """Return what a run did, what it says and the models it compared; the last line names its report."""
    said = outcome.conclusion
    stages = [(name, rows, f"{seconds:7.1f}") for name, rows, seconds in outcome.stages]
    facts = [*said.headline, (said.verdict_on, said.verdict)] if said.verdict else list(said.headline)
    wide = max((cell_len(label) for label, _ in facts), default=0)
    lines = grid(("stage", "rows", "seconds"), stages)
    lines += ["", *[f"{_padded(label, wide, False)}{_GAP}{value}" for label, value in facts]]
    if said.comparison is not None:
        lines += ["", *said.comparison.lines()]
    if said.portfolios is not None:
        lines += ["", *grid(said.portfolios.header, said.portfolios.rows)]
        lines += [said.portfolios.caption] if said.portfolios.caption else []
    return lines if said.report is None else [*lines, "", f"Report: {said.report}"]


def cell(value: Any) -> str:
    """Return a value as people read it; nothing in it can control the terminal."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, date):
        return value.isoformat()
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in str(value))


def _padded(text: str, width: int, to_right: bool) -> str:
    space = " " * (width - cell_len(text))
    return space + text if to_right else text + space


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_number_or_none(value: Any) -> bool:
    return value is None or _is_number(value)
