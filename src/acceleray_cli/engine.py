"""The folder engine/ of a project is ours: it is out of the way of a merge, and whole and new after it."""

from __future__ import annotations

import os
from pathlib import Path

from acceleray_cli import git, hashes
from acceleray_cli.files import Snapshot, read, snapshot
from acceleray_cli.moved import ENGINE
from acceleray_cli.refusals import RefusedError

# Nobody's settings, hooks or keys decide about a commit in a temporary clone.
COMMIT = (
    *("-c", "user.name=Acceleray", "-c", "user.email=acceleray@example.com"),
    *("-c", "commit.gpgSign=false", "-c", "core.hooksPath=/dev/null"),
    *("commit", "--quiet", "--no-verify", "--message", "engine as released"),
)


def ignored(project: Path, known: Snapshot) -> Snapshot:
    """Return the files of a project below engine/ that its repository does not hold, by their names in it."""
    found = ((ENGINE + name, path) for name, path in hashes.files(project / ENGINE))
    return {name: read(path) for name, path in found if name not in known}


def put_in(clone: Path, made: Path) -> None:
    """Move engine/ of a render into a temporary clone, and tell its index the modes where it has to know."""
    if not (made / ENGINE).is_dir():
        return
    (made / ENGINE).rename(clone / ENGINE)
    if git.run(clone, "config", "--type=bool", "core.fileMode").stdout != b"false\n":
        return
    # Modes on disk do not count there; those of the index do.
    git.read(clone, "add", "--all", "--force", "--", ENGINE)
    files = hashes.files(clone / ENGINE)
    if executable := [ENGINE + name for name, path in files if os.access(path, os.X_OK)]:
        git.fed(clone, ("update-index", "-z", "--chmod=+x", "--stdin"), "\0".join(executable))


def require_whole(updated: Path, fresh: Snapshot, version: str) -> None:
    """Refuse an update after which engine/ would not be that of the new version, byte for byte.

    Raises:
        RefusedError: the first file that differs.
    """
    found = {ENGINE + name: file for name, file in snapshot(updated / ENGINE).items()}
    wanted = {name: file for name, file in fresh.items() if name.startswith(ENGINE)}
    differing = sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name))
    if differing:
        raise RefusedError(
            f"{differing[0]} would not be that of version {version}"
            f" ({len(differing)} file{'s' if len(differing) > 1 else ''} in all), so nothing was changed;"
            " report it with the version that the project has."
        )
