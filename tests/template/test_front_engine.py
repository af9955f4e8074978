"""The engine of a project is replaced as a whole: what somebody did in it is named, and kept if taken out."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from copier import Settings, run_copy

import conftest
from acceleray_cli import hashes, rehearsal
from acceleray_cli.cli import main
from conftest import contents
from render import ROOT
from toy import LINES, commit, git, listed, state, toy_with_engine, write

Capture = pytest.CaptureFixture[str]
Generated = Callable[..., Path]
RAW = "engine/acceleray/stages/features/raw.py"
RISK = "engine/acceleray/quant/risk.py"
OURS = LINES.replace("line 10\n", "line 10, ours\n")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_with_engine(tmp_path_factory.mktemp("engine") / "template")


@pytest.fixture(scope="module")
def once(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function from a version to a committed project of it; tests edit copies."""
    folder = tmp_path_factory.mktemp("once")
    return cache(lambda version: conftest.generated(source, folder / version, version))


@pytest.fixture
def generated(once: Callable[[str], Path], tmp_path: Path) -> Generated:
    """Return a function that makes a project, commits it, then commits edits; None deletes a file."""

    def generate(edits: dict[str, str | None] | None = None, version: str = "1.0.0") -> Path:
        project = tmp_path / "my project ü"
        shutil.copytree(once(version), project, symlinks=True)
        if edits:
            write(project, {name: text for name, text in edits.items() if text is not None})
            for name in (name for name, text in edits.items() if text is None):
                (project / name).unlink()
            commit(project, "edited")
        return project

    return generate


def engine(project: Path) -> dict[str, bytes]:
    """Return the engine of a project, as it lies there."""
    return {name: text for name, text in contents(project).items() if name.startswith("engine/")}


def fresh(source: Path, folder: Path, version: str) -> dict[str, bytes]:
    """Return the engine of a project that is generated from a version."""
    run_copy(str(source), folder, vcs_ref=version, defaults=True, quiet=True, settings=Settings())
    return engine(folder)


def test_an_engine_that_nobody_touched_is_that_of_the_new_version(
    generated: Generated, source: Path, tmp_path: Path, capsys: Capture
) -> None:
    project = generated({"own.txt": "ours\n"})
    write(
        project, {"engine/acceleray/__pycache__/raw.cpython-311.pyc": "compiled\n", ".gitignore": "*.pyc\n"}
    )
    commit(project, "ignored")
    assert main(["update", str(project)]) == 0
    said = capsys.readouterr()
    assert "lost" not in said.out + said.err
    found = engine(project)
    assert found.pop("engine/acceleray/__pycache__/raw.cpython-311.pyc") == b"compiled\n"
    assert found == fresh(source, tmp_path / "fresh", "1.1.0")
    assert not (project / "before-update").exists()


def test_what_somebody_did_in_the_engine_is_named_with_its_place_and_refused_until_it_may_go(
    generated: Generated, source: Path, tmp_path: Path, capsys: Capture
) -> None:
    edits = {RAW: OURS, "engine/acceleray/ours.py": "ours\n", RISK: None}
    project = generated({**edits, "lines.txt": LINES.replace("line 15\n", "line 15, ours\n")})
    untouched = state(project)
    lines = [
        f"edited in the engine, and about to be as released: {RAW}; instead: your own signal:"
        " docs/extending.md",
        "added to the engine, and about to go: engine/acceleray/ours.py; instead: what can be added is in"
        " engine/README.md",
        f"deleted from the engine, and about to come back: {RISK}; instead: your own module in"
        " src/portfolio/, called by your own workload",
    ]
    capsys.readouterr()
    assert main(["preview", str(project)]) == 0
    assert listed(capsys)[:3] == lines
    assert main(["update", str(project)]) == 1
    said = capsys.readouterr().err.splitlines()
    assert said[:3] == lines
    assert "edits of 3 files would be lost" in said[3]
    assert "--discard-edits" in said[3]
    assert state(project) == untouched
    assert main(["update", str(project), "--discard-edits"]) == 0
    assert engine(project) == fresh(source, tmp_path / "fresh", "1.1.0")
    kept = {name: text for name, text in contents(project).items() if name.startswith("before-update/")}
    assert kept == {
        f"before-update/{RAW}": OURS.encode(),
        "before-update/engine/acceleray/ours.py": b"ours\n",
    }
    # Outside of it, edits are merged as ever.
    assert "line 15, ours" in (project / "lines.txt").read_text()


def test_a_line_that_both_changed_is_no_conflict_in_the_engine(generated: Generated, capsys: Capture) -> None:
    project = generated({RAW: OURS})
    assert main(["update", str(project), "--discard-edits"]) == 0
    assert (project / RAW).read_text() == LINES.replace("line 10\n", "line ten\n")
    assert git(project, "ls-files", "--unmerged") == ""


@pytest.mark.nightly
def test_an_edit_that_the_new_version_has_too_is_no_loss(generated: Generated, capsys: Capture) -> None:
    project = generated({RAW: LINES.replace("line 10\n", "line ten\n")})
    assert main(["update", str(project)]) == 0
    assert not (project / "before-update").exists()


@pytest.mark.nightly
def test_a_file_in_the_engine_that_git_ignores_is_named_and_kept(
    generated: Generated, capsys: Capture
) -> None:
    project = generated({".gitignore": "/engine/local/\n"})
    write(project, {"engine/local/notes.txt": "ours alone\n"})
    capsys.readouterr()
    assert main(["update", str(project)]) == 1
    assert "added to the engine, and about to go: engine/local/notes.txt" in capsys.readouterr().err
    assert main(["update", str(project), "--discard-edits"]) == 0
    assert not (project / "engine/local").exists()
    assert (project / "before-update/engine/local/notes.txt").read_text() == "ours alone\n"


