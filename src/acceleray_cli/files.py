"""Files of a folder as they are, and what became of them carried from one folder to another."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

# What a file is called until it is whole.
WRITING = ".acceleray-writing"


@dataclass(frozen=True)
class File:
    """The bytes of a file, or the target of a link, and whether it can be executed."""

    content: bytes
    executable: bool = False
    link: bool = False

    @property
    def text(self) -> bytes:
        """Return the content with the line breaks of Unix: Git on Windows writes others, which is no edit."""
        return self.content.replace(b"\r\n", b"\n")

    def write(self, path: Path) -> None:
        """Write the file, over one that is there."""
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink() or (self.link and path.exists()):
            path.unlink()
        if self.link:
            path.symlink_to(os.fsdecode(self.content))
            return
        new = path.with_name(WRITING)
        try:
            new.write_bytes(self.content)
            mode = (path if path.exists() else new).stat().st_mode
            # As Git does: whoever may read it may execute it.
            new.chmod(mode | (mode & 0o444) >> 2 if self.executable else mode & ~0o111)
            # At once: a full disk or a kill leaves the file as it was, or as it shall be.
            new.replace(path)
        except BaseException:
            new.unlink(missing_ok=True)
            raise


Snapshot = dict[str, File]


def snapshot(folder: Path) -> Snapshot:
    """Return every file under a folder by its name in it, without the repository's own."""
    found = {}
    for place, folders, names in os.walk(folder):
        # A link to a folder is a file of the project, and nothing behind it is.
        links = [name for name in folders if Path(place, name).is_symlink()]
        folders[:] = [name for name in folders if name != ".git" and name not in links]
        for name in (*names, *links):
            path = Path(place, name)
            found[path.relative_to(folder).as_posix()] = read(path)
    return found


def read(path: Path) -> File:
    """Return a file or link as it is."""
    if path.is_symlink():
        return File(os.fsencode(path.readlink()), link=True)
    return File(path.read_bytes(), bool(path.stat().st_mode & stat.S_IXUSR))


def carry(
    before: Mapping[str, File], after: Mapping[str, File], folder: Path, last: str, again: bool = False
) -> None:
    """Do to the files of a folder what was done to those of its copy; the file named `last` comes last.

    With `again` a folder is taken back that may be anything in between, and what fails is left.
    """
    for name in before.keys() - after.keys():
        with suppress(OSError) if again else nullcontext():
            _remove(folder / name, folder)
    for name in sorted(after, key=lambda name: (name == last, name)):
        if before.get(name) != after[name]:
            with suppress(OSError) if again else nullcontext():
                after[name].write(folder / name)


def _remove(path: Path, folder: Path) -> None:
    """Remove a file, and each folder below this one that is empty then."""
    path.unlink(missing_ok=True)
    for parent in path.parents:
        if parent == folder or not parent.is_dir() or any(parent.iterdir()):
            break
        parent.rmdir()
