"""What customers changed survives every update, or becomes a conflict that they see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import copier
import pytest
import yaml
from copier import Settings

from acceleray_cli import quick
from conftest import Answers, contents
from releases import clone_with_tags, git, missing_history, release_as_next, released

pytestmark = pytest.mark.skipif(bool(missing_history()), reason=missing_history() or "all releases are here")
NOTEBOOK = "notebooks/04_end_to_end_pipeline.py"
STAGE = "src/portfolio/simulate/engine.py"
OWN = '"""A study of ours."""\n\nOWN = "kept"\n'


@dataclass(frozen=True)
class Edit:
    """Something that a customer does to a project, and what must be true of it after an update."""

    name: str
    do: Callable[[Path], Any]
    holds: Callable[[Path], bool]


def append(path: str, text: str) -> Edit:
    """Return the edit of adding a text to the end of a file."""

    def do(project: Path) -> None:
        file = project / path
        file.write_text(file.read_text(encoding="utf-8") + text, encoding="utf-8")

    return Edit(f"text added to {path}", do, lambda project: text in read(project / path))


def replaced(path: str, old: str, new: str) -> Edit:
    """Return the edit of changing a text that stands in a file; what surrounds it may become a conflict."""
    ours = new.removesuffix(old).removeprefix(old).strip("\n") or new

    def do(project: Path) -> None:
        text = (project / path).read_text(encoding="utf-8")
        assert old in text, f"{path} has no {old!r} to edit"
        (project / path).write_text(text.replace(old, new, 1), encoding="utf-8")

    return Edit(f"{new!r} in {path}", do, lambda project: ours in read(project / path))


def added(path: str, text: str) -> Edit:
    """Return the edit of adding a file."""

    def do(project: Path) -> None:
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_text(text, encoding="utf-8")

    return Edit(f"new file {path}", do, lambda project: read(project / path) == text)


def renamed(old: str, new: str) -> Edit:
    """Return the edit of renaming a file; the old name must not come back."""
    return Edit(
        f"{old} renamed",
        lambda project: (project / old).rename(project / new),
        lambda project: (project / new).is_file() and not (project / old).exists(),
    )


def deleted(path: str) -> Edit:
    """Return the edit of deleting a file; it must not come back."""
    return Edit(
        f"{path} deleted",
        lambda project: (project / path).unlink(),
        lambda project: not (project / path).exists(),
    )


CORPUS = [
    append(NOTEBOOK, "\n# COMMAND ----------\n\nprint('of ours')\n"),
    replaced("conf/local.yml", "profile: local", "profile: local\nseed: 4711"),
    replaced("conf/base.yml", "portfolios: 1000", "portfolios: 250"),
    append("conf/stress.yml", "# our own scenarios follow\n"),
    added("src/portfolio/workloads/credit_study.py", OWN),
    added("notebooks/08_credit_study.py", "# Databricks notebook source\n"),
    added("tests/workloads/test_credit_study.py", OWN),
    deleted("docs/faults.md"),
    renamed("notebooks/07_risk_stress_testing.py", "notebooks/07_stress_of_ours.py"),
    append(STAGE, "\n\n# A remark of ours at the end of a stage.\n"),
    replaced("README.md", "## Your own prices", "## Whom to ask\n\nThe desk.\n\n## Your own prices"),
    replaced(".gitignore", "/var/\n", "/var/\n/ours/\n"),
]


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a clone with a tag for every release, and what is here now as the newest."""
    return clone_with_tags(tmp_path_factory.mktemp("source") / "Vorlage ü")


def generate(source: Path, project: Path, version: str = "HEAD", **answers: Any) -> Path:
    """Return a project as a customer has it: generated from a release, as the front end does."""
    with quick.reading(str(source)), quick.writing():
        copier.run_copy(
            str(source),
            project,
            data=answers,
            vcs_ref=version,
            defaults=True,
            quiet=True,
            settings=Settings(),
        )
    return project


def commit(folder: Path) -> None:
    if not (folder / ".git").exists():
        git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "state")


def update(project: Path, answers: Answers | None = None) -> Path:
    """Return the project after plain `copier update` to the newest version."""
    copier.run_update(
        project,
        data=answers or {},
        vcs_ref="HEAD",
        defaults=True,
        overwrite=True,
        quiet=True,
        settings=Settings(),
    )
    return project


def conflicts(project: Path) -> set[str]:
    """Return the files that git says are in conflict."""
    states = git(project, "-c", "core.quotePath=false", "status", "--porcelain").splitlines()
    return {line[3:].strip('"') for line in states if line[:2] in ("UU", "AA", "DU", "UD")}


