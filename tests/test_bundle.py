"""The Databricks bundle is checked as far as that is possible without a workspace."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

import bundle
from conftest import Answers, answers_of

FAMILIES = {"aws": ("r6id.",), "azure": ("Standard_",), "gcp": ("n2-",)}


@pytest.fixture
def checked(defaults: Path) -> dict[str, Any]:
    return bundle.read(defaults)


@pytest.mark.parametrize("name", ["minimal", "aws", "azure", "gcp"])
def test_every_field_and_reference_is_known(name: str, rendered: Callable[[Answers], Path]) -> None:
    assert bundle.problems(bundle.read(rendered(answers_of(name)))) == []


def test_planted_faults_are_found(checked: dict[str, Any]) -> None:
    job = checked["resources"]["jobs"]["end_to_end_pipeline"]
    cluster = job["job_clusters"][0]["new_cluster"]
    job["max_concurent_runs"] = 1
    job["timeout_seconds"] = "long"
    cluster["data_security_mode"] = "SHARED"
    cluster["node_type_id"] = "${var.node_typo}"
    del job["tasks"][0]["task_key"]
    del checked["resources"]["schemas"]["gold"]["catalog_name"]
    found = "\n".join(bundle.problems(checked))
    for fault in (
        "max_concurent_runs",
        "timeout_seconds",
        "data_security_mode",
        "node_typo",
        "task_key",
        "catalog_name",
    ):
        assert fault in found


@pytest.mark.parametrize("cloud", FAMILIES)
@pytest.mark.parametrize("size", ["S", "M", "L"])
def test_machines_belong_to_the_cloud_that_was_chosen(
    cloud: str, size: str, rendered: Callable[[Answers], Path]
) -> None:
    variables = bundle.read(rendered({"cloud": cloud, "cluster_size": size}))["variables"]
    assert variables["node_type"]["default"].startswith(FAMILIES[cloud])


def test_every_answer_about_the_workspace_reaches_the_bundle(rendered: Callable[[Answers], Path]) -> None:
    answers = answers_of("aws") | {"databricks_runtime": "17.3.x-cpu-ml-scala2.13"}
    given = bundle.read(rendered(answers))
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


def test_every_notebook_of_a_job_is_in_the_template(checked: dict[str, Any], defaults: Path) -> None:
    for job in checked["resources"]["jobs"].values():
        for task in job["tasks"]:
            assert (defaults / "resources" / task["notebook_task"]["notebook_path"]).is_file()


def test_every_task_uses_a_cluster_of_its_job(checked: dict[str, Any]) -> None:
    for job in checked["resources"]["jobs"].values():
        keys = {cluster["job_cluster_key"] for cluster in job["job_clusters"]}
        assert {task["job_cluster_key"] for task in job["tasks"]} == keys


def test_staging_and_production_run_as_a_service_principal_and_never_as_a_person(
    checked: dict[str, Any],
) -> None:
    for target in ("staging", "prod"):
        assert checked["targets"][target]["run_as"] == {"service_principal_name": "${var.service_principal}"}
    assert "@" not in yaml.safe_dump(checked)


def test_every_variable_of_the_bundle_is_used_and_has_a_value_or_a_reason(checked: dict[str, Any]) -> None:
    used = {name.removeprefix("var.") for name in bundle._references(checked) if name.startswith("var.")}
    assert used == set(checked["variables"])
    for name, variable in checked["variables"].items():
        assert variable["description"]
        given = [name in target["variables"] for target in checked["targets"].values()]
        assert "default" in variable or all(given) or name == "service_principal"
