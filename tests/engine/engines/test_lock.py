import fcntl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from acceleray.engines.processes.lock import LOCK_NAME, holder, run_lock
from acceleray.errors import PortfolioError

HOLD = """
import subprocess, sys, time
from pathlib import Path
from acceleray.engines.processes.lock import run_lock
with run_lock(Path(sys.argv[1])):
    child = subprocess.Popen(["sleep", "600"], close_fds=False)
    print(child.pid, flush=True)
    time.sleep(600)
"""


@contextmanager
def another_run(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """Hold the lock in another process, which has a child of its own."""
    command = [sys.executable, "-c", HOLD, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        child = process.stdout.readline().strip()
        assert child.isdigit()
        try:
            yield process
        finally:
            process.kill()
            subprocess.run(["kill", child], check=False)


def test_a_second_run_is_refused_in_one_line_that_names_the_first(tmp_path: Path) -> None:
    with another_run(tmp_path) as other:
        line = rf"^Another run \(process {other.pid}\) is active in "
        with pytest.raises(PortfolioError, match=line), run_lock(tmp_path):
            pytest.fail("two runs at once")
        assert holder(tmp_path) == f"Another run (process {other.pid})"


def test_the_lock_dies_with_its_process_even_if_a_child_of_it_lives_on(tmp_path: Path) -> None:
    with another_run(tmp_path) as other:
        other.kill()
        other.wait()
        with run_lock(tmp_path):
            assert holder(tmp_path) == "This process"


def test_a_run_that_fails_frees_the_lock(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), run_lock(tmp_path / "new" / "state"):
        raise ZeroDivisionError
    assert holder(tmp_path / "new" / "state") is None
    with run_lock(tmp_path / "new" / "state"):
        pass


def test_looking_who_holds_the_lock_does_not_stop_a_run_that_starts_just_then(tmp_path: Path) -> None:
    with run_lock(tmp_path):
        pass
    with (tmp_path / LOCK_NAME).open() as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        # A look that lasts: whoever looks has no turn on a busy machine.
        release = threading.Timer(1.0, fcntl.flock, (file, fcntl.LOCK_UN))
        release.start()
        with run_lock(tmp_path):
            release.join()


def test_a_state_folder_that_cannot_be_written_is_one_plain_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with (
        pytest.raises(PortfolioError, match=r"file/state cannot be written"),
        run_lock(tmp_path / "file" / "state"),
    ):
        pass
