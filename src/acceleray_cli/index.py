"""Carry what Copier wrote into the index of a clone over to that of the project: conflicts, and modes."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from acceleray_cli import clone, git
from acceleray_cli.files import File


def entries(there: Path, project: Path, windows: Collection[str]) -> list[str]:
    """Return what the project's index has to be told, so that it says what that of its clone says.

    The texts of a conflict become objects of the project's repository as `git add` makes them there: with the
    line breaks, filters and encodings that its owner has set up.

    Args:
        there: the project's folder in the clone.
        project: the project's folder.
        windows: names of files in it that have the line breaks of Windows.

    Raises:
        RefusedError: Git could not.
    """
    top = git.top_of(project)
    assert top is not None
    prefix = project.resolve().relative_to(top.resolve())
    lines: list[str] = []
    seen: set[str] = set()
    unmerged = _entries(there, "--unmerged")
    breaks = {(prefix / name).as_posix() for name in windows}
    for name, mode, blob, stage in unmerged:
        content = git.run(there, "cat-file", "blob", blob).stdout
        if name in breaks:
            content = clone.in_windows(File(content)).content
        blob = git.fed(top, ("hash-object", "-w", "--stdin", f"--path={name}"), content)
        lines += [f"0 {'0' * len(blob)}\t{name}"] if name not in seen else []
        seen.add(name)
        lines.append(f"{mode} {blob} {stage}\t{name}")
    if git.run(project, "config", "--type=bool", "core.fileMode").stdout == b"false\n":
        modes = {name: mode for name, mode, _, stage in _entries(there, "--stage") if stage == "0"}
        lines += [
            f"{modes[name]} {blob} 0\t{name}"
            for name, mode, blob, stage in _entries(project, "--stage")
            if stage == "0" and modes.get(name, mode) != mode
        ]
    return lines


def put(project: Path, lines: Collection[str]) -> None:
    """Tell the project's index; names are those from the root of its repository.

    Raises:
        RefusedError: Git could not.
    """
    if lines:
        git.fed(project, ("update-index", "-z", "--index-info"), "".join(f"{line}\0" for line in lines))


def _entries(folder: Path, which: str) -> list[tuple[str, str, str, str]]:
    """Return name, mode, blob and stage of entries in an index."""
    found = []
    for entry in git.names(folder, "ls-files", "-z", "--full-name", which):
        about, name = entry.split("\t", 1)
        mode, blob, stage = about.split(" ")
        found.append((name, mode, blob, stage))
    return found
