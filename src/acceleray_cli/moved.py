"""Where a file of a project made before there was engine/ is now, and what to use instead of editing it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ENGINE = "engine/"
TABLE = Path(__file__).with_name("moved.toml")


@dataclass(frozen=True)
class Place:
    """Where a file is now (`path`, None when nowhere), and in words what serves instead of editing it."""

    path: str | None
    instead: str


@dataclass(frozen=True)
class Moved:
    """The table in moved.toml; a key that ends with / is a folder, and of two that fit the longer counts."""

    files: Mapping[str, str]
    left: Mapping[str, str]
    names: Mapping[str, str]
    calls: Mapping[str, Mapping[str, Any]]
    lines: Mapping[str, Mapping[str, str]]
    points: Mapping[str, str]

    def place(self, name: str) -> Place | None:
        """Return where a file is now, or None if it did not move."""
        row = self.row(name)
        if row is None:
            return None
        if row in self.left:
            return Place(None, self.left[row])
        path = self.files[row] + name.removeprefix(row) if row.endswith("/") else self.files[row]
        return Place(path, self.instead(path))

    def row(self, name: str) -> str | None:
        """Return the key of the row that decides about a file, or None if there is none."""
        return longest(name, (*self.files, *self.left))

    def instead(self, name: str) -> str:
        """Return what to use instead of editing a file below engine/, or nothing for another file."""
        point = longest(name, self.points)
        return "" if point is None else self.points[point]


def longest(name: str, keys: Iterable[str]) -> str | None:
    """Return the longest key that is this name or a folder around it, or None."""
    fitting = [key for key in keys if name == key or (key.endswith("/") and name.startswith(key))]
    return max(fitting, key=len, default=None)


@cache
def table() -> Moved:
    """Return the table of this front end."""
    loaded = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    keys = ("moved", "left", "names", "calls", "lines", "instead")
    return Moved(*(loaded[key] for key in keys))
