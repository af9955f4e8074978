"""Private temporary folders, removed at the end, or by the next run if this one is killed."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

_PREFIX = "portfolio"


@contextmanager
def scratch_folder(engine: str) -> Iterator[Path]:
    """Yield a new private folder and remove it afterwards, together with those of runs that were killed."""
    _sweep()
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}-{os.getpid()}-{engine}-", dir=_place()))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _place() -> str:
    # Ray puts sockets below its folder, and a socket's path may not exceed 107 bytes.
    return "/tmp" if os.path.isdir("/tmp") else tempfile.gettempdir()


def _sweep() -> None:
    for folder in Path(_place()).glob(f"{_PREFIX}-*-*"):
        owner = folder.name.split("-")[1]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)
