"""The folder engine/ of a project is ours: it is out of the way of a merge, and whole and new after it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from acceleray_cli import git, hashes
from acceleray_cli.files import snapshot
from acceleray_cli.moved import ENGINE
from acceleray_cli.refusals import RefusedError

# Nobody's settings, hooks or keys decide about a commit in a temporary clone.
COMMIT = (
    *("-c", "user.name=Acceleray", "-c", "user.email=acceleray@example.com"),
    *("-c", "commit.gpgSign=false", "-c", "core.hooksPath=/dev/null"),
    *("commit", "--quiet", "--no-verify", "--message", "engine as released"),
)


def bring_ignored(project: Path, clone: Path) -> None:
    """Copy what the project has below engine/, ignored by its repository and hence not in the clone."""
    for name, path in hashes.files(project / ENGINE):
        there = clone / ENGINE / name
        if not there.is_symlink() and not there.exists():
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, there, follow_symlinks=False)


def take_out(clone: Path) -> None:
    """Take engine/ out of a temporary clone, and commit that: nothing is merged there, nor rendered."""
    _remove(clone / ENGINE)
    if git.names(clone, "ls-files", "-z", "--", ENGINE):
        git.read(clone, "add", "--all", "--force", "--", ENGINE)
        git.read(clone, *COMMIT)


def put_in(clone: Path, fresh: Path) -> None:
    """Give a temporary clone engine/ of a render of the new version, and its index the modes of the files."""
    _remove(clone / ENGINE)
    if not (fresh / ENGINE).is_dir():
        return
    shutil.copytree(fresh / ENGINE, clone / ENGINE, symlinks=True)
    if git.run(clone, "config", "--type=bool", "core.fileMode").stdout == b"false\n":
        # Modes on disk do not count there; those of the index do.
        git.read(clone, "add", "--all", "--force", "--", ENGINE)
        if names := [
            ENGINE + name for name, path in hashes.files(clone / ENGINE) if os.access(path, os.X_OK)
        ]:
            git.fed(clone, ("update-index", "-z", "--chmod=+x", "--stdin"), "\0".join(names))


def require_whole(updated: Path, fresh: Path, version: str) -> None:
    """Refuse an update after which engine/ would not be that of the new version, byte for byte.

    Raises:
        RefusedError: the first file that differs.
    """
    found, wanted = snapshot(updated / ENGINE), snapshot(fresh / ENGINE)
    differing = sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name))
    if differing:
        raise RefusedError(
            f"{ENGINE}{differing[0]} would not be that of version {version}"
            f" ({len(differing)} file{'s' if len(differing) > 1 else ''} in all), so nothing was changed;"
            " report it with the version that the project has."
        )


def _remove(engine: Path) -> None:
    if engine.is_symlink() or engine.is_file():
        engine.unlink()
    elif engine.is_dir():
        shutil.rmtree(engine)
