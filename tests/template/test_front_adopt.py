"""A repository with files of its own takes a project in: none is overwritten, what differs goes beside it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from acceleray_cli import adoption
from acceleray_cli.cli import main
from toy import commit, git, listed, recorded, state, toy_with_engine, write

Capture = pytest.CaptureFixture[str]


def repository(folder: Path, files: dict[str, str]) -> Path:
    write(folder, files)
    git(folder, "init", "--quiet")
    commit(folder, "by the developer portal")
    return folder


PORTAL = {
    "README.md": "# risk-platform\nCreated by the developer portal.\n",
    "LICENSE": "All rights reserved.\n",
    ".gitignore": "*.pyc\nfresh.*\n",
    "parts/alpha.txt": "alpha\n",
}


def test_new_and_update_name_the_command_that_adopts_a_repository(
    toy: Path, tmp_path: Path, capsys: Capture
) -> None:
    folder = repository(tmp_path / "repo", PORTAL)
    for command in (["new", "--template", str(toy), "--defaults"], ["update"]):
        assert main([*command, str(folder)]) == 2
        said = capsys.readouterr().err
        assert f'acceleray adopt "{folder}" puts a project into' in said
        assert said.count("\n") == 1
    assert not git(folder, "status", "--porcelain", "--ignored")


def test_a_repository_with_a_readme_is_adopted_and_updated_without_losing_a_byte(
    toy: Path, tmp_path: Path, capsys: Capture
) -> None:
    folder = repository(tmp_path / "repo", PORTAL)
    before = state(folder)
    adopt = ["adopt", str(folder), "--template", str(toy), "--defaults", "--at", "1.0.0"]
    for arguments in ([*adopt, "--preview"], adopt):
        assert state(folder) == before
        assert main(arguments) == 0
        out = listed(capsys)
        assert out[0] == "yours stays: README.md; the version of the project: README.md.acceleray"
        assert out[1].startswith("5 added, 1 the same, 1 as .acceleray. ")
    assert {name: (folder / name).read_text() for name in PORTAL} == PORTAL
    assert (folder / "README.md.acceleray").read_text() == "# First (first)\n\naws, 2 machines\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["repo"]
    commit(folder, "adopted")
    assert main([*adopt]) == 2
    assert "is already a project" in capsys.readouterr().err
    assert main(["update", str(folder)]) == 0
    assert {name: (folder / name).read_text() for name in PORTAL} == PORTAL
    assert recorded(folder)["_commit"] == "1.1.0"
    assert "line five" in (folder / "lines.txt").read_text()


def test_files_that_the_repository_ignores_are_said(toy: Path, tmp_path: Path, capsys: Capture) -> None:
    folder = repository(tmp_path / "repo", PORTAL)
    assert main(["adopt", str(folder), "--template", str(toy), "--defaults"]) == 0
    assert (
        "1 of the project's files are ignored by this repository, first fresh.txt" in capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("parts", "parts is not a folder, and the project needs a folder of this name; rename yours."),
        (
            "lines.txt/notes.md",
            "lines.txt is a folder, and the project needs a file of this name; rename yours.",
        ),
        (
            "engine/motor.c",
            "has a folder engine/, which updates replace as a whole; rename yours.",
        ),
    ],
)
def test_what_cannot_stand_next_to_a_project_is_named_and_nothing_is_written(
    file: str, line: str, tmp_path: Path, capsys: Capture
) -> None:
    toy = toy_with_engine(tmp_path / "toy")
    folder = repository(tmp_path / "repo", {file: "ours\n"})
    before = state(folder)
    assert main(["adopt", str(folder), "--template", str(toy), "--defaults"]) == 2
    assert capsys.readouterr().err.rstrip("\n").endswith(line)
    assert state(folder) == before


def test_an_adoption_that_fails_half_way_leaves_the_repository_as_it_was(
    toy: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = repository(tmp_path / "repo", PORTAL)
    before = state(folder)

    def full(source: Path, target: Path) -> None:
        if target.name == "lines.txt":
            raise OSError("No space left on device")
        move(source, target)

    move = shutil.move
    monkeypatch.setattr(adoption.shutil, "move", full)
    assert main(["adopt", str(folder), "--template", str(toy), "--defaults", "--at", "1.0.0"]) == 2
    assert "No space left on device" in capsys.readouterr().err
    assert state(folder) == before
    write(folder, {"draft.txt": "draft\n"})
    assert main(["adopt", str(folder), "--template", str(toy), "--defaults"]) == 2
    assert "has 1 change that is not committed" in capsys.readouterr().err
