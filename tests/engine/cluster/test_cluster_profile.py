"""A real Spark standalone cluster with Ray inside: who can reach it, what it says, and when it refuses."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import ray

import rendered
from acceleray.engines.processes.cleanup import family, members
from acceleray.engines.profiles import CLUSTER_FOLDER, engines
from acceleray.engines.ray.fanout import FanOut
from acceleray.engines.ray.slot_guard import slots_guarded, slots_now
from acceleray.engines.spark import standalone
from acceleray.errors import PortfolioError
from acceleray.settings import load
from engines.living import (
    PATIENCE_S,
    command_line,
    content,
    files_below,
    listening,
    parents,
    saying,
)
from portfolio import PROJECT

# A whole run on a cluster is in workloads/test_end_to_end_pipeline.py.
pytestmark = [pytest.mark.cluster, pytest.mark.nightly]
BASE = """
profile: cluster
project: {name: tests, customer: Tests}
spark: {shuffle_partitions: 2}
ray: {object_store_mb: 80, node_memory_mb: 512}
"""


@dataclass(frozen=True)
class Up:
    """A run's engines on the cluster that it started for itself."""

    session: Any
    fan_out: FanOut
    mark: str


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    folder = tmp_path_factory.mktemp("project")
    (folder / "conf").mkdir()
    (folder / "conf" / "base.yml").write_text(BASE, encoding="utf-8")
    (folder / "conf" / "local.yml").write_text("", encoding="utf-8")
    # Ray's workers on the nodes cannot import what this module imports; the package itself they can.
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    with family() as mark, engines(load(folder)) as (session, fan_out):
        yield Up(session, fan_out, mark)
    ray.cloudpickle.unregister_pickle_by_value(sys.modules[__name__])
    assert members(mark) == []
    assert not list(Path("/tmp").glob(f"pf-{os.getpid()}-*"))


def where(task: int, shared: np.ndarray, offset: float, nodes: str) -> tuple[float, int, str, str]:
    # Each waits until the other node is at work too, however long that takes to start a process.
    Path(nodes, str(os.getppid())).touch()
    deadline = time.monotonic() + PATIENCE_S
    while len(list(Path(nodes).iterdir())) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    return (
        float(shared.sum()) + task + offset,
        os.getppid(),
        os.environ["OMP_NUM_THREADS"],
        os.environ["RAY_AUTH_MODE"],
    )


def test_the_fan_out_works_on_both_nodes_in_order_with_one_thread_a_task(up: Up, tmp_path: Path) -> None:
    results = list(up.fan_out.map(where, range(12), (np.ones(1000),), offset=0.5, nodes=str(tmp_path)))
    assert [result[0] for result in results] == [1000.5 + task for task in range(12)]
    assert up.fan_out.workers == 2
    assert {result[2:] for result in results} == {("1", "token")}
    nodes = {result[1] for result in results}
    assert len(nodes) == 2
    # Ray lives inside Spark: above each of its nodes there is one of Spark's executors.
    for node in nodes:
        assert saying("CoarseGrainedExecutorBackend", parents(psutil.Process(node)))


def test_spark_works_while_ray_holds_its_slots(up: Up) -> None:
    assert slots_now(up.session, 1).total == 6
    assert slots_now(up.session, 1).held == 2
    assert up.session.range(1000).repartition(4).count() == 1000


def test_every_port_is_on_loopback(up: Up) -> None:
    found = {address for _, address in listening([psutil.Process(), *members(up.mark)])}
    assert {address.removeprefix("::ffff:") for address in found} == {"127.0.0.1"}


def test_no_secret_is_on_a_command_line_or_in_a_setting_of_spark(up: Up) -> None:
    token = os.environ["RAY_AUTH_TOKEN"]
    settings = dict(up.session.sparkContext.getConf().getAll())
    shared = settings.pop("spark.authenticate.secret")
    lines = [line for line in map(command_line, (psutil.Process(), *members(up.mark))) if line]
    assert len(lines) > 8
    for secret in (token, shared):
        assert not [line for line in lines if secret in line]
        assert not [name for name, value in settings.items() if secret in value]


def test_no_secret_is_in_a_file_of_the_run(up: Up) -> None:
    needles = [
        os.environ["RAY_AUTH_TOKEN"].encode(),
        up.session.sparkContext.getConf().get("spark.authenticate.secret").encode(),
    ]
    folders = list(Path("/tmp").glob(f"pf-{os.getpid()}-*"))
    assert len(folders) == 3
    assert all(folder.stat().st_mode & 0o077 == 0 for folder in folders)
    looked = 0
    for folder in folders:
        for path in files_below(folder):
            if text := content(path, 50_000_000):
                looked += 1
                assert not [path for needle in needles if needle in text]
    assert looked > 20


def test_who_does_not_know_the_token_gets_nothing_from_ray(up: Up) -> None:
    import ray

    address = ray.get_runtime_context().gcs_address
    script = (
        f"import ray; ray.init(address={address!r}, logging_level='ERROR'); print(ray.cluster_resources())"
    )
    stranger = os.environ | {
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    }
    said = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        env=stranger,
        check=False,
    )
    assert said.returncode != 0
    assert "CPU" not in said.stdout


