"""What a customer receives is complete, parseable and free of the template's own traces."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from copier.errors import CopierError
from jinja2 import UndefinedError

from acceleray_cli import quick
from conftest import Answers, answers_of, contents
from render import CACHES, KEPT, ROOT, render, replace

ANSWER_FILES = sorted(path.stem for path in (ROOT / "answers").glob("*.yml"))
EXPECTED = {
    ".copier-answers.yml",
    ".gitignore",
    "Makefile",
    "README.md",
    "conf/base.yml",
    "databricks.yml",
    "docs/runbook.md",
    "libraries/requirements.txt",
    "engine/libraries/cpu.txt",
    "engine/requirements.lock",
    "pyproject.toml",
    "requirements.lock",
    "resources/end_to_end_pipeline.job.yml",
    "engine/acceleray/settings/sections.py",
}


def test_pressing_enter_at_every_question_gives_a_whole_project(defaults: Path) -> None:
    assert set(contents(defaults)) >= EXPECTED


@pytest.mark.parametrize("name", ANSWER_FILES)
def test_every_generated_file_parses(name: str, rendered: Callable[[Answers], Path]) -> None:
    from_jinja = {
        path.relative_to(ROOT / "template").as_posix() for path in (ROOT / "template").rglob("*.jinja")
    }
    for path, content in contents(rendered(answers_of(name))).items():
        text = content.decode("utf-8")
        if path.endswith((".yml", ".yaml")):
            assert isinstance(yaml.safe_load(text), dict), path
        elif path.endswith(".toml"):
            assert tomllib.loads(text), path
        elif path.endswith(".py"):
            ast.parse(text, path)
        elif path.endswith(".json"):
            json.loads(text)
        assert not path.endswith(".jinja")
        if f"{path}.jinja" in from_jinja:
            assert not re.search(r"\{[{%#]", text), f"{path} still has template syntax"


def test_customer_names_survive_in_every_format(rendered: Callable[[Answers], Path]) -> None:
    project = rendered({"customer_name": "Müller & Söhne, d'Été 年金 #1: 50%"})
    for path in ("conf/base.yml", "pyproject.toml", "README.md", ".copier-answers.yml"):
        assert "Müller & Söhne, d'Été 年金 #1: 50%" in (project / path).read_text(encoding="utf-8").replace(
            "''", "'"
        )
    conf = yaml.safe_load((project / "conf/base.yml").read_text(encoding="utf-8"))
    assert conf["project"]["customer"] == "Müller & Söhne, d'Été 年金 #1: 50%"


def test_a_name_that_the_template_does_not_know_stops_the_render(template: Path, tmp_path: Path) -> None:
    (template / "template/unknown.md.jinja").write_text("{{ no_such_answer }}")
    try:
        with pytest.raises((UndefinedError, CopierError), match="no_such_answer"):
            render(template, tmp_path / "project", {})
    finally:
        (template / "template/unknown.md.jinja").unlink()


def test_two_renders_of_the_same_answers_are_equal(
    rendered: Callable[[Answers], Path], template: Path, tmp_path: Path
) -> None:
    with quick.writing():
        other = render(template, tmp_path / "other", answers_of("aws"))
    assert contents(rendered(answers_of("aws"))) == contents(other)


def test_the_recorded_answers_name_neither_a_commit_nor_a_path_of_this_machine(defaults: Path) -> None:
    assert not [
        line for line in (defaults / ".copier-answers.yml").read_text().splitlines() if line[0] == "_"
    ]


def test_rendering_again_removes_what_is_no_longer_generated_and_keeps_state(tmp_path: Path) -> None:
    project = tmp_path / "project"
    with quick.writing():
        replace(project, {})
    expected = contents(project)
    (project / "conf/stale.yml").write_text("left: over\n")
    (project / "Makefile").write_text("edited\n")
    (project / "var").mkdir()
    (project / "var/table").write_text("kept\n")
    with quick.writing():
        replace(project, {})
    assert contents(project) == {**expected, "var/table": b"kept\n"}


def test_rendering_never_empties_a_folder_that_is_not_a_project(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("ten years of work\n")
    with pytest.raises(SystemExit, match="not a generated project"):
        replace(tmp_path, {})
    assert (tmp_path / "thesis.txt").exists()


def test_reference_equals_a_fresh_render_byte_for_byte(rendered: Callable[[Answers], Path]) -> None:
    fresh = contents(rendered(answers_of("reference")))
    skipped = {*KEPT, *CACHES}
    checked_in = {
        path: content
        for path, content in contents(ROOT / "reference").items()
        if not skipped & set(Path(path).parts) and not path.endswith((".pyc", ".pyo"))
    }
    differing = sorted(
        path for path in fresh.keys() | checked_in.keys() if fresh.get(path) != checked_in.get(path)
    )
    assert not differing, f"`make reference` would change {differing}; run it and commit the result."
