"""`acceleray preview`, `update` and `check` of a project: nothing is lost in silence, conflicts are seen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from acceleray.cli import main
from conftest import contents
from toy import LINES, commit, git, toy_template, write

NewProject = Callable[..., Path]
Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_template(tmp_path_factory.mktemp("toy") / "template")


@pytest.fixture
def new_project(toy: Path, tmp_path: Path) -> NewProject:
    """Return a function that generates a project of release 1.0.0, commits it, then commits edits."""

    def generate(
        edits: dict[str, str] | None = None, folder: str = "my project ü", top: str | None = None
    ) -> Path:
        project, repository = tmp_path / folder, tmp_path / (top or folder)
        assert main(["new", str(project), "--template", str(toy), "--at", "1.0.0", "--defaults"]) == 0
        git(repository, "init", "--quiet")
        commit(repository, "generated")
        if edits:
            write(project, edits)
            commit(repository, "edited")
        return project

    return generate


def state(project: Path) -> tuple[dict[str, bytes], str]:
    """Return everything that a look may not change: files, commit and index."""
    files = {name: content for name, content in contents(project).items() if not name.startswith(".git/")}
    return files, git(project, "rev-parse", "HEAD") + git(project, "status", "--porcelain", "--ignored")


def listed(capsys: Capture) -> list[str]:
    return capsys.readouterr().out.splitlines()


def recorded(project: Path) -> dict[str, object]:
    return yaml.safe_load((project / ".copier-answers.yml").read_text(encoding="utf-8"))


def test_a_preview_says_what_happens_to_each_file_and_touches_none(
    new_project: NewProject, capsys: Capture
) -> None:
    project = new_project(
        {
            "lines.txt": LINES.replace("line 15\n", "line 15, ours\n"),
            "gone.txt": "gone\nbut dear to us\n",
            "before.txt": "a file\nthat will be\ncalled otherwise\nby them\n",
            "own.txt": "ours alone\n",
            "parts/alpha.txt": "alpha, ours\n",
        }
    )
    untouched = state(project)
    capsys.readouterr()
    assert main(["preview", str(project)]) == 0
    assert listed(capsys) == [
        "edited and about to be deleted: gone.txt",
        "edited and about to be renamed: before.txt -> behind.txt",
        "merged: lines.txt",
        "updated: .copier-answers.yml",
        "added: behind.txt",
        "added: fresh.txt",
        "To version 1.1.0: 2 edits lost, 1 merged, 1 updated, 2 added, 3 unchanged. Nothing was touched.",
        "acceleray update would refuse, because edits of 2 files would be lost.",
    ]
    assert state(project) == untouched


def test_a_preview_of_an_unedited_project_finds_nothing_to_worry_about(
    new_project: NewProject, capsys: Capture
) -> None:
    project = new_project()
    capsys.readouterr()
    assert main(["preview", str(project), "--to", "1.1.0"]) == 0
    out = listed(capsys)
    assert {"deleted: gone.txt", "deleted: before.txt", "updated: lines.txt", "added: fresh.txt"} <= set(out)
    assert "edit" not in "".join(out)


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


def test_a_file_of_your_own_under_a_name_that_the_template_takes_is_a_conflict(
    new_project: NewProject, capsys: Capture
) -> None:
    project = new_project({"fresh.txt": "ours before it was theirs\n"})
    capsys.readouterr()
    assert main(["preview", str(project)]) == 0
    assert listed(capsys)[0] == "conflict: fresh.txt"
    assert main(["update", str(project)]) == 3
    assert "ours before it was theirs" in (project / "fresh.txt").read_text()


@pytest.mark.parametrize(
    ("edits", "line"),
    [
        ({"gone.txt": "gone\nours\n"}, "edited and about to be deleted: gone.txt"),
        (
            {"before.txt": "a file\nthat will be\nedited\n"},
            "edited and about to be renamed: before.txt -> behind.txt",
        ),
    ],
)
def test_an_update_refuses_to_lose_edits_until_it_is_told_to(
    edits: dict[str, str], line: str, new_project: NewProject, capsys: Capture
) -> None:
    project = new_project(edits)
    untouched = state(project)
    capsys.readouterr()
    assert main(["update", str(project)]) == 1
    said = capsys.readouterr().err
    assert line in said
    assert "--discard-edits" in said
    assert state(project) == untouched
    assert main(["update", str(project), "--discard-edits"]) == 0
    assert not (project / next(iter(edits))).exists()


def test_an_edit_that_is_not_in_git_is_not_overwritten_in_silence(
    new_project: NewProject, capsys: Capture
) -> None:
    project = new_project({".gitignore": "/lines.txt\n/fresh.txt\n"})
    git(project, "rm", "--quiet", "--cached", "lines.txt")
    commit(project, "lines.txt is ours")
    write(project, {"lines.txt": "secret\n", "fresh.txt": "ours before it was theirs\n"})
    untouched = state(project)
    capsys.readouterr()
    assert main(["update", str(project)]) == 1
    said = capsys.readouterr().err
    assert "edited, not in Git, and about to be overwritten: lines.txt" in said
    assert "edited, not in Git, and about to be overwritten: fresh.txt" in said
    assert state(project) == untouched


def test_removing_a_part_with_edits_is_refused_and_one_without_is_not(
    new_project: NewProject, capsys: Capture
) -> None:
    project = new_project({"parts/alpha.txt": "alpha, ours\n"})
    capsys.readouterr()
    to = ["--to", "current", "--set"]
    assert main(["preview", str(project), *to, "parts-=alpha"]) == 0
    assert listed(capsys)[:2] == [
        "edited and about to be deleted: parts/alpha.txt",
        "updated: .copier-answers.yml",
    ]
    assert main(["update", str(project), *to, "parts-=alpha"]) == 1
    assert main(["update", str(project), *to, "parts-=beta"]) == 0
    assert recorded(project)["parts"] == ["alpha"]
    assert (project / "parts/alpha.txt").read_text() == "alpha, ours\n"
    assert not (project / "parts/beta.txt").exists()


def test_a_part_is_added_and_a_cloud_changed_without_another_version(
    new_project: NewProject, capsys: Capture
) -> None:
    project = new_project()
    changes = ["--to", "current", "--set", "parts+=gamma", "--set", "cloud=azure"]
    capsys.readouterr()
    assert main(["preview", str(project), *changes]) == 0
    assert listed(capsys)[:3] == [
        "updated: .copier-answers.yml",
        "updated: README.md",
        "added: parts/gamma.txt",
    ]
    assert main(["update", str(project), *changes]) == 0
    assert recorded(project)["_commit"] == "1.0.0"
    assert "azure" in (project / "README.md").read_text()
    assert (project / "parts/gamma.txt").exists()


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
    assert "If it moved, change _src_path in" in capsys.readouterr().err
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


def test_a_recorded_answer_that_is_not_offered_any_more_is_not_replaced_in_silence(
    new_project: NewProject, capsys: Capture
) -> None:
    project = new_project()
    record = (project / ".copier-answers.yml").read_text(encoding="utf-8")
    write(project, {".copier-answers.yml": record.replace("cloud: aws", "cloud: ibm")})
    commit(project, "edited by hand")
    capsys.readouterr()
    assert main(["update", str(project)]) == 2
    assert capsys.readouterr().err == "cloud: 'ibm' is not offered; choose from aws, azure.\n"
    assert main(["check", str(project)]) == 2


def test_a_check_of_a_project_says_whether_there_is_an_update(
    new_project: NewProject, capsys: Capture
) -> None:
    project = new_project()
    capsys.readouterr()
    assert main(["check", str(project)]) == 0
    assert listed(capsys)[1].startswith("The project has version 1.0.0; 1.1.0 is available")
    assert main(["update", str(project)]) == 0
    capsys.readouterr()
    assert main(["check", str(project)]) == 0
    assert listed(capsys)[1] == "The project has version 1.1.0, and there is no newer one."


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


def test_files_that_somebody_deleted_or_renamed_stay_so(new_project: NewProject, capsys: Capture) -> None:
    project = new_project()
    git(project, "rm", "--quiet", "parts/alpha.txt")
    git(project, "mv", "lines.txt", "rows.txt")
    commit(project, "tidied")
    assert main(["update", str(project)]) == 0
    assert not (project / "parts/alpha.txt").exists()
    assert not (project / "lines.txt").exists()
    assert (project / "rows.txt").read_text() == LINES
