"""The front end on the machines of others: their Git, their hooks, their repositories, their passwords."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from plumbum import local

from acceleray_cli import rehearsal
from acceleray_cli.cli import main
from acceleray_cli.rehearsal import contents
from conftest import NewProject
from toy import LINES, commit, git, listed, recorded, state, toy_template

Capture = pytest.CaptureFixture[str]
# What people have in ~/.gitconfig, and how Git is told by an environment.
HABITS = {
    "apply.whitespace": "error",
    "apply.ignoreWhitespace": "change",
    "diff.noprefix": "true",
    "diff.external": "false",
    "status.showUntrackedFiles": "no",
    "merge.conflictStyle": "diff3",
    "core.attributesFile": "attributes",
    "commit.gpgSign": "true",
    "transfer.credentialsInUrl": "die",
}
OURS = LINES.replace("line 15\n", "line 15, ours  \n\tand more \t\n")


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the configuration of a user who has only this one."""
    config = tmp_path / "gitconfig"
    config.touch()
    given = {"GIT_CONFIG_GLOBAL": str(config), "GIT_CONFIG_NOSYSTEM": "1"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    # Copier has a copy of the environment.
    with local.env(**given):
        yield config


def configure(file: Path, **settings: str) -> None:
    for name, value in settings.items():
        git(file.parent, "config", "--file", str(file), name.replace("_", ".", 1), value)


@pytest.mark.parametrize(
    ("whitespace", "where"), [("fix", "global"), ("error", "global"), ("error", "local")]
)
def test_blanks_at_the_ends_of_lines_outlive_an_update_whatever_git_apply_is_told(
    whitespace: str, where: str, user: Path, new_project: NewProject, capsys: Capture
) -> None:
    readme = "# First (first)\n\naws, 2 machines\nOur desk:  \nfirst floor  \nask for Kim\n"
    project = new_project({"lines.txt": OURS, "README.md": readme})
    configure(user if where == "global" else project / ".git/config", apply_whitespace=whitespace)
    capsys.readouterr()
    assert main(["update", str(project)]) == 0
    assert "1 merged" in capsys.readouterr().out
    assert (project / "README.md").read_bytes() == readme.encode()
    assert (project / "lines.txt").read_bytes() == OURS.replace("line 5\n", "line five\n").encode()


def test_an_update_gives_the_same_bytes_under_every_configuration(
    user: Path, new_project: NewProject, tmp_path: Path
) -> None:
    edits = {"lines.txt": OURS.replace("line 5\n", "line 5, ours\n"), "README.md": "# Ours  \n"}
    plain, other = new_project(edits, folder="plain"), new_project(edits, folder="other")
    assert main(["update", str(plain)]) == 3
    (tmp_path / "attributes").write_text("* -diff text eol=crlf merge=binary\n")
    for name, value in HABITS.items():
        value = str(tmp_path / value) if name == "core.attributesFile" else value
        git(tmp_path, "config", "--file", str(user), name, value)
        git(other, "config", name, value)
    (other / ".git/info").mkdir(exist_ok=True)
    (other / ".git/info/attributes").write_text("* -diff merge=binary whitespace=-blank-at-eol\n")
    assert main(["update", str(other)]) == 3
    assert contents(other) == contents(plain)


def test_lines_that_a_merge_would_lose_stop_the_update_and_are_named(
    new_project: NewProject, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = new_project({"lines.txt": OURS, "README.md": "# First (first)\n"})
    before = state(project)

    def losing(folder: Path, version: str, given: Mapping[str, Any]) -> None:
        merge(folder, version, given)
        for name in ("lines.txt", "README.md"):
            text = LINES if name == "lines.txt" else "# First (first)\n\naws, 2 machines\n"
            (folder / name).write_text(text)

    merge = rehearsal.apply
    monkeypatch.setattr(rehearsal, "apply", losing)
    for command in ("preview", "update"):
        capsys.readouterr()
        assert main([command, str(project)]) == 2
        said = capsys.readouterr().err
        assert "README.md would restore lines that you deleted, so nothing was changed" in said
        assert "lines.txt would lose 2 lines of yours, first 'line 15, ours '" in said
    assert state(project) == before


@pytest.mark.parametrize("where", ["global", "template", "repository"])
def test_hooks_of_a_company_have_no_say_in_preview_and_update(
    where: str, user: Path, new_project: NewProject, tmp_path: Path, capsys: Capture
) -> None:
    project = new_project({"lines.txt": OURS})
    hooks = project / ".git/hooks" if where == "repository" else tmp_path / "company/hooks"
    hooks.mkdir(parents=True, exist_ok=True)
    for hook in ("pre-commit", "commit-msg", "prepare-commit-msg", "post-checkout", "post-index-change"):
        (hooks / hook).write_text(f"#!/bin/sh\ntouch '{tmp_path}/ran'\necho 'a ticket first' >&2\nexit 1\n")
        (hooks / hook).chmod(0o755)
    if where == "template":
        configure(user, init_templateDir=str(hooks.parent))
    elif where == "global":
        configure(user, core_hooksPath=str(hooks))
    capsys.readouterr()
    assert main(["preview", str(project)]) == 0
    assert "merged: lines.txt" in listed(capsys)
    assert main(["update", str(project)]) == 0
    assert recorded(project)["_commit"] == "1.1.0"
    assert not (tmp_path / "ran").exists()


@pytest.mark.usefixtures("user")
def test_a_repository_of_somebody_else_is_said_with_the_command_that_trusts_it(
    new_project: NewProject, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = new_project()
    # Git's own way to test what else takes another user.
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    for command in ("check", "preview", "update"):
        capsys.readouterr()
        assert main([command, str(project)]) == 2
        said = capsys.readouterr().err
        assert said.count("\n") == 1
        assert f"run git config --global --add safe.directory '{project}'\n" in said
    before = contents(tmp_path)
    assert main(["new", str(tmp_path / "second"), "--defaults", "--template", str(project)]) == 2
    assert f"{project} belongs to another user" in capsys.readouterr().err
    assert contents(tmp_path) == before


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
def test_what_is_trusted_is_read_and_a_new_project_records_its_version(
    user: Path, tmp_path: Path, capsys: Capture
) -> None:
    toy, project = toy_template(tmp_path / "toy"), tmp_path / "project"
    for path in (toy, *toy.rglob("*")):
        os.chown(path, 12345, 12345)
    command = ["new", str(project), "--defaults", "--template", str(toy)]
    assert main(command) == 2
    advice = capsys.readouterr().err.strip().partition("; if you trust it, run ")[2]
    subprocess.run(shlex.split(advice), check=True)
    assert main(command) == 0, capsys.readouterr().err
    assert recorded(project)["_commit"] == "1.1.0"


def test_a_password_in_an_address_is_neither_written_nor_printed(
    user: Path, toy: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, clean = "S3CRET-0000", "https://git.example.com/risk/acceleray.git"
    address = f"https://kim:{secret}@git.example.com/risk/acceleray.git"
    project, cache = tmp_path / "project", tmp_path / "cache"
    git(tmp_path, "config", "--file", str(user), f"url.file://{toy}.insteadOf", address)
    arguments, said = ["--template", address, "--at"], ""
    with local.env(COPIER_CACHE_DIR=str(cache)):
        monkeypatch.setenv("COPIER_CACHE_DIR", str(cache))
        assert main(["new", str(project), "--defaults", *arguments, "1.0.0"]) == 0
        assert recorded(project)["_src_path"] == clean
        assert any(cache.iterdir())
        assert main(["check", "--data-file", "/dev/null", *arguments, "9.9.9"]) == 2
        assert (
            main(
                [
                    "new",
                    str(tmp_path / "no"),
                    "--defaults",
                    "--template",
                    f"https://kim:{secret}@localhost:1/no",
                ]
            )
            == 2
        )
        with pytest.raises(SystemExit):
            main(["update", "--template", address])
        # Projects that were made before have it in their record: an update takes it out.
        record = project / ".copier-answers.yml"
        record.write_text(record.read_text(encoding="utf-8").replace(clean, address), encoding="utf-8")
        git(project, "init", "--quiet")
        commit(project, "generated long ago")
        assert main(["check", str(project)]) == 4
        assert main(["preview", str(project)]) == 0
        assert main(["update", str(project)]) == 0
    assert (recorded(project)["_src_path"], recorded(project)["_commit"]) == (clean, "1.1.0")
    said = "".join(capsys.readouterr())
    assert "git help credentials" in said
    assert "the next update takes it out of the file" in said
    assert secret not in said
    texts = {**contents(project), **contents(cache)} | {"config": (project / ".git/config").read_bytes()}
    assert not [name for name, text in texts.items() if secret.encode() in text]
