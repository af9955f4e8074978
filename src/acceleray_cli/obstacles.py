"""Obstacles to a file of a project: a folder of its name, or a file in place of its folder."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from pathlib import Path

from acceleray_cli.refusals import RefusedError


def require_none(names: Iterable[str], folder: Path, going: Collection[str] = ()) -> None:
    """Refuse names in a folder that something of another kind has.

    Args:
        names: files that are to be written, by their names in the folder.
        folder: where they go.
        going: files in it that are deleted before.

    Raises:
        RefusedError: one line for each obstacle.
    """
    found = (in_the_way(name, folder, going=going) for name in sorted(names))
    if problems := list(dict.fromkeys(filter(None, found))):
        raise RefusedError(*problems)


def in_the_way(
    name: str, folder: Path, inner: Collection[str] = (), going: Collection[str] = ()
) -> str | None:
    """Return what keeps a file from its place, or None; `inner` are names of submodules."""
    for parent in list(Path(name).parents)[-2::-1]:
        path = folder / parent
        if parent.as_posix() in inner:
            return f"{path} is a submodule, and the project needs a folder of this name; move yours."
        if parent.as_posix() not in going and (path.is_symlink() or (path.exists() and not path.is_dir())):
            return f"{path} is not a folder, and the project needs a folder of this name; rename yours."
    if (folder / name).is_dir() and not _goes(folder / name, folder, going):
        return f"{folder / name} is a folder, and the project needs a file of this name; rename yours."
    return None


def _goes(path: Path, folder: Path, going: Collection[str]) -> bool:
    """Return whether a folder, or a link to one, goes with all that is in it."""
    if path.is_symlink():
        return path.relative_to(folder).as_posix() in going
    files = {
        Path(place, name).relative_to(folder).as_posix()
        for place, _, names in os.walk(path)
        for name in names
    }
    return bool(files) and files <= set(going)
