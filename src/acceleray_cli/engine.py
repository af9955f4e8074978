"""The folder engine/ of a project is ours: it is set back before an update, and whole and new after it."""

from __future__ import annotations

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


def set_back(clone: Path, released: Path) -> None:
    """Make engine/ of a temporary clone equal to that of a render, and commit it: nothing is merged there.

    Args:
        clone: the project's folder in the clone.
        released: a render of the recorded version with the recorded answers.
    """
    _replace(clone / ENGINE, released / ENGINE)
    if (clone / ENGINE).is_dir() or git.names(clone, "ls-files", "-z", "--", ENGINE):
        git.read(clone, "add", "--all", "--force", "--", ENGINE)
    if git.run(clone, "diff", "--cached", "--quiet").returncode:
        git.read(clone, *COMMIT)


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


def _replace(engine: Path, released: Path) -> None:
    if engine.is_symlink() or engine.is_file():
        engine.unlink()
    elif engine.is_dir():
        shutil.rmtree(engine)
    if released.is_dir():
        shutil.copytree(released, engine, symlinks=True)
