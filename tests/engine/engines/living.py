"""Processes and folders as tests look at them while others work: both change between two questions."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

# Guards against hanging alone: a test that passes never waits so long, however slow the machine.
PATIENCE_S = 1200.0


def living(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Return those that have not ended; one that only waits for its parent to notice has ended."""
    return [one for one in processes if _told(one.status, psutil.STATUS_ZOMBIE) != psutil.STATUS_ZOMBIE]


def descendants(pid: int | None = None) -> list[psutil.Process]:
    """Return what a process, by default this one, has started, and what that has started, and so on."""
    found: list[psutil.Process] = []
    with suppress(psutil.Error):
        found = psutil.Process(pid).children(recursive=True)
    return found


def command_line(process: psutil.Process) -> str:
    """Return a command line, nothing if its process has ended."""
    return " ".join(_told(process.cmdline, []))


def named(process: psutil.Process) -> str:
    """Return the name of a process, nothing if it has ended."""
    return str(_told(process.name, ""))


def parents(process: psutil.Process) -> list[psutil.Process]:
    """Return those above a process, none if it has ended."""
    return list(_told(process.parents, []))


def saying(sign: str, processes: Iterable[psutil.Process] | None = None) -> list[psutil.Process]:
    """Return those whose command line holds a sign, by default of this process's descendants."""
    return [one for one in (descendants() if processes is None else processes) if sign in command_line(one)]


def listening(processes: Iterable[psutil.Process]) -> set[tuple[str, str]]:
    """Return where processes listen: name and address."""
    return {
        (named(process), connection.laddr.ip)
        for process in processes
        for connection in _told(lambda one=process: one.net_connections("inet"), [])
        if connection.status == psutil.CONN_LISTEN
    }


def carrying(variable: str, value: str) -> list[psutil.Process]:
    """Return the living processes that were started with a variable in their environment, whoever did it."""
    every = psutil.process_iter()
    return living(one for one in every if _told(one.environ, {}).get(variable) == value)


def gone(processes: Iterable[psutil.Process], within_s: float = PATIENCE_S) -> bool:
    """Return whether all of them have ended in time."""
    left, deadline = living(processes), time.monotonic() + within_s
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = living(left)
    return not left


def files_below(folder: Path) -> list[Path]:
    """Return the files in a folder and below, in order; what is removed meanwhile may or may not be there."""
    # Path.rglob raises when a folder goes while it looks, os.walk passes over it.
    return sorted(Path(place, name) for place, _, names in os.walk(folder) for name in names)


def content(path: Path, below_bytes: float = math.inf) -> bytes:
    """Return what is in a file, nothing if it is gone, no ordinary file or too large."""
    with suppress(FileNotFoundError):
        if path.is_file() and path.stat().st_size < below_bytes:
            return path.read_bytes()
    return b""


def _told(ask: Callable[[], Any], otherwise: Any) -> Any:
    try:
        return ask()
    except (psutil.Error, OSError):
        return otherwise
