"""The list engine/HASHES: what every file of the engine was when it was released.

A line is a SHA-256, two blanks and a path below engine/, sorted by path, as `sha256sum --check` reads it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

LIST = "HASHES"
CACHES = ("__pycache__",)


def files(engine: Path) -> Iterator[tuple[str, Path]]:
    """Yield each file of an engine but its list, by its name below the folder, without what tools cache."""
    for place, folders, names in os.walk(engine):
        folders[:] = [name for name in folders if not cached(name)]
        for name in names:
            path = Path(place, name)
            relative = path.relative_to(engine).as_posix()
            if relative != LIST and not cached(name):
                yield relative, path


def cached(name: str) -> bool:
    """Return whether a file or folder of this name is what Python or a tool keeps for itself."""
    return name in CACHES or name.endswith((".pyc", ".pyo", "_cache")) or name == ".DS_Store"


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, of its target if it is a link, with the line breaks of Unix."""
    content = os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()
    # Git on Windows writes other line breaks than the template has; that is nobody's edit.
    return hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()


def listing(engine: Path) -> str:
    """Return the list of an engine as it stands."""
    return "".join(f"{digest(path)}  {name}\n" for name, path in sorted(files(engine)))


def differences(engine: Path) -> list[tuple[str, str]]:
    """Return the files that are not as released: their names, and "edited", "added" or "deleted".

    An engine without a list has one difference: the list was deleted.
    """
    try:
        lines = (engine / LIST).read_text(encoding="utf-8").splitlines()
    except OSError:
        return [(LIST, "deleted")]
    released = {name: value for value, name in (line.split("  ", 1) for line in lines if "  " in line)}
    present = dict(files(engine))
    found = [(name, "deleted") for name in released.keys() - present.keys()]
    found += [(name, "added") for name in present.keys() - released.keys()]
    both = present.keys() & released.keys()
    found += [(name, "edited") for name in both if digest(present[name]) != released[name]]
    return sorted(found)
