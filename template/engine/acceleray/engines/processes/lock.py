"""One run at a time in a project on one machine: a lock that dies with the process that holds it.

`filelock` is not enough: it cannot look who holds a lock without taking it, which would refuse a run that
starts just then, and names no holder. Where a folder cannot lock it raises, or leaves a file that outlives a
killed run.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from acceleray.errors import PortfolioError

LOCK_NAME = ".lock"
_SELF = "This process"
# Some network folders cannot lock. Delta still refuses commits that conflict, so a run may go on.
_CANNOT_LOCK = {errno.ENOLCK, errno.ENOSYS, errno.EINVAL, errno.ENOTSUP}
# How long to wait for a process that only checks the lock, or a run that is about to end.
_LOOK_S, _MOMENT_S = 30.0, 0.2


@contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder while the block runs.

    The operating system frees it when the process ends, however it ends; the file itself stays.

    Raises:
        PortfolioError: another run holds the lock, or the folder cannot be written.
    """
    path = folder / LOCK_NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Not inherited by child processes: an orphan would keep the lock alive.
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise
        raise PortfolioError(f"The folder {folder} cannot be written: {error.strerror}.") from None
    try:
        if not _take_soon(handle):
            raise PortfolioError(f"{_who(path)} is active in {folder}; wait until it ends, or stop it.")
        os.ftruncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
        yield
    finally:
        # Closing frees the lock. The file is not removed: somebody may be waiting with it open.
        os.close(handle)


def held_here(folder: Path) -> bool:
    """Return whether this process holds the lock of a folder; never where folders cannot be locked."""
    return holder(folder) == _SELF


def holder(folder: Path) -> str | None:
    """Return who holds the lock of a folder, in words, or None if nobody does."""
    path = folder / LOCK_NAME
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return None if _take(file.fileno(), shared=True) else _who(path)


def _take(handle: int, shared: bool = False) -> bool:
    if sys.platform == "win32":
        return True  # there is no flock there: Delta alone keeps two runs apart
    import fcntl

    try:
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _CANNOT_LOCK:
            raise
    return True


def _take_soon(handle: int) -> bool:
    """Take the lock, after waiting for those who only look at it; a run is not waited for."""
    began = time.monotonic()
    while not _take(handle):
        # `holder` looks by sharing the lock for an instant, which on a busy machine may last.
        looked_at = _take(handle, shared=True)
        if looked_at:
            _free(handle)
        if time.monotonic() - began > (_LOOK_S if looked_at else _MOMENT_S):
            return False
        time.sleep(0.02)
    return True


def _free(handle: int) -> None:
    if sys.platform != "win32":
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_UN)


def _who(path: Path) -> str:
    try:
        owner = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        owner = ""
    if owner == str(os.getpid()):
        return _SELF
    return f"Another run (process {owner})" if owner.isdigit() else "Another run"
