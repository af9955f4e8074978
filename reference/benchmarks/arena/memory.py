"""Memory of a process and everything it started, shared pages counted once where the system tells."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

_EVERY_S = 0.2


@dataclass
class Peak:
    """The largest memory seen so far, in MB."""

    mb: float = 0.0


@contextmanager
def watched(pid: int) -> Iterator[Peak]:
    """Yield the peak of a process tree, sampled until the block ends."""
    peak, stop = Peak(), threading.Event()

    def watch() -> None:
        while True:
            peak.mb = max(peak.mb, tree_mb(pid))
            if stop.wait(_EVERY_S):
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        stop.set()
        watcher.join()


def tree_mb(pid: int) -> float:
    """Return the memory of a process and its descendants in MB."""
    try:
        root = psutil.Process(pid)
        return sum(process_mb(each) for each in (root, *root.children(recursive=True)))
    except psutil.Error:
        return 0.0


def process_mb(process: psutil.Process) -> float:
    """Return the memory of one process in MB; none if it has just ended."""
    try:
        found = process.memory_full_info()
    except psutil.Error:
        return 0.0
    return float(getattr(found, "pss", found.rss)) / 1e6


def memory_kind() -> str:
    """Return what is counted: each page once among all processes, or for each process that maps it."""
    return "PSS" if hasattr(psutil.Process().memory_full_info(), "pss") else "RSS"
