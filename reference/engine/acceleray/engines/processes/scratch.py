"""Private temporary folders, removed at the end, or by the next run if this one is killed."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from acceleray.engines.processes import allowance

# Ray puts sockets far below its folder, and a socket's path may not exceed 107 bytes: every letter counts.
_PREFIX = "pf"


@contextmanager
def scratch_folder(label: str) -> Iterator[Path]:
    """Yield a new private folder and remove it afterwards, together with those of runs that were killed."""
    _sweep()
    folder = _new(label)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _new(label: str) -> Path:
    while True:
        folder = Path(_place(), f"{_PREFIX}-{os.getpid()}-{label}{secrets.token_hex(2)}")
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            continue
        return folder


def _place() -> str:
    return str(allowance.temporary_folder())


def _sweep() -> None:
    for folder in Path(_place()).glob(f"{_PREFIX}-*-*"):
        owner = folder.name.split("-")[1]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)
