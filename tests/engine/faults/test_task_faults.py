"""What goes wrong in Ray's tasks and in the files between Spark and Ray, on this machine alone."""

from __future__ import annotations

import itertools
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from acceleray.engines.delta.lake import Lake
from acceleray.engines.ray.fanout import FanOut
from acceleray.errors import PortfolioError
from acceleray.runtime.progress import Reporter
from acceleray.runtime.run import Run
from engines.living import saying
from faults import drill
from faults.watching import assert_whole, parts, stage_files, wait_until
from one_ray import OneRay

pytestmark = [pytest.mark.ray, pytest.mark.fault]


@pytest.fixture
def fan_out(one_ray: OneRay) -> FanOut:
    return one_ray.fan_out(task_timeout_s=3000)


@pytest.fixture
def run(project: Path, spark: Any, fan_out: FanOut) -> Run:
    """Return a run with trades committed and nothing valued yet."""
    return run_of(project, spark, fan_out, 7)


def run_of(project: Path, spark: Any, fan_out: FanOut, seed: int) -> Run:
    from conftest import RecordingTracker

    # All projects of a test process share a Spark session, and in it table names.
    names = [f"catalog.{layer}={layer}_{project.name}" for layer in ("bronze", "silver", "gold")]
    settings = drill.settings_of(project, *names, f"seed={seed}")
    tracker: Any = RecordingTracker()
    made = Run(settings, Lake(spark, settings), fan_out, tracker, Reporter(quiet=True))
    made.identify("drill", drill.date(2024, 1, 2))
    drill.write_trades(made)
    return made


def value(run: Run, **options: Any) -> None:
    drill.value_trades(run, **options)


@contextmanager
def meanwhile(gate: Path, when: Callable[[], Any], then: Callable[[Any], None]) -> Iterator[None]:
    """Do something in the background as soon as a condition holds, and open the gate after it."""

    def strike() -> None:
        try:
            then(wait_until(when))
        finally:
            (gate / drill.OPEN).touch()

    thread = threading.Thread(target=strike, daemon=True)
    thread.start()
    yield
    thread.join()


def test_a_worker_process_that_is_killed_is_replaced_and_its_task_done_again(
    run: Run, project: Path, gate: Path, spark: Any, matrix: Any
) -> None:
    row = matrix("Ray worker process killed (local)", "Ray starts another and runs its task again")
    victims: list[int] = []

    def kill(_: Any) -> None:
        victim = wait_until(lambda: saying("ray::work"))[0]
        row.struck()
        victim.kill()
        victims.append(victim.pid)

    with meanwhile(gate, lambda: len(parts(project)) >= 5, kill):
        value(run, gate=str(gate))
        row.recovered()
    assert victims
    assert_whole(spark, project, 7)


def test_a_task_that_raises_is_named_and_commits_nothing(
    run: Run, project: Path, spark: Any, matrix: Any
) -> None:
    row = matrix("a task raises", "one line with the task and its error; nothing is committed")
    row.struck()
    with pytest.raises(PortfolioError, match="ValueError: trade 0 has no counterparty"):
        value(run, fault="raises")
    assert not stage_files(project)
    value(run)
    row.recovered()
    assert_whole(spark, project, 7)


def test_a_stage_that_is_deleted_is_written_again(
    run: Run, project: Path, gate: Path, spark: Any, matrix: Any
) -> None:
    row = matrix("stage deleted under the run", "rows are staged again from the pinned version")
    gone: list[Path] = []

    def delete(files: list[Path]) -> None:
        row.struck()
        gone.append(files[0].parents[1])
        while gone[0].exists():
            # A task that has passed the gate may be writing its result there.
            shutil.rmtree(gone[0], ignore_errors=True)

    with meanwhile(gate, lambda: parts(project) and stage_files(project), delete):
        value(run, gate=str(gate))
        row.recovered()
    assert gone
    assert_whole(spark, project, 7)


def test_a_corrupt_file_in_the_stage_is_found_and_written_again(
    run: Run, project: Path, gate: Path, spark: Any, matrix: Any
) -> None:
    row = matrix("corrupt Parquet file in the stage", "page checksum refuses it; rows are staged again")
    damaged: list[Path] = []

    def damage(files: list[Path]) -> None:
        row.struck()
        content = bytearray(files[-1].read_bytes())
        content[len(content) // 3] ^= 0xFF
        files[-1].write_bytes(content)
        damaged.append(files[-1])

    with meanwhile(gate, lambda: parts(project) and stage_files(project), damage):
        value(run, gate=str(gate))
        row.recovered()
    assert damaged
    assert_whole(spark, project, 7)


def test_a_concurrent_writer_to_the_same_table_costs_a_retry(
    project: Path, spark: Any, fan_out: FanOut, matrix: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = matrix("concurrent writer to the same Delta table", "Delta refuses one commit; it is made again")
    lake = run_of(project, spark, fan_out, 7).lake
    lake.open(drill.VALUES)
    identifier = lake.identifier(drill.VALUES)
    stop = threading.Event()
    # A writer that never stops could be faster each time on a slow machine; this one stops once it has been.
    monkeypatch.setattr("acceleray.engines.delta.retrying.sleep", lambda seconds: stop.set())
    number = itertools.count(1)

    def append() -> None:
        while not stop.is_set():
            spark.sql(f"INSERT INTO {identifier} VALUES ('other', DATE'2024-01-02', {next(number)}, 1.0)")

    row.struck()
    thread = threading.Thread(target=append, daemon=True)
    thread.start()
    try:
        wait_until(lambda: spark.table(identifier).where("run_id = 'other'").count() >= 2)
        seeds = [7]
        value(run_of(project, spark, fan_out, 7))
        while not stop.is_set():
            # They did not meet.
            assert len(seeds) < 20
            seeds.append(seeds[-1] + 1)
            value(run_of(project, spark, fan_out, seeds[-1]))
        row.recovered()
    finally:
        stop.set()
        thread.join()
    others = spark.table(identifier).where("run_id = 'other'").count()
    assert others == next(number) - 1
    spark.sql(f"DELETE FROM {identifier} WHERE run_id = 'other'")
    assert_whole(spark, project, *seeds)


def test_an_object_store_that_is_too_small_spills_to_disk(fan_out: FanOut, matrix: Any) -> None:
    row = matrix("object store too small", "Ray spills to its temporary folder and reads back")
    row.struck()
    shared = fan_out.share(np.arange(5_000_000, dtype=np.float64))
    # 80 MB of store: 40 MB shared, and results of 24 MB each, of which all are kept for a while.
    kept = [fan_out.share(np.full(3_000_000, number, dtype=np.float64)) for number in range(6)]
    sums = list(fan_out.map(added, range(6), (shared, *kept)))
    row.recovered()
    assert sums == [float(np.arange(5_000_000).sum()) + number * 3_000_000.0 for number in range(6)]
    assert spilled_megabytes() >= 100


def added(number: int, shared: np.ndarray, *others: np.ndarray) -> float:
    return float(shared.sum() + others[number].sum())


def spilled_megabytes() -> int:
    import ray
    from ray._private.internal_api import memory_summary

    # Left to itself it would look for any Ray on this machine, and there may be others.
    said = memory_summary(address=ray.get_runtime_context().gcs_address, stats_only=True)
    return max(
        (int(word) for line in said.splitlines() if line.startswith("Spilled") for word in line.split()[1:2]),
        default=0,
    )
