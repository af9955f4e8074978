"""The Databricks bundle by where jobs run: on clusters, on serverless compute, or both."""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest

import bundle
from acceleray.cli.task import task
from acceleray.settings import load
from acceleray.settings.topology import in_catalog, shares_stage
from bundle_faults import assert_found, line_that_begins, planted
from conftest import Answers, answers_of, drawn_together
from portfolio import PROJECT
from render import render
from test_subsets import SUBSETS

JOB, BATCH = "resources/end_to_end_pipeline.job.yml", "resources/batch_inference.job.yml"
ADDED, CONF = "engine/libraries/serverless.txt", "conf/dev.yml"
AROUND = {"check", "maintain"}
# Another seed draws other answers for `make test`; the night takes all.
SEED = 23
PLACES = [("serverless", "aws"), *product(["classic", "clusters"], ["aws", "azure", "gcp"])]
INSTALLED = "- -r ${workspace.file_path}/engine/libraries/"
# File, what stands there, what is planted, and what the finding must name, in a project without clusters.
FAULTS = [
    (
        JOB,
        "environment_key: connect\n          disable",
        "unused: x\n          disable",
        "needs an environment_key",
    ),
    (
        JOB,
        "- task_key: check\n          environment_key: connect",
        "- task_key: check\n          environment_key: x",
        "no environment of this job is called x",
    ),
    (
        JOB,
        "disable_auto_optimization: true",
        "disable_auto_optimization: false",
        "repeats failed tasks",
    ),
    (JOB, "notebook_task:", "libraries: []\n          notebook_task:", "takes no libraries of a task"),
    (JOB, 'environment_version: "5"', 'environment_version: "4"', "environment_version must be 5 or newer"),
    (JOB, 'environment_version: "5"', "environment_version: 5", "is not of type str"),
    (JOB, "          spec:", "          special:", "the environment has no spec"),
    (JOB, "dependencies:", "depends:", "depends"),
    (JOB, f"{INSTALLED}cpu.txt", f"{INSTALLED}cpus.txt", "there is no file engine/libraries/cpus.txt"),
    (JOB, f"{INSTALLED}cpu.txt", "- pyspark==4.1.4", "would replace the Spark of serverless compute"),
    (JOB, "- ../dist/*.whl", "- optuna", "is in no file of pinned libraries"),
    (
        JOB,
        "- environment_key: connect\n          spec",
        "- environment_key: other\n          spec",
        "no task uses other",
    ),
    (ADDED, "scipy==1.15.3", "scipy==1.17.1", "is no exact version within"),
    (ADDED, "scipy==1.15.3", "optuna==5.0.0", "is pinned in engine/libraries/cpu.txt already"),
    (CONF, "profile: connect", "profile: databricks", "serverless compute has none"),
]
# The same where the fault comes to light in another place: its file, and what the line there begins with.
ELSEWHERE = [
    (
        {},
        CONF,
        "profile: databricks",
        "profile: connect",
        "leaves the workers of a cluster idle",
        CONF,
        "profile:",
    ),
    (
        {},
        JOB,
        "              - connect\n",
        "              - local\n",
        "profile local needs",
        JOB,
        "          python_",
    ),
    (
        {},
        JOB,
        "- spark.remote=databricks",
        "- spark.cores=1",
        "does not say spark.remote",
        JOB,
        "          python_",
    ),
    (
        {"compute": "serverless"},
        JOB,
        "              - ../dist/*.whl\n",
        "",
        "does not install ../dist",
        JOB,
        "            dep",
    ),
]


def tasks_of(project: Path, name: str = "end_to_end_pipeline") -> dict[str, dict[str, Any]]:
    """Return the tasks of a job by their key."""
    return {task["task_key"]: task for task in bundle.data(project)["resources"]["jobs"][name]["tasks"]}


@pytest.mark.parametrize(
    ("chosen", "compute", "cloud"),
    drawn_together([(chosen, *place) for chosen, place in product(SUBSETS, PLACES)], SEED, 6),
)
def test_every_choice_of_workloads_has_a_sound_bundle_on_every_compute_and_cloud(
    chosen: tuple[str, ...], compute: str, cloud: str, bundled: Callable[[Answers], Path]
) -> None:
    project = bundled({"workloads": list(chosen), "compute": compute, "cloud": cloud})
    assert bundle.problems(project) == []
    jobs = bundle.data(project)["resources"]["jobs"]
    clusters = [name for name, job in jobs.items() if "job_clusters" in job]
    assert clusters == ([] if compute == "serverless" else list(jobs))
    around = {"end_to_end_pipeline"} & jobs.keys() if compute == "classic" else set()
    environments = {name for name, job in jobs.items() if "environments" in job}
    assert environments == (jobs.keys() if compute == "serverless" else around)


