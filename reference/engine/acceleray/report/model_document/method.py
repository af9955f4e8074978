"""The formulas of the method, from docs/methodology.md: what, formula, source and function."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from acceleray.report.model_document.tree import Grid, Head, Part, Words
from acceleray.runtime.code_identity import ENGINE, methodology

# Sections of methodology.md that each kind of model rests on.
SECTIONS = {
    "risk": ("Data and returns", "Calibration", "Simulation and risk", "Backtest", "Stress"),
    "signal": ("Data and returns", "Signals", "Signal model"),
}
_LINK = re.compile(r"\[[^\]]*#(\w+)\]\(\.\./([\w/]+\.py)\)")
_HEADS = (
    Head("What"),
    Head("Formula", names=True),
    Head("Source, unit, sign"),
    Head("Function", names=True),
)


@dataclass(frozen=True)
class Formula:
    """One row of methodology.md; functions as module path below engine/ and name, the first the main one."""

    section: str
    what: str
    formula: str
    source: str
    functions: tuple[tuple[str, str], ...]


def formulas(text: str | None = None) -> tuple[Formula, ...]:
    """Return every formula of methodology.md in its order; none where the page did not come along."""
    found, section = [], ""
    for line in (methodology() if text is None else text).splitlines():
        if line.startswith("## "):
            section = line.removeprefix("## ").strip()
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        if len(cells) == 4 and (functions := _LINK.findall(cells[3])):
            what, formula, source = (_plain(cell) for cell in cells[:3])
            named = tuple((path, name) for name, path in functions)
            found.append(Formula(section, what, formula, source, named))
    return tuple(found)


def parts(kind: str, folder: Path, project: Path) -> tuple[Part, ...]:
    """Return a table for each section of the methodology that a model rests on.

    Args:
        kind: of model.
        folder: that the document is written to; links to functions start there.
        project: folder of the project; there is a link only where both lie in it.
    """
    every = formulas()
    if not every:
        return (Words("engine/docs/methodology.md, which has every formula, did not come with this engine."),)
    shown: list[Part] = []
    for section in SECTIONS[kind]:
        rows = [each for each in every if each.section == section]
        if rows:
            shown.append(_grid(section, rows, folder, project))
    return tuple(shown)


def _grid(section: str, rows: Sequence[Formula], folder: Path, project: Path) -> Grid:
    return Grid(
        section,
        _HEADS,
        tuple((each.what, each.formula, each.source, _named(each.functions)) for each in rows),
        tuple(_address(each.functions[0], folder, project) for each in rows),
    )


def _named(functions: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{path.removesuffix('.py').replace('/', '.')}#{name}" for path, name in functions)


def _address(function: tuple[str, str], folder: Path, project: Path) -> str:
    """Return a relative link to a function's line; empty where it would lead out of the project."""
    path, name = function
    target = ENGINE.parent / path
    inside = target.is_relative_to(project) and folder.is_relative_to(project)
    if not inside or not target.is_file():
        return ""
    # A page in another folder of the project finds it as well as a browser of the repository does.
    relative = Path(os.path.relpath(target, folder)).as_posix()
    return f"{relative}#{name}"


def _plain(cell: str) -> str:
    """Return a cell without the marks of Markdown and of its mathematics."""
    return re.sub(r"  +", " ", cell.replace("$", "").replace("`", "").replace("<br>", " "))
