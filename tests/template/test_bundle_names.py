"""What settings learn from the bundle: the names of the deployment that a run belongs to."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import bundle
from acceleray.errors import PortfolioError
from acceleray.runtime.notebook import settings_from
from acceleray.settings import load
from acceleray.settings.bundle_names import short_name
from conftest import Answers


@pytest.fixture
def project(described: Callable[[Answers], Path]) -> Path:
    return described({})


def deployed(project: Path, folder: Path, where: str) -> Path:
    """Return a copy of what a project's settings need, in a folder as the CLI lays it out."""
    there = folder / where
    shutil.copytree(project / "conf", there / "conf")
    shutil.copy2(project / "databricks.yml", there)
    return there


def passed(project: Path, target: str, user: str) -> str:
    """Return what a job of a target passes as `set`, with the CLI's values put in."""
    read = bundle.read(project).of(target)
    known = bundle.values(read, target)
    given = data_of(project)["base_parameters"]["set"]
    short = {"userName": user, "short_name": short_name(user)}
    for _ in range(3):
        for name, value in {**known, **{f"workspace.current_user.{k}": v for k, v in short.items()}}.items():
            given = given.replace(f"${{{name}}}", value)
    return str(given)


def data_of(project: Path) -> dict[str, dict[str, str]]:
    (task,) = bundle.data(project)["resources"]["jobs"]["batch_inference"]["tasks"]
    notebook: dict[str, dict[str, str]] = task["notebook_task"]
    return notebook


def test_two_people_and_the_pipeline_meet_in_no_name(project: Path) -> None:
    made = [
        load(project, "dev", shlex.split(passed(project, target, user)))
        for target, user in (("personal", "jane.doe@x.com"), ("personal", "li@x.com"), ("dev", "0f1e"))
    ]
    places = [
        {one.catalog.bronze, one.catalog.silver, one.catalog.gold, one.state_dir, one.machine_dir}
        for one in made
    ]
    assert not places[0] & places[1]
    assert not (places[0] | places[1]) & places[2]
    assert made[0].catalog.gold == "portfolio_jane_doe_gold"
    assert made[0].project.experiment == "/Users/jane.doe@x.com/Portfolio Intelligence-jane_doe"
    assert made[2].catalog.gold == "portfolio_gold"
    assert made[2].stage_dir.as_posix() == "/Volumes/portfolio_dev/portfolio_bronze/files/stage"


@pytest.mark.parametrize(
    ("where", "environment", "gold", "experiment"),
    [
        (
            "Workspace/Users/jane.doe@x.com/.bundle/portfolio-intelligence/personal/files",
            "dev",
            "portfolio_jane_doe_gold",
            "/Users/jane.doe@x.com/Portfolio Intelligence-jane_doe",
        ),
        ("Workspace/Users/jane.doe@x.com/repository", "dev", "portfolio_jane_doe_gold", None),
        ("Workspace/Users/0f1e-2d/.bundle/portfolio-intelligence/dev/files", "dev", "portfolio_gold", None),
        (
            "Workspace/Users/0f1e-2d/.bundle/portfolio-intelligence/prod/files",
            "prod",
            "portfolio_gold",
            "/Users/0f1e-2d/Portfolio Intelligence-prod",
        ),
    ],
)
def test_a_notebook_that_is_opened_by_hand_has_the_names_of_the_deployment_it_lies_in(
    where: str, environment: str, gold: str, experiment: str | None, project: Path, tmp_path: Path
) -> None:
    there = deployed(project, tmp_path, where)
    chosen = {"project": str(there), "environment": environment, "as_of": "", "set": ""}
    settings = settings_from(chosen)
    assert settings.catalog.gold == gold
    assert settings.project.experiment == (experiment or settings.project.experiment)


def test_a_name_that_nobody_says_is_one_plain_line(project: Path, tmp_path: Path) -> None:
    there = deployed(project, tmp_path, "p")
    (there / "databricks.yml").unlink()
    with pytest.raises(
        PortfolioError, match=r"dev.yml has \$\{var\.\w+\}, for which databricks.yml has no value"
    ):
        load(there, "dev")
    with pytest.raises(PortfolioError, match="has no value"):
        load(there, "dev", ["var.catalog=x"])
    assert (
        load(there, "dev", ["var.catalog=x", "var.schema_prefix=y", "var.experiment=/z"]).catalog.gold
        == "y_gold"
    )


@pytest.mark.parametrize(
    ("user", "short"),
    [("Jane.Doe@bank.com", "jane_doe"), ("o'neil-x@b.de", "o_neil_x"), ("pipeline", "pipeline")],
)
def test_the_short_name_is_the_one_that_the_bundle_gives(user: str, short: str) -> None:
    assert short_name(user) == short