def test_without_clusters_there_is_no_policy_runtime_machine_or_setting_of_spark(
    bundled: Callable[[Answers], Path],
) -> None:
    project = bundled({"compute": "serverless", "sql_warehouse": "Starter"})
    assert bundle.problems(project) == []
    assert not (project / "resources/cluster_policy.yml").exists()
    assert not {"runtime", "node_type", "workers"} & bundle.data(project)["variables"].keys()
    written = "".join(path.read_text(encoding="utf-8") for path in (project / "resources").glob("*.job.yml"))
    assert not [word for word in ("job_cluster", "spark_conf", "spark_env", "libraries:") if word in written]
    for environment in ("dev", "staging", "prod"):
        settings = load(project, environment)
        assert (settings.profile, settings.spark.remote) == ("connect", "databricks")
        # Tables are Unity Catalog's, and a volume is a path that Spark and this machine both see.
        assert in_catalog(settings)
        assert shares_stage(settings)


def test_what_needs_no_ray_runs_beside_the_cluster_unless_serverless_compute_is_not_allowed(
    bundled: Callable[[Answers], Path],
) -> None:
    on_cluster = {
        compute: {name for name, one in tasks_of(bundled(answers)).items() if "job_cluster_key" in one}
        for compute, answers in {
            "classic": {},
            "clusters": {"compute": "clusters"},
            "serverless": {"compute": "serverless"},
            "gpu": answers_of("gpu"),
        }.items()
    }
    everything = {"end_to_end_pipeline", *AROUND}
    # A look for a GPU is of no use where there is none.
    assert on_cluster == {
        "classic": {"end_to_end_pipeline"},
        "clusters": everything,
        "serverless": set(),
        "gpu": everything,
    }


def test_the_look_before_a_run_finds_what_it_needs_on_serverless_compute(
    bundled: Callable[[Answers], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    project = bundled({})
    known = bundle.values(bundle.read(project).of("prod"), "prod") | {"workspace.file_path": str(project)}
    parameters = []
    for text in tasks_of(project)["check"]["python_wheel_task"]["parameters"]:
        for name, value in known.items():
            text = text.replace(f"${{{name}}}", value)
        parameters.append(text)
    places = [f"paths.{name}={tmp_path / name}" for name in ("state", "machine")]
    given = [*parameters, *(part for place in places for part in ("--set", place))]
    monkeypatch.setenv("DATABRICKS_ENV_VERSION", "5")
    monkeypatch.setattr(sys, "argv", ["portfolio-task", *given])
    task(PROJECT)
    said = capfd.readouterr().out
    assert "Place: Databricks client.5" in said
    assert "Plan: Spark Connect to Databricks; 1 Ray worker on" in said


@pytest.mark.parametrize("compute", ["classic", "serverless"])
def test_a_notebook_opened_by_hand_installs_what_its_job_does(
    compute: str, bundled: Callable[[Answers], Path]
) -> None:
    project = bundled({"compute": compute})
    runbook = (project / "docs/runbook.md").read_text(encoding="utf-8")
    [cell] = [line for line in runbook.splitlines() if line.startswith("%pip install ")]
    by_hand = {(project / "notebooks" / name).resolve() for name in cell.split()[3::2]}
    job = bundle.data(project)["resources"]["jobs"]["batch_inference"]
    if compute == "classic":
        named = [one["requirements"] for one in job["tasks"][0]["libraries"] if "requirements" in one]
        files = {(project / "resources" / name).resolve() for name in named}
    else:
        named = job["environments"][0]["spec"]["dependencies"]
        here = "-r ${workspace.file_path}/"
        files = {(project / name.removeprefix(here)).resolve() for name in named if name.startswith(here)}
    assert by_hand == files
    assert all(path.is_file() for path in by_hand)


@pytest.mark.parametrize(("file", "old", "new", "fault"), FAULTS)
def test_a_planted_fault_of_a_serverless_task_is_found_with_its_file_and_line(
    file: str, old: str, new: str, fault: str, bundled: Callable[[Answers], Path]
) -> None:
    project = bundled({"compute": "serverless"})
    line = planted(project / file, old, new)
    # Some findings are about the task around it, which begins a line above.
    assert_found(project, file, line, fault, around=1)


@pytest.mark.parametrize(("answers", "file", "old", "new", "fault", "there", "begins"), ELSEWHERE)
def test_a_planted_fault_of_compute_is_found_where_it_comes_to_light(
    answers: Answers,
    file: str,
    old: str,
    new: str,
    fault: str,
    there: str,
    begins: str,
    bundled: Callable[[Answers], Path],
) -> None:
    project = bundled(answers)
    planted(project / file, old, new)
    assert_found(project, there, line_that_begins(project / there, begins), fault)


@pytest.mark.parametrize(
    "given",
    [
        {"cloud": "gcp"},
        {"databricks_runtime": "17.3.x-cpu-ml-scala2.13"},
        {"accelerator": "gpu"},
        {"cluster_size": "L"},
        {"cluster_workers": 4},
        {"spot_workers": True},
        {"ray_cpus_per_worker": 2},
        {"object_store_percent": 20},
        {"cluster_policy": "none"},
    ],
    ids=lambda given: next(iter(given)),
)
def test_an_answer_about_clusters_is_refused_where_there_are_none(
    given: Answers, template: Path, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="has an effect only with jobs on clusters"):
        render(template, tmp_path / "project", {"compute": "serverless", **given})
