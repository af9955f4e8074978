"""Call Git and read what it says."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from acceleray_cli.refusals import RefusedError


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Return how `git` ended in a folder, whatever its exit code.

    Raises:
        RefusedError: Git is not installed.
    """
    # Messages are matched nowhere, but they are repeated to people who write to us in English.
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        return subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, env=environment)
    except FileNotFoundError as error:
        raise RefusedError("Git is not installed, or not on the search path.") from error


def read(folder: Path, *arguments: str) -> str:
    """Return what `git` printed, without the line break at its end.

    Raises:
        RefusedError: it failed; the last line of what it said is the reason.
    """
    ended = run(folder, *arguments)
    if ended.returncode:
        said = ended.stderr.decode(errors="replace").strip().splitlines() or ["it gave no reason"]
        command = next(word for word in arguments if not word.startswith("-"))
        raise RefusedError(f"git {command}: {said[-1]}")
    return os.fsdecode(ended.stdout).removesuffix("\n")


def names(folder: Path, *arguments: str) -> list[str]:
    """Return the names that `git` printed with a zero byte after each, none when it failed."""
    return [name for name in os.fsdecode(run(folder, *arguments).stdout).split("\0") if name]


def top_of(folder: Path) -> Path | None:
    """Return the root of the repository that a folder is in, or None when it is in none."""
    ended = run(folder, "rev-parse", "--show-toplevel")
    return None if ended.returncode else Path(os.fsdecode(ended.stdout).removesuffix("\n"))