def test_a_query_without_a_free_slot_ends_with_the_reason_instead_of_hanging(up: Up) -> None:
    context = up.session.sparkContext

    def hold() -> None:
        # What Ray on Spark does: a job of its own group, whose tasks stay.
        context.setJobGroup("ray-cluster-test", "held by the test")
        with suppress(Exception):
            context.parallelize(range(4), 4).foreach(lambda _: time.sleep(3600))

    thread = threading.Thread(target=hold, daemon=True)
    thread.start()
    deadline = time.monotonic() + PATIENCE_S
    while slots_now(up.session, 1).held < 6:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    try:
        with (
            pytest.raises(PortfolioError, match="Ray's nodes hold 6 of Spark's 6 slots"),
            slots_guarded(up.session, 1, patience_s=3),
        ):
            up.session.range(1000).repartition(2).count()
    finally:
        context.cancelJobGroup("ray-cluster-test")
        thread.join(timeout=PATIENCE_S)
    assert up.session.range(10).count() == 10


def test_a_second_session_in_the_same_process_is_refused(up: Up, tmp_path: Path) -> None:
    from acceleray.engines.spark.session import spark_session
    from acceleray.settings import Settings

    other = Settings.model_validate({"project": {"name": "other", "customer": "x"}, "project_dir": tmp_path})
    with pytest.raises(PortfolioError, match="already has an active Spark session"), spark_session(other):
        pass
    assert up.session.range(10).count() == 10


def test_a_standalone_cluster_is_found_again_and_stops_without_a_trace(tmp_path: Path) -> None:
    from acceleray.settings import Settings

    sizes = {"cluster": {"workers": 1, "cores_per_worker": 2, "executor_memory": "512m"}}
    settings = Settings.model_validate(
        {"project": {"name": "t", "customer": "x"}, "project_dir": tmp_path, **sizes}
    )
    cluster = standalone.start(settings, tmp_path / "cluster")
    try:
        standalone.remember(cluster, tmp_path / "cluster")
        assert standalone.remembered(tmp_path / "cluster") == cluster
        assert cluster.state() == {"workers": 1, "slots": 2, "held": 0, "applications": 0}
        secret = cluster.secret()
        assert not [
            p for p in (tmp_path / "cluster").rglob("*") if p.is_file() and secret in p.read_text("utf-8")
        ]
    finally:
        standalone.stop(cluster)
    assert cluster.alive() == ()
    assert standalone.remembered(tmp_path / "cluster") is None


def failed_run(tmp_path: Path, *values: str) -> str:
    """Return the last line of a run on a cluster that cannot work."""
    command = [sys.executable, "-m", "portfolio", "run", PROJECT.workload_names()[0], "--profile", "cluster"]
    project = rendered.project()
    options = [part for value in (*values, f"paths.state={tmp_path}") for part in ("--set", value)]
    environment = os.environ | {"PYTHONPATH": rendered.python_path()}
    said = subprocess.run(
        [*command, "--project", str(project), *options],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        env=environment,
        check=False,
    )
    assert said.returncode == 2
    assert "Traceback" not in said.stderr
    return said.stderr.strip().splitlines()[-1]


@pytest.mark.nightly  # Spark itself waits a minute for a master
def test_a_cluster_that_is_not_there_is_named_in_one_line(tmp_path: Path) -> None:
    said = failed_run(tmp_path, "cluster.master=spark://127.0.0.1:1")
    assert said.startswith("Error: The Spark cluster at spark://127.0.0.1:1 could not be joined")


@pytest.mark.nightly  # executors are given a minute to come
def test_a_cluster_whose_workers_are_too_small_is_no_reason_to_wait_for_ever(tmp_path: Path) -> None:
    settings = load(rendered.project(), overrides=(f"paths.state={tmp_path}",))
    small = settings.model_copy(
        update={"cluster": settings.cluster.model_copy(update={"executor_memory": "512m", "workers": 1})}
    )
    folder = settings.state_dir / CLUSTER_FOLDER
    cluster = standalone.start(small, folder)
    try:
        standalone.remember(cluster, folder)
        assert "Spark has no executor" in failed_run(tmp_path)
        assert cluster.state()["applications"] == 0
    finally:
        standalone.stop(cluster)


@pytest.mark.nightly
def test_a_cluster_is_joined_by_its_address_with_options_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from faults import drill
    from faults.conftest import new_project
    from faults.watching import finish

    project = new_project(tmp_path / "p")
    settings = drill.settings_of(project, profile="cluster")
    cluster = standalone.start(settings, tmp_path / "cluster")
    try:
        options = tmp_path / "options"
        options.mkdir(mode=0o700)
        secret = f"spark.authenticate true\nspark.authenticate.secret {cluster.secret()}\n"
        (options / "spark-defaults.conf").write_text(secret, encoding="utf-8")
        given: dict[str, object] = {"profile": "cluster", "cluster.master": cluster.master, "seed": 7}
        stranger = finish(project, **given)
        assert stranger.returncode == 2
        assert "could not be joined" in stranger.stderr
        monkeypatch.setenv("SPARK_CONF_DIR", str(options))
        done = finish(project, **given)
        assert done.returncode == 0, done.stderr
    finally:
        standalone.stop(cluster)
    tables = project / "var" / "warehouse"
    assert sorted(path.parent.name for path in tables.rglob("_delta_log")) == ["trade_values", "trades"]
