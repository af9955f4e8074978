"""An update that is killed while it writes loses nothing, and the next one does all of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from acceleray_cli import files, rehearsal
from acceleray_cli.cli import main
from acceleray_cli.files import WRITING, File
from acceleray_cli.interruption import JOURNAL
from acceleray_cli.rehearsal import contents
from conftest import NewProject
from toy import LINES, commit, git, state, write

Capture = pytest.CaptureFixture[str]
EDITS = {"lines.txt": LINES.replace("line 5\n", "line 5, ours\n"), "own.txt": "ours\n"}
killing = pytest.mark.skipif(not hasattr(os, "fork"), reason="a copy of this process is killed")


def killed(project: Path, monkeypatch: pytest.MonkeyPatch, when: Callable[[File, Path], bool]) -> None:
    """Update a project in a copy of this process, which dies at the first file of which `when` is true."""
    plain = File.write

    def write_or_die(file: File, path: Path) -> None:
        if path.is_relative_to(project) and when(file, path):
            os._exit(9)
        plain(file, path)

    with monkeypatch.context() as patched:
        patched.setattr(files.File, "write", write_or_die)
        child = os.fork()
        if not child:
            main(["update", str(project)])
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


@killing
@pytest.mark.parametrize("last", ["fresh.txt", "lines.txt", ".copier-answers.yml"])
def test_the_next_update_takes_back_what_a_killed_one_wrote_and_does_it(
    last: str, new_project: NewProject, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    whole, project = new_project(EDITS, folder="whole"), new_project(EDITS)
    assert main(["update", str(whole)]) == 3
    killed(project, monkeypatch, lambda _, path: path.name == last)
    (project / "parts" / WRITING).write_text("half of a fi")
    half = state(project)
    assert main(["preview", str(project)]) == 2
    assert "was killed; acceleray update takes it back first" in capsys.readouterr().err
    assert state(project) == half
    assert main(["update", str(project)]) == 3
    said = capsys.readouterr().err
    assert "An update was killed here; " in said
    assert contents(project) == contents(whole)
    assert git(project, "status", "--porcelain") == git(whole, "status", "--porcelain")
    assert not (project / ".git" / JOURNAL).exists()


@killing
def test_what_somebody_made_of_a_killed_update_stays(
    new_project: NewProject, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    project = new_project()
    killed(project, monkeypatch, lambda _, path: path.name == ".copier-answers.yml")
    write(project, {"lines.txt": "mine now\n"})
    half = contents(project)
    assert main(["update", str(project)]) == 2
    assert "not committed; commit or stash first" in capsys.readouterr().err
    assert contents(project) == half
    commit(project, "half of an update, and mine")
    assert main(["update", str(project)]) in (0, 3)
    assert "mine now" in (project / "lines.txt").read_text()


def test_a_full_disk_leaves_every_file_whole(
    new_project: NewProject, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    project = new_project(EDITS)
    before, plain = state(project), Path.write_bytes

    def full(path: Path, content: bytes) -> int:
        if path.is_relative_to(project) and len(content) > 60:
            plain(path, content[:10])
            raise OSError(28, "No space left on device")
        return plain(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    assert main(["update", str(project)]) == 2
    assert "No space left on device" in capsys.readouterr().err
    assert state(project) == before
    monkeypatch.undo()
    assert main(["update", str(project)]) == 3
    assert "killed" not in capsys.readouterr().err


def test_two_updates_at_once_do_not_take_each_other_back(
    new_project: NewProject, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    project, codes = new_project(), list[int]()
    plain = rehearsal.carry

    def meanwhile(*arguments: object, **named: object) -> None:
        if not codes:
            codes.append(main(["update", str(project)]))
        plain(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(rehearsal, "carry", meanwhile)
    assert main(["update", str(project)]) == 0
    assert codes == [2]
    assert f"An update is at work in {project}; wait until it ends." in capsys.readouterr().err
