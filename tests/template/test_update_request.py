"""The weekly job of each provider: a branch with the update, and the preview as the text of its request."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import NewProject
from render import ROOT
from toy import LINES, git

SCRIPT = ROOT / "template/engine/scripts/update.sh"


@pytest.fixture
def project(new_project: NewProject, tmp_path: Path) -> Path:
    made = new_project({"lines.txt": LINES.replace("line 15\n", "line 15, ours\n")})
    git(tmp_path, "init", "--quiet", "--bare", "origin.git")
    git(made, "remote", "add", "origin", str(tmp_path / "origin.git"))
    return made


def requested(project: Path, text: Path) -> subprocess.CompletedProcess[str]:
    # The script takes words, and the place of Python may have a space in it.
    front_end = text.with_name("acceleray")
    front_end.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m acceleray_cli "$@"\n')
    front_end.chmod(0o755)
    environment = os.environ | {"ACCELERAY": str(front_end), "PYTHONPATH": str(ROOT / "src")}
    command = ["sh", str(SCRIPT), str(text)]
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)


def test_an_update_is_a_branch_whose_text_is_the_preview_and_is_asked_for_once(
    project: Path, tmp_path: Path
) -> None:
    text, before = tmp_path / "text.md", git(project, "rev-parse", "HEAD").strip()
    done = requested(project, text)
    assert (done.returncode, done.stdout) == (0, "acceleray-update-1.1.0\n"), done.stderr
    said = text.read_text(encoding="utf-8")
    assert "merged: lines.txt\n" in said
    assert "To version 1.1.0: 1 merged" in said
    assert git(project, "log", "--format=%s", f"{before}..acceleray-update-1.1.0").splitlines() == [
        "Update to version 1.1.0 of the template"
    ]
    assert not git(project, "status", "--porcelain")
    again = requested(project, text)
    assert (again.returncode, again.stdout) == (0, "")
    git(project, "push", "--quiet", "origin", "acceleray-update-1.1.0")
    git(project, "checkout", "--quiet", before)
    third = requested(project, text)
    assert (third.returncode, third.stdout) == (0, "")
    assert "is there already" in third.stderr


def test_edits_that_would_be_lost_end_the_job_and_nothing_is_committed(project: Path, tmp_path: Path) -> None:
    (project / "gone.txt").write_text("gone\nbut dear to us\n")
    git(project, "commit", "--quiet", "--all", "--message", "dear")
    done = requested(project, tmp_path / "text.md")
    assert (done.returncode, done.stdout) == (1, "")
    assert "edits of 1 file would be lost" in done.stderr
    assert not git(project, "status", "--porcelain")


def test_a_place_that_no_other_machine_reaches_is_named(project: Path, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "ACCELERAY"}
    command = ["sh", str(SCRIPT), str(tmp_path / "text.md")]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)
    assert done.returncode == 2
    assert "which is no address; set ACCELERAY" in done.stderr
