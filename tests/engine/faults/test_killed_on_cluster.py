"""The driver killed while its Ray nodes hold slots of a Spark cluster that lives on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from acceleray.engines.profiles import CLUSTER_FOLDER
from acceleray.engines.spark import standalone
from faults import drill
from faults.watching import (
    assert_nothing_is_left,
    assert_whole,
    command,
    family_of,
    finish,
    parts,
    started,
    wait_until,
)

pytestmark = [pytest.mark.cluster, pytest.mark.fault, pytest.mark.nightly]


def test_a_driver_killed_on_a_cluster_frees_its_slots(
    project: Path, tmp_path: Path, gate: Path, spark: Any, matrix: Any
) -> None:
    row = matrix("driver killed on a cluster", "its executors and Ray nodes end, their slots are free again")
    settings = drill.settings_of(project, profile="cluster")
    folder = settings.state_dir / CLUSTER_FOLDER
    cluster = standalone.start(settings, folder)
    try:
        standalone.remember(cluster, folder)
        given: dict[str, object] = {"seed": 7, "profile": "cluster"}
        with started(command(project, **given, gate=gate), tmp_path / "log") as process:
            wait_until(lambda: len(parts(project)) >= 5, process=process)
            assert cluster.state()["held"] == 6
            process.kill()
            process.wait()
            row.struck()
        wait_until(lambda: not family_of(process.pid))
        wait_until(lambda: cluster.state()["held"] == 0)
        again = finish(project, **given)
        assert again.returncode == 0, again.stderr
        row.recovered()
        wait_until(lambda: cluster.state()["held"] == 0)
        assert cluster.state()["workers"] == 2
    finally:
        standalone.stop(cluster)
    assert_whole(spark, project, 7)
    assert_nothing_is_left(project, process.pid)
