"""How the command ends when something goes wrong or somebody stops it."""

import errno
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from portfolio.settings import Settings

Portfolio = Callable[..., tuple[int, list[str], list[str]]]
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Return a function that makes `portfolio tables` raise."""
    from portfolio.cli import reading

    def fail_with(error: BaseException) -> None:
        def fail(settings: Settings) -> list[str]:
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
    assert portfolio("tables") == (130, [], ["Error: Stopped; no table was left half-written."])


def test_a_reader_that_stops_reading_is_no_failure(project: Path, python: Start) -> None:
    script = "import sys; from portfolio.cli import guard, text;"
    script += "sys.exit(guard.guarded(lambda: text.tell(map(str, range(100000))) or 0, guard.Place()))"
    with python("-c", script) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(timeout=30) == 141
        assert process.stderr.read() == ""


CLEANS_UP = """
import subprocess, sys, time
from pathlib import Path
from portfolio.cli.guard import Place, guarded
def action():
    child = subprocess.Popen(["sleep", "60"])
    try:
        print(child.pid, flush=True)
        time.sleep(60)
    finally:
        time.sleep(float(sys.argv[1]))
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
    with python("-c", CLEANS_UP, "1.0") as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        process.send_signal(number)
        time.sleep(0.3)
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (code, "clean\n")
    assert err.splitlines()[-1] == "Error: Stopped; no table was left half-written."
    assert "Traceback" not in err
    assert not psutil.pid_exists(child)


def test_the_third_signal_ends_at_once_and_takes_the_children_along(python: Start) -> None:
    with python("-c", CLEANS_UP, "60") as process:
        assert process.stdout is not None
        child = psutil.Process(int(process.stdout.readline()))
        for _ in range(3):
            process.send_signal(signal.SIGINT)
            time.sleep(0.5)
        assert process.wait(timeout=10) == 130
        assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


QUERY = """
import sys
from pathlib import Path
from portfolio.cli.guard import Place, guarded
from portfolio.engines.spark import spark_session
from portfolio.settings import load
def action():
    with spark_session(load(Path(sys.argv[1]))) as spark:
        print("ready", flush=True)
        spark.range(10**13).selectExpr("max(hash(id))").collect()
sys.exit(guarded(action, Place()))
"""


@pytest.mark.spark
def test_a_run_told_to_stop_in_the_middle_of_a_query_leaves_no_java_behind(
    project: Path, python: Start
) -> None:
    with python("-c", QUERY, str(project)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(2.0)
        children = psutil.Process(process.pid).children(recursive=True)
        assert any("java" in child.name() for child in children)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (143, "Error: Stopped; no table was left half-written.\n")
    assert not psutil.wait_procs(children, timeout=10)[1]
