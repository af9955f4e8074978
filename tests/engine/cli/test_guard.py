"""How the command ends when something goes wrong or somebody stops it."""

import errno
import os
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from acceleray.runtime.project import Project
from acceleray.settings import Settings
from engines.living import PATIENCE_S, descendants, gone, living, named

Portfolio = Callable[..., tuple[int, list[str], list[str]]]
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Return a function that makes `portfolio tables` raise."""
    from acceleray.cli import reading

    def fail_with(error: BaseException) -> None:
        def fail(settings: Settings, project: Project) -> list[str]:
            raise error

        monkeypatch.setattr(reading, "list_tables", fail)

    return fail_with


def test_an_unexpected_failure_is_one_line_and_a_log_with_the_traceback(
    project: Path, portfolio: Portfolio, failing: Callable[[BaseException], None]
) -> None:
    failing(ZeroDivisionError("first line\nsecond line"))
    code, out, err = portfolio("tables")
    assert (code, out, len(err)) == (1, [], 1)
    [log] = (project / "var" / "logs").iterdir()
    assert err[0] == f"Error: Unexpected failure: ZeroDivisionError: first line (details in {log})"
    text = log.read_text(encoding="utf-8")
    assert "Traceback" in text
    assert "second line" in text


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        RuntimeError("Job aborted.\njava.io.IOException: No space left on device"),
    ],
)
def test_a_full_disk_is_called_by_its_name(
    portfolio: Portfolio, failing: Callable[[BaseException], None], error: Exception
) -> None:
    wrapped = ValueError("something else")
    wrapped.__cause__ = error
    failing(wrapped)
    code, _, err = portfolio("tables")
    assert (code, len(err)) == (1, 1)
    assert re.match(
        r"Error: The disk is full \(\d+ MB free at .*\); no table was left half-written\.", err[0]
    )


def test_ctrl_c_is_one_line_and_130(portfolio: Portfolio, failing: Callable[[BaseException], None]) -> None:
    failing(KeyboardInterrupt())
    assert portfolio("tables") == (130, [], ["Error: Stopped; no table is half-written."])


def test_a_reader_that_stops_reading_is_no_failure(project: Path, python: Start) -> None:
    script = "import sys; from acceleray.cli import guard, text;"
    script += "sys.exit(guard.guarded(lambda: text.tell(map(str, range(100000))) or 0, guard.Place()))"
    with python("-c", script) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(timeout=PATIENCE_S) == 141
        assert process.stderr.read() == ""


CLEANS_UP = """
import subprocess, sys, time
from pathlib import Path
from acceleray.cli.guard import Place, guarded
def action():
    child = subprocess.Popen(["sleep", "600"], stdin=subprocess.DEVNULL)
    try:
        print(child.pid, flush=True)
        time.sleep(600)
    finally:
        print("cleaning", flush=True)
        # Until the test closes standard input.
        sys.stdin.read()
        child.kill()
        child.wait()
        print("clean", flush=True)
    return 0
sys.exit(guarded(action, Place()))
"""


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_run_told_to_stop_cleans_up_even_if_it_is_told_twice(number: int, code: int, python: Start) -> None:
    with python("-c", CLEANS_UP, stdin=subprocess.PIPE) as process:
        child = told_twice(process, number)
        out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, out) == (code, "clean\n")
    assert err == "Error: Stopped; no table is half-written.\n"
    assert not living([child])


def test_the_third_signal_ends_at_once_and_takes_the_children_along(python: Start) -> None:
    with python("-c", CLEANS_UP, stdin=subprocess.PIPE) as process:
        child = told_twice(process, signal.SIGINT)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=PATIENCE_S) == 130
        assert gone([child])


def told_twice(process: "subprocess.Popen[str]", number: int) -> psutil.Process:
    """Send a signal, and another once the first has led to cleaning up; return the child to be cleaned up."""
    assert process.stdout is not None
    assert process.stderr is not None
    child = psutil.Process(int(process.stdout.readline()))
    process.send_signal(number)
    assert process.stdout.readline() == "cleaning\n"
    process.send_signal(number)
    assert process.stderr.readline().startswith("Stopping; this takes a few seconds.")
    return child


QUERY = """
import sys, threading, time
from pathlib import Path
from acceleray.cli.guard import Place, guarded
from acceleray.engines.spark.session import spark_session
from acceleray.settings import load
def tell(tracker):
    while not tracker.getActiveJobsIds():
        time.sleep(0.05)
    print("at work", flush=True)
def action():
    with spark_session(load(Path(sys.argv[1]))) as spark:
        threading.Thread(target=tell, args=[spark.sparkContext.statusTracker()], daemon=True).start()
        spark.range(10**13).selectExpr("max(hash(id))").collect()
sys.exit(guarded(action, Place()))
"""


@pytest.mark.nightly
@pytest.mark.spark
def test_a_run_told_to_stop_in_the_middle_of_a_query_leaves_no_java_behind(
    project: Path, python: Start
) -> None:
    with python("-c", QUERY, str(project)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "at work\n"
        children = descendants(process.pid)
        assert any("java" in named(child) for child in children)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=2 * PATIENCE_S)
    assert (process.returncode, err) == (143, "Error: Stopped; no table is half-written.\n")
    assert gone(children)
