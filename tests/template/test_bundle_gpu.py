"""The Databricks bundle of a project whose signal model is fitted on GPUs."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path

import pytest

import bundle
from acceleray.engines.ray.slots import plan
from acceleray.settings import load
from bundle_faults import assert_found, copied_bundle, planted
from conftest import Answers, answers_of
from render import render

JOB, POLICY = "resources/end_to_end_pipeline.job.yml", "resources/cluster_policy.yml"
PINNED = "engine/libraries/gpu.txt"

# As in `test_bundle`, in a project with GPUs on Google Cloud.
GPU_JOB, CPU_JOB = JOB, "resources/risk_stress_testing.job.yml"
GPU_FAULTS = [
    (GPU_JOB, "node_type_id: ${var.gpu_node_type}", "node_type_id: ${var.node_type}", "has no GPU"),
    (GPU_JOB, "spark_version: ${var.gpu_runtime}", "spark_version: ${var.runtime}", "is a CPU runtime"),
    (CPU_JOB, "spark_version: ${var.runtime}", "spark_version: ${var.gpu_runtime}", "is a GPU runtime"),
    (CPU_JOB, "node_type_id: ${var.node_type}", "node_type_id: ${var.gpu_node_type}", "has a GPU"),
    (GPU_JOB, 'gpu.amount: "0"', 'gpu.amount: "1"', "Ray holds the GPUs"),
    (GPU_JOB, "spark_conf:", "spark_conf: {}\n            unused:", "Ray holds the GPUs"),
    (PINNED, "xgboost==3.2.0", "xgboost-cpu==3.2.0", "knows no GPU"),
    (PINNED, "optuna==5.0.0", "xgboost-cpu==3.2.0", "overwrite each other"),
    (PINNED, "xgboost==3.2.0", "xgboost==3.1.0", "not what the wheel asks for"),
]
GPU_FAMILIES = {"aws": ("g5.",), "azure": ("Standard_NC",), "gcp": ("g2-",)}


@pytest.mark.parametrize(("file", "old", "new", "fault"), GPU_FAULTS)
def test_a_planted_fault_about_gpus_is_found_with_its_file_and_line(
    file: str, old: str, new: str, fault: str, described: Callable[[Answers], Path], tmp_path: Path
) -> None:
    project = copied_bundle(described(answers_of("gpu")), tmp_path / "project")
    assert_found(project, file, planted(project / file, old, new), fault)


def test_a_machine_that_its_policy_does_not_list_is_refused(
    described: Callable[[Answers], Path], tmp_path: Path
) -> None:
    both = '"${var.runtime}", "${var.gpu_runtime}"'
    project = copied_bundle(described(answers_of("gpu")), tmp_path / "project")
    planted(project / POLICY, both, '"${var.runtime}"')
    found = bundle.problems(project)
    assert [line for line in found if line.startswith(JOB) and "spark_version to be one of" in line], found


@pytest.mark.parametrize(("cloud", "size"), [("aws", "S"), ("azure", "M"), ("gcp", "L")])
def test_only_jobs_that_fit_the_signal_model_have_gpus_and_all_of_them_a_plan(
    cloud: str, size: str, described: Callable[[Answers], Path]
) -> None:
    project = described({"cloud": cloud, "cluster_size": size, "accelerator": "gpu"})
    assert bundle.problems(project) == []
    given = bundle.data(project)
    machines = {name: variable.get("default") for name, variable in given["variables"].items()}
    assert machines["gpu_runtime"] == "18.x-gpu-ml-scala2.13"
    assert machines["gpu_node_type"].startswith(GPU_FAMILIES[cloud])
    for name, job in given["resources"]["jobs"].items():
        (cluster,) = (entry["new_cluster"] for entry in job["job_clusters"])
        fits = importlib.import_module(f"portfolio.workloads.{name}").WORKLOAD.fits
        kind = "gpu_" if fits else ""
        assert (cluster["spark_version"], cluster["node_type_id"]) == (
            f"${{var.{kind}runtime}}",
            f"${{var.{kind}node_type}}",
        )
    for environment in ("dev", "staging", "prod"):
        settings = load(project, environment)
        found = plan(settings, machines["workers"], {"S": 4, "M": 8, "L": 16}[size])
        # A GPU for each shard, and a slot for Spark.
        assert found.kept
        assert found.nodes * found.gpus_per_node >= settings.train.shards
        assert plan(settings.on_cpu(), machines["workers"], found.cores_per_executor).gpus_per_node == 0
    assert load(project, "local").model.device == "cpu"


def test_one_gpu_is_enough_for_one_shard(described: Callable[[Answers], Path]) -> None:
    project = described({"accelerator": "gpu", "cluster_workers": 1})
    assert load(project, "dev").train.shards == 1


def test_where_every_job_has_a_gpu_there_is_no_other_machine(described: Callable[[Answers], Path]) -> None:
    project = described({"accelerator": "gpu", "workloads": ["distributed_training"]})
    assert bundle.problems(project) == []
    given = bundle.data(project)
    assert {"gpu_runtime", "gpu_node_type"} <= given["variables"].keys()
    assert not {"runtime", "node_type"} & given["variables"].keys()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"accelerator": "gpu", "workloads": ["risk_stress_testing"]},
            "has an effect only with a workload that fits",
        ),
        ({"cluster_size": "custom", "node_type": "g5.2xlarge"}, "which these jobs would not use"),
        (
            {"cluster_size": "custom", "gpu_node_type": "g5.8xlarge"},
            "has an effect only with cluster_size custom and",
        ),
        *(
            (
                {"accelerator": "gpu", "cluster_size": "custom", "cloud": cloud, "gpu_node_type": machine},
                "a GPU",
            )
            for cloud, machine in [
                ("aws", "r6id.8xlarge"),
                ("aws", "g5.8xlarge; rm"),
                ("azure", "Standard_E8ds_v5"),
                ("gcp", "n2-highmem-8"),
            ]
        ),
    ],
)
def test_a_gpu_that_nothing_would_use_is_refused_and_so_is_a_machine_without_one(
    given: Answers, said: str, template: Path, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=said):
        render(template, tmp_path / "project", given)
