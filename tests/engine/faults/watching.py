"""Starting the drill as a process of its own, watching it, and looking at what is left of it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet as pq

from acceleray.engines.processes.cleanup import MARK
from engines.living import PATIENCE_S, files_below
from faults import drill
from rendered import python_path

TESTS = Path(__file__).parents[1]


def command(project: Path, **given: object) -> list[str]:
    arguments = [f"{name}={value}" for name, value in given.items()]
    return [sys.executable, str(TESTS / "faults" / "drill.py"), f"project={project}", *arguments]


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": f"{python_path()}{os.pathsep}{TESTS}", "PYTHONUNBUFFERED": "1"}


@contextmanager
def started(arguments: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start a command, its output in a file; it is killed at the end if it still runs."""
    with (
        log.open("wb") as file,
        subprocess.Popen(arguments, stdout=file, stderr=file, env=environment()) as process,
    ):
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def finish(project: Path, **given: object) -> subprocess.CompletedProcess[str]:
    """Run the drill to its end."""
    return subprocess.run(
        command(project, **given),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        env=environment(),
        check=False,
    )


def wait_until(what: Callable[[], Any], seconds: float = PATIENCE_S, process: Any = None) -> Any:
    """Return what a function returns once it is true; fail if it never is, or the process ends before."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := what():
            return found
        if process is not None and process.poll() is not None:
            break
        time.sleep(0.02)
    raise AssertionError("what was waited for never came")


def parts(project: Path) -> list[Path]:
    """Return the result files that Ray's tasks have written so far."""
    return [path for path in _staged(project) if path.parent.name == "results"]


def stage_files(project: Path) -> list[Path]:
    """Return the files in which rows wait for Ray's tasks."""
    return [path for path in _staged(project) if not {"results", "_temporary"} & set(path.parts)]


def _staged(project: Path) -> list[Path]:
    files = files_below(project / "var" / "stage")
    return [path for path in files if path.suffix == ".parquet" and not path.name.startswith(".")]


def table_folder(project: Path) -> Path:
    # Tests that share a Spark session have schemas of their own.
    found = list((project / "var" / "warehouse").glob(f"gold*/{drill.VALUES.name}"))
    return found[0] if found else project / "nothing there yet"


def family_of(pid: int) -> list[str]:
    """Return the names of living processes that belong to the run of a process."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            mark = process.environ().get(MARK, "")
            if mark.startswith(f"{pid}-") and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.name())
    return found


def assert_nothing_is_left(project: Path, pid: int) -> None:
    """No process of that run lives any more, and no stage is left."""
    with suppress(AssertionError):
        wait_until(lambda: not family_of(pid))
    assert family_of(pid) == []
    assert not stage_files(project)
    assert not parts(project)


def assert_whole(spark: Any, project: Path, *seeds: int) -> None:
    """The table holds each trade once for each seed, with the value worked out without any engine."""
    rows = spark.read.format("delta").load(str(table_folder(project))).toArrow()
    wanted = Counter(pair for seed in seeds for pair in drill.expected(seed).items())
    trades, values = rows.column("trade").to_pylist(), rows.column("value").to_pylist()
    assert Counter(zip(trades, values, strict=True)) == wanted


def rows_in_files(project: Path) -> int:
    """Return the rows in all Parquet files of the table, committed or not."""
    return sum(pq.read_metadata(path).num_rows for path in table_folder(project).glob("*.parquet"))
