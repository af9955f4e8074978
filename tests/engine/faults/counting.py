"""What is counted after each run of a soak, and how much of it may be there."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

WARM_UP = 5
COMPACT_ABOVE = 8
# A commit writes at most so many files into a table before it is compacted, and so many into Delta's log:
# the commit, its statistics and a hidden check sum of each, now and then a checkpoint.
FILES_OF_A_COMMIT, LOG_FILES_OF_A_COMMIT = 4, 5
# A run leaves about 0.3 MB with its caller: freed pieces too small to be given back, caches of libraries.
MEMORY_MB, MEMORY_MB_A_RUN = 60.0, 0.5
# Three runs of MLflow (one and a child for each stage) take 12 kB.
MLFLOW_KB_A_RUN = 20.0
# Ray 2.60 leaves one to three behind at each `ray.init` and `ray.shutdown`, also when nothing happens between
# them: its compiled client (gRPC) shuts them down but does not close them. Nobody else can close them safely.
RAY_SOCKETS_A_RUN = 3.0


@dataclass(frozen=True)
class Room:
    """What a run may leave behind, in memory of its caller and in the store of MLflow."""

    memory_mb: float = MEMORY_MB_A_RUN
    mlflow_kb: float = MLFLOW_KB_A_RUN


@dataclass(frozen=True)
class Sample:
    """What there was after one run."""

    seconds: float
    values: dict[str, float]


@dataclass(frozen=True)
class Line:
    """One row of the summary: the level after the warm-up, the last, the worst, and what is allowed."""

    what: str
    first: float
    last: float
    worst: float
    allowed: float

    @property
    def held(self) -> bool:
        return self.worst <= self.allowed


def counted(state: Path) -> dict[str, float]:
    """Return what there is after a run, of what could pile up."""
    # What waits for the collector is not lost.
    gc.collect()
    from faults.watching import family_of

    here = psutil.Process()
    children = [child.name() for child in here.children(recursive=True) if _lives(child)]
    values: dict[str, float] = {
        "memory of this process, MB": here.memory_info().rss / 1e6,
        "open file descriptors": here.num_fds() - (dead := _dead_sockets(here)),
        "sockets that Ray does not close": dead,
        "threads": here.num_threads(),
        "processes of runs": max(len(children), len(family_of(here.pid))),
        "temporary folders": len(list(Path("/tmp").glob(f"pf-{here.pid}-*"))),
        "entries of the stage folder": len(list((state / "stage").glob("*"))),
        "size of mlflow.db, kB": (state / "mlflow" / "mlflow.db").stat().st_size / 1e3,
    }
    for log in sorted((state / "warehouse").glob("*/*/_delta_log")):
        label = f"{log.parent.parent.name}.{log.parent.name}"
        # Delta removes what is older than 30 days from a log, at a checkpoint; until then it grows.
        values[f"data files of {label}"] = len(list(log.parent.glob("*.parquet")))
        values[f"log files of {label}, a commit"] = len(list(log.iterdir())) / len(list(log.glob("*.json")))
    return values


def _dead_sockets(process: psutil.Process) -> int:
    """Return how many sockets of a process the kernel lists under no address: shut down, but not closed."""
    folder = Path("/proc", str(process.pid), "fd")
    if not folder.is_dir():
        return 0  # no such list on this system
    listed = {connection.fd for connection in process.net_connections("all")}
    found = 0
    for path in folder.iterdir():
        with suppress(OSError):
            found += os.readlink(path).startswith("socket:") and int(path.name) not in listed
    return found


def _lives(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


def lines(samples: list[Sample], room: Room | None = None) -> Iterator[Line]:
    """Yield what must not grow, and whether it did."""
    since = samples[WARM_UP - 1 :]
    for what in since[0].values:
        course = [sample.values[what] for sample in since]
        yield Line(
            what,
            course[0],
            course[-1],
            max(course),
            _allowed(what, course[0], len(since) - 1, room or Room()),
        )


def _allowed(what: str, first: float, runs: int, room: Room) -> float:
    limits: dict[str, Callable[[], float]] = {
        "memory": lambda: first + MEMORY_MB + room.memory_mb * runs,
        "open file": lambda: first + 2,
        "sockets": lambda: first + RAY_SOCKETS_A_RUN * runs,
        "threads": lambda: first + 2,
        "size of mlflow.db": lambda: first + room.mlflow_kb * runs,
        "data files": lambda: COMPACT_ABOVE + FILES_OF_A_COMMIT,
        "log files": lambda: LOG_FILES_OF_A_COMMIT,
    }
    # Nothing else may be there at all.
    return next((limit() for start, limit in limits.items() if what.startswith(start)), 0.0)


def table(summary: list[Line], samples: list[Sample]) -> list[str]:
    """Return the summary as a Markdown table."""
    heading = f"| {len(samples)} runs in one process | after {WARM_UP} runs | last | worst | allowed | held |"
    rows = [
        f"| {line.what} | {shown(line.first)} | {shown(line.last)} | {shown(line.worst)} "
        f"| {shown(line.allowed)} | {'yes' if line.held else 'NO'} |"
        for line in summary
    ]
    times = [sample.seconds for sample in samples[WARM_UP - 1 :]]
    seconds = f"| seconds of a run | {times[0]:.1f} | {times[-1]:.1f} | {max(times):.1f} | | |"
    return [heading, "|---|---:|---:|---:|---:|---|", *rows, seconds]


def shown(value: float) -> str:
    """Return a number as tables show it."""
    return f"{value:.0f}" if value == int(value) else f"{value:.1f}"
