"""Processes of a real Spark cluster, with Ray inside it, killed while they work: a master and two workers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from acceleray.engines.delta.lake import Lake
from acceleray.engines.processes.cleanup import family, members, process_environment
from acceleray.engines.profiles import CLUSTER_FOLDER, engines
from acceleray.engines.ray.fanout import FanOut
from acceleray.engines.ray.slot_guard import slots_now
from acceleray.engines.spark import standalone
from acceleray.runtime.progress import Reporter
from acceleray.runtime.run import Run
from engines.living import parents, saying
from faults import drill
from faults.watching import TESTS, assert_whole, parts, wait_until

pytestmark = [pytest.mark.cluster, pytest.mark.fault, pytest.mark.nightly]


@dataclass(frozen=True)
class Up:
    """A cluster with a run's engines on it."""

    cluster: standalone.Standalone
    session: Any
    fan_out: FanOut
    project: Path
    mark: str

    def processes(self, sign: str) -> list[psutil.Process]:
        """Return the run's processes whose command line holds a sign."""
        return saying(sign, members(self.mark))

    def held(self) -> int:
        return slots_now(self.session, 1).held


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    from faults.conftest import new_project

    project = new_project(tmp_path_factory.mktemp("cluster") / "p")
    settings = drill.settings_of(project, profile="cluster")
    folder = settings.state_dir / CLUSTER_FOLDER
    cluster = standalone.start(settings, folder)
    standalone.remember(cluster, folder)
    try:
        with (
            process_environment({"PYTHONPATH": str(TESTS)}),
            family() as mark,
            engines(settings) as (session, fan_out),
        ):
            yield Up(cluster, session, fan_out, project, mark)
        # With the engines stopped, their slots are free and their processes gone.
        assert members(mark) == []
        wait_until(lambda: cluster.state()["held"] == 0)
    finally:
        standalone.stop(cluster)
    assert cluster.alive() == ()


def run_of(up: Up, seed: int) -> Run:
    from conftest import RecordingTracker

    settings = drill.settings_of(up.project, f"seed={seed}", "hand_off.rows_per_task=300", profile="cluster")
    tracker: Any = RecordingTracker()
    made = Run(settings, Lake(up.session, settings), up.fan_out, tracker, Reporter(quiet=True))
    made.identify("drill", drill.date(2024, 1, 2))
    drill.write_trades(made)
    return made


def struck_while_working(up: Up, seed: int, row: Any, victims: Callable[[], list[psutil.Process]]) -> None:
    """Value the trades, kill the first victim on the way, and wait for the whole result."""
    run = run_of(up, seed)
    gate = up.project / f"gate-{seed}"
    gate.mkdir()
    killed: list[int] = []

    def strike() -> None:
        try:
            wait_until(lambda: len(parts(up.project)) >= 4)
            victim = wait_until(victims)[0]
            row.struck()
            victim.kill()
            killed.append(victim.pid)
        finally:
            (gate / drill.OPEN).touch()

    thread = threading.Thread(target=strike, daemon=True)
    thread.start()
    drill.value_trades(run, str(gate))
    row.recovered()
    thread.join()
    assert killed


def test_a_ray_worker_killed_on_the_cluster(up: Up, matrix: Any) -> None:
    row = matrix("Ray worker process killed (cluster)", "Ray starts another and runs its task again")
    struck_while_working(up, 1, row, lambda: up.processes("ray::work"))
    assert_whole(up.session, up.project, 1)
    assert up.held() == 2


def test_a_raylet_killed_on_the_cluster(up: Up, matrix: Any) -> None:
    row = matrix("raylet killed", "its tasks go to the other node; a new node starts in the freed slot")
    head = {process.pid for process in up.processes("--head")}
    nodes = [
        one for one in up.processes("raylet/raylet") if not head & {parent.pid for parent in parents(one)}
    ]
    struck_while_working(up, 2, row, lambda: nodes)
    assert_whole(up.session, up.project, 1, 2)
    wait_until(lambda: up.held() == 2)


def test_a_spark_executor_killed_on_the_cluster(up: Up, matrix: Any) -> None:
    row = matrix("Spark executor killed", "Spark starts another, Ray a new node in it; tasks are run again")
    struck_while_working(up, 3, row, lambda: up.processes("CoarseGrainedExecutorBackend"))
    assert_whole(up.session, up.project, 1, 2, 3)
    wait_until(lambda: up.held() == 2)


def test_a_spark_worker_daemon_killed_on_the_cluster(up: Up, matrix: Any) -> None:
    row = matrix("Spark worker daemon killed", "the other worker carries both Ray nodes and Spark")
    daemon = psutil.Process(up.cluster.pids[-1])
    struck_while_working(up, 4, row, lambda: [daemon])
    assert_whole(up.session, up.project, 1, 2, 3, 4)
    wait_until(lambda: up.cluster.state()["workers"] == 1)
