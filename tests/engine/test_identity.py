"""What code is, told alike from source and from a wheel; and which files of the engine were edited."""

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from acceleray.runtime.code_identity import edited, source_digest
from acceleray.runtime.project import Project
from acceleray_cli import quick
from render import render
from rendered import ENGINE, ROOT

# Prints what a process says of the code it imports, as `portfolio` and a run see it.
SAYS = """
from acceleray.cli.project import version_line
from portfolio import PROJECT
print(PROJECT.code_version(), version_line(PROJECT), sep="|")
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a whole project, rendered from the template as it is here, without caches."""
    source = tmp_path_factory.mktemp("template")
    shutil.copytree(ROOT / "includes", source / "includes")
    shutil.copytree(ROOT / "template", source / "template", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy2(ROOT / "copier.yml", source)
    answers = yaml.safe_load((ROOT / "answers/reference.yml").read_text(encoding="utf-8"))
    with quick.writing():
        return render(source, tmp_path_factory.mktemp("rendered") / "project", answers)


def wheel(folder: Path, into: Path) -> Path:
    """Build the wheel of a folder, without the network, and return where it was unpacked."""
    command = [sys.executable, "-m", "pip", "wheel", str(folder), "--no-deps", "--no-build-isolation"]
    quiet = ["--quiet", "--disable-pip-version-check", "--wheel-dir", str(into)]
    subprocess.run([*command, *quiet], check=True, capture_output=True, text=True)
    [built] = into.glob("*.whl")
    unpacked = into / "unpacked"
    with zipfile.ZipFile(built) as archive:
        archive.extractall(unpacked)
    return unpacked


def says(*folders: Path) -> list[str]:
    path = os.pathsep.join(map(str, folders))
    # From a folder that holds no package, so that only the path decides which one is imported.
    done = subprocess.run(
        [sys.executable, "-c", SAYS],
        env=os.environ | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=folders[0].parent,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip().split("|")


def test_the_wheel_with_both_packages_has_the_identity_of_the_source(project: Path, tmp_path: Path) -> None:
    # What a person's tools leave behind is no code.
    (project / "src/portfolio/__pycache__").mkdir(exist_ok=True)
    (project / "src/portfolio/__pycache__/x.cpython-311.pyc").write_bytes(b"x")
    (project / "src/portfolio/.DS_Store").write_bytes(b"x")
    unpacked = wheel(project, tmp_path)
    source, told = says(project / "src", project / "engine")
    from_wheel, named = says(unpacked)
    assert from_wheel == source
    release = (ENGINE / "VERSION").read_text(encoding="utf-8").strip()
    assert told.startswith(f"portfolio from source, engine {release} (Python 3.")
    assert f" 0.1.0, engine {release} (Python 3." in named


@pytest.mark.nightly
def test_the_wheel_of_the_engine_alone_works_and_has_its_digest(tmp_path: Path) -> None:
    copy = tmp_path / "engine"
    shutil.copytree(ENGINE, copy, ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))
    unpacked = wheel(copy, tmp_path / "built")
    assert source_digest(unpacked / "acceleray") == source_digest(ENGINE / "acceleray")
    script = "from acceleray import cli; from acceleray.runtime.project import Project;"
    script += "cli.main(Project(), ['--version'])"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONPATH": str(unpacked)},
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    release = (ENGINE / "VERSION").read_text(encoding="utf-8").strip()
    assert f"engine {release}" in done.stdout
    names = {path.name for path in next(unpacked.glob("acceleray_engine-*.dist-info")).rglob("*")}
    assert {"LICENSE", "NOTICE", "METADATA"} <= names
    assert {"page.css", "measured.json", "log4j2.properties"} <= {path.name for path in unpacked.rglob("*")}


def test_an_edited_recipe_or_signal_changes_the_projects_digest_and_so_every_run_id(
    tmp_path: Path, make_identified: Callable[[Project], str]
) -> None:
    folder = tmp_path / "portfolio"
    folder.mkdir()
    (folder / "signals.py").write_text("SIGNALS = ()\n")
    before = make_identified(Project(folder=folder))
    assert make_identified(Project(folder=folder)) == before
    (folder / "signals.py").write_text("SIGNALS = (1,)\n")
    assert make_identified(Project(folder=folder)) != before
    (folder / "signals.py").write_text("SIGNALS = ()\n")
    assert make_identified(Project(folder=folder)) == before
    (folder / "more.py").write_text("")
    assert make_identified(Project(folder=folder)) != before


@pytest.fixture
def make_identified() -> Callable[[Project], str]:
    """Return a function from a project to the run_id of a run on always the same prices."""
    from datetime import date
    from types import SimpleNamespace
    from typing import Any

    from acceleray.runtime.run import Run
    from acceleray.settings import Settings
    from conftest import RecordingTracker

    settings = Settings.model_validate({"project": {"name": "P", "customer": "C"}})

    def identified(of: Project) -> str:
        nobody: Any = None
        lake: Any = SimpleNamespace(spark=None)
        tracker: Any = RecordingTracker()
        run = Run(settings, lake, nobody, tracker, nobody, "x", of)
        run.identify("load", date(2022, 12, 30))
        return run.identity.run_id

    return identified


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    """Return a small engine with the list of a release."""
    package = tmp_path / "engine" / "acceleray"
    (package / "cli").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "cli" / "app.py").write_text("x = 1\n")
    (tmp_path / "engine" / "README.md").write_text("The engine\n")
    names = ("README.md", "acceleray/__init__.py", "acceleray/cli/app.py")
    lines = [
        f"{hashlib.sha256((package.parent / name).read_bytes()).hexdigest()}  {name}\n" for name in names
    ]
    (package.parent / "HASHES").write_text("".join(lines))
    return package


def test_an_engine_as_released_has_no_edited_file(engine: Path) -> None:
    assert edited(engine) == ()
    (engine / "__pycache__").mkdir()
    (engine / "__pycache__" / "app.pyc").write_bytes(b"x")
    (engine.parent / "README.md").write_text("Read by nobody\n")
    assert edited(engine) == ()


def test_a_file_that_was_changed_added_or_deleted_is_named(engine: Path) -> None:
    (engine / "cli" / "app.py").write_text("x = 2\n")
    assert edited(engine) == ("acceleray/cli/app.py",)
    (engine / "mine.py").write_text("")
    (engine / "__init__.py").unlink()
    assert edited(engine) == ("acceleray/__init__.py", "acceleray/cli/app.py", "acceleray/mine.py")


def test_without_a_list_of_a_release_nothing_is_said(engine: Path) -> None:
    (engine.parent / "HASHES").unlink()
    assert edited(engine) is None
