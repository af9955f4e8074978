"""What Ray on Spark finds while it starts, without a cluster."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import ray.util.spark
from packaging.version import Version

from acceleray.engines.ray import on_spark
from acceleray.engines.ray.on_spark import RUNTIME, readable_runtime
from acceleray.engines.ray.slots import SlotPlan
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

    def set_up(**_: object) -> tuple[str, None]:
        seen.append(os.environ[RUNTIME])
        return "address", None

    monkeypatch.setenv(RUNTIME, "18.x-cpu-ml-scala2.13")
    monkeypatch.setattr(ray.util.spark, "setup_ray_cluster", set_up)
    settings = Settings.model_validate(
        {"project": {"name": "tests", "customer": "Tests"}, "project_dir": tmp_path}
    )
    assert on_spark._start(settings, SlotPlan(1, 2, 1, 2), tmp_path, attempts=1) == "address"
    assert seen == ["18"]
    assert os.environ[RUNTIME] == "18.x-cpu-ml-scala2.13"


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
