"""Put a project into a repository that has files: none is overwritten, and what differs goes next to it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acceleray_cli import clone, copies, git, obstacles, scratch
from acceleray_cli.binaries import SUFFIX, free
from acceleray_cli.files import read, snapshot
from acceleray_cli.moved import ENGINE
from acceleray_cli.new import render
from acceleray_cli.project import RECORD, Project
from acceleray_cli.refusals import RefusedError, in_plain_words


@dataclass(frozen=True)
class Adoption:
    """The outcome for each file of a project, by name: new, the same, or next to another one.

    `beside` has the name that a file gets where the repository has another one; `ignored` are names that
    the repository's own rules keep out of commits.
    """

    added: tuple[str, ...]
    same: tuple[str, ...]
    beside: Mapping[str, str]
    ignored: tuple[str, ...]


def require_repository(folder: Path) -> None:
    """Refuse a folder whose state before the adoption Git could not bring back.

    Raises:
        RefusedError: no repository, nothing committed, changes that are not, or a project already.
    """
    if not folder.is_dir():
        raise RefusedError(f"There is no folder {folder}; generate a project with acceleray new.")
    if (folder / RECORD).exists():
        raise RefusedError(f"{folder} is already a project; look for an update with acceleray preview.")
    here = Project(folder, {}, None, None)
    here.top()
    here.require_clean()


def adopt(
    location: str, version: str | None, answers: Mapping[str, Any], folder: Path, write: bool
) -> Adoption:
    """Return what the adoption of a version of the template does to a repository, after doing it if told to.

    Raises:
        RefusedError: something of another kind has the name of a file or folder of the project.
    """
    require_repository(folder)
    folder = folder.resolve()
    with in_plain_words(str(folder)), scratch.beside(folder.parent) as hidden, copies.copying(hidden):
        grown = render(location, version, answers, hidden / "project")
        names = sorted(snapshot(grown), key=lambda name: (name == RECORD, name))
        held, inner = _entries(folder)
        found = (_in_the_way(name, folder, held, inner) for name in names)
        if problems := list(dict.fromkeys(filter(None, found))):
            raise RefusedError(*problems)
        there = [name for name in names if os.path.lexists(folder / name)]
        same = [name for name in there if _equal(grown / name, folder / name)]
        # One from an adoption that was killed is as good as a second one next to it.
        left = {
            name: to
            for name in there
            if name not in same
            and os.path.lexists(folder / (to := name + SUFFIX))
            and _equal(grown / name, folder / to)
        }
        beside = {name: left.get(name) or free(folder, name) for name in there if name not in same}
        added = [name for name in names if name not in there]
        asked = git.run(folder, "-c", "core.quotePath=false", "check-ignore", "--", *added)
        ignored = os.fsdecode(asked.stdout).splitlines()
        if write:
            came = [name for name in names if name not in same and name not in left]
            _move(grown, folder, {name: beside.get(name, name) for name in came})
    return Adoption(tuple(added), tuple(same), beside, tuple(ignored))


def _entries(folder: Path) -> tuple[set[str], set[str]]:
    """Return the names of files that the repository holds, and of submodules, whose files it does not."""
    entries = [entry.split("\t", 1) for entry in git.names(folder, "ls-files", "-z", "--stage")]
    inner = {name for about, name in entries if about.startswith("160000 ")}
    return {name for _, name in entries} - inner, inner


def _in_the_way(name: str, folder: Path, held: set[str], inner: set[str]) -> str | None:
    """Return what keeps a file from its place, or None."""
    if name in held and not os.path.lexists(folder / name):
        return clone.NOT_HERE.format(name)
    if name.startswith(ENGINE) and os.path.lexists(folder / ENGINE.rstrip("/")):
        return f"{folder} has a folder {ENGINE}, which updates replace as a whole; rename yours."
    return obstacles.in_the_way(name, folder, inner)


def _equal(one: Path, other: Path) -> bool:
    if one.is_symlink() or other.is_symlink():
        return one.is_symlink() and other.is_symlink() and one.readlink() == other.readlink()
    first, second = read(one), read(other)
    # Git on Windows writes other line breaks, which is no difference.
    return first.content == second.content or (b"\0" not in first.content and first.text == second.text)


def _move(grown: Path, folder: Path, names: Mapping[str, str]) -> None:
    """Move files to their names in a folder, all or none."""
    done: list[Path] = []
    try:
        for name, to in names.items():
            _make_folders(folder, to, done)
            done.append(folder / to)
            shutil.move(grown / name, folder / to)
    except BaseException:
        for path in reversed(done):
            if path.is_dir() and not path.is_symlink():
                path.rmdir()
            else:
                path.unlink(missing_ok=True)
        raise


def _make_folders(folder: Path, name: str, done: list[Path]) -> None:
    for parent in list(Path(name).parents)[-2::-1]:
        if not (folder / parent).exists():
            (folder / parent).mkdir()
            done.append(folder / parent)
