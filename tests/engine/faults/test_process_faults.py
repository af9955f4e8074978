"""Faults that end the run: a task that never ends, a disk that is full. The next run is whole."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from engines.living import PATIENCE_S
from faults.watching import (
    assert_nothing_is_left,
    assert_whole,
    command,
    environment,
    finish,
    started,
)

pytestmark = [pytest.mark.ray, pytest.mark.fault, pytest.mark.nightly]

# A folder of its own size that nobody else sees: a user namespace needs no rights, where it is allowed.
NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount"]
FULL = """
mount -t tmpfs -o size=1600k tmpfs "$1/var" || exit 99
shift
"$@" > "$LOG.first" 2>&1
echo $? > "$LOG.code"
mount -o remount,size=600m "$PROJECT/var"
"$@" > "$LOG.second" 2>&1 || exit 98
cp -r "$PROJECT/var" "$PROJECT/after"
"""


def test_a_task_that_never_ends_is_given_up(project: Path, tmp_path: Path, spark: Any, matrix: Any) -> None:
    row = matrix("a task never ends", "given up after ray.task_timeout_s, in one line")
    given: dict[str, object] = {"seed": 7, "fault": "never ends", "ray.task_timeout_s": 8}
    with started(command(project, **given), tmp_path / "log") as process:
        assert process.wait(timeout=PATIENCE_S) == 2
    said = (tmp_path / "log").read_text(encoding="utf-8")
    assert "gave no result in 8 s" in said.strip().splitlines()[-1]
    assert "Traceback" not in said
    assert_nothing_is_left(project, process.pid)
    row.struck()
    again = finish(project, seed=7)
    assert again.returncode == 0, again.stderr
    row.recovered()
    assert_whole(spark, project, 7)


def test_a_full_disk_stops_the_run_with_one_line(
    project: Path, tmp_path: Path, spark: Any, matrix: Any
) -> None:
    if subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system gives no mount namespace for a small disk")
    row = matrix("disk full", "one line says so, nothing is half-written; the next run with space is whole")
    (project / "var").mkdir()
    log = tmp_path / "said"
    row.struck()
    done = subprocess.run(
        [*NAMESPACE, "sh", "-c", FULL, "sh", str(project), *command(project, seed=7)],
        env=environment() | {"LOG": str(log), "PROJECT": str(project)},
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE_S,
        check=False,
    )
    first = Path(f"{log}.first").read_text(encoding="utf-8")
    assert done.returncode == 0, done.stderr + first
    assert Path(f"{log}.code").read_text().strip() == "1", first
    assert first.strip().splitlines()[-1].startswith("Error: The disk is full")
    assert "Traceback" not in first
    row.recovered()
    (project / "var").rmdir()
    (project / "after").rename(project / "var")
    assert_whole(spark, project, 7)
