"""The front end on the real template: quick, previewed, and the same as Copier alone."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from copier import Settings, run_copy, run_update
from jinja2 import Environment
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output.plain_text import PlainTextOutput

import answers_page
from acceleray_cli import quick
from acceleray_cli.cli import main
from conftest import contents
from render import ROOT, copy_template
from test_answers import questions
from toy import commit, git, write


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template as it stands, in a repository with one release."""
    folder = copy_template(tmp_path_factory.mktemp("released") / "template")
    # What the front end leaves out of its copy is the one folder of this name at the top.
    write(folder, {"reference/left.txt": "out\n", "template/docs/reference/kept.txt": "in\n"})
    git(folder, "init", "--quiet")
    commit(folder, "released")
    git(folder, "tag", "0.1.0")
    return folder


def test_a_text_is_compiled_once_for_all_renders_and_a_plain_name_never(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick.compiled_texts.cache_clear()
    compile, compiled = Environment.compile, Counter[Any]()

    def counted(environment: Environment, source: Any, *others: Any, **named: Any) -> Any:
        compiled[source] += isinstance(source, str)
        return compile(environment, source, *others, **named)

    monkeypatch.setattr(Environment, "compile", counted)
    for name in ("one", "two"):
        assert main(["new", str(tmp_path / name), "--template", str(template), "--defaults"]) == 0
    names = {part for path in contents(tmp_path / "one") for part in Path(path).parts}
    # Some names are defaults of questions as well.
    assert len(names - compiled.keys()) > 300
    assert {"src", "tests", "engine"} <= names - compiled.keys()
    assert len(compiled) > 20
    assert {source for source in compiled if compiled[source] > 1} == set()


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("advanced", [True, pytest.param(False, marks=pytest.mark.nightly)])
def test_enter_works_at_every_question_and_the_advanced_ones_are_put_only_after_a_yes(
    advanced: bool, template: Path, tmp_path: Path
) -> None:
    names = list(questions())
    enter, screen = "\r", io.StringIO()
    with create_pipe_input() as keys, create_app_session(input=keys, output=PlainTextOutput(screen)):
        # A yes is taken without Enter; the question about a licence's holder does not arise.
        before = enter * (names.index("advanced") - 1)
        keys.send_text(before + ("y" if advanced else enter) + enter * len(names))
        assert main(["new", str(tmp_path / "asked"), "--template", str(template)]) == 0
    arguments = ["--template", str(template), "--defaults", "--set", f"advanced={advanced}"]
    assert main(["new", str(tmp_path / "defaults"), *arguments]) == 0
    assert contents(tmp_path / "asked") == contents(tmp_path / "defaults")
    shown = {title for title in answers_page.groups() if f"{title} (" in screen.getvalue()}
    # Every question about permissions is an advanced one.
    assert set(answers_page.groups()) - shown == (set() if advanced else {"Permissions"})


def test_git_is_not_started_for_each_file(template: Path, tmp_path: Path) -> None:
    git_there, calls = shutil.which("git"), tmp_path / "calls"
    write(tmp_path, {"bin/git": f'#!/bin/sh\necho "$@" >> "{calls}"\nexec "{git_there}" "$@"\n'})
    (tmp_path / "bin/git").chmod(0o755)
    command = [sys.executable, "-m", "acceleray_cli", "new", str(tmp_path / "project"), "--defaults"]
    path = {"PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT / "src")}
    subprocess.run([*command, "--template", str(template)], env=os.environ | path, check=True)
    assert len(contents(tmp_path / "project")) > 300
    assert 0 < len(calls.read_text(encoding="utf-8").splitlines()) < 20


@pytest.mark.nightly
def test_copier_alone_gives_the_same_project_and_asks_for_no_trust(released: Path, tmp_path: Path) -> None:
    assert main(["new", str(tmp_path / "ours"), "--template", str(released), "--defaults"]) == 0
    run_copy(str(released), tmp_path / "theirs", defaults=True, quiet=True, settings=Settings())
    assert contents(tmp_path / "ours") == contents(tmp_path / "theirs")
    assert (tmp_path / "ours/docs/reference/kept.txt").exists()
    git(tmp_path / "ours", "init", "--quiet")
    commit(tmp_path / "ours", "generated")
    run_update(
        tmp_path / "ours",
        data={"catalog_dev": "risk_dev"},
        defaults=True,
        overwrite=True,
        quiet=True,
        settings=Settings(),
    )
    assert "risk_dev" in (tmp_path / "ours/databricks.yml").read_text(encoding="utf-8")


@pytest.mark.nightly
def test_what_an_answer_brings_along_is_said_in_one_line_by_every_command(
    released: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = (
        "batch_inference brings distributed_training along:"
        " it scores with a champion, and nothing else that was chosen trains one.\n"
    )
    project, one = str(tmp_path / "project"), ["--set", "workloads=batch_inference"]
    assert main(["new", project, "--template", str(released), "--defaults", *one]) == 0
    assert capsys.readouterr().err == line
    git(tmp_path / "project", "init", "--quiet")
    commit(tmp_path / "project", "generated")
    for command in (["check", project], ["preview", project, "--to", "current", "--set", "cloud=gcp"]):
        assert main(command) == 0
        assert capsys.readouterr().err == line
    assert main(["update", project, "--to", "current", "--set", "workloads+=end_to_end_pipeline"]) == 0
    assert capsys.readouterr().err == ""
    assert not (tmp_path / "project/notebooks/02_distributed_training.py").exists()
    run_copy(str(released), tmp_path / "plain", {"workloads": ["batch_inference"]}, defaults=True)
    assert capsys.readouterr().err.endswith(f"\n{line}\n")


def test_removing_a_workload_whose_notebook_was_edited_is_seen_before_it_happens(
    released: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = tmp_path / "my project"
    workloads = "workloads=risk_stress_testing,portfolio_model_calibration"
    assert main(["new", str(project), "--template", str(released), "--defaults", "--set", workloads]) == 0
    git(project, "init", "--quiet")
    commit(project, "generated")
    notebook = next((project / "notebooks").glob("*_risk_stress_testing.py"))
    notebook.write_text(notebook.read_text(encoding="utf-8") + "\n# ours\n", encoding="utf-8")
    commit(project, "edited")
    changes = [
        "--to",
        "current",
        "--set",
        "workloads-=risk_stress_testing",
        "--set",
        "workloads+=distributed_training",
    ]
    capsys.readouterr()
    assert main(["preview", str(project), *changes, "--set", "cloud=azure"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"edited and about to be deleted: notebooks/{notebook.name}"
    assert "added: src/portfolio/workloads/distributed_training.py" in lines
    assert "deleted: src/portfolio/workloads/risk_stress_testing.py" in lines
    assert "updated: databricks.yml" in lines
    assert lines[-1] == "acceleray update would refuse, because edits of 1 file would be lost."
