"""`acceleray new`: a whole project or nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from acceleray_cli.cli import main
from acceleray_cli.source import address_of, installed_from, origin, recorded_form
from conftest import contents
from render import ROOT
from toy import commit, data_file, git, toy_template, write


def test_a_new_project_records_the_newest_release_and_every_answer(toy: Path, tmp_path: Path) -> None:
    project = tmp_path / "risk team/ein Projekt ü"
    answers = data_file(tmp_path, {"cloud": "azure", "fast": True, "speed": "low"})
    settings = ["--set", "size=3", "--set", "parts=gamma"]
    arguments = [str(project), "--template", str(toy), "--defaults", "--data-file", str(answers)]
    assert main(["new", *arguments, *settings]) == 0
    record = yaml.safe_load((project / ".copier-answers.yml").read_text(encoding="utf-8"))
    assert (record["_commit"], record["_src_path"]) == ("1.1.0", str(toy))
    assert (record["cloud"], record["speed"], record["size"], record["parts"]) == (
        "azure",
        "low",
        3,
        ["gamma"],
    )
    assert "label" not in record
    assert (project / "README.md").read_text() == "# First (first)\n\nazure, 3 machines\n"
    assert not (project / "parts/alpha.txt").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["answers.yml", "risk team"]


def test_a_folder_with_files_is_refused_and_stays_as_it_is(
    toy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, {"project/thesis.txt": "ten years of work\n"})
    for folder in ("project", "project/thesis.txt"):
        assert main(["new", str(tmp_path / folder), "--template", str(toy), "--defaults"]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert contents(tmp_path) == {"project/thesis.txt": b"ten years of work\n"}


def test_a_new_repository_without_files_is_a_free_folder(toy: Path, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    assert main(["new", str(tmp_path), "--template", str(toy), "--defaults"]) == 0
    assert (tmp_path / "README.md").exists()
    assert (tmp_path / ".git").is_dir()


def test_a_template_that_cannot_be_rendered_leaves_no_half_made_folder(
    toy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken"
    git(tmp_path, "clone", "--quiet", str(toy), str(broken))
    write(broken, {"template/z.txt.jinja": "{{ no_such_answer }}\n"})
    commit(broken, "broken")
    place = tmp_path / "place"
    place.mkdir()
    assert main(["new", str(place / "project"), "--template", str(broken), "--at", "HEAD", "--defaults"]) == 2
    said = capsys.readouterr().err
    assert "no_such_answer" in said
    assert said.count("\n") == 1
    assert not list(place.iterdir())


def test_what_a_killed_run_left_goes_with_the_next_and_what_others_hold_stays(
    toy: Path, tmp_path: Path
) -> None:
    write(tmp_path, {".acceleray-mine/notes.txt": "not of a run\n"})
    growing = (
        "import sys, pathlib, time; from acceleray_cli.scratch import beside\n"
        "with beside(pathlib.Path(sys.argv[1])) as scratch:\n"
        "    (scratch / 'half').touch(); print(scratch.name, flush=True); time.sleep(3600)\n"
    )
    command = [sys.executable, "-c", growing, str(tmp_path)]
    here = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    runs = [subprocess.Popen(command, env=here, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    try:
        killed, alive = (str(run.stdout and run.stdout.readline()).strip() for run in runs)
        runs[0].kill()
        runs[0].wait()
        assert (tmp_path / killed / "half").exists()
        assert main(["new", str(tmp_path / "project"), "--template", str(toy), "--defaults"]) == 0
        there = {path.name for path in tmp_path.iterdir()}
        assert there == {".acceleray-mine", alive, "project"}
        assert (tmp_path / alive / "half").exists()
    finally:
        for run in runs:
            run.kill()
            run.communicate()


@pytest.mark.usefixtures("terminal")
def test_enter_works_at_every_question(toy: Path, tmp_path: Path) -> None:
    with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
        keys.send_text("\r" * 10)
        assert main(["new", str(tmp_path / "asked"), "--template", str(toy), "--set", "size=3"]) == 0
    arguments = ["--template", str(toy), "--defaults", "--set", "size=3"]
    assert main(["new", str(tmp_path / "defaults"), *arguments]) == 0
    assert contents(tmp_path / "asked") == contents(tmp_path / "defaults")


def test_without_a_terminal_a_question_is_one_plain_line(
    toy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with open(os.devnull) as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        arguments = [str(tmp_path / "project"), "--template", str(toy), "--set", "size=3"]
        assert main(["new", *arguments]) == 2
        monkeypatch.undo()
    said = capsys.readouterr().err
    assert said == "There is no terminal to ask for name, fast, cloud, parts, extra; add --defaults.\n"


@pytest.mark.usefixtures("terminal")
def test_stopping_at_a_question_writes_nothing(
    toy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
        keys.send_text("\r\x03")
        assert main(["new", str(tmp_path / "asked"), "--template", str(toy)]) == 130
    assert not list(tmp_path.iterdir())
    assert capsys.readouterr().err == "Stopped.\n"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--at", "1.0.1"], "has no version '1.0.1'; did you mean 1.0.0?"),
        (["--at=--upload-pack=true"], "has no version '--upload-pack=true'; its newest is 1.1.0."),
        (["--att", "1.0.0"], "unrecognized arguments: --att 1.0.0; see acceleray --help"),
        (["--template", "no/such/folder"], "There is no template at no/such/folder; name a folder"),
    ],
)
def test_a_template_or_version_that_does_not_exist_is_one_plain_line(
    arguments: list[str], line: str, toy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = main(["new", str(tmp_path / "project"), "--defaults", "--template", str(toy), *arguments])
    except SystemExit as ended:
        code = int(str(ended.code))
    assert code == 2
    said = capsys.readouterr().err
    assert line in said
    assert said.count("\n") == 1


def test_changes_of_the_template_that_nobody_committed_are_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    toy = toy_template(tmp_path / "toy")
    for tag in git(toy, "tag").split():
        git(toy, "tag", "--delete", tag)
    write(toy, {"template/draft.txt": "not committed\n"})
    assert main(["new", str(tmp_path / "project"), "--template", str(toy), "--defaults"]) == 0
    assert "Uncommitted changes of the template are ignored" in capsys.readouterr().err
    assert not (tmp_path / "project/draft.txt").exists()
    record = yaml.safe_load((tmp_path / "project/.copier-answers.yml").read_text())
    assert git(toy, "rev-parse", "HEAD").startswith(record["_commit"])


@pytest.mark.parametrize("command", ["new", "adopt", "check", "preview", "update", "doctor"])
def test_help_has_examples_for_each_command(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([command, "--help"])
    assert f"examples:\n  acceleray {command}" in capsys.readouterr().out


def test_the_front_end_of_a_clone_takes_the_clone_for_its_template() -> None:
    assert origin() == (str(ROOT), None)


def test_an_installed_front_end_knows_the_repository_it_was_installed_from() -> None:
    branch = (
        '{"url": "https://git.example.com/a/b", "vcs_info": {"vcs": "git", "requested_revision": "1.0.0"}}'
    )
    assert installed_from(branch) == ("git+https://git.example.com/a/b", "1.0.0")
    assert installed_from('{"url": "file:///a/my%20clone", "dir_info": {}}') == ("/a/my clone", None)
    assert installed_from('{"url": "file:///a/b.whl", "archive_info": {}}') is None
    assert address_of(recorded_form("ssh://git@git.example.com/a/b")) == "ssh://git@git.example.com/a/b"
    assert address_of(recorded_form("gh:a/b")) == "https://github.com/a/b.git"
