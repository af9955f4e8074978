"""A Spark Connect server that is killed while a run works with it: one line, and the next run finishes."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from acceleray.engines.processes.cleanup import MARK
from engines.living import PATIENCE_S
from faults.drill import OPEN
from faults.watching import (
    assert_nothing_is_left,
    assert_whole,
    command,
    finish,
    parts,
    started,
    table_folder,
    wait_until,
)

pytestmark = [pytest.mark.ray, pytest.mark.fault, pytest.mark.nightly]


def servers(pid: int) -> list[psutil.Process]:
    """Return the Spark Connect servers that the run of a process has started."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            mark = process.environ().get(MARK, "")
            if mark.startswith(f"{pid}-") and any("SparkConnectServer" in word for word in process.cmdline()):
                found.append(process)
    return found


def commits(project: Path) -> int:
    return len(list(table_folder(project).glob("_delta_log/*.json")))


def test_a_server_killed_half_way_costs_one_line_and_the_next_run_finishes(
    project: Path, tmp_path: Path, gate: Path, spark: Any
) -> None:
    log = tmp_path / "log"
    with started(command(project, seed=7, profile="connect", gate=gate), log) as process:
        wait_until(lambda: len(parts(project)) >= 5, process=process)
        [server] = servers(process.pid)
        assert "token" not in " ".join(server.cmdline())
        server.kill()
        (gate / OPEN).touch()
        assert process.wait(timeout=PATIENCE_S) == 2
    said = log.read_text(encoding="utf-8")
    [line] = [line for line in said.splitlines() if line.startswith("Error: ")]
    assert "ended before the run did; what was committed stays, so run again." in line
    assert "Traceback" not in said
    assert_nothing_is_left(project, process.pid)
    again = finish(project, seed=7, profile="connect")
    assert again.returncode == 0, again.stderr
    assert_whole(spark, project, 7)
    before = commits(project)
    local = finish(project, seed=7)
    assert local.returncode == 0, local.stderr
    # The same rows to the last bit, or profile local would have committed its own.
    assert commits(project) == before
