"""The driver killed at five points, and two drivers at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engines.living import PATIENCE_S
from faults import drill
from faults.watching import (
    assert_nothing_is_left,
    assert_whole,
    command,
    family_of,
    finish,
    parts,
    rows_in_files,
    stage_files,
    started,
    table_folder,
    wait_until,
)

pytestmark = [pytest.mark.ray, pytest.mark.fault, pytest.mark.nightly]


def committed(project: Path) -> list[Path]:
    return list(table_folder(project).glob("*.parquet"))


POINTS: dict[str, Callable[[Path, Path, int], Any]] = {
    # Each says, for project, log and process, whether the driver has come so far.
    "engines start": lambda project, log, pid: len(family_of(pid)) >= 2,
    "Spark stages rows": lambda project, log, pid: list((project / "var" / "stage").glob("*/*")),
    "Ray computes": lambda project, log, pid: len(parts(project)) >= 5,
    # Whoever looks too late for that finds what comes after it.
    "results are staged": lambda project, log, pid: len(parts(project)) >= 30 or committed(project),
    # Data files lie in the table's folder; the log does not know them yet.
    "Delta commits": lambda project, log, pid: committed(project),
}


@pytest.mark.parametrize("point", POINTS)
def test_a_driver_killed_anywhere_loses_nothing(
    point: str, project: Path, tmp_path: Path, gate: Path, spark: Any, matrix: Any
) -> None:
    row = matrix(f"driver killed while {point}", "the next run starts over from the pinned version")
    log = tmp_path / "log"
    held: dict[str, object] = {"gate": gate} if point in ("Spark stages rows", "Ray computes") else {}
    with started(command(project, seed=7, **held), log) as process:
        wait_until(lambda: POINTS[point](project, log, process.pid), process=process)
        process.kill()
        process.wait()
        row.struck()
        wait_until(lambda: not family_of(process.pid))
    again = finish(project, seed=7)
    assert again.returncode == 0, again.stderr
    row.recovered()
    assert_whole(spark, project, 7)
    assert_nothing_is_left(project, process.pid)


def test_a_job_that_is_started_twice_at_once_runs_once(
    project: Path, tmp_path: Path, gate: Path, spark: Any, matrix: Any
) -> None:
    row = matrix("same job started twice at once", "one wins, the other says who is at work and ends with 2")
    with started(command(project, seed=7, gate=gate), tmp_path / "log") as first:
        wait_until(lambda: stage_files(project), process=first)
        row.struck()
        second = finish(project, seed=7)
        assert second.returncode == 2
        assert f"process {first.pid}" in second.stderr
        assert len(second.stderr.strip().splitlines()) <= 2
        (gate / drill.OPEN).touch()
        assert first.wait(timeout=PATIENCE_S) == 0, (tmp_path / "log").read_text()
    row.recovered()
    assert_whole(spark, project, 7)
    assert rows_in_files(project) == len(set(range(12_000)))
    assert_nothing_is_left(project, first.pid)
