"""Repositories in an odd state: each is said with its name and one thing to do, and no byte is lost."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from acceleray_cli import obstacles
from acceleray_cli.cli import main
from conftest import NewProject, contents
from toy import LINES, commit, git, recorded, state, write

Capture = pytest.CaptureFixture[str]
FOLDER = "is a folder, and the project needs a file of this name; rename yours.\n"
NO_FOLDER = "is not a folder, and the project needs a folder of this name; rename yours.\n"


def refused(capsys: Capture, *command: str) -> str:
    """Return the one line with which a command ends."""
    capsys.readouterr()
    assert main(list(command)) == 2
    line = capsys.readouterr().err.rpartition("extra=...\n")[2]
    assert line.count("\n") == 1
    return line


def in_place_of(project: Path, kind: str) -> None:
    """Put something of another kind in the place of a file or folder of the next release."""
    if kind.endswith("folder"):
        (project / "fresh.txt").mkdir()
        if kind != "an empty folder":
            write(project, {"fresh.txt/ours": "ours\n"})
        if kind == "an ignored folder":
            write(project, {".gitignore": "fresh.txt/\n"})
    else:
        (project / "parts").rename(project.parent / "parts")
        if kind == "a file":
            write(project, {"parts": "ours\n"})
        else:
            (project / "parts").symlink_to(project.parent / "parts")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--allow-empty", "--message", "odd")


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("an empty folder", f"fresh.txt {FOLDER}"),
        ("an ignored folder", f"fresh.txt {FOLDER}"),
        ("a folder", f"fresh.txt {FOLDER}"),
        ("a file", f"parts {NO_FOLDER}"),
        ("a link", f"parts {NO_FOLDER}"),
    ],
)
def test_what_stands_in_the_place_of_a_file_of_the_next_release_is_named_by_the_preview(
    kind: str, line: str, new_project: NewProject, capsys: Capture
) -> None:
    project = new_project()
    in_place_of(project, kind)
    before = state(project)
    assert refused(capsys, "preview", str(project)) == f"{project}/{line}"
    assert refused(capsys, "update", str(project)) == f"{project}/{line}"
    assert state(project) == before


def test_an_update_that_meets_a_folder_half_way_is_taken_back_as_a_whole(
    new_project: NewProject, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = new_project({"lines.txt": LINES.replace("line 15\n", "ours\n")})
    in_place_of(project, "an ignored folder")
    before = state(project)
    monkeypatch.setattr(obstacles, "require_none", lambda *_, **__: None)
    assert "Is a directory" in refused(capsys, "update", str(project))
    assert state(project) == before


def test_an_index_that_git_cannot_read_is_not_taken_for_an_empty_one(
    new_project: NewProject, toy: Path, tmp_path: Path, capsys: Capture
) -> None:
    project = new_project()
    (project / ".git/index").write_bytes(b"no index" * 99)
    before = contents(project)
    for command in ("check", "preview", "update"):
        line = refused(capsys, command, str(project))
        assert line.endswith(
            "fatal: index file corrupt; repair the repository until git status works there.\n"
        )
    assert contents(project) == before
    write(tmp_path / "repo", {"README.md": "ours\n"})
    git(tmp_path / "repo", "init", "--quiet")
    commit(tmp_path / "repo", "ours")
    (tmp_path / "repo/.git/index").write_bytes(b"no index" * 99)
    refused(capsys, "adopt", str(tmp_path / "repo"), "--defaults", "--template", str(toy))


def test_what_keeps_git_from_a_repository_is_said_with_what_mends_it(
    new_project: NewProject, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = new_project()
    elsewhere = tmp_path / "elsewhere"
    git(project, "config", "core.worktree", str(elsewhere))
    assert f"in {project} are in {elsewhere} by" in refused(capsys, "preview", str(project))
    git(project, "config", "--unset", "core.worktree")
    config = project / ".git/config"
    text = config.read_text(encoding="utf-8")
    for more, advice in (
        ("[core\n", "correct that file.\n"),
        ("[core]\n\trepositoryFormatVersion = 7\n", "use the version of Git that made it.\n"),
    ):
        config.write_text(text + more, encoding="utf-8")
        assert refused(capsys, "preview", str(project)).endswith(advice)
    config.write_text(text, encoding="utf-8")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "x")
    assert refused(capsys, "preview", str(project)).endswith("correct the variables GIT_CONFIG_*.\n")


def test_a_lock_that_git_left_is_named_before_a_conflict_is_written(
    new_project: NewProject, capsys: Capture
) -> None:
    project = new_project({"lines.txt": LINES.replace("line 5\n", "ours\n")})
    before = state(project)
    lock = project / ".git/index.lock"
    lock.touch()
    line = refused(capsys, "update", str(project))
    assert f"{lock} exists; if no other git is running, delete this file.\n" in line
    lock.unlink()
    assert state(project) == before


def test_a_command_in_a_folder_of_a_project_names_the_project(
    new_project: NewProject, capsys: Capture
) -> None:
    project = new_project()
    line = refused(capsys, "check", str(project / "parts"))
    assert line.endswith(f"it is a folder of the project {project}; run the command there.\n")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_file_whose_name_is_no_utf_8_stays(new_project: NewProject) -> None:
    project = new_project()
    ours = project / os.fsdecode(b"gr\xf6\xdfe.txt")
    ours.write_text("ours\n")
    commit(project, "named long ago")
    assert main(["update", str(project)]) == 0
    assert recorded(project)["_commit"] == "1.1.0"
    assert ours.read_text() == "ours\n"


def test_a_link_that_leads_nowhere_is_not_replaced_without_a_word(
    new_project: NewProject, capsys: Capture
) -> None:
    project = new_project({".gitignore": "fresh.txt\n"})
    (project / "fresh.txt").symlink_to("nowhere")
    before = state(project)
    assert main(["update", str(project)]) == 1
    assert "edited, not in Git, and about to be overwritten: fresh.txt" in capsys.readouterr().err
    assert state(project) == before


def test_an_adoption_writes_no_file_that_a_sparse_checkout_leaves_out(
    toy: Path, tmp_path: Path, capsys: Capture
) -> None:
    repository = tmp_path / "repo"
    write(repository, {"README.md": "ours\n", "lines.txt": "ours\n"})
    git(repository, "init", "--quiet")
    commit(repository, "ours")
    git(repository, "sparse-checkout", "set", "--no-cone", "/README.md")
    line = refused(capsys, "adopt", str(repository), "--defaults", "--template", str(toy))
    assert line.startswith("lines.txt is in the repository and not in the folder, as in a sparse checkout")
