"""Carry what Copier wrote into the index of a clone over to that of the project: conflicts, and modes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from acceleray_cli import git
from acceleray_cli.refusals import RefusedError

NOTHING = "0" * 40


def carry(clone: Path, project: Path) -> None:
    """Make the project's index say what that of its clone says of conflicts and of modes.

    Raises:
        RefusedError: Git could not; the files are updated all the same.
    """
    lines: list[str] = []
    unmerged = _entries(clone, "--unmerged")
    for name in dict.fromkeys(name for name, *_ in unmerged):
        lines.append(f"0 {NOTHING}\t{name}")
    for name, mode, blob, stage in unmerged:
        _bring(clone, project, blob)
        lines.append(f"{mode} {blob} {stage}\t{name}")
    if git.run(project, "config", "--type=bool", "core.fileMode").stdout == b"false\n":
        there = {name: mode for name, mode, _, stage in _entries(clone, "--stage") if stage == "0"}
        lines += [
            f"{there[name]} {blob} 0\t{name}"
            for name, mode, blob, stage in _entries(project, "--stage")
            if stage == "0" and there.get(name, mode) != mode
        ]
    if lines:
        # Names in this list are those from the root of the repository.
        _feed(project, ["update-index", "-z", "--index-info"], "".join(f"{line}\0" for line in lines))


def _entries(folder: Path, which: str) -> list[tuple[str, str, str, str]]:
    """Return name, mode, blob and stage of entries in an index."""
    found = []
    for entry in git.names(folder, "ls-files", "-z", "--full-name", which):
        about, name = entry.split("\t", 1)
        mode, blob, stage = about.split(" ")
        found.append((name, mode, blob, stage))
    return found


def _bring(clone: Path, project: Path, blob: str) -> None:
    content = git.run(clone, "cat-file", "blob", blob).stdout
    _feed(project, ["hash-object", "-w", "--stdin"], content)


def _feed(folder: Path, arguments: list[str], given: str | bytes) -> None:
    text = os.fsencode(given)
    command = ["git", "-C", str(folder), *arguments]
    ended = subprocess.run(command, input=text, capture_output=True)
    if ended.returncode:
        raise RefusedError(f"git {arguments[0]}: {ended.stderr.decode(errors='replace').strip()}")
