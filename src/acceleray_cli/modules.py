"""Where the modules of a release without engine/ are now, by their dotted names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from acceleray_cli.moved import Moved

# What is on the import path of a project, old or new.
ROOTS = ("src/", "engine/", "tests/")
PACKAGE = "portfolio"
# The one object that a project hands to the engine; some functions of modules became methods of it.
PROJECT = "PROJECT"
OBJECT = f"{PACKAGE}.{PROJECT}."


@dataclass(frozen=True)
class Modules:
    """Old dotted names and what they are now: None where a module is gone.

    `moved` are modules of the old release and the project's own files that move; `stayed` are all others.
    """

    moved: dict[str, str | None]
    stayed: frozenset[str]
    table: Moved

    def name(self, dotted: str) -> str | None:
        """Return what the table says of a name itself, or None."""
        return self.table.names.get(dotted)

    def imported(self, module: str, name: str) -> str | None:
        """Return the new dotted name for `from module import name`, "" if it is gone, None if it stayed."""
        full = f"{module}.{name}"
        if (new := self.name(full)) is not None:
            return new
        if full in self.moved:
            return self.moved[full] or ""
        if full in self.stayed:
            return None
        if (package := self.module(module)) is not None:
            return package and f"{package}.{name}"
        return None

    def module(self, dotted: str) -> str | None:
        """Return the new name of a module, "" if it is gone, None if it stayed."""
        if (new := self.name(dotted)) is not None:
            return new
        return (self.moved[dotted] or "") if dotted in self.moved else None

    def mentioned(self, dotted: str) -> tuple[str, str] | None:
        """Return the part of a dotted text that is the name of a moved module, and its new name, or None."""
        parts = dotted.split(".")
        for length in range(len(parts), 1, -1):
            part = ".".join(parts[:length])
            if (new := self.name(part)) is not None and new.startswith(OBJECT):
                return part, new
            # A folder in which the project has modules of its own is still a package.
            if part in self.stayed or any(name.startswith(f"{part}.") for name in self.stayed):
                return None
            if part in self.moved:
                return part, self.moved[part] or ""
        return None


def modules(old: Iterable[str], present: Iterable[str], own: dict[str, str], table: Moved) -> Modules:
    """Return where modules are now.

    Args:
        old: names of the files that the old release gave.
        present: names of the files that the project has after the update.
        own: old and new names of the project's own files that move.
        table: what moved.
    """
    present = set(present)
    moved: dict[str, str | None] = {}
    for name in old:
        dotted = dotted_name(name)
        place = table.place(name)
        if dotted and place and name not in present:
            moved[dotted] = dotted_name(place.path) if place.path else None
    for name, to in own.items():
        if (dotted := dotted_name(name)) and (now := dotted_name(to)):
            moved[dotted] = now
    stayed = {dotted for name in present if (dotted := dotted_name(name))}
    return Modules(moved, frozenset(stayed - moved.keys()), table)


def dotted_name(path: str) -> str | None:
    """Return the dotted name of a Python file in a project, or None if nothing can import it."""
    root = next((root for root in ROOTS if path.startswith(root)), None)
    if root is None or not path.endswith(".py"):
        return None
    return path.removeprefix(root).removesuffix(".py").removesuffix("/__init__").replace("/", ".")
