"""`acceleray preview` and what `update` refuses: no edit is lost in silence."""

from __future__ import annotations

import pytest

from acceleray_cli.cli import main
from conftest import NewProject
from toy import LINES, commit, git, listed, recorded, state, write

Capture = pytest.CaptureFixture[str]


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
        "added: before-update/before.txt",
        "added: before-update/gone.txt",
        "added: behind.txt",
        "added: fresh.txt",
        "To version 1.1.0: 2 with lost edits, 1 merged, 1 updated, 4 added, 3 unchanged. Nothing changed.",
        "acceleray update would refuse, because edits of 2 files would be lost.",
    ]
    assert state(project) == untouched


def test_a_preview_of_all_lists_each_file_of_the_template_once_and_with_its_state(
    new_project: NewProject, capsys: Capture
) -> None:
    edits = {"parts/alpha.txt": "alpha, ours\n", "own.txt": "ours\n", "gone.txt": "gone\nbut dear to us\n"}
    project = new_project({**edits, "lines.txt": LINES.replace("line 5\n", "line 5, ours\n")})
    untouched = state(project)
    capsys.readouterr()
    assert main(["preview", str(project), "--all"]) == 0
    out = listed(capsys)
    assert out[:-2] == [
        "edited and about to be deleted: gone.txt",
        "conflict: lines.txt",
        "updated: .copier-answers.yml",
        "added: before-update/gone.txt",
        "added: behind.txt",
        "added: fresh.txt",
        "deleted: before.txt",
        "unchanged: README.md",
        "unchanged: parts/alpha.txt",
        "unchanged: parts/beta.txt",
    ]
    assert "3 unchanged" in out[-2]
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
    name, text = next(iter(edits.items()))
    assert not (project / name).exists()
    assert (project / "before-update" / name).read_text() == text


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
    assert main(["update", str(project), "--discard-edits"]) == 0
    assert "line five" in (project / "lines.txt").read_text()
    # Git cannot bring these back, so they are kept as well.
    assert (project / "before-update/lines.txt").read_text() == "secret\n"
    assert (project / "before-update/fresh.txt").read_text() == "ours before it was theirs\n"


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


def test_files_that_somebody_deleted_or_renamed_stay_so(new_project: NewProject, capsys: Capture) -> None:
    project = new_project()
    git(project, "rm", "--quiet", "parts/alpha.txt")
    git(project, "mv", "lines.txt", "rows.txt")
    commit(project, "tidied")
    assert main(["update", str(project)]) == 0
    assert not (project / "parts/alpha.txt").exists()
    assert not (project / "lines.txt").exists()
    assert (project / "rows.txt").read_text() == LINES
