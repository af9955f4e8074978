"""What Ray on Spark finds while it starts, without a cluster."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path

import pytest
import ray.util.spark
from packaging.version import Version

from acceleray.engines.ray import on_spark
from acceleray.engines.ray.on_spark import RUNTIME, readable_runtime
from acceleray.engines.ray.private import private
from acceleray.engines.ray.slots import SlotPlan
from acceleray.errors import PortfolioError
from acceleray.settings import Settings


@pytest.mark.parametrize(
    ("stated", "read"),
    [
        ("18.x-cpu-ml-scala2.13", "18"),
        ("18.x-photon-scala2.13", "18"),
        ("17.3.x-gpu-ml-scala2.13", "17.3"),
        ("nightly", "17"),
    ],
)
def test_a_runtime_that_ray_cannot_read_is_given_to_it_as_a_version(stated: str, read: str) -> None:
    assert readable_runtime(stated) == {RUNTIME: read}
    assert Version(read).major >= 17


@pytest.mark.parametrize("stated", [None, "17.3", "18.2"])
def test_a_runtime_that_ray_can_read_is_left_alone(stated: str | None) -> None:
    assert readable_runtime(stated) == {}


def test_the_runtime_is_readable_while_ray_starts_and_as_it_was_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def set_up(**given: object) -> tuple[str, None]:
        seen.append(os.environ[RUNTIME])
        seen.append(str(given["ray_temp_root_dir"]))
        return "address", None

    monkeypatch.setenv(RUNTIME, "18.x-cpu-ml-scala2.13")
    monkeypatch.setattr(ray.util.spark, "setup_ray_cluster", set_up)
    settings = Settings.model_validate(
        {"project": {"name": "tests", "customer": "Tests"}, "project_dir": tmp_path}
    )
    assert on_spark._start(settings, SlotPlan(1, 2, 1, 2), tmp_path, attempts=1) == "address"
    assert seen == ["18", str(tmp_path)]
    # On a machine of Databricks Ray spills to the disk that is there for it.
    monkeypatch.setattr(on_spark, "_LOCAL_DISK", str(tmp_path / "disk"))
    (tmp_path / "disk").mkdir()
    on_spark._start(settings, SlotPlan(1, 2, 1, 2), tmp_path, attempts=1)
    assert seen[-1] == str(tmp_path / "disk")
    assert os.environ[RUNTIME] == "18.x-cpu-ml-scala2.13"


def test_elsewhere_a_disk_of_that_name_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(RUNTIME, raising=False)
    monkeypatch.setattr(on_spark, "_LOCAL_DISK", str(tmp_path))
    assert on_spark.local_disk() is None


def test_what_ray_keeps_to_itself_is_used_in_one_module_and_missing_it_is_one_line() -> None:
    import acceleray

    engine = Path(acceleray.__file__).parent
    named = re.compile(r"ray\._private\.|ray\._raylet|ray\.train\.v2|ray\.util\.spark\.cluster_init")
    users = [path.name for path in engine.rglob("*.py") if named.search(path.read_text(encoding="utf-8"))]
    # on_spark.py silences a logger of that name, head.py says what it changes.
    assert sorted(users) == ["head.py", "on_spark.py", "private.py"]
    for name in ("head.py", "on_spark.py"):
        assert "_private import" not in (engine / "engines" / "ray" / name).read_text(encoding="utf-8")
    with pytest.raises(PortfolioError, match=r"^Ray 2\.\S+ has no ray\._raylet\.Nothing, which"):
        private("ray._raylet", "Nothing")
    with pytest.raises(PortfolioError, match=r"has no ray\._private\.nowhere, which"):
        private("ray._private.nowhere")


def test_a_busy_machine_gets_a_second_attempt_and_a_cluster_of_its_own_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts: list[int] = []

    def late_once(**_: object) -> tuple[str, None]:
        attempts.append(len(attempts))
        if len(attempts) == 1:
            raise RuntimeError("Launch Ray-on-Spark cluster failed")
        return "address", None

    monkeypatch.setattr(ray.util.spark, "setup_ray_cluster", late_once)
    settings = Settings.model_validate(
        {"project": {"name": "tests", "customer": "Tests"}, "project_dir": tmp_path}
    )
    with pytest.raises(RuntimeError, match="Launch"):
        on_spark._start(settings, SlotPlan(1, 2, 1, 2), tmp_path, attempts=1)
    attempts.clear()
    assert on_spark._start(settings, SlotPlan(1, 2, 1, 2), tmp_path, attempts=2) == "address"
    assert len(attempts) == 2


def test_a_start_that_is_given_up_leaves_no_traceback_of_py4j(caplog: pytest.LogCaptureFixture) -> None:
    with on_spark._quiet():
        for module, said in (("java_gateway", "Exception while sending command."), ("other", "shown")):
            about = {"name": "root", "levelno": logging.ERROR, "levelname": "ERROR"}
            logging.getLogger().handle(logging.makeLogRecord(about | {"module": module, "msg": said}))
    assert [record.msg for record in caplog.records] == ["shown"]
    assert not logging.getLogger().filters
