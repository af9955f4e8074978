"""`acceleray new` and `check` judge answers strictly: one plain line each, and nothing is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from acceleray_cli.checks import NOTES, complete
from acceleray_cli.cli import main
from acceleray_cli.refusals import RefusedError
from conftest import contents, drawn_together
from render import ROOT
from test_answers import REFUSED, REFUSED_TOGETHER
from toy import data_file, write

# Another seed draws other answers for `make test`.
SEED, DRAWN = 20, 30
# Answers that have to be refused, with a part of the one line that says why.
BAD: list[tuple[dict[str, Any], str]] = [
    ({"clod": "aws"}, "clod: there is no such question; did you mean cloud?"),
    ({"something_else": 1}, "something_else: there is no such question; leave it out."),
    ({"_tasks": ["touch here"]}, "_tasks: there is no such question; leave it out."),
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
    ({"parts": "alpha"}, "parts: 'alpha' is not a list of names; write [one, another]."),
    ({"parts": [1]}, "parts: [1] is not a list of names; write [one, another]."),
    ({"parts": ["delta"]}, "parts: 'delta' is not offered; choose from alpha, beta, gamma."),
    ({"parts": []}, "parts: Choose at least one."),
    ({"label": "../../evil"}, "label: it is computed from other answers and cannot be given; leave it out."),
    ({"speed": "low"}, "speed: with the other answers it is not asked; leave it out."),
]


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
        ("cloud: aws\ncloud: azure\n", "cloud: it is answered twice; keep one of the lines."),
        ("cloud: [aws\n", "it is not YAML in line 2"),
        ("- cloud\n", "write one `name: answer` per line."),
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


# Copier itself is asked about as many, drawn in test_answers.py; the night takes all.
@pytest.mark.parametrize(("name", "answer"), drawn_together(REFUSED, SEED, DRAWN))
def test_the_front_end_refuses_what_the_questions_refuse_in_one_line(
    name: str, answer: Any, template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--template", str(template), "--data-file", str(data_file(tmp_path, {name: answer}))]
    assert main(["new", str(tmp_path / "project"), "--defaults", *arguments]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"{name}: ")
    assert said.count("\n") == 1
    assert not (tmp_path / "project").exists()


def test_what_the_template_computes_cannot_be_given(
    template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--template", str(template), "--data-file", str(data_file(tmp_path, {NOTES: "../../evil"}))]
    for command in (["check"], ["new", str(tmp_path / "project"), "--defaults"]):
        assert main([*command, *arguments]) == 2
        assert capsys.readouterr().err.startswith(f"{NOTES}: it is computed from other answers and cannot ")
    assert [path.name for path in tmp_path.iterdir()] == ["answers.yml"]


def test_a_recorded_answer_that_a_new_one_puts_out_of_question_is_left_out(asked: Path) -> None:
    recorded = {"data_source": "csv", "data_path": "closes.csv", "time_zone": "Europe/Zurich"}
    answers, _ = complete(asked, {"data_source": "sample", "schedule_cron": ""}, recorded)
    assert not {"data_path", "time_zone"} & set(answers)
    with pytest.raises(RefusedError, match=r"\Atime_zone: This has an effect only with a schedule"):
        complete(asked, {"schedule_cron": "", "time_zone": "Europe/Zurich"}, recorded)


@pytest.mark.parametrize(("answers", "line"), REFUSED_TOGETHER)
def test_the_front_end_refuses_machines_that_cannot_be_in_one_line(
    answers: dict[str, Any], line: str, template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--template", str(template), "--data-file", str(data_file(tmp_path, answers))]
    assert main(["new", str(tmp_path / "project"), "--defaults", *arguments]) == 2
    said = capsys.readouterr().err
    assert (said.count("\n"), line in said) == (1, True), said
    assert not (tmp_path / "project").exists()


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "answers").glob("*.yml")))
def test_every_file_of_answers_in_this_repository_is_good(name: str, template: Path) -> None:
    assert main(["check", "--template", str(template), "--data-file", str(ROOT / f"answers/{name}.yml")]) == 0
