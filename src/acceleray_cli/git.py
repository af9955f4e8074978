"""Call Git and read what it says."""

from __future__ import annotations

import errno
import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from acceleray_cli.refusals import WHAT_TO_DO, RefusedError, reason

# What Git says, with the command that it proposes itself (it knows how to quote the place).
NOT_YOURS = re.compile(
    r"dubious ownership in repository at '(?P<place>.*)'\n(?:.*\n)*?"
    r"\s*(?P<command>git config --global --add safe\.directory .*)"
)
# As against a .git that is there and leads nowhere.
NO_REPOSITORY = b"not a git repository (or any"
FULL = os.strerror(errno.ENOSPC)
NO_FILES = b"must be run in a work tree"
LOCKED = re.compile(r"Unable to create '(?P<file>.+\.lock)': File exists")
# What mends a repository that Git cannot open, by what Git says.
ADVICE = {
    "bad config": "correct that file",
    "extension": "use the version of Git that made it",
    "repo version": "use the version of Git that made it",
}
REPAIR = "mend or remove .git there (git worktree repair)"


def run(folder: Path, *arguments: str, given: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    """Return how `git` ended in a folder, whatever its exit code; it reads what is given.

    Raises:
        RefusedError: Git is not installed, or the repository belongs to somebody else.
    """
    # Messages are repeated to people who write to us in English.
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        command = ["git", "-C", str(folder), *arguments]
        ended = subprocess.run(command, input=given, capture_output=True, env=environment)
    except FileNotFoundError as error:
        raise RefusedError("Git is not on the search path; install it.") from error
    if ended.returncode and (owned := NOT_YOURS.search(ended.stderr.decode(errors="replace"))):
        raise RefusedError(
            f"{owned['place']} belongs to another user, and Git reads no such repository;"
            f" if you trust it, run {owned['command']}"
        )
    return ended


def read(folder: Path, *arguments: str) -> str:
    """Return what `git` printed, without the line break at its end.

    Raises:
        RefusedError: it failed; what it said is the reason.
    """
    return _said(run(folder, *arguments), arguments)


def fed(folder: Path, arguments: Sequence[str], given: str | bytes) -> str:
    """Return what `git` printed after it read what is given, as `read` does."""
    return _said(run(folder, *arguments, given=os.fsencode(given)), arguments)


def why(ended: subprocess.CompletedProcess[bytes]) -> str:
    """Return why `git` failed."""
    return reason(ended.stderr.decode(errors="replace")) or "no reason given"


def _said(ended: subprocess.CompletedProcess[bytes], arguments: Sequence[str]) -> str:
    if ended.returncode:
        command = next(word for word in arguments if not word.startswith("-"))
        said = why(ended)
        if locked := LOCKED.search(ended.stderr.decode(errors="replace")):
            said = f"{locked['file']} exists; if no other git is running, delete this file"
        full = f"; {WHAT_TO_DO[errno.ENOSPC]}" if FULL in said else ""
        raise RefusedError(f"git {command}: {said}{full}.")
    return os.fsdecode(ended.stdout).removesuffix("\n")


def names(folder: Path, *arguments: str) -> list[str]:
    """Return the names that `git` printed with a zero byte after each.

    Raises:
        RefusedError: it failed, which is something else than finding none.
    """
    ended = run(folder, *arguments)
    if ended.returncode not in (0, 1):
        raise RefusedError(f"{folder}: {why(ended)}; repair the repository until git status works there.")
    return [name for name in os.fsdecode(ended.stdout).split("\0") if name]


def top_of(folder: Path) -> Path | None:
    """Return the root of the repository that a folder is in, or None when it is in none.

    Raises:
        RefusedError: there is one that Git cannot work in.
    """
    ended = run(folder, "rev-parse", "--show-toplevel")
    if not ended.returncode:
        return Path(os.fsdecode(ended.stdout).removesuffix("\n"))
    if NO_REPOSITORY in ended.stderr:
        return None
    if NO_FILES in ended.stderr:
        raise RefusedError(f"{folder} is a repository without a folder of files; use a clone of it.")
    said = why(ended)
    advice = next((some for words, some in ADVICE.items() if words in said), REPAIR)
    raise RefusedError(f"{folder}: {said}; {advice}.")


def is_bare(folder: Path) -> bool:
    """Return whether a folder is itself a repository without a folder of files."""
    ended = run(folder, "rev-parse", "--is-bare-repository", "--absolute-git-dir")
    bare, _, place = os.fsdecode(ended.stdout).removesuffix("\n").partition("\n")
    return bare == "true" and Path(place).resolve() == folder.resolve()
