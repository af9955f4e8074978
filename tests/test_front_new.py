"""`acceleray new` and `check`: strict answers, plain lines, and a whole project or nothing."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from acceleray.cli import main
from acceleray.source import address_of, installed_from, origin, recorded_form
from conftest import contents
from render import ROOT
from test_answers import REFUSED
from toy import commit, git, toy_template, write

# Answers that have to be refused, with a part of the one line that says why.
BAD: list[tuple[dict[str, Any], str]] = [
    ({"clod": "aws"}, "clod: there is no such question; did you mean cloud?"),
    ({"something_else": 1}, "something_else: there is no such question."),
    ({"_exclude": "*"}, "_exclude: there is no such question."),
    ({"name": "../../etc"}, "name: Use up to 20 letters."),
    ({"name": 'two "quotes"'}, "name: Use up to 20 letters."),
    ({"name": "select; drop"}, "name: Use up to 20 letters."),
    ({"name": "two\nlines"}, "name: Use up to 20 letters."),
    ({"name": "x" * 21}, "name: Use up to 20 letters."),
    ({"name": False}, "name: False is not text; put it in quotes."),
    ({"name": 12}, "name: 12 is not text; put it in quotes."),
    ({"name": None}, "name: None is not text; put it in quotes."),
    ({"name": ["First"]}, "name: ['First'] is not text; put it in quotes."),
    ({"size": "4"}, "size: '4' is not a whole number, without quotes."),
    ({"size": 4.5}, "size: 4.5 is not a whole number, without quotes."),
    ({"size": True}, "size: True is not a whole number, without quotes."),
    ({"size": 10}, "size: Use a whole number from 1 to 9."),
    ({"fast": "true"}, "fast: 'true' is not true or false, without quotes."),
    ({"cloud": "ibm"}, "cloud: 'ibm' is not offered; choose from aws, azure."),
    ({"parts": "alpha"}, "parts: 'alpha' is not a list of names."),
    ({"parts": [1]}, "parts: [1] is not a list of names."),
    ({"parts": ["delta"]}, "parts: 'delta' is not offered; choose from alpha, beta, gamma."),
    ({"parts": []}, "parts: Choose at least one."),
    ({"label": "../../evil"}, "label: it is computed from other answers and cannot be given."),
    ({"speed": "low"}, "speed: with the other answers it is not asked and has no effect."),
]


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_template(tmp_path_factory.mktemp("toy") / "template")


def data_file(folder: Path, answers: Any) -> Path:
    path = folder / "answers.yml"
    path.write_text(yaml.safe_dump(answers, allow_unicode=True), encoding="utf-8")
    return path


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


@pytest.mark.parametrize(("answers", "line"), BAD, ids=lambda value: str(value)[:40])
def test_a_bad_answer_is_one_plain_line_and_nothing_is_written(
    answers: dict[str, Any], line: str, toy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = data_file(tmp_path, answers)
    arguments = ["--template", str(toy), "--data-file", str(file)]
    assert main(["new", str(tmp_path / "deep/project"), "--defaults", *arguments]) == 2
    assert capsys.readouterr().err == f"{line}\n"
    assert main(["check", *arguments]) == 2
    assert capsys.readouterr().err == f"{line}\n"
    assert [path.name for path in tmp_path.iterdir()] == ["answers.yml"]


def test_everything_that_is_wrong_is_said_at_once(
    toy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = {
        "clod": "aws",
        "size": 0,
        "name": "-",
        "cloud": "ibm",
        "fast": 1,
        "parts": ["delta"],
        "label": "x",
    }
    assert main(["check", "--template", str(toy), "--data-file", str(data_file(tmp_path, answers))]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert sorted(line.split(":")[0] for line in lines) == sorted(answers)


@pytest.mark.parametrize(
    ("setting", "line"),
    [
        ("size", "--set size: write it as name=value."),
        ("sise=3", "sise: there is no such question; did you mean size?"),
        ("size=many", "size: 'many' is not a whole number."),
        ("fast=maybe", "fast: 'maybe' is not true or false."),
        ("cloud+=azure", "cloud: it takes one answer, so write cloud=azure."),
        ("parts-=alpha,beta", "parts: Choose at least one."),
        ("name=", "name: Use up to 20 letters."),
    ],
)
def test_a_bad_setting_is_one_plain_line(
    setting: str, line: str, toy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(tmp_path / "project"), "--template", str(toy), "--defaults"]
    assert main(["new", *arguments, "--set", "parts=alpha,beta", "--set", setting]) == 2
    assert capsys.readouterr().err == f"{line}\n"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("cloud: aws\ncloud: azure\n", "cloud: it is answered twice."),
        ("cloud: [aws\n", "it is not YAML in line 2"),
        ("- cloud\n", "write one `name: answer` a line."),
        ("cloud: \x00\n", "it is not YAML"),
    ],
)
def test_a_file_that_holds_no_answers_is_one_plain_line(
    text: str, line: str, toy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, {"answers.yml": text})
    assert main(["check", "--template", str(toy), "--data-file", str(tmp_path / "answers.yml")]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert line in said
    assert main(["check", "--template", str(toy), "--data-file", str(tmp_path / "none.yml")]) == 2
    assert "No such file" in capsys.readouterr().err


def test_the_record_of_one_project_can_be_the_answers_of_another(toy: Path, tmp_path: Path) -> None:
    arguments = ["--template", str(toy), "--defaults"]
    assert main(["new", str(tmp_path / "one"), *arguments, "--set", "name=One"]) == 0
    record = str(tmp_path / "one/.copier-answers.yml")
    assert main(["new", str(tmp_path / "two"), *arguments, "--data-file", record]) == 0
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


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


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let this process have a terminal; the keys come from elsewhere."""
    controller, device = os.openpty()
    with open(device) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield
        monkeypatch.undo()
    os.close(controller)


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
    assert said == "There is no terminal to ask at for name, fast, cloud, parts, extra; add --defaults.\n"


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
        (["--template", "no/such/folder"], "There is no template at no/such/folder."),
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
    assert "not committed are left out" in capsys.readouterr().err
    assert not (tmp_path / "project/draft.txt").exists()
    record = yaml.safe_load((tmp_path / "project/.copier-answers.yml").read_text())
    assert git(toy, "rev-parse", "HEAD").startswith(record["_commit"])


@pytest.mark.parametrize(("name", "answer"), REFUSED)
def test_the_front_end_refuses_what_the_questions_refuse_in_one_line(
    name: str, answer: Any, template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--template", str(template), "--data-file", str(data_file(tmp_path, {name: answer}))]
    assert main(["new", str(tmp_path / "project"), "--defaults", *arguments]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"{name}: ")
    assert said.count("\n") == 1
    assert not (tmp_path / "project").exists()


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "answers").glob("*.yml")))
def test_every_file_of_answers_in_this_repository_is_good(name: str, template: Path) -> None:
    assert main(["check", "--template", str(template), "--data-file", str(ROOT / f"answers/{name}.yml")]) == 0


@pytest.mark.parametrize("command", ["new", "check", "preview", "update"])
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
