"""The Databricks bundle is checked as far as that is possible without a workspace."""

from __future__ import annotations

import getpass
import shlex
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

import bundle
from acceleray.engines.ray.slots import plan
from acceleray.governance.registry import model_name
from acceleray.runtime.run import source_name
from acceleray.settings import load
from bundle_rules import resolved
from bundle_surroundings import exported
from conftest import Answers, answers_of, drawn, drawn_together
from test_pipelines import FILES

GROUPS = {"portfolio-owners", "portfolio-operators", "portfolio-readers"}
# Another seed draws other answers for `make test`; the night takes all.
SEED = 19
FAMILIES = {"aws": ("r6id.",), "azure": ("Standard_",), "gcp": ("n2-",)}


@pytest.fixture
def checked(defaults: Path) -> dict[str, Any]:
    return bundle.data(defaults)


@pytest.mark.parametrize("name", drawn(["minimal", "aws", "azure", "gcp", "gpu", "serverless"], SEED, 2))
def test_every_field_and_reference_is_known(name: str, described: Callable[[Answers], Path]) -> None:
    assert bundle.problems(described(answers_of(name))) == []


@pytest.mark.parametrize(("cloud", "size"), drawn_together(list(product(FAMILIES, ["S", "M", "L"])), SEED, 3))
def test_machines_belong_to_the_cloud_that_was_chosen(
    cloud: str, size: str, described: Callable[[Answers], Path]
) -> None:
    project = described({"cloud": cloud, "cluster_size": size})
    variables = bundle.data(project)["variables"]
    assert variables["node_type"]["default"].startswith(FAMILIES[cloud])
    cores = {"S": 4, "M": 8, "L": 16}[size]
    for environment in ("dev", "staging", "prod"):
        # The engines' own arithmetic: it refuses a plan that leaves Spark no slot.
        assert plan(load(project, environment), variables["workers"]["default"], cores).kept


def test_every_answer_about_the_workspace_reaches_the_bundle(described: Callable[[Answers], Path]) -> None:
    answers = answers_of("aws") | {"databricks_runtime": "17.3.x-cpu-ml-scala2.13"}
    given = bundle.data(described(answers))
    defaults = {name: variable.get("default") for name, variable in given["variables"].items()}
    assert given["bundle"]["name"] == answers["project_slug"]
    assert (defaults["workers"], defaults["runtime"]) == (8, "17.3.x-cpu-ml-scala2.13")
    assert defaults["node_type"] == "r6id.4xlarge"
    for target in ("dev", "staging", "prod"):
        variables = given["targets"][target]["variables"]
        assert variables["catalog"] == answers[f"catalog_{target}"]
        assert variables["schema_prefix"] == answers[f"schema_{target}"]


def test_clusters_are_dedicated_and_of_fixed_size(checked: dict[str, Any]) -> None:
    for cluster in bundle.clusters(checked):
        assert cluster["data_security_mode"] == "SINGLE_USER"
        assert "autoscale" not in cluster


def test_one_job_is_scheduled_as_answered_and_paused_in_dev_alone(
    checked: dict[str, Any], described: Callable[[Answers], Path]
) -> None:
    given = {"schedule_cron": "0 30 7 ? * MON-FRI", "time_zone": "Europe/Zurich"}
    jobs = bundle.data(described(given))["resources"]["jobs"]
    scheduled = {name: job["schedule"] for name, job in jobs.items() if "schedule" in job}
    assert scheduled == {
        "end_to_end_pipeline": {
            "quartz_cron_expression": "0 30 7 ? * MON-FRI",
            "timezone_id": "Europe/Zurich",
        }
    }
    paused = {name: target.get("presets") for name, target in checked["targets"].items()}
    never = {"trigger_pause_status": "PAUSED"}
    assert paused == {"personal": never, "dev": never, "staging": None, "prod": None}
    without = bundle.data(described({"schedule_cron": ""}))["resources"]["jobs"]
    assert not [name for name, job in without.items() if "schedule" in job]


def test_jobs_and_machines_carry_the_group_that_owns_them(described: Callable[[Answers], Path]) -> None:
    project = bundle.data(described({"owner_group": "Market Risk & Co", "project_slug": "market-risk"}))
    for name, job in project["resources"]["jobs"].items():
        tags = {"project": "market-risk", "owner": "market-risk-co", "environment": "${var.environment}"}
        assert job["tags"] == {**tags, "workload": name}
        assert "Owned by group Market Risk & Co." in job["description"]
    assert [cluster["custom_tags"] for cluster in bundle.clusters(project)] == [tags] * 7


def test_whoever_is_to_be_told_hears_of_failures_and_of_runs_that_take_too_long(
    checked: dict[str, Any], described: Callable[[Answers], Path]
) -> None:
    answers = answers_of("aws")
    told = [address.strip() for address in answers["notification_emails"].split(",")]
    jobs = bundle.data(described(answers))["resources"]["jobs"]
    assert len(jobs) == 7
    for job in jobs.values():
        assert job["email_notifications"] == {
            "on_failure": told,
            "on_duration_warning_threshold_exceeded": told,
        }
        # Before the run is stopped, or nobody could look.
        (rule,) = job["health"]["rules"]
        assert (rule["metric"], rule["op"]) == ("RUN_DURATION_SECONDS", "GREATER_THAN")
        assert 0 < rule["value"] < job["timeout_seconds"]
    nobody = checked["resources"]["jobs"].values()
    assert not [job for job in nobody if "email_notifications" in job]
    assert all(job["health"] == rules for job in nobody for rules in [jobs["batch_inference"]["health"]])


