import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest

from acceleray import doctor
from acceleray.engines.processes.lock import run_lock
from acceleray.engines.ray import gpus, slots
from acceleray.engines.spark.jars import ARTIFACTS, jar_path
from acceleray.errors import PortfolioError
from acceleray.runtime import code_identity
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


def pretend_java(folder: Path, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    java = folder / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    java.chmod(0o755)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(java.parent))


def test_what_is_here_is_ok(examine: Examine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_java(tmp_path / "jdk", "21.0.2", monkeypatch)
    found = examine("ray.workers=1", "ray.object_store_mb=80", "spark.driver_memory=1m")
    assert [found[name].status for name in ("Python", "Settings", "Libraries", "Java", "Lock")] == ["ok"] * 5
    assert found["Java"].detail.startswith("21 at ")
    assert found["State folder"].status == "ok"


def test_a_java_that_says_its_version_is_not_started(
    examine: Examine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend_java(tmp_path / "jdk", "11", monkeypatch)
    (tmp_path / "jdk" / "release").write_text('IMPLEMENTOR="X"\nJAVA_VERSION="21.0.4"\n')
    assert examine()["Java"].detail.startswith("21 at ")
    (tmp_path / "jdk" / "release").write_text("unreadable\n")
    assert "version 11" in examine()["Java"].detail


def test_an_edited_engine_is_a_note_that_names_its_files(
    examine: Examine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for changed, status, detail in (
        ((), "ok", r".+ as released"),
        (("acceleray/x.py",), "note", r"edited: acceleray/x\.py; an update of .+ replaces them"),
        (tuple("abcdefg"), "note", r"edited: a, b, c, d, e and 2 more; .*"),
        (None, "ok", r".+; no list of hashes .*"),
    ):
        monkeypatch.setattr(code_identity, "edited", lambda changed=changed: changed)
        found = examine()["Engine"]
        assert found.status == status
        assert re.fullmatch(detail, found.detail), found.detail


def test_settings_that_cannot_be_read_are_one_line_and_end_the_examination(project: Path) -> None:
    def refuse() -> None:
        raise PortfolioError("no project here")

    found = list(doctor.examine(refuse))  # type: ignore[arg-type]
    assert (found[-1].status, found[-1].subject, found[-1].detail) == (
        "missing",
        "Settings",
        "no project here",
    )


def test_a_library_that_is_absent_or_of_another_version_is_named(examine: Examine, project: Path) -> None:
    (project / "pyproject.toml").write_text(
        '[project]\nname = "p"\n'
        'dependencies = ["numpy==0.1", "no-such-library", "pydantic>=2", "xyz ; python_version < \'3\'"]\n'
        '[project.optional-dependencies]\nlocal = ["no-such-spark==4"]\n'
    )
    details = [one.detail for one in doctor.examine(lambda: load(project)) if one.subject == "Library"]
    assert len(details) == 3
    assert details[0].startswith("numpy ")
    assert "==0.1 is required" in details[0]
    assert details[1].startswith("no-such-library is not installed")
    assert details[2].startswith("no-such-spark is not installed")
    assert examine()["Libraries"].detail.startswith("2 of 5")
    assert "no-such-spark" not in str(list(doctor.examine(lambda: load(project, profile="databricks"))))


@pytest.mark.skipif(gpus.visible() > 0, reason="there is a GPU here")
def test_a_gpu_that_is_not_there_is_missing_and_a_cpu_needs_none(examine: Examine) -> None:
    line = "model.device is cuda but no GPU is visible; set it to cpu or take a GPU cluster"
    found = examine("model.device=cuda")["GPU"]
    assert (found.status, found.detail) == ("missing", line)
    assert "GPU" not in examine()


def test_an_old_java_is_missing_unless_the_fallback_can_be_fetched(
    examine: Examine, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend_java(project / "jdk", "11.0.2", monkeypatch)
    assert examine()["Java"].status == "missing"
    assert "version 11" in examine()["Java"].detail
    (project / "engine/requirements-java.lock").write_text("")
    assert examine()["Java"].status == "note"


def test_delta_jars_that_are_not_here_are_a_note_for_they_are_fetched(
    examine: Examine, project: Path
) -> None:
    assert examine()["Delta jars"].status == "note"
    (project / "cache" / "jars").mkdir(parents=True)
    for name in ARTIFACTS:
        jar_path(name, project / "cache" / "jars").touch()
    assert examine()["Delta jars"].status == "ok"


def test_a_run_that_holds_the_lock_is_named(examine: Examine, project: Path) -> None:
    with run_lock(project / "var"):
        assert examine()["Lock"].status == "missing"
    assert examine()["Lock"].status == "ok"


def test_too_little_disk_or_memory_is_missing(examine: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert examine("ray.workers=100000")["Memory"].status == "missing"
    assert "lower ray.workers" in examine("ray.workers=100000")["Memory"].detail
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=5_000_000))
    assert examine()["Disk"].detail.startswith("5 MB free")
    assert examine()["Disk"].status == "missing"


def test_a_machine_without_ray_is_examined_to_the_end(
    project: Path, examine: Examine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def version(name: str) -> str:
        if name == "ray":
            raise metadata.PackageNotFoundError(name)
        return "4.1.4"

    (project / "pyproject.toml").write_text('[project]\nname = "p"\ndependencies = ["ray==2.60.0"]\n')
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setattr(metadata, "version", version)
    found = examine()
    assert found["Library"].detail.startswith("ray is not installed; ")
    assert list(found)[-1] == "Memory"


def test_a_temporary_folder_in_which_others_can_replace_files_is_missing(
    examine: Examine, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(folder))
    for mode, status in ((0o777, "missing"), (0o1777, "ok"), (0o700, "ok")):
        folder.chmod(mode)
        assert examine()["Temporary folder"].status == status


def test_a_state_folder_that_is_a_file_is_missing(examine: Examine, project: Path) -> None:
    (project / "var").write_text("")
    assert examine()["State folder"].status == "missing"


def test_on_databricks_the_volume_is_written_to_and_the_disk_is_that_of_the_driver(
    examine: Examine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABRICKS_RUNTIME_VERSION", "18.1")
    volume, driver = tmp_path / "volume" / "state", tmp_path / "driver"
    places = (f"paths.state={volume}", f"paths.machine={driver}")
    driver.mkdir()
    with run_lock(driver):
        found = examine(*places, profile="databricks")
    assert (found["State folder"].status, found["Lock"].status) == ("ok", "missing")
    assert str(driver) in found["Lock"].detail
    assert list(volume.iterdir()) == [], "what was written to try it is gone"
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=int(path == driver)))
    assert str(driver) in examine(*places, profile="databricks")["Disk"].detail
    volume.rmdir()
    volume.write_text("no folder")
    missing = examine(*places, profile="databricks")["State folder"]
    assert (missing.status, "does the volume exist" in missing.detail) == ("missing", True)


def test_looking_starts_and_even_imports_neither_spark_nor_ray(project: Path) -> None:
    script = (
        "import sys; from portfolio.__main__ import main; sys.argv[1:] = ['doctor']; code = main();"
        "print(code, sorted({'pyspark', 'ray', 'mlflow'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", script]
    path = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run(
        command,
        cwd=project,
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": path},
    )
    assert done.stdout.splitlines()[-1].endswith(" []")
