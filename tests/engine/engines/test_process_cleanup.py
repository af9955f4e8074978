"""No process of a run outlives it, whoever its parent is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from acceleray.engines.processes import cleanup
from acceleray.engines.processes.cleanup import MARK, end, family, members
from engines.living import PATIENCE_S, gone, living

# A process that leaves its parent behind, as Spark's executors and Ray's agents do.
DETACHED = (
    "import subprocess as s; "
    "print(s.Popen(['sleep', '600'], stdout=s.DEVNULL, stderr=s.DEVNULL, start_new_session=True).pid)"
)


def test_a_process_that_left_its_parent_is_found_and_ended() -> None:
    with family() as mark:
        pid = int(subprocess.run([sys.executable, "-c", DETACHED], capture_output=True, check=True).stdout)
        assert psutil.Process(pid).ppid() != os.getpid()
        assert [process.pid for process in members(mark)] == [pid]
        end(mark, patience_s=0.0)
        assert members(mark) == []
    assert MARK not in os.environ


def test_a_family_inside_a_family_is_the_same() -> None:
    with family() as outer, family() as inner:
        assert inner == outer
    with family() as later:
        assert later != outer


def test_processes_of_another_family_are_let_alone() -> None:
    with subprocess.Popen(["sleep", "600"], env=os.environ | {MARK: f"{os.getpid()}-other"}) as other:
        with family() as mark:
            assert members(mark) == []
        assert other.poll() is None
        other.kill()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL here")
def test_when_the_run_is_killed_its_family_is_ended_by_the_watcher(tmp_path: Path) -> None:
    script = (
        "import subprocess, time\n"
        "from acceleray.engines.processes.cleanup import family\n"
        "with family():\n"
        "    print(subprocess.Popen(['sleep', '600'], start_new_session=True).pid, flush=True)\n"
        "    time.sleep(600)\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, env=environment) as run:
        assert run.stdout is not None
        pid = int(run.stdout.readline())
        member = psutil.Process(pid)
        assert living([member]) == [member]
        run.kill()
        run.wait()
        assert gone([member]), "it lives on"


def test_a_process_that_is_only_being_started_at_the_first_look_is_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Between the end of its files and its environment a new program carries no mark.
    started = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    looks = iter([[], [psutil.Process(started.pid)], [], []])
    monkeypatch.setattr(cleanup, "members", lambda mark: next(looks))
    try:
        end("a mark", 0.0)
        assert list(looks) == []
        assert started.wait(timeout=PATIENCE_S) != 0
    finally:
        started.kill()
        started.wait()
