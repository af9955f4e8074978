"""What customers changed survives every update, becomes a conflict that they see, or is refused by name.

A release promises all of it (`make updates`, nightly); `make test` takes a dozen edits that a seed draws.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from acceleray_cli import copies
from conftest import Answers, contents
from releases import git, missing_history, release_as_next, released
from updating import (
    CORPUS,
    NOTEBOOK,
    WITHOUT_ENGINE,
    append,
    commit,
    conflicts,
    drawn,
    generate,
    generated,
    read,
    replaced,
    update,
    updated_by_us,
)

pytestmark = [
    pytest.mark.usefixtures("copied_once"),
    pytest.mark.skipif(bool(missing_history()), reason=missing_history() or "all releases are here"),
]


@pytest.fixture(scope="module")
def copied_once() -> Iterator[None]:
    """Releases do not change while tests run, so that one copy of each serves all of them."""
    with copies.copying():
        yield


@pytest.fixture(scope="module")
def fresh(source: Path) -> dict[str, bytes]:
    """Return what the newest release gives for defaults."""
    return contents(generated(source))


@pytest.mark.parametrize("version", WITHOUT_ENGINE)
def test_a_dozen_drawn_edits_survive_an_update_or_are_refused_by_name(
    version: str,
    source: Path,
    fresh: dict[str, bytes],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    project = shutil.copytree(generated(source, version), tmp_path / "Portfolio Übersicht")
    # A refusal costs as much as an update, so it is seen once here.
    refusal = version == WITHOUT_ENGINE[-1]
    updated_by_us(project, drawn(version), fresh, capsys, refusal)


@pytest.mark.nightly
@pytest.mark.parametrize("version", released())
def test_whatever_a_customer_changed_survives_an_update(
    version: str,
    source: Path,
    fresh: dict[str, bytes],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    project = shutil.copytree(generated(source, version), tmp_path / "Portfolio Übersicht")
    updated_by_us(project, CORPUS, fresh, capsys)


@pytest.mark.nightly
def test_a_line_that_both_changed_is_a_conflict_that_git_shows_with_both_texts(
    source: Path, tmp_path: Path
) -> None:
    clone = tmp_path / "source"
    git(tmp_path, "clone", "--quiet", str(source), str(clone))
    project = generate(clone, tmp_path / "project")
    replaced("docs/runbook.md", "# ", "# Ours: ").do(project)
    commit(project)
    replaced("template/docs/runbook.md.jinja", "# ", "# Theirs: ").do(clone)
    release_as_next(clone, "10000")
    update(project)
    assert conflicts(project) == {"docs/runbook.md"}
    text = read(project / "docs/runbook.md")
    assert "# Ours: " in text
    assert "# Theirs: " in text


TWO = ["end_to_end_pipeline", "portfolio_model_calibration"]
SCORING = ["distributed_training", "batch_inference"]


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param({"workloads": TWO[:1]}, {"workloads": TWO}, marks=pytest.mark.nightly),
        pytest.param({"workloads": TWO}, {"workloads": TWO[:1]}, marks=pytest.mark.nightly),
        pytest.param({"workloads": SCORING}, {"workloads": SCORING[1:]}, marks=pytest.mark.nightly),
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


@pytest.mark.nightly
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


@pytest.mark.nightly
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
