"""Memory of a process and everything it started, shared pages counted once where the system tells."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

_EVERY_S = 0.2


@dataclass
class Peak:
    """The largest memory seen so far, in MB."""

    mb: float = 0.0


@dataclass
class Roles:
    """The largest resident memory (RSS) seen so far, in MB.

    Of this process, which is the driver's Python, of its Java, and of the largest Ray worker it has. Without
    `java_pid`, of the largest Java process: on a cluster of this machine that may be an executor's.
    """

    java_pid: int | None = None
    python_mb: float = 0.0
    java_mb: float = 0.0
    worker_mb: float = 0.0

    def look(self) -> None:
        """See what the processes hold now."""
        driver = psutil.Process()
        self.python_mb = max(self.python_mb, driver.memory_info().rss / 1e6)
        for child in driver.children(recursive=True):
            try:
                resident_mb = child.memory_info().rss / 1e6
                if child.name() == "java" and self.java_pid in (None, child.pid):
                    self.java_mb = max(self.java_mb, resident_mb)
                elif child.name().startswith("ray::"):
                    self.worker_mb = max(self.worker_mb, resident_mb)
            except psutil.Error:
                continue


@contextmanager
def watched(pid: int) -> Iterator[Peak]:
    """Yield the peak of a process tree, sampled until the block ends."""
    peak = Peak()

    def look() -> None:
        peak.mb = max(peak.mb, tree_mb(pid))

    with sampled(look):
        yield peak


@contextmanager
def sampled(look: Callable[[], None], every_s: float = _EVERY_S) -> Iterator[None]:
    """Call a function at once and then every so many seconds, until the block ends."""
    stop = threading.Event()

    def watch() -> None:
        while True:
            look()
            if stop.wait(every_s):
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
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
