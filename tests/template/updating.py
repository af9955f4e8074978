"""Projects that are updated: how they are generated, and what a customer does to them before."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import copier
import pytest
from copier import Settings

from acceleray_cli import copies, quick
from acceleray_cli.cli import main
from conftest import Answers, contents
from releases import NEXT, git, released

NOTEBOOK = "notebooks/04_end_to_end_pipeline.py"
STAGE = "src/portfolio/simulate/engine.py"
ENGINES = "docs/engines.md"
# Releases whose projects have the engine's modules among their own.
WITHOUT_ENGINE = ("0.1.0", "0.2.0")
# Another seed draws other edits for `make test`.
SEED = 19
DRAWN = 12
OWN = '"""A study of ours."""\n\nOWN = "kept"\n'


@dataclass(frozen=True)
class Edit:
    """Something that a customer does to a project, and what must be true of it after an update.

    An update refuses an edit with a `line` unless it is told to go on; it says that line.
    """

    name: str
    do: Callable[[Path], Any]
    holds: Callable[[Path], bool]
    line: str = ""


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


def into_the_engine(edit: Edit, path: str, new: str) -> Edit:
    """Return the edit of a file that is in the engine after the update, which keeps it elsewhere."""

    def holds(project: Path) -> bool:
        return edit.holds(project / "before-update") and not (project / path).exists()

    return Edit(edit.name, edit.do, holds, f"edited and now in the engine: {path} -> {new}; instead: ")


def own_table(name: str) -> Edit:
    """Return the edit of declaring a table where 0.2.0 wanted it: it moves, and its import is today's."""
    text = "from portfolio.tables.contract import Table\n\nTABLES: tuple[Table, ...] = ()\n"
    old, new = f"src/portfolio/tables/own/{name}.py", f"src/portfolio/tables/{name}.py"

    def holds(project: Path) -> bool:
        expected = text.replace("portfolio.tables.contract", "acceleray.tables.contract")
        return read(project / new) == expected and not (project / old).exists()

    return Edit(f"table {new}", added(old, text).do, holds)


CORPUS = [
    append(NOTEBOOK, "\n# COMMAND ----------\n\nprint('of ours')\n"),
    replaced("conf/local.yml", "profile: local", "profile: local\nseed: 4711"),
    replaced("conf/base.yml", "portfolios: 1000", "portfolios: 250"),
    append("conf/stress.yml", "# our own scenarios follow\n"),
    added("src/portfolio/workloads/credit_study.py", OWN),
    added("notebooks/08_credit_study.py", "# Databricks notebook source\n"),
    added("tests/workloads/test_credit_study.py", OWN),
    own_table("loans"),
    deleted("docs/runbook.md"),
    renamed("notebooks/07_risk_stress_testing.py", "notebooks/07_stress_of_ours.py"),
    into_the_engine(
        append(STAGE, "\n\n# A remark of ours at the end of a stage.\n"),
        STAGE,
        "engine/acceleray/stages/simulate/engine.py",
    ),
    into_the_engine(append(ENGINES, "\nA remark of ours.\n"), ENGINES, "engine/docs/engines.md"),
    replaced("README.md", "## Your own prices", "## Whom to ask\n\nThe desk.\n\n## Your own prices"),
    replaced(".gitignore", "/var/\n", "/var/\n/ours/\n"),
]


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def generate(source: Path, project: Path, version: str = "HEAD", **answers: Any) -> Path:
    """Return a project as a customer has it: generated from a release, as the front end does."""
    with copies.reading(str(source)), quick.writing():
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


@cache
def generated(source: Path, version: str = "HEAD") -> Path:
    """Return a project of a release with defaults, made once: what tests look at, or copy."""
    return generate(source, source.parent / f"project of {version}", version)


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


def new_workload(name: str) -> Edit:
    """Return the edit of adding a workload with the command of the project itself, which 0.1.0 had not."""

    def do(project: Path) -> None:
        portfolio(project, "src", "new-workload", name)

    def holds(project: Path) -> bool:
        return name in portfolio(project, f"src{os.pathsep}engine", "workloads")

    return Edit(f"workload {name}", do, holds)


def portfolio(project: Path, path: str, *arguments: str) -> str:
    """Return what the command of a project says."""
    done = subprocess.run(
        [sys.executable, "-m", "portfolio", *arguments],
        cwd=project,
        env=os.environ | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def updated_by_us(
    project: Path,
    edits: Sequence[Edit],
    fresh: Mapping[str, bytes],
    capsys: pytest.CaptureFixture[str],
    refusal: bool = True,
) -> None:
    """Do edits, update with the front end, and check that nothing is lost, in silence or otherwise.

    `fresh` is what the newest release gives. Without `refusal`, an update is told at once to go on with what
    it would refuse.
    """
    for edit in edits:
        edit.do(project)
    commit(project)
    untouched = contents(project)
    command, lines = ["update", str(project), "--to", NEXT], [edit.line for edit in edits if edit.line]
    capsys.readouterr()
    if lines and refusal:
        assert main(command) == 1
        err = capsys.readouterr().err.splitlines()
        refused = [line for line in err if not line.startswith("New question ")]
        assert not [line for line in lines if line not in "\n".join(refused)]
        assert len(refused) == len(lines) + 1
        assert outside_git(project) == {path: text for path, text in untouched.items() if ".git/" not in path}
    if lines:
        command.append("--discard-edits")
    code = main(command)
    seen, said = conflicts(project), capsys.readouterr().err
    assert code == (3 if seen else 0), said
    assert all(f"conflict: {path}" in said for path in seen)
    assert not [edit.name for edit in edits if not edit.holds(project)]
    assert not list(project.rglob("*.rej"))
    # What the release brought and nobody touched is as in a new project; what is in conflict, git shows.
    after = outside_git(project)
    gone = {path for path in GONE if any(path in edit.name for edit in edits)}
    touched = {word for edit in edits for word in edit.name.split(" ")}
    stale = {path for path in fresh if path not in touched and after.get(path) != fresh[path]}
    assert stale <= seen | gone
    assert {path for path, text in after.items() if b"<<<<<<< before updating" in text} == seen
    assert {path for path in after if path.startswith("engine/")} == {
        path for path in fresh if path.startswith("engine/")
    }
    assert not {path for path in seen if path.startswith("engine/")}


# Files that edits take away, and that stay away.
GONE = ("docs/runbook.md", "notebooks/07_risk_stress_testing.py")


def outside_git(project: Path) -> dict[str, bytes]:
    """Return the files of a project without those of its repository."""
    return {path: text for path, text in contents(project).items() if not path.startswith(".git/")}


def drawn(version: str) -> list[Edit]:
    """Return the edits of a release that `make test` takes, by the seed."""
    every = [(release, place) for release in released() for place in range(len(CORPUS))]
    taken = random.Random(SEED).sample(every, DRAWN)
    edits = [CORPUS[place] for release, place in sorted(taken) if release == version]
    return [*edits, new_workload("credit_study")] if version == "0.2.0" else edits