def test_every_notebook_of_a_job_is_in_the_template(checked: dict[str, Any], defaults: Path) -> None:
    for job in checked["resources"]["jobs"].values():
        (task,) = (task for task in job["tasks"] if "notebook_task" in task)
        assert (defaults / "resources" / task["notebook_task"]["notebook_path"]).is_file()


def test_the_end_to_end_job_looks_first_runs_once_and_tidies_afterwards(checked: dict[str, Any]) -> None:
    jobs = checked["resources"]["jobs"]
    check, run, maintain = jobs["end_to_end_pipeline"]["tasks"]
    assert "depends_on" not in check
    assert run["depends_on"] == [{"task_key": check["task_key"]}]
    assert maintain["depends_on"] == [{"task_key": run["task_key"]}]
    assert check["environment_key"] == maintain["environment_key"] == "connect"
    given = [task["python_wheel_task"]["parameters"] for task in (check, maintain)]
    assert [parameters[0] for parameters in given] == ["doctor", "maintain"]
    folder, environment, names = run["notebook_task"]["base_parameters"].values()
    passed = [part for name in shlex.split(names) for part in ("--set", name)]
    beside = ["--profile", "connect", "--set", "spark.remote=databricks"]
    whole = ["--project", folder, "--environment", environment, *passed, *beside]
    assert given[0][1 : len(whole) + 1] == given[1][1:] == whole
    assert {len(job["tasks"]) for name, job in jobs.items() if name != "end_to_end_pipeline"} == {1}


def test_every_task_uses_a_cluster_of_its_job(checked: dict[str, Any]) -> None:
    for job in checked["resources"]["jobs"].values():
        keys = {cluster["job_cluster_key"] for cluster in job["job_clusters"]}
        assert {task["job_cluster_key"] for task in job["tasks"] if "job_cluster_key" in task} == keys


def test_staging_and_production_run_as_a_service_principal_and_never_as_a_person(
    checked: dict[str, Any],
) -> None:
    for target in ("staging", "prod"):
        assert checked["targets"][target]["run_as"] == {"service_principal_name": "${var.service_principal}"}
    assert "@" not in yaml.safe_dump(checked)


@pytest.mark.parametrize("provider", FILES)
@pytest.mark.parametrize("answered", [(), ("staging",), ("prod",), ("staging", "prod")], ids=list)
def test_a_pipeline_runs_jobs_as_the_answered_service_principal_and_else_as_the_one_that_deploys(
    provider: str, answered: tuple[str, ...], described: Callable[[Answers], Path]
) -> None:
    ids = {"staging": "0f1e2d3c-4b5a-6978-8695-a4b3c2d1e0f9", "prod": "1a2b3c4d-5e6f-7081-92a3-b4c5d6e7f809"}
    project = described(
        {"ci_provider": provider, **{f"service_principal_{name}": ids[name] for name in answered}}
    )
    assert bundle.problems(project) == []
    environment = dict.fromkeys((f"var.{name}" for name in exported(project)), "whoever deploys")
    read = bundle.read(project)
    for target in ("staging", "prod"):
        deployed = read.of(target)
        # As the CLI has it, the environment beats what a target or a default says.
        known = bundle.values(deployed, target) | environment
        expected = ids[target] if target in answered else "whoever deploys"
        runs_as = resolved(deployed["targets"][target]["run_as"]["service_principal_name"].value, known)
        principals = [
            resolved(entry[key].value, known)
            for named in deployed["resources"].value.values()
            for resource in named.value.values()
            for block in ("grants", "permissions")
            for entry in (resource[block].items() if block in resource else [])
            for key in ("principal", "service_principal_name")
            if key in entry and entry[key].value not in GROUPS
        ]
        assert runs_as == expected
        assert principals == [expected] * 7


def test_every_variable_of_the_bundle_is_used_and_has_a_value_or_a_reason(
    checked: dict[str, Any], defaults: Path
) -> None:
    names = {name for name, _ in bundle.references(bundle.read(defaults).root)}
    used = {name.removeprefix("var.") for name in names if name.startswith("var.")}
    assert used == set(checked["variables"])
    for name, variable in checked["variables"].items():
        assert variable["description"]
        given = [name in target["variables"] for target in checked["targets"].values()]
        assert "default" in variable or all(given) or name == "service_principal"


@pytest.mark.parametrize(
    "prices",
    [{}, {"data_source": "csv", "data_path": "In/closes.v2.csv"}, {"data_source": "table"}],
)
def test_the_bundle_names_model_volume_and_experiment_as_the_code_does(
    prices: Answers, described: Callable[[Answers], Path]
) -> None:
    project = described(prices)
    resources, settings = bundle.data(project)["resources"], load(project, "prod")
    name = model_name(settings, source_name(settings))
    assert name.rsplit(".", 1)[1] == resources["registered_models"]["signal"]["name"]
    volume = (
        f"/Volumes/{settings.catalog.name}/{settings.catalog.bronze}/{resources['volumes']['files']['name']}"
    )
    assert settings.stage_dir.as_posix() == f"{volume}/stage"
    assert settings.state_dir.as_posix() == f"{volume}/state"
    assert not settings.machine_dir.is_relative_to("/Volumes")
    if prices.get("data_source") == "csv":
        assert settings.market_data.path == f"{volume}/In/closes.v2.csv"
    assert resources["experiments"]["runs"]["name"] == "${var.experiment}"
    assert settings.project.experiment == f"/Users/{getpass.getuser()}/Portfolio Intelligence-prod"


def test_one_group_for_everything_is_granted_once(described: Callable[[Answers], Path]) -> None:
    one = {"owner_group": "risk", "group_readers": "risk", "group_operators": ""}
    assert bundle.problems(described({**one, "cluster_policy": "none", "schedule_cron": ""})) == []
