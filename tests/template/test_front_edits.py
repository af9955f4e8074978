"""One edit at a time, from every release, through `acceleray update`; and answers changed with a preview."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from acceleray_cli.cli import main
from conftest import contents
from releases import missing_history, released
from updating import (
    STAGE,
    Edit,
    append,
    commit,
    conflicts,
    deleted,
    generate,
    into_the_engine,
    new_workload,
    own_table,
    portfolio,
    renamed,
    replaced,
)

pytestmark = pytest.mark.skipif(bool(missing_history()), reason=missing_history() or "all releases are here")


def todays_workload(name: str) -> Edit:
    """Return the edit of adding a workload to a project of today."""
    written: dict[str, bytes] = {}

    def do(project: Path) -> None:
        before = contents(project)
        portfolio(project, f"src{os.pathsep}engine", "new-workload", name)
        written.clear()
        written.update({path: text for path, text in contents(project).items() if path not in before})
        # Recipe, table, notebook, test and job.
        assert len(written) == 5

    return Edit(f"workload {name}", do, lambda project: written.items() <= contents(project).items())


EDITS = {
    "notebook": append("notebooks/04_end_to_end_pipeline.py", "\n# COMMAND ----------\n\nprint('ours')\n"),
    "settings": replaced("conf/base.yml", "portfolios: 1000", "portfolios: 250"),
    "workload": new_workload("credit_study"),
    "table": own_table("loans"),
    "deleted": deleted("docs/runbook.md"),
    "renamed": renamed("notebooks/07_risk_stress_testing.py", "notebooks/07_stress_of_ours.py"),
    "stage": into_the_engine(
        append(STAGE, "\n\n# A remark of ours.\n"), STAGE, "engine/acceleray/stages/simulate/engine.py"
    ),
    "readme": replaced(
        "README.md", "## Your own prices", "## Whom to ask\n\nThe desk.\n\n## Your own prices"
    ),
}


@pytest.fixture(scope="module")
def base(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function to a committed project of a release, or of what is here now, to be copied."""

    @cache
    def made(version: str) -> Path:
        folder = tmp_path_factory.mktemp("base") / "project"
        workloads = ["end_to_end_pipeline", "risk_stress_testing"]
        project = generate(source, folder, version, workloads=workloads)
        commit(project)
        return project

    return made


def copied(base: Path, folder: Path) -> Path:
    return shutil.copytree(base, folder, symlinks=True)


def cases() -> list[tuple[str, str]]:
    """Return every edit with every release that can have it: the first had no command for a workload."""
    return [
        (name, version)
        for name in EDITS
        for version in released()
        if name != "workload" or version != next(iter(released()))
    ]


# All at once they are tested in test_updates.py; one by one takes minutes.
@pytest.mark.nightly
@pytest.mark.parametrize(("name", "version"), cases())
def test_one_edit_survives_an_update_of_the_front_end_or_is_said_by_name(
    name: str, version: str, base: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project, edit = copied(base(version), tmp_path / "our project ü"), EDITS[name]
    edit.do(project)
    commit(project)
    capsys.readouterr()
    command = ["update", str(project), "--to", "9999"]
    if edit.line:
        assert main(command) == 1
        assert edit.line in capsys.readouterr().err
        command.append("--discard-edits")
    code = main(command)
    said = capsys.readouterr()
    seen = conflicts(project)
    assert code == (3 if seen else 0), said.err
    assert edit.holds(project)
    assert all(f"conflict: {path}" in said.err for path in seen)


@pytest.mark.nightly
def test_a_workload_that_a_project_of_today_added_is_left_alone(
    base: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project, edit = copied(base("HEAD"), tmp_path / "project"), todays_workload("credit_study")
    edit.do(project)
    commit(project)
    assert main(["update", str(project), "--to", "current", "--set", "cloud=azure"]) == 0
    assert edit.holds(project)


# With a template of few files the same is in test_front_preview.py and test_front_update.py.
@pytest.mark.nightly
@pytest.mark.parametrize(
    ("changes", "states"),
    [
        (["workloads+=portfolio_model_calibration"], {"added", "updated"}),
        (["workloads-=risk_stress_testing"], {"deleted", "updated"}),
        (["catalog_prod=risk_of_ours"], {"updated"}),
        (["cloud=azure", "cluster_size=custom", "node_type=Standard_E8ds_v5"], {"updated"}),
    ],
    ids=["a workload is added", "one is removed", "a catalog changes", "another cloud with a node type"],
)
def test_an_answer_is_changed_in_one_command_that_does_what_its_preview_lists(
    changes: list[str],
    states: set[str],
    base: Callable[[str], Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    project = copied(base("HEAD"), tmp_path / "project")
    own = append("README.md", "\n## Whom to ask\n\nThe desk.\n")
    own.do(project)
    commit(project)
    before = contents(project)
    arguments = [str(project), "--to", "current", *(word for change in changes for word in ("--set", change))]
    capsys.readouterr()
    assert main(["preview", "--all", *arguments]) == 0
    lines = capsys.readouterr().out.splitlines()[:-1]
    assert contents(project) == before
    listed = {name: state for state, name in (line.split(": ", 1) for line in lines)}
    assert len(listed) == len(lines)
    assert main(["update", *arguments]) == 0
    after = {path: text for path, text in contents(project).items() if not path.startswith(".git/")}
    had = {path: text for path, text in before.items() if not path.startswith(".git/")}
    assert listed.keys() == after.keys() | had.keys()
    for path, state in listed.items():
        was, now = had.get(path), after.get(path)
        happened = (
            "added" if was is None else "deleted" if now is None else "changed" if was != now else "unchanged"
        )
        assert happened == {"updated": "changed", "merged": "changed"}.get(state, state), path
    assert states <= set(listed.values()) <= states | {"updated", "merged", "unchanged"}
    assert own.holds(project)
    for answer in (change.split("=")[1] for change in changes if "+=" not in change and "-=" not in change):
        assert f": {answer}" in (project / ".copier-answers.yml").read_text(encoding="utf-8")
