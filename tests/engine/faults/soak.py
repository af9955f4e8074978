"""The drill again and again in one process, as a notebook session would: `python soak.py --runs 20`.

After each run everything is counted that could pile up. What must not grow is compared with its level after a
few runs, when every library has been used once and every cache is warm.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from rendered import ENGINE

TESTS = Path(__file__).parents[1]
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


def main() -> int:
    """Return 0 if nothing grew that must not, else 1."""
    given = _arguments()
    os.environ["PYTHONPATH"] = os.pathsep.join(_reachable())
    sys.path[:0] = _reachable()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        from faults.conftest import new_project

        project = new_project(Path(folder))
        samples = list(_soaked(project, given.runs, given.minutes * 60))
        if len(samples) <= WARM_UP:
            print(f"Only {len(samples)} runs; there is nothing to compare before {WARM_UP + 1}.")
            return 1
        lines = [*_lines(samples), _rows_line(project, len(samples))]
    table = _table(lines, samples)
    print("\n".join(table))
    given.table.parent.mkdir(parents=True, exist_ok=True)
    given.table.write_text("\n".join(table) + "\n", encoding="utf-8")
    return 0 if all(line.held for line in lines) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Run a small job (Spark, Delta, Ray, MLflow) many times in this one process, and watch "
        "memory, open files, threads, processes, temporary folders and the files of tables. Exits with 1 if "
        "anything grew that must not.",
        epilog=f"A run takes about 20 seconds on two cores, the first {WARM_UP} are the warm-up. The table "
        "is also written to a file.",
    )
    parser.add_argument("--runs", type=int, default=100, metavar="N", help="how many runs (default: 100)")
    parser.add_argument(
        "--minutes", type=float, default=24 * 60, metavar="M", help="start no run after so many minutes"
    )
    default = TESTS.parent / "var" / "soak.md"
    parser.add_argument(
        "--table", type=Path, default=default, metavar="FILE", help="where the table goes (var/soak.md)"
    )
    given = parser.parse_args()
    if given.runs <= WARM_UP:
        parser.error(f"--runs must be more than the {WARM_UP} of the warm-up")
    return given


def _reachable() -> list[str]:
    # Ray's workers look up the drill's functions by the name of their module.
    return [str(ENGINE), str(TESTS)]


def _soaked(project: Path, runs: int, seconds: float) -> Iterator[Sample]:
    from acceleray.runtime.progress import Reporter
    from acceleray.runtime.workload import execute
    from faults import drill

    upkeep = (f"maintenance.optimize_above_files={COMPACT_ABOVE}", "maintenance.vacuum_after_h=0")
    begin = time.monotonic()
    for number in range(1, runs + 1):
        started = time.monotonic()
        if started - begin > seconds:
            return
        settings = drill.settings_of(project, *upkeep, seed=number)
        execute(drill.job(), settings, Reporter(quiet=True))
        sample = Sample(time.monotonic() - started, _counted(project))
        if number % 10 == 0 or number in (1, WARM_UP, runs):
            told = ", ".join(f"{name} {_shown(value)}" for name, value in sample.values.items())
            print(f"run {number:>3}, {time.monotonic() - begin:5.0f} s: {told}", flush=True)
        yield sample


def _counted(project: Path) -> dict[str, float]:
    # What waits for the collector is not lost.
    gc.collect()
    from faults.watching import family_of

    here = psutil.Process()
    children = [child.name() for child in here.children(recursive=True) if _lives(child)]
    state = project / "var"
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


def _lines(samples: list[Sample]) -> Iterator[Line]:
    since = samples[WARM_UP - 1 :]
    for what in since[0].values:
        course = [sample.values[what] for sample in since]
        yield Line(what, course[0], course[-1], max(course), _allowed(what, course[0], len(since) - 1))


def _allowed(what: str, first: float, runs: int) -> float:
    limits: dict[str, Callable[[], float]] = {
        "memory": lambda: first + MEMORY_MB + MEMORY_MB_A_RUN * runs,
        "open file": lambda: first + 2,
        "sockets": lambda: first + RAY_SOCKETS_A_RUN * runs,
        "threads": lambda: first + 2,
        "size of mlflow.db": lambda: first + MLFLOW_KB_A_RUN * runs,
        "data files": lambda: COMPACT_ABOVE + FILES_OF_A_COMMIT,
        "log files": lambda: LOG_FILES_OF_A_COMMIT,
    }
    # Nothing else may be there at all.
    return next((limit() for start, limit in limits.items() if what.startswith(start)), 0.0)


def _rows_line(project: Path, runs: int) -> Line:
    """Return how many rows of the values' table are not what they must be after so many seeds."""
    from acceleray.engines.profiles import spark_alone
    from faults import drill
    from faults.watching import assert_whole

    with spark_alone(drill.settings_of(project)) as spark:
        try:
            assert_whole(spark, project, *range(1, runs + 1))
            wrong = 0.0
        except AssertionError:
            wrong = 1.0
    return Line("tables with a wrong, missing or doubled row", 0.0, wrong, wrong, 0.0)


def _table(lines: list[Line], samples: list[Sample]) -> list[str]:
    heading = f"| {len(samples)} runs in one process | after {WARM_UP} runs | last | worst | allowed | held |"
    rows = [
        f"| {line.what} | {_shown(line.first)} | {_shown(line.last)} | {_shown(line.worst)} "
        f"| {_shown(line.allowed)} | {'yes' if line.held else 'NO'} |"
        for line in lines
    ]
    times = [sample.seconds for sample in samples[WARM_UP - 1 :]]
    seconds = f"| seconds of a run | {times[0]:.1f} | {times[-1]:.1f} | {max(times):.1f} | | |"
    return [heading, "|---|---:|---:|---:|---:|---|", *rows, seconds]


def _shown(value: float) -> str:
    return f"{value:.0f}" if value == int(value) else f"{value:.1f}"


if __name__ == "__main__":
    sys.exit(main())
