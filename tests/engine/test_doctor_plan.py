"""What doctor says of the plan: who shares which cores and how much memory, before anything starts."""

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from acceleray import doctor
from acceleray.doctor import plan
from acceleray.engines.processes import allowance
from acceleray.engines.ray import slots
from acceleray.settings import load

Examine = Callable[..., dict[str, doctor.Finding]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "base.yml").write_text("project: {name: P, customer: C}\npaths: {cache: cache}\n")
    (tmp_path / "conf" / "local.yml").write_text("")
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine/pyproject.toml").write_text('[project]\nname = "e"\n')
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "p"\ndependencies = ["numpy>=1"]\n')
    return tmp_path


@pytest.fixture
def examine(project: Path) -> Examine:
    """Return a function that gives the findings by subject, settings overridden by name."""
    return lambda *overrides, profile="local": {
        one.subject: one
        for one in doctor.examine(lambda: load(project, overrides=overrides, profile=profile))
    }


@pytest.fixture
def gigabytes(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Return a function that pretends so many thousand MB of memory are free."""
    return lambda number: monkeypatch.setattr(slots, "available_mb", lambda: number * 1000)


def test_the_plan_of_profile_local_says_who_shares_the_cores(
    examine: Examine, gigabytes: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allowance, "processors", lambda: 4)
    gigabytes(8)
    found = examine("spark.cores=2", "ray.workers=3", "ray.object_store_mb=80")
    assert found["Plan"].detail == "local[2] for Spark and 3 Ray workers share 4 cores"
    assert found["Threads"].detail == "1 for each Ray CPU (OMP_NUM_THREADS=1)"
    assert found["Object store"].detail.startswith("80 MB")
    wanted = 700 + 1024 + 80 + 3 * 350
    assert found["Memory"].detail == f"3 Ray workers and Spark want about {wanted:,} MB, 8,000 MB are free"
    assert "local[4] for Spark and 4 Ray workers" in examine()["Plan"].detail


def test_the_plan_of_a_cluster_on_this_machine_counts_slots_stores_and_memory(
    examine: Examine, gigabytes: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allowance, "processors", lambda: 2)
    gigabytes(8)
    found = examine(profile="cluster")
    assert found["Settings"].detail.endswith("profile cluster")
    assert (found["Plan"].status, found["Plan"].detail) == (
        "ok",
        "2 Spark executors x 3 cores = 6 slots; Ray takes 2 nodes x 1 CPU = 2; Spark keeps 4; "
        "after the loss of one executor Spark would still keep 1; this machine has 2 cores",
    )
    assert found["Threads"].detail.endswith("(OMP_NUM_THREADS=1)")
    assert found["Object store"].detail.startswith("768 MB, 256 MB for each of 2 Ray nodes and the head")
    wanted = 700 + 1024 + 2 * 1024 + 3 * 256 + 2 * 350
    assert f"about {wanted:,} MB" in found["Memory"].detail
    assert found["Memory"].status == "ok"
    gigabytes(5)
    assert examine(profile="cluster")["Memory"].status == "missing"
    assert "lower cluster.workers, " in examine(profile="cluster")["Memory"].detail


def test_a_cluster_that_would_starve_without_one_executor_is_a_note(examine: Examine) -> None:
    plan = examine("cluster.cores_per_worker=2", profile="cluster")["Plan"]
    assert (plan.status, "keep none" in plan.detail) == ("note", True)


def test_a_plan_that_is_refused_is_missing_with_the_line_of_the_refusal(examine: Examine) -> None:
    found = examine("ray.cpus_per_node=4", profile="cluster")
    assert found["Plan"].status == "missing"
    assert found["Plan"].detail.startswith(
        "A Ray node of 4 CPUs does not fit into a Spark executor of 3 cores"
    )
    assert "Memory" not in found


def test_the_plan_of_a_cluster_elsewhere_is_made_when_it_is_joined(
    examine: Examine, gigabytes: Callable[[int], None]
) -> None:
    gigabytes(8)
    # These would be refused of a cluster that is started here.
    own = ("cluster.workers=1", "cluster.cores_per_worker=1", "ray.cpus_per_node=2")
    found = examine("cluster.master=spark://far:7077", *own, profile="cluster")
    assert (found["Plan"].status, found["Plan"].detail) == (
        "ok",
        "computed from its executors when spark://far:7077 is joined: 1 Ray node of 2 CPUs in each",
    )
    assert f"want about {700 + 1024 + 256:,} MB here" in found["Memory"].detail
    two = examine("cluster.master=spark://far:7077", "ray.nodes=3", profile="cluster")
    assert two["Plan"].detail.endswith("is joined: 3 Ray nodes of 1 CPU")


def test_profile_databricks_is_planned_on_the_cluster_and_is_missing_elsewhere(
    examine: Examine, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = examine(profile="databricks")
    assert found["Place"].status == "missing"
    assert "use profile local or cluster here" in found["Place"].detail
    assert found["Plan"].detail.startswith("computed at the start of a run, from the workers of the cluster")
    assert found["Object store"].detail == "256 MB in each Ray node and the head"
    assert found["Memory"].detail == "1,024 MB for tasks in each Ray node"
    monkeypatch.setenv("DATABRICKS_RUNTIME_VERSION", "17.3")
    there = examine(profile="databricks")["Place"]
    assert (there.status, there.detail) == ("ok", "Databricks 17.3")
    assert examine(profile="cluster")["Place"].status == "note"
    monkeypatch.setenv("DATABRICKS_RUNTIME_VERSION", "client.4.1")
    assert "serverless" in examine(profile="databricks")["Place"].detail


def test_an_object_store_beyond_the_shared_memory_is_a_note(
    examine: Examine, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "SHARED_MEMORY", project)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=64_000_000))
    found = examine()["Object store"]
    assert (found.status, "has 64 MB free" in found.detail) == ("note", True)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=256_000_000))
    assert examine()["Object store"].status == "ok"
