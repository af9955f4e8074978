"""The hidden folder in which a project grows; a killed run leaves it, and the next one removes it."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

if sys.platform != "win32":
    import fcntl

PREFIX = ".acceleray-"
# A file in it that its run keeps open. Without one, a folder of such a name is somebody else's and stays.
HELD = "held"


@contextmanager
def beside(folder: Path) -> Iterator[Path]:
    """Give a new hidden folder in this one, after removing those of runs that were killed.

    Raises:
        OSError: the folder cannot be written.
    """
    _remove_what_nobody_holds(folder)
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=folder) as name, _held(Path(name)):
        yield Path(name)


@contextmanager
def _held(scratch: Path) -> Iterator[None]:
    # Windows removes no file that is open; elsewhere a lock says so, and ends with its process.
    if sys.platform == "win32":
        with (scratch / HELD).open("w"):
            yield
        return
    unnamed = scratch / "new"
    with unnamed.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError:
            # A file system without locks: nothing tells a killed run from a slow one, so it stays.
            pass
        else:
            # Named when it is locked: whoever finds it finds it held.
            unnamed.rename(scratch / HELD)
        yield


def _remove_what_nobody_holds(folder: Path) -> None:
    for left in folder.glob(f"{PREFIX}*"):
        try:
            if sys.platform == "win32":
                (left / HELD).unlink()
                shutil.rmtree(left, ignore_errors=True)
            else:
                with (left / HELD).open() as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(left, ignore_errors=True)
        except OSError:
            continue
