"""The processes of a run, known by a mark in their environment, so that none outlives it.

A run starts a Java process, Ray's processes and, in profile cluster, Spark executors with Ray inside them.
Many are not this process's children, or not any more once something in between was killed.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

MARK = "PORTFOLIO_RUN"
# Orderly shutdowns have finished by then; Ray nodes inside Spark take about five seconds.
_PATIENCE_S = 15.0


@contextmanager
def family() -> Iterator[str]:
    """Yield the mark that every process started in the block inherits, and end them all with the block.

    Should this process be killed, a watcher kills them. A family inside a family is the same family.
    """
    outer = os.environ.get(MARK, "")
    if outer.startswith(f"{os.getpid()}-"):
        yield outer
        return
    mark = f"{os.getpid()}-{secrets.token_hex(8)}"
    # A process that writes its title over its environment could not be found by it.
    with process_environment({MARK: mark, "SPT_NOENV": "1"}), _ended_with_this_process(mark):
        try:
            yield mark
        finally:
            end(mark, _PATIENCE_S)


def members(mark: str) -> list[psutil.Process]:
    """Return the living processes that carry a mark, and their descendants, without this process."""
    found: dict[int, psutil.Process] = {}
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == mark:
                found[process.pid] = process
                found |= {child.pid: child for child in process.children(recursive=True)}
    found.pop(os.getpid(), None)
    return [process for process in found.values() if _alive(process)]


def end(mark: str, patience_s: float) -> None:
    """Wait so long for the processes with a mark to end by themselves, then kill those that have not."""
    deadline = time.monotonic() + patience_s
    none = 0
    # A process stuck in the kernel cannot be killed at once; nobody shall wait for it for ever.
    while time.monotonic() < deadline + _PATIENCE_S:
        left = members(mark)
        none = 0 if left else none + 1
        # One that is still starting has no environment yet, and no mark: the second look finds it.
        if none > 1:
            return
        if time.monotonic() > deadline:
            for process in left:
                with suppress(psutil.Error):
                    process.kill()
        time.sleep(0.1)


@contextmanager
def process_environment(values: Mapping[str, str | None]) -> Iterator[None]:
    """Set (or with None unset) environment variables for child processes, and put them back."""
    before = {name: os.environ.get(name) for name in values}
    _apply(values)
    try:
        yield
    finally:
        _apply(before)


def _apply(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@contextmanager
def _ended_with_this_process(mark: str) -> Iterator[None]:
    # The watcher reads from this process: a line says that all is well, an end that this process is gone.
    script = 'read -r line || exec "$0" "$@"'
    command = ["/bin/sh", "-c", script, sys.executable, str(Path(__file__)), mark]
    environment = {name: value for name, value in os.environ.items() if name != MARK}
    # A separate session, so that Ctrl-C in a terminal does not end the watcher first.
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True, env=environment) as watcher:
        try:
            yield
        finally:
            with suppress(OSError):
                watcher.communicate(b"done\n", timeout=10)


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


if __name__ == "__main__":
    end(sys.argv[1], 0.0)