@pytest.mark.nightly
def test_a_change_of_an_answer_sets_the_engine_back_as_well(generated: Generated, capsys: Capture) -> None:
    project = generated({RAW: OURS})
    change = [str(project), "--to", "current", "--set", "cloud=azure"]
    assert main(["update", *change]) == 1
    assert main(["update", *change, "--discard-edits"]) == 0
    assert (project / RAW).read_text() == LINES
    assert "azure" in (project / "README.md").read_text()


@pytest.mark.nightly
def test_an_update_to_the_version_that_is_there_sets_an_edited_engine_back(
    generated: Generated, capsys: Capture
) -> None:
    project = generated({RAW: OURS}, "1.1.0")
    assert main(["update", str(project)]) == 1
    assert main(["update", str(project), "--discard-edits"]) == 0
    commit(project, "as released")
    capsys.readouterr()
    assert main(["update", str(project)]) == 0
    assert listed(capsys) == ["Nothing to do: the project has version 1.1.0."]


@pytest.mark.nightly
def test_a_folder_of_that_name_that_was_the_projects_own_makes_room(
    generated: Generated, source: Path, tmp_path: Path, capsys: Capture
) -> None:
    project = generated({"engine/ours.txt": "ours\n"}, "0.9.0")
    assert main(["update", str(project)]) == 1
    assert "added to the engine, and about to go: engine/ours.txt" in capsys.readouterr().err
    assert main(["update", str(project), "--discard-edits"]) == 0
    assert engine(project) == fresh(source, tmp_path / "fresh", "1.1.0")
    assert (project / "before-update/engine/ours.txt").read_text() == "ours\n"


def test_a_text_that_is_kept_does_not_take_the_place_of_one_that_was_kept_before(
    generated: Generated, capsys: Capture
) -> None:
    project = generated({RAW: OURS, f"before-update/{RAW}": "of an update before\n"})
    assert main(["update", str(project), "--discard-edits"]) == 0
    assert (project / f"before-update/{RAW}").read_text() == "of an update before\n"
    assert (project / f"before-update/{RAW}.2").read_text() == OURS


@pytest.mark.parametrize("damage", ["edited", "added", "deleted"])
def test_an_update_after_which_the_engine_would_be_another_is_refused_and_changes_nothing(
    damage: str, generated: Generated, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    project = generated()
    untouched = state(project)
    doing = rehearsal.engine.put_in

    def damaging(folder: Path, made: Path) -> None:
        doing(folder, made)
        if damage == "deleted":
            (folder / RAW).unlink()
        else:
            write(folder, {RAW if damage == "edited" else "engine/more.txt": "damaged\n"})

    monkeypatch.setattr(rehearsal.engine, "put_in", damaging)
    capsys.readouterr()
    assert main(["update", str(project)]) == 2
    said = capsys.readouterr().err
    assert "would not be that of version 1.1.0" in said
    assert said.count("\n") == 1
    assert state(project) == untouched


def test_a_check_says_whether_the_engine_is_as_released(generated: Generated, capsys: Capture) -> None:
    project = generated()
    capsys.readouterr()
    assert main(["check", str(project)]) == 4
    assert "engine: as released" in listed(capsys)
    write(project, {RAW: OURS, "engine/ours.txt": "ours\n", "engine/__pycache__/x.pyc": "compiled\n"})
    (project / RISK).unlink()
    assert main(["check", str(project)]) == 1
    assert [line for line in listed(capsys) if line.startswith("engine: ")] == [
        f"engine: deleted: {RISK}; instead: your own module in src/portfolio/, called by your own workload",
        f"engine: edited: {RAW}; instead: your own signal: docs/extending.md",
        "engine: added: engine/ours.txt; instead: what can be added is in engine/README.md",
    ]


def test_a_project_without_an_engine_is_checked_as_ever(generated: Generated, capsys: Capture) -> None:
    project = generated(version="0.9.0")
    capsys.readouterr()
    assert main(["check", str(project)]) == 4
    assert "engine" not in capsys.readouterr().out


def test_the_list_is_current_and_names_every_file_of_the_engine() -> None:
    folder = ROOT / "template/engine"
    assert (folder / hashes.LIST).read_text(encoding="utf-8") == hashes.listing(folder), (
        "run `make reference`"
    )
    tracked = git(ROOT, "ls-files", "--", "template/engine").splitlines()
    names = {line.split("  ", 1)[1] for line in hashes.listing(folder).splitlines()}
    assert {f"template/engine/{name}" for name in {*names, hashes.LIST}} >= set(tracked)


def test_the_engine_is_rendered_byte_for_byte(defaults: Path) -> None:
    folder = ROOT / "template/engine"
    assert not list(folder.rglob("*.jinja"))
    assert hashes.listing(defaults / "engine") == hashes.listing(folder)
    assert hashes.differences(defaults / "engine") == hashes.differences(folder)


def test_the_list_is_one_that_sha256sum_reads(source: Path) -> None:
    folder = source / "template/engine"
    command = ["sha256sum", "--check", "--strict", "--quiet", hashes.LIST]
    subprocess.run(command, cwd=folder, check=True, env=os.environ | {"LC_ALL": "C"})
