"""One copy of the template per test process, and projects rendered from it."""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from acceleray_cli import quick
from acceleray_cli.cli import main
from acceleray_cli.source import opened
from releases import clone_with_tags
from render import ROOT, copy_template, render
from toy import commit, git, toy_template, write

Answers = dict[str, Any]
NewProject = Callable[..., Path]


def answers_of(name: str) -> Answers:
    """Return the answers in answers/<name>.yml."""
    return yaml.safe_load((ROOT / "answers" / f"{name}.yml").read_text(encoding="utf-8")) or {}


def drawn(cases: Sequence[Any], seed: int, count: int) -> list[Any]:
    """Return all cases as values of one parameter; those that this seed does not draw are nightly ones."""
    return drawn_together([(case,) for case in cases], seed, count)


def drawn_together(cases: Sequence[tuple[Any, ...]], seed: int, count: int) -> list[Any]:
    """Return all cases, values of several parameters each, as `drawn` does."""
    kept = set(random.Random(seed).sample(range(len(cases)), min(count, len(cases))))
    return [
        pytest.param(*case, marks=[] if number in kept else [pytest.mark.nightly])
        for number, case in enumerate(cases)
    ]


def contents(project: Path) -> dict[str, bytes]:
    """Return every file of a folder by its relative name."""
    return {
        path.relative_to(project).as_posix(): path.read_bytes()
        for path in project.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_template(tmp_path_factory.mktemp("template") / "template")


@pytest.fixture(scope="session")
def asked(template: Path) -> Iterator[Path]:
    """A folder with the questions of the template and none of its other files, as the front end makes it."""
    with opened(str(template)) as found:
        yield found.questions(None)


@pytest.fixture(scope="session")
def defaults(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project for which Enter was pressed at every question."""
    with quick.writing():
        return render(template, tmp_path_factory.mktemp("defaults") / "project", {})


@pytest.fixture(scope="session")
def rendered_once(
    template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Path]]:
    """A function that renders answers, given as JSON, unless it has."""
    yield from _renders_once(template, tmp_path_factory)


@pytest.fixture
def rendered(rendered_once: Callable[[str], Path]) -> Callable[[Answers], Path]:
    """Return a function that gives the project of some answers, to look at: tests share it."""
    return lambda answers: rendered_once(json.dumps(answers))


@pytest.fixture
def copied(rendered: Callable[[Answers], Path], tmp_path: Path) -> Callable[[Answers], Path]:
    """Return a function that gives a new folder with what answers render, to write in."""

    def into_a_new_folder(answers: Answers) -> Path:
        project = tmp_path / f"project {len(list(tmp_path.iterdir()))}"
        return shutil.copytree(rendered(answers), project, symlinks=True)

    return into_a_new_folder


@pytest.fixture(scope="session")
def rendered_without_code(
    template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Path]]:
    """A function as `rendered_once`, from a template without the code, which no answer changes."""
    bare = tmp_path_factory.mktemp("bare") / "template"
    code = {template / "template/engine/acceleray", template / "template/engine/docs"}
    shutil.copytree(
        template, bare, ignore=lambda at, names: [name for name in names if Path(at, name) in code]
    )
    yield from _renders_once(bare, tmp_path_factory)


@pytest.fixture
def described(rendered_without_code: Callable[[str], Path]) -> Callable[[Answers], Path]:
    """Return a function that gives a project without the engine's code: bundle, settings, pipelines."""
    return lambda answers: rendered_without_code(json.dumps(answers))


def _renders_once(
    template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Path]]:
    known: dict[Path, dict[str, int]] = {}

    @cache
    def once(answers: str) -> Path:
        with quick.writing():
            project = render(template, tmp_path_factory.mktemp("once") / "project", json.loads(answers))
        known[project] = _written(project)
        return project

    yield once
    assert [project for project, before in known.items() if _written(project) != before] == []


def _written(folder: Path) -> dict[str, int]:
    """Return when each file of a folder was written."""
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone with a tag for every release, and what is here now as the newest."""
    return clone_with_tags(tmp_path_factory.mktemp("source") / "Vorlage ü")


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A template of few files with the releases 1.0.0 and 1.1.0, for tests of the front end."""
    return toy_template(tmp_path_factory.mktemp("toy") / "template")


@pytest.fixture(scope="session")
def generated_once(toy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of release 1.0.0 that is committed; tests edit copies of it."""
    return generated(toy, tmp_path_factory.mktemp("once") / "project ü", "1.0.0")


def generated(template: Path, project: Path, version: str) -> Path:
    """Return a project that the front end generates from a release, committed in its own repository."""
    arguments = ["--template", str(template), "--at", version, "--defaults"]
    assert main(["new", str(project), *arguments]) == 0
    git(project, "init", "--quiet")
    commit(project, "generated")
    return project


@pytest.fixture
def new_project(toy: Path, generated_once: Path, tmp_path: Path) -> NewProject:
    """Return a function that makes a project of release 1.0.0, commits it, then commits edits."""

    def generate(
        edits: dict[str, str] | None = None, folder: str = "my project ü", top: str | None = None
    ) -> Path:
        project, repository = tmp_path / folder, tmp_path / (top or folder)
        if top is None:
            shutil.copytree(generated_once, project, symlinks=True)
        else:
            assert main(["new", str(project), "--template", str(toy), "--at", "1.0.0", "--defaults"]) == 0
            git(repository, "init", "--quiet")
            commit(repository, "generated")
        if edits:
            write(project, edits)
            commit(repository, "edited")
        return project

    return generate


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let this process have a terminal; the keys come from elsewhere."""
    controller, device = os.openpty()
    with open(device) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield
        monkeypatch.undo()
    os.close(controller)
