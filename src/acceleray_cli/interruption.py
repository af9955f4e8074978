"""An update that was killed while it wrote: the next one finds what there was, and takes it back first."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

from acceleray_cli import git
from acceleray_cli.files import WRITING, File, Snapshot, carry, read
from acceleray_cli.project import RECORD, Project
from acceleray_cli.refusals import RefusedError

if sys.platform != "win32":
    import fcntl

# Where Git keeps what belongs to one working tree, so that no file of the project has this name.
JOURNAL = "acceleray-update.json"


@contextmanager
def noted(project: Project, before: Snapshot, after: Snapshot) -> Iterator[None]:
    """Keep a note of what is about to be written over, until all of it is written or taken back."""
    names = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    about = {
        "project": str(project.folder),
        "commit": _commit(project),
        "files": [[name, _kept(before.get(name)), _print(after.get(name))] for name in names],
    }
    path = _journal(project)
    # Opened as it is: the note of an update that is writing now is not ours to empty.
    with path.open("a", encoding="utf-8") as file:
        _hold(file, project)
        try:
            file.truncate(0)
            json.dump(about, file)
            file.flush()
            yield
        finally:
            path.unlink(missing_ok=True)


def found(project: Project) -> bool:
    """Return whether an update of this project was killed while it wrote, and can be taken back."""
    about = _read(project)
    return about is not None and _is_as_left(project, about)


def take_back(project: Project) -> int:
    """Take back what a killed update wrote, and return the number of files; 0 if there is nothing to do.

    Where somebody went on with what it left, by an edit or a commit, all stays as it is.

    Raises:
        RefusedError: an update is writing at this moment.
    """
    about = _read(project)
    if about is None:
        return 0
    before = {name: _again(kept) for name, kept, _ in about["files"] if kept}
    count = 0
    if _is_as_left(project, about):
        now = {name: file for name, _, _ in about["files"] if (file := _there(project.folder / name))}
        count = sum(now.get(name) != before.get(name) for name, _, _ in about["files"])
        carry(now, before, project.folder, last=RECORD)
        for left in project.folder.rglob(WRITING):
            left.unlink()
        # Nothing was staged before, or there would have been no update.
        git.read(project.folder, "reset", "--quiet", "--", ".")
    _journal(project).unlink(missing_ok=True)
    return count


def _is_as_left(project: Project, about: dict[str, Any]) -> bool:
    """Return whether each file is what it was or what it was to become, and nothing else was changed."""
    if about["project"] != str(project.folder) or about["commit"] != _commit(project):
        return False
    known = {name: (kept, after) for name, kept, after in about["files"]}
    for name, (kept, after) in known.items():
        if _print(_there(project.folder / name)) not in (after, _print(kept and _again(kept))):
            return False
    changed = git.names(project.folder, "diff", "HEAD", "--relative", "--name-only", "-z")
    changed += git.names(project.folder, "ls-files", "--others", "--exclude-standard", "-z")
    return all(name in known or name.rpartition("/")[2] == WRITING for name in changed)


def _read(project: Project) -> dict[str, Any] | None:
    try:
        with _journal(project).open(encoding="utf-8") as file:
            _hold(file, project)
            return dict(json.load(file))
    except FileNotFoundError:
        return None
    except ValueError:
        # Killed while it was written, and no file of the project after it.
        _journal(project).unlink(missing_ok=True)
        return None


def _hold(file: IO[str], project: Project) -> None:
    if sys.platform == "win32":
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise RefusedError(f"An update is at work in {project.folder}; wait until it ends.") from None
    except OSError:
        # A file system without locks.
        return


def _journal(project: Project) -> Path:
    return Path(git.read(project.folder, "rev-parse", "--absolute-git-dir"), JOURNAL)


def _commit(project: Project) -> str:
    return git.read(project.folder, "rev-parse", "HEAD")


def _there(path: Path) -> File | None:
    return read(path) if path.is_file() or path.is_symlink() else None


def _kept(file: File | None) -> list[Any] | None:
    return (
        None if file is None else [base64.b64encode(file.content).decode("ascii"), file.executable, file.link]
    )


def _again(kept: list[Any]) -> File:
    return File(base64.b64decode(kept[0]), *kept[1:])


def _print(file: File | None) -> str:
    return sha256(bytes([file.link]) + file.content).hexdigest() if file else ""