@pytest.mark.parametrize("version", released())
def test_whatever_a_customer_changed_survives_an_update(version: str, source: Path, tmp_path: Path) -> None:
    project = generate(source, tmp_path / "Portfolio Übersicht", version)
    commit(project)
    for edit in CORPUS:
        edit.do(project)
    commit(project)
    mine = set(contents(project))
    update(project)
    lost = [edit.name for edit in CORPUS if not edit.holds(project)]
    assert not lost
    assert not list(project.rglob("*.rej"))
    # What the release brought and nobody touched is as in a new project; what is in conflict, git shows.
    fresh = contents(generate(source, tmp_path / "fresh"))
    touched = {edit.name.split(" ")[-1] for edit in CORPUS} | {edit.name.split(" ")[0] for edit in CORPUS}
    after = contents(project)
    stale = [
        path
        for path in fresh
        if path not in touched and ".git/" not in path and after.get(path) != fresh[path]
    ]
    assert set(stale) <= conflicts(project) | {"docs/faults.md", "notebooks/07_risk_stress_testing.py"}
    marked = {path for path, text in after.items() if b"<<<<<<< before updating" in text and path in mine}
    assert marked == conflicts(project)


def test_a_line_that_both_changed_is_a_conflict_that_git_shows_with_both_texts(
    source: Path, tmp_path: Path
) -> None:
    clone = tmp_path / "source"
    git(tmp_path, "clone", "--quiet", str(source), str(clone))
    project = generate(clone, tmp_path / "project")
    replaced("docs/engines.md", "# ", "# Ours: ").do(project)
    commit(project)
    replaced("template/docs/engines.md", "# ", "# Theirs: ").do(clone)
    release_as_next(clone, "10000")
    update(project)
    assert conflicts(project) == {"docs/engines.md"}
    text = read(project / "docs/engines.md")
    assert "# Ours: " in text
    assert "# Theirs: " in text


TWO = ["end_to_end_pipeline", "portfolio_model_calibration"]
SCORING = ["distributed_training", "batch_inference"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"workloads": TWO[:1]}, {"workloads": TWO}),
        ({"workloads": TWO}, {"workloads": TWO[:1]}),
        ({"workloads": SCORING}, {"workloads": SCORING[1:]}),
        ({"workloads": TWO[:1]}, {"catalog_prod": "risk", "cloud": "azure", "cluster_size": "L"}),
    ],
    ids=[
        "a workload is added",
        "one is removed",
        "one is removed and comes along",
        "cloud and catalog change",
    ],
)
def test_an_answer_changed_later_gives_what_it_would_have_given_at_first(
    before: Answers, after: Answers, source: Path, tmp_path: Path
) -> None:
    project = generate(source, tmp_path / "project", **before)
    own = append("README.md", "\n## Whom to ask\n\nThe desk.\n")
    own.do(project)
    commit(project)
    update(project, after)
    fresh = generate(source, tmp_path / "fresh", **{**before, **after})
    own.do(fresh)
    assert not conflicts(project)
    mine = {path: text for path, text in contents(project).items() if not path.startswith(".git/")}
    assert mine == contents(fresh)


@pytest.mark.parametrize("version", released())
def test_a_workload_that_brings_another_along_can_be_chosen_with_an_update(
    version: str, source: Path, tmp_path: Path
) -> None:
    project = generate(source, tmp_path / "project", version)
    commit(project)
    update(project, {"workloads": SCORING[1:]})
    fresh = generate(source, tmp_path / "fresh", workloads=SCORING[1:])
    assert not conflicts(project)
    mine = {path: text for path, text in contents(project).items() if not path.startswith(".git/")}
    assert mine == contents(fresh)
    assert (project / "src/portfolio/workloads/distributed_training.py").is_file()
    assert yaml.safe_load(read(project / ".copier-answers.yml"))["workloads"] == SCORING[1:]


def test_of_two_projects_in_one_repository_each_is_updated_alone(source: Path, tmp_path: Path) -> None:
    mono = tmp_path / "Alle Projekte ü"
    version = next(iter(released()))
    for name in ("equity", "bonds"):
        generate(source, mono / name, version, project_name=name.title(), workloads=TWO[:1])
    edit = append(NOTEBOOK, "\nprint('of ours')\n")
    edit.do(mono / "equity")
    commit(mono)
    bonds = contents(mono / "bonds")
    update(mono / "equity")
    assert edit.holds(mono / "equity")
    assert contents(mono / "bonds") == bonds
    recorded = yaml.safe_load(read(mono / "equity/.copier-answers.yml"))
    assert recorded["_commit"] != version
    assert recorded["project_name"] == "Equity"
    changed = git(mono, "-c", "core.quotePath=false", "status", "--porcelain").splitlines()
    assert changed
    assert not [line for line in changed if not line[3:].strip('"').startswith("equity/")]


def test_every_release_names_a_commit_in_full_and_in_order() -> None:
    from packaging.version import Version

    versions = [Version(version) for version in released()]
    assert versions == sorted(versions)
    assert [str(version) for version in versions] == list(released())
    assert all(len(commit) == 40 for commit in released().values())
