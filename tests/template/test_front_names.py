"""Time zones that do not exist and schedules that never come are refused, which no pattern could."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from acceleray_cli.cli import main
from acceleray_cli.quartz import problem
from toy import data_file, recorded, toy_template, write

NEVER: list[tuple[str, Any, str]] = [
    ("time_zone", "Europe/Zurch", "'Europe/Zurch' is not in the tz database; did you mean Europe/Zurich?"),
    ("time_zone", "Mars/Olympus_Mons", "'Mars/Olympus_Mons' is not in the tz database"),
    ("schedule_cron", "0 0 6 30 2 ?", "there is no such day."),
    ("schedule_cron", "0 0 6 31 APR,JUN ?", "there is no such day."),
    ("schedule_cron", "0 0 6 ? * MON 2031-2030", "years 2031-2030 run backwards."),
]


@pytest.mark.parametrize(("name", "answer", "line"), NEVER)
def test_what_does_not_exist_is_refused_in_one_line_and_nothing_is_written(
    name: str, answer: str, line: str, template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--template", str(template), "--data-file", str(data_file(tmp_path, {name: answer}))]
    for command in (["check"], ["new", str(tmp_path / "project"), "--defaults"]):
        assert main([*command, *arguments]) == 2
        said = capsys.readouterr().err
        assert said.startswith(f"{name}: ")
        assert line in said
        assert said.count("\n") == 1
    assert not (tmp_path / "project").exists()


@pytest.mark.parametrize(
    "expression",
    [
        "0 0 6 ? * MON-FRI",
        "0 0/15 22-2 ? * FRI-MON",
        "0 0 6 29 FEB ? 2028",
        "0 5,35 6 1/5 JAN-MAR ?",
        "0 0 6 L-3 * ?",
        "0 0 6 LW * ?",
        "0 0 6 15W * ?",
        "0 0 6 ? * 6L",
        "0 0 6 ? * FRI#2",
    ],
)
def test_schedules_that_quartz_documents_are_good(expression: str, template: Path, tmp_path: Path) -> None:
    answers = data_file(tmp_path, {"schedule_cron": expression})
    assert main(["check", "--template", str(template), "--data-file", str(answers)]) == 0


@pytest.mark.parametrize(
    ("expression", "wrong"),
    [
        ("0 99 6 ? * MON", "minute '99' is not 0 to 59"),
        ("0 0 99 ? * MON", "hour '99' is not 0 to 23"),
        ("0 0/70 6 ? * MON", "step '70' of minute is not 1 to 59"),
        ("0 0 6 32 * ?", "day '32' is not 1 to 31"),
        ("0 0 6 L-31 * ?", "day 'L-31' is not L-0 to L-30"),
        ("0 0 6 ? 13 MON", "month '13' is not 1 to 12 or JAN to DEC"),
        ("0 0 6 ? * FRI#6", "weekday 'FRI#6' is not one of the first to the fifth"),
        ("0 0 6 29 2 ? 2027", "there is no such day"),
        ("0 0 6 1 * MON", "one of its two days, and only one, has to be ?"),
        ("0 6 * * 1", "it has 5 fields instead of six or seven"),
    ],
)
def test_what_is_wrong_with_a_schedule_is_said(expression: str, wrong: str) -> None:
    assert problem(expression) == wrong


@pytest.mark.usefixtures("terminal")
def test_who_types_a_time_zone_that_does_not_exist_is_asked_again_and_for_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    toy = toy_template(tmp_path / "toy")
    write(toy, {"copier.yml": (toy / "copier.yml").read_text() + "time_zone:\n  type: str\n  default: UTC\n"})
    # Not a repository: the question above is not released.
    (toy / ".git").rename(tmp_path / "history")
    with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
        keys.send_text(
            " Second\r" + "\r" * 4 + "\x7f" * 3 + "Europe/Zurch\r" + "\x7f" * 3 + "Europe/Zurich\r"
        )
        assert main(["new", str(tmp_path / "project"), "--template", str(toy), "--set", "size=3"]) == 0
    answers = recorded(tmp_path / "project")
    assert answers["name"] == "First Second"
    assert answers["time_zone"] == "Europe/Zurich"
    assert "'Europe/Zurch' is not in the tz database" in capsys.readouterr().err
