"""An update treats the bytes of a project's folder, whatever its repository makes of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from acceleray_cli import index
from acceleray_cli.cli import main
from conftest import NewProject
from toy import LINES, commit, git, recorded, state

Capture = pytest.CaptureFixture[str]
OURS = LINES.replace("line 15\n", "line 15, ours  \n")
MERGED = OURS.replace("line 5\n", "line five\n").encode()
# Drivers as Git LFS and git-crypt are: what the repository holds is not what the folder has.
FILTER = {"filter.secret.clean": "tr e E", "filter.secret.smudge": "tr E e", "filter.secret.required": "true"}


def configured(project: Path, settings: dict[str, str]) -> None:
    for name, value in settings.items():
        git(project, "config", name, value)


@pytest.mark.parametrize(
    ("attributes", "settings"),
    [
        ("* text eol=crlf merge=binary -diff", {"core.autocrlf": "true"}),
        ("*.txt filter=secret", FILTER),
        ("*.txt working-tree-encoding=ISO-8859-1 merge=ours", {"merge.ours.driver": "true"}),
        ("* binary", {"core.whitespace": "trailing-space", "apply.whitespace": "error"}),
    ],
)
def test_attributes_and_settings_of_the_repository_change_no_byte(
    attributes: str, settings: dict[str, str], new_project: NewProject, capsys: Capture
) -> None:
    project = new_project({"lines.txt": OURS})
    configured(project, settings)
    (project / ".gitattributes").write_text(f"{attributes}\n")
    git(project, "add", "--renormalize", ".")
    commit(project, "attributes")
    assert main(["update", str(project)]) == 0, capsys.readouterr().err
    assert (project / "lines.txt").read_bytes() == MERGED


def test_a_conflict_goes_into_the_index_as_git_add_would_put_it(new_project: NewProject) -> None:
    project = new_project()
    configured(project, FILTER)
    (project / ".gitattributes").write_text("*.txt filter=secret\n")
    (project / "lines.txt").write_text(LINES.replace("line 5\n", "line 5, ours\n"))
    git(project, "add", "--renormalize", ".")
    commit(project, "filtered")
    assert main(["update", str(project)]) == 3
    assert "line 5, ours" in (project / "lines.txt").read_text()
    for stage, line in ((1, "linE 5\n"), (2, "linE 5, ours\n"), (3, "linE fivE\n")):
        assert line in git(project, "show", f":{stage}:lines.txt")


def test_a_project_with_line_ends_of_windows_keeps_them(new_project: NewProject, capsys: Capture) -> None:
    project = new_project()
    configured(project, {"core.autocrlf": "true"})
    (project / "lines.txt").write_bytes(OURS.replace("\n", "\r\n").encode())
    git(project, "rm", "--cached", "--quiet", "-r", ".")
    git(project, "reset", "--quiet", "--hard")
    (project / "lines.txt").write_bytes(OURS.replace("\n", "\r\n").encode())
    commit(project, "ours")
    readme = (project / "README.md").read_bytes()
    assert b"\r\n" in readme
    capsys.readouterr()
    assert main(["update", str(project)]) == 0
    assert "1 merged, 1 updated, 2 added, 2 deleted, 3 unchanged" in capsys.readouterr().out
    assert (project / "lines.txt").read_bytes() == MERGED.replace(b"\n", b"\r\n")
    assert (project / "README.md").read_bytes() == readme
    changed = git(project, "-c", "core.safecrlf=false", "status", "--porcelain").splitlines()
    assert [line for line in changed if line.startswith(" M")] == [" M .copier-answers.yml", " M lines.txt"]


def test_text_of_another_encoding_is_merged_byte_by_byte(new_project: NewProject) -> None:
    project = new_project()
    ours = OURS.encode().replace(b"ours", "größer".encode("latin-1"))
    (project / "lines.txt").write_bytes(ours)
    commit(project, "edited with an old editor")
    assert main(["update", str(project)]) == 0
    assert (project / "lines.txt").read_bytes() == ours.replace(b"line 5\n", b"line five\n")


@pytest.mark.parametrize(("name", "said"), [("lines.txt", True), ("parts/alpha.txt", False)])
def test_a_file_that_became_binary_stays_and_the_new_one_goes_next_to_it(
    name: str, said: bool, new_project: NewProject, capsys: Capture
) -> None:
    project = new_project()
    (project / name).write_bytes(b"\x89PNG\x00ours")
    commit(project, "a picture of ours")
    capsys.readouterr()
    assert main(["update", str(project)]) == 0
    line = (
        f"by hand: {name}: yours stays, because a binary file cannot be merged; "
        f"the version of the template is {name}.acceleray"
    )
    assert (line in capsys.readouterr().err) == said
    assert (project / name).read_bytes() == b"\x89PNG\x00ours"
    assert (project / f"{name}.acceleray").exists() == said


def test_an_update_that_cannot_be_written_is_taken_back(
    new_project: NewProject, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = new_project({"lines.txt": OURS, "parts/alpha.txt": "ours\n"})
    before = state(project)

    def full(folder: Path, lines: list[str]) -> None:
        assert recorded(folder)["_commit"] == "1.1.0"
        raise OSError("No space left on device")

    monkeypatch.setattr(index, "put", full)
    assert main(["update", str(project)]) == 2
    assert "No space left on device" in capsys.readouterr().err
    assert state(project) == before


def test_a_sparse_checkout_is_refused_with_the_command_that_completes_it(
    new_project: NewProject, capsys: Capture
) -> None:
    project = new_project()
    git(project, "update-index", "--skip-worktree", "parts/beta.txt")
    (project / "parts/beta.txt").unlink()
    before = state(project)
    capsys.readouterr()
    assert main(["update", str(project)]) == 2
    assert (
        "parts/beta.txt is in the repository and not in the folder, as in a sparse" in capsys.readouterr().err
    )
    assert state(project) == before
