"""A repository with files of its own takes a project in: none is overwritten, what differs goes beside it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from acceleray_cli import adoption
from acceleray_cli.cli import main
from acceleray_cli.rehearsal import contents
from toy import LINES, commit, git, listed, recorded, state, toy_with_engine, write

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
        assert out[1].startswith("5 added, 1 the same, 1 next to yours. ")
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


def test_line_ends_of_windows_are_no_difference(toy: Path, tmp_path: Path, capsys: Capture) -> None:
    folder = repository(tmp_path / "repo", {"README.md": "ours\n"})
    (folder / "lines.txt").write_bytes(LINES.replace("\n", "\r\n").encode())
    commit(folder, "by an editor on Windows")
    assert main(["adopt", str(folder), "--template", str(toy), "--defaults", "--at", "1.0.0"]) == 0
    assert "1 the same, 1 next to yours" in capsys.readouterr().out
    assert b"\r\n" in (folder / "lines.txt").read_bytes()


def test_no_file_is_put_into_a_submodule(toy: Path, tmp_path: Path, capsys: Capture) -> None:
    inner = repository(tmp_path / "inner", {"code.txt": "shared\n"})
    folder = repository(tmp_path / "repo", {"README.md": "ours\n"})
    git(folder, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner), "parts")
    commit(folder, "with a submodule")
    for command in (("status",), ("submodule", "deinit", "--force", "parts")):
        git(folder, *command)
        before = state(folder)
        assert main(["adopt", str(folder), "--template", str(toy), "--defaults"]) == 2
        assert capsys.readouterr().err == (
            f"{folder / 'parts'} is a submodule, and the project needs a folder of this name; move yours.\n"
        )
        assert state(folder) == before


def test_a_repository_that_git_cannot_use_is_said_with_its_reason(
    toy: Path, tmp_path: Path, capsys: Capture
) -> None:
    write(tmp_path, {"moved/.git": "gitdir: ../nowhere\n", "moved/code.txt": "ours\n"})
    git(tmp_path, "init", "--quiet", "--bare", "bare.git")
    for name, line in (
        ("moved", "nowhere; mend or remove .git there (git worktree repair)."),
        ("bare.git", "bare.git is a repository without a folder of files; use a clone of it."),
    ):
        before = contents(tmp_path)
        assert main(["adopt", str(tmp_path / name), "--template", str(toy), "--defaults"]) == 2
        said = capsys.readouterr().err
        assert said.endswith(f"{line}\n")
        assert said.count("\n") == 1
        assert contents(tmp_path) == before


def test_an_adoption_that_was_killed_is_finished_without_a_second_copy_of_a_file(
    toy: Path, tmp_path: Path, capsys: Capture
) -> None:
    folder = repository(tmp_path / "repo", PORTAL)
    adopt = ["adopt", str(folder), "--template", str(toy), "--defaults", "--at", "1.0.0"]
    assert main(adopt) == 0
    wanted = contents(folder)
    # The record comes last, so that it is what a killed run has not written.
    (folder / ".copier-answers.yml").unlink()
    (folder / "lines.txt").unlink()
    commit(folder, "half of a project")
    capsys.readouterr()
    assert main(adopt) == 0
    assert "2 added, 4 the same, 1 next to yours" in capsys.readouterr().out
    assert contents(folder) == wanted


@pytest.mark.nightly
def test_repositories_of_every_kind_are_adopted_and_updated(
    toy: Path, tmp_path: Path, capsys: Capture
) -> None:
    plain = repository(tmp_path / "plain", PORTAL)
    git(plain, "commit", "--quiet", "--allow-empty", "--message", "more")
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{plain}", "shallow")
    git(tmp_path, "clone", "--quiet", str(plain), "detached")
    git(tmp_path / "detached", "checkout", "--quiet", "--detach")
    git(tmp_path, "clone", "--quiet", "--separate-git-dir", str(tmp_path / "kept"), str(plain), "apart")
    git(plain, "worktree", "add", "--quiet", str(tmp_path / "worktree"))
    git(tmp_path, "init", "--quiet", "--object-format=sha256", "sha256")
    write(tmp_path / "sha256", PORTAL)
    commit(tmp_path / "sha256", "by the developer portal")
    for name in ("shallow", "detached", "apart", "worktree", "sha256"):
        folder = tmp_path / name
        assert main(["adopt", str(folder), "--template", str(toy), "--defaults", "--at", "1.0.0"]) == 0, name
        write(folder, {"lines.txt": LINES.replace("line 5\n", "line 5, ours\n")})
        commit(folder, "adopted and edited")
        assert main(["update", str(folder)]) == 3, name
        assert git(folder, "ls-files", "--unmerged").count("lines.txt") == 3, name
        assert {name: (folder / name).read_text() for name in PORTAL} == PORTAL, name
