"""`acceleray update` and `check` of a project: conflicts are seen, refusals are one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from acceleray_cli.cli import main
from conftest import NewProject, contents
from toy import LINES, commit, git, listed, recorded, toy_template, write

Capture = pytest.CaptureFixture[str]


def test_an_update_does_what_the_preview_said(new_project: NewProject, capsys: Capture) -> None:
    project = new_project({"lines.txt": LINES.replace("line 15\n", "line 15, ours\n"), "own.txt": "ours\n"})
    assert main(["preview", str(project)]) == 0
    assert main(["update", str(project)]) == 0
    out = capsys.readouterr().out
    assert "Updated to version 1.1.0: 1 merged, 1 updated, 2 added, 2 deleted, 3 unchanged." in out
    text = (project / "lines.txt").read_text()
    assert "line five" in text
    assert "line 15, ours" in text
    assert (project / "own.txt").exists()
    assert recorded(project)["_commit"] == "1.1.0"
    assert recorded(project)["extra"] == "nothing"


def test_a_file_that_becomes_executable_does_so_where_git_trusts_no_mode_on_disk(
    tmp_path: Path, capsys: Capture
) -> None:
    toy = toy_template(tmp_path / "toy")
    project = tmp_path / "project"
    assert main(["new", str(project), "--template", str(toy), "--at", "1.1.0", "--defaults"]) == 0
    git(project, "init", "--quiet")
    git(project, "config", "core.fileMode", "false")
    commit(project, "generated")
    git(toy, "update-index", "--chmod=+x", "template/lines.txt")
    git(toy, "commit", "--quiet", "--message", "executable")
    git(toy, "tag", "2.0.0")
    assert main(["update", str(project)]) == 0, capsys.readouterr().err
    assert git(project, "ls-files", "--stage", "lines.txt").startswith("100755")


def test_an_update_ends_with_3_while_there_are_conflicts(new_project: NewProject, capsys: Capture) -> None:
    project = new_project({"lines.txt": LINES.replace("line 5\n", "line 5, ours\n")})
    capsys.readouterr()
    assert main(["preview", str(project)]) == 0
    assert "conflict: lines.txt" in listed(capsys)
    assert main(["update", str(project)]) == 3
    assert "conflict: lines.txt\nConflicts in 1 file" in capsys.readouterr().err
    for command in ("update", "check"):
        assert main([command, str(project)]) == 3
    commit(project, "committed with its markers")
    assert main(["update", str(project)]) == 3
    write(project, {"lines.txt": LINES.replace("line 5\n", "line five, ours\n")})
    commit(project, "resolved")
    capsys.readouterr()
    assert main(["update", str(project)]) == 0
    assert listed(capsys) == ["Nothing to do: the project has version 1.1.0."]


@pytest.mark.nightly
def test_two_projects_in_one_repository_are_updated_apart(
    new_project: NewProject, tmp_path: Path, capsys: Capture
) -> None:
    new_project(folder="mono repo/teams/one", top="mono repo")
    edits = {"lines.txt": LINES.replace("line 15\n", "line 15, ours\n")}
    two = new_project(edits, folder="mono repo/teams/two", top="mono repo")
    write(tmp_path / "mono repo", {"lines.txt": "of the whole\n", "teams/README.md": "teams\n"})
    commit(tmp_path / "mono repo", "more")
    one = tmp_path / "mono repo/teams/one"
    before = contents(one)
    capsys.readouterr()
    assert main(["preview", str(two)]) == 0
    assert "merged: lines.txt" in listed(capsys)
    assert main(["update", str(two)]) == 0
    assert contents(one) == before
    assert "line 15, ours" in (two / "lines.txt").read_text()
    assert (tmp_path / "mono repo/lines.txt").read_text() == "of the whole\n"
    # What is not committed in one does not stop the other.
    assert main(["update", str(one)]) == 0
    assert recorded(one)["_commit"] == recorded(two)["_commit"] == "1.1.0"


@pytest.mark.parametrize("command", ["preview", "update"])
def test_a_project_that_cannot_be_updated_is_refused_in_one_line(
    command: str, new_project: NewProject, toy: Path, tmp_path: Path, capsys: Capture
) -> None:
    def refusal(folder: Path, *more: str) -> str:
        capsys.readouterr()
        assert main([command, str(folder), *more]) == 2
        said = capsys.readouterr().err
        assert said.count("\n") == 1
        return said

    assert "is not a generated project" in refusal(tmp_path)
    outside = tmp_path / "outside"
    assert main(["new", str(outside), "--template", str(toy), "--defaults"]) == 0
    assert "is not in a Git repository" in refusal(outside)
    git(outside, "init", "--quiet")
    assert "Nothing is committed" in refusal(outside)
    project = new_project()
    write(project, {"draft.txt": "draft\n"})
    assert "has 1 change that is not committed" in refusal(project)
    (project / "draft.txt").unlink()
    assert "has no version '9.9'" in refusal(project, "--to", "9.9")
    assert "clod: there is no such question; did you mean cloud?" in refusal(project, "--set", "clod=aws")
    assert "cloud: 'ibm' is not offered" in refusal(project, "--set", "cloud=ibm")


def test_a_template_that_moved_is_found_again_where_the_record_says(tmp_path: Path, capsys: Capture) -> None:
    toy_template(tmp_path / "toy")
    project = tmp_path / "project"
    arguments = ["--template", str(tmp_path / "toy"), "--at", "1.0.0", "--defaults"]
    assert main(["new", str(project), *arguments]) == 0
    git(project, "init", "--quiet")
    commit(project, "generated")
    (tmp_path / "toy").rename(tmp_path / "moved")
    capsys.readouterr()
    assert main(["preview", str(project)]) == 2
    assert "; if it moved, change _src_path in" in capsys.readouterr().err
    record = project / ".copier-answers.yml"
    record.write_text(record.read_text().replace(str(tmp_path / "toy"), str(tmp_path / "moved")))
    commit(project, "the template moved")
    assert main(["update", str(project)]) == 0


def test_a_downgrade_is_refused_in_one_line(new_project: NewProject, capsys: Capture) -> None:
    project = new_project()
    assert main(["update", str(project)]) == 0
    commit(project, "updated")
    capsys.readouterr()
    assert main(["update", str(project), "--to", "1.0.0"]) == 2
    assert "Downgrades are not supported." in capsys.readouterr().err


def test_a_project_from_after_the_newest_release_is_not_taken_back_to_it(
    toy: Path, tmp_path: Path, capsys: Capture
) -> None:
    project = tmp_path / "project"
    arguments = ["--template", str(toy), "--at", "2.0.0rc1", "--defaults"]
    assert main(["new", str(project), *arguments]) == 0
    git(project, "init", "--quiet")
    commit(project, "generated")
    capsys.readouterr()
    for command in ("check", "update"):
        assert main([command, str(project)]) == 0
        assert "version 2.0.0rc1" in listed(capsys)[-1]
    assert main(["update", str(project), "--set", "cloud=azure"]) == 0
    assert recorded(project)["_commit"] == "2.0.0rc1"


def test_a_recorded_answer_that_is_not_offered_any_more_is_not_replaced_in_silence(
    new_project: NewProject, capsys: Capture
) -> None:
    project = new_project()
    record = (project / ".copier-answers.yml").read_text(encoding="utf-8")
    write(project, {".copier-answers.yml": record.replace("cloud: aws", "cloud: ibm")})
    commit(project, "edited by hand")
    capsys.readouterr()
    assert main(["update", str(project)]) == 2
    line = f"{project / '.copier-answers.yml'}: cloud: 'ibm' is not offered; choose from aws, azure."
    assert capsys.readouterr().err == f"{line}\n"
    assert main(["check", str(project)]) == 2
    capsys.readouterr()
    assert main(["check", str(project), "--json"]) == 2
    said = json.loads(capsys.readouterr().out)
    assert (said["state"], said["exit_code"]) == ("cannot be used", 2)
    assert said["problems"] == [line]


def test_a_check_of_a_project_says_whether_there_is_an_update(
    new_project: NewProject, capsys: Capture
) -> None:
    project = new_project()
    capsys.readouterr()
    assert main(["check", str(project)]) == 4
    assert listed(capsys)[1].startswith("The project has version 1.0.0; 1.1.0 is available")
    assert main(["check", str(project), "--json"]) == 4
    said = json.loads(capsys.readouterr().out)
    assert (said["state"], said["exit_code"], said["outdated"]) == ("outdated", 4, True)
    assert (said["version"], said["newest"]) == ("1.0.0", "1.1.0")
    assert main(["update", str(project)]) == 0
    capsys.readouterr()
    assert main(["check", str(project)]) == 0
    assert listed(capsys)[1] == "The project has version 1.1.0, and there is no newer one."


@pytest.mark.nightly
def test_a_new_question_is_answered_with_its_default_and_said(
    new_project: NewProject, capsys: Capture
) -> None:
    project = new_project()
    assert main(["update", str(project), "--set", "extra=something"]) == 0
    assert recorded(project)["extra"] == "something"
    git(project, "reset", "--quiet", "--hard")
    git(project, "clean", "--quiet", "--force")
    capsys.readouterr()
    assert main(["update", str(project)]) == 0
    assert "New question extra: answered 'nothing'" in capsys.readouterr().err


def test_what_is_wrong_in_the_record_of_a_project_is_said_with_its_name(
    new_project: NewProject, capsys: Capture
) -> None:
    project = new_project()
    record = project / ".copier-answers.yml"
    right = record.read_text(encoding="utf-8")
    for text, line in (
        (right.replace("size: 2", "size: many"), "size: 'many' is not a whole number"),
        (right.replace("_commit: 1.0.0", "_commit: 0.0.7"), "has no version '0.0.7'"),
    ):
        record.write_text(text, encoding="utf-8")
        commit(project, "edited by hand")
        for command in ("preview", "update"):
            capsys.readouterr()
            assert main([command, str(project)]) == 2
            said = capsys.readouterr().err
            assert said.startswith(f"{record}: ")
            assert line in said
            assert said.count("\n") == 1
