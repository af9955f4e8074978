"""The environment of a run made again: this one only if it has the versions of the archived lock."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from acceleray.archive.environment import differing, python_for
from acceleray.archive.project_copy import libraries, pins, python_version
from acceleray.errors import PortfolioError
from acceleray.runtime.progress import Reporter

LOCK = "numpy==1.0 ; python_version < '3' \\\n    --hash=sha256:00\nSome_Thing==2\n"
# Makes what a lock asks for: an environment whose Python is this one.
SCRIPT = 'mkdir -p "$1/bin"; echo made >> "$1/made"; ln -sf "{python}" "$1/bin/python"; [ -z "$FAIL" ]\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    engine = tmp_path / "project" / "engine"
    (engine / "scripts").mkdir(parents=True)
    (engine / "requirements.lock").write_text(LOCK, encoding="utf-8")
    (engine / "scripts" / "prepare.sh").write_text(SCRIPT.format(python=sys.executable), encoding="utf-8")
    return engine.parent


def manifest(**changed: str) -> dict[str, Any]:
    return {"python": python_version(), "libraries": libraries() | changed}


def test_pins_of_both_locks_are_read_by_their_normalised_names(project: Path) -> None:
    (project / "requirements.lock").write_text("pytest==9\n", encoding="utf-8")
    assert pins(project) == {"numpy": "1.0", "some-thing": "2", "pytest": "9"}


def test_an_environment_with_the_same_versions_is_used(project: Path, tmp_path: Path) -> None:
    assert differing(project, manifest()) == []
    assert python_for(project, manifest(), tmp_path, Reporter(quiet=True)) == Path(sys.executable)


def test_what_the_lock_does_not_pin_may_differ(project: Path) -> None:
    assert differing(project, manifest(pytest="0.1")) == []
    assert differing(project, manifest(numpy="0.1")) == ["numpy 0.1"]
    (project / "engine" / "requirements.lock").unlink()
    assert differing(project, manifest(pytest="0.1")) == ["pytest 0.1"]


def test_another_python_is_another_environment(project: Path) -> None:
    assert differing(project, manifest() | {"python": "3.10"}) == ["Python 3.10"]


def test_another_environment_is_made_from_the_lock_and_its_place_follows_from_it(
    project: Path, tmp_path: Path
) -> None:
    old = manifest(numpy="0.1")
    made = python_for(project, old, tmp_path, Reporter(quiet=True))
    assert made == python_for(project, old, tmp_path, Reporter(quiet=True))
    assert made.resolve() == Path(sys.executable).resolve()
    with (project / "engine" / "requirements.lock").open("a", encoding="utf-8") as lock:
        lock.write("more==1\n")
    assert python_for(project, old, tmp_path, Reporter(quiet=True)) != made


def test_an_environment_that_cannot_be_made_is_said_in_one_line(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAIL", "yes")
    with pytest.raises(PortfolioError, match="No environment could be created from"):
        python_for(project, manifest(numpy="0.1"), tmp_path, Reporter(quiet=True))
    (project / "engine" / "requirements.lock").unlink()
    with pytest.raises(PortfolioError, match="not here, and the archive has no lock"):
        python_for(project, manifest(numpy="0.1"), tmp_path, Reporter(quiet=True))
