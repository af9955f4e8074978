"""Each rule of the bundle's checks finds a fault that is planted for it, with its file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

import bundle
from acceleray.testing.bundle import faults
from bundle_faults import assert_found, copied_bundle, line_that_begins, planted

JOB, SCHEMAS, TOP = "resources/end_to_end_pipeline.job.yml", "resources/schemas.yml", "databricks.yml"
POLICY, VOLUME, MODEL = "resources/cluster_policy.yml", "resources/volume.yml", "resources/signal_model.yml"
EXPERIMENT = "resources/experiment.yml"
PINNED, RUNTIME = "engine/libraries/cpu.txt", "engine/libraries/runtime.txt"
OWN = "libraries/requirements.txt"
PIPELINE, RUNTIME_KEY = ".github/workflows/deploy-target.yml", "18.x-cpu-ml-scala2.13"
AUTOSHUTDOWN = 'DATABRICKS_RAY_ON_SPARK_AUTOSHUTDOWN_MINUTES: "0"'
PINS, READERS = "- requirements: ../engine/libraries/cpu.txt", 'group_name: "portfolio-readers"'
# File, what stands there, what is planted on the same line, and what the finding must name.
FAULTS = [
    (JOB, "max_concurrent_runs: 1", "max_concurent_runs: 1", "max_concurent_runs"),
    (JOB, "timeout_seconds: 14400", "timeout_seconds: long", "timeout_seconds"),
    (JOB, "SINGLE_USER", "SHARED", "data_security_mode"),
    (JOB, "SINGLE_USER", "USER_ISOLATION", "dedicated"),
    (JOB, "node_type_id: ${var.node_type}", "node_type_id: ${var.node_typo}", "node_typo"),
    (JOB, "node_type_id: ${var.node_type}", "node_type_id: Standard_E8ds_v5", "no machine of aws"),
    (JOB, "num_workers: ${var.workers}", "autoscale: {max_workers: 4}", "autoscale"),
    (JOB, "04_end_to_end_pipeline.py", "04_end_to_end.py", "no notebook"),
    (JOB, "job_cluster_key: ray_on_spark", "job_cluster_key: ray", "no cluster of this job"),
    (JOB, "environment_key: connect", "depends_on: [{task_key: ingest}]", "no task of this job"),
    (JOB, 'package_name: "portfolio-intelligence"', "package_name: portfolio", "the wheel is called"),
    (JOB, "entry_point: portfolio-task", "entry_point: portfolio", "no entry point"),
    (JOB, "- task_key: maintain", "- run_if: ALL_DONE\n          task_key: maintain", "a success"),
    (JOB, "libraries: #", "libraries: [{whl: ../dist/*.whl}]\n          unused: #", "not pinned"),
    (JOB, "../libraries/requirements.txt", "../libraries/pins.txt", "no file"),
    (JOB, "../engine/libraries/cpu.txt", "../engine/libraries/tpu.txt", "no file"),
    (OWN, "# Libraries", "optuna==5.0.0\n# Libraries", "is the engine's"),
    (PINNED, "optuna==5.0.0", "optuna>=5.0.0", "not pinned exactly"),
    (PINNED, "optuna==5.0.0", "optuna==4.0.0", "not what the wheel asks for"),
    (PINNED, "optuna==5.0.0", "numpy==2.4.6", "belongs to the runtime"),
    (PINNED, "optuna==5.0.0", "pyspark==4.1.4", "belongs to the runtime"),
    (RUNTIME, "pandas==2.2.3", "pandas==3.0.0", "not what the wheel asks for"),
    (
        "conf/prod.yml",
        "state: /Volumes/${var.catalog}/${var.schema_prefix}_bronze/files/state",
        "state: var",
        "replaces",
    ),
    ("conf/prod.yml", "paths: #", "paths: {machine: /tmp/x}\nunused: #", "paths.state is below"),
    ("conf/dev.yml", "state: /Volumes/", "state: /Workspace/", "must be in the volume"),
    (
        "conf/dev.yml",
        "machine: /tmp/",
        "machine: /Volumes/${var.catalog}/${var.schema_prefix}_bronze/files/",
        "outside of",
    ),
    (JOB, "RUN_DURATION_SECONDS", "RUN_SECONDS", "metric"),
    (JOB, "level: CAN_MANAGE_RUN", "level: CAN_USE", "level"),
    (JOB, 'group_name: "portfolio-readers"', 'user_name: "jane"', "person"),
    (JOB, "0 0 6 ? * MON-FRI", "0 6 * * 1", "Quartz"),
    (JOB, '"UTC"', '"Europe/Zurch"', "time zone"),
    (JOB, "cluster_policies.ray_on_spark", "cluster_policies.ray", "no resource"),
    (JOB, 'DATABRICKS_RAY_ON_SPARK_AUTOSHUTDOWN_MINUTES: "0"', 'API_TOKEN: "dapi"', "secret"),
    (SCHEMAS, "catalog_name: ${var.catalog}", "catalog: ${var.catalog}", "catalog"),
    (SCHEMAS, "[USE_SCHEMA, SELECT]", "[USE_SCHEMAS, SELECT]", "USE_SCHEMAS"),
    (SCHEMAS, "[USE_SCHEMA, SELECT]", "[USE_CATALOG, SELECT]", "no privilege USE_CATALOG"),
    (SCHEMAS, '"portfolio-operators"', '"jane@example.com"', "person"),
    (SCHEMAS, '"portfolio-operators"', '"portfolio-owners"', "twice"),
    (VOLUME, "volume_type: MANAGED", "volume_type: INTERNAL", "volume_type"),
    (VOLUME, "READ_VOLUME", "SELECT", "no privilege SELECT"),
    (MODEL, "comment:", "remark:", "remark"),
    (MODEL, "[EXECUTE]", "[SELECT]", "no privilege SELECT"),
    (EXPERIMENT, "CAN_EDIT", "CAN_WRITE", "CAN_WRITE"),
    (POLICY, "CAN_USE", "CAN_MANAGE", "CAN_MANAGE"),
    (TOP, 'service_principal_name: "${var.service_principal}"', "user_name: jane@example.com", "person"),
    (TOP, "mode: production", "mode: productive", "productive"),
    (
        TOP,
        "deployment: staging\n",
        'service_principal: "0f1e"\n      deployment: staging\n',
        "beats this value",
    ),
    (JOB, "num_workers: ${var.workers}", "num_workers: 500", "does not allow num_workers to be 500"),
    (JOB, "node_type_id: ${var.node_type}", "node_type_id: r6id.large", "the policy wants node_type_id"),
    (JOB, "spark_version: ${var.runtime}", "spark_version: 18.x-scala2.13", "no ML runtime"),
    (JOB, "max_concurrent_runs: 1", "email_notifications: {on_failure: [nobody]}", "no e-mail address"),
    (JOB, "- task_key: check", "- description: looks", "task_key: missing"),
    (JOB, "queue:\n        enabled: true", "queue: enabled", "QueueSettings is expected"),
    (JOB, "tags:\n", "tags: none\n      parameters:\n", "names with values are expected"),
    (SCHEMAS, "[USE_SCHEMA, SELECT]", "SELECT", "a list is expected"),
    (JOB, "project: ${workspace.file_path}", "project: ${workspace.folder}", "nothing has this name"),
    (SCHEMAS, "  schemas:", "  schemata: {}\n  schemas:", "not a kind that is checked"),
    # Who can change what runs.
    (
        TOP,
        "/Workspace/Users/${var.service_principal}/.bundle",
        "/Workspace/Shared/.bundle",
        "can change what lies",
    ),
    (TOP, "/Workspace/Users/${var.service_principal}/", "/Workspace/Users/jane/", "is not in the folder of"),
    (TOP, "level: CAN_MANAGE", "level: CAN_EDIT", "CAN_EDIT"),
    (EXPERIMENT, "${var.experiment}", '"/Shared/runs"', "can change what lies in"),
    (TOP, "targets:\n", "workspace: {host: '${var.catalog}'}\n\ntargets:\n", "takes no variable"),
    # What tells one deployment from another.
    (POLICY, "spark-${var.deployment}", "spark-${bundle.target}", "other deployments have the name"),
    (SCHEMAS, "name: ${var.schema_prefix}_gold", "name: gold", "other deployments have the name"),
    ("conf/dev.yml", "name: ${var.catalog}", "name: portfolio_test", "is not what the bundle calls it"),
    (
        "conf/dev.yml",
        "gold: ${var.schema_prefix}_gold",
        "gold: portfolio_gold",
        "is not what the bundle calls it",
    ),
    ("conf/dev.yml", "experiment: ${var.experiment}", "experiment: /Shared/x", "is not ${var.experiment}"),
    # What a lost machine costs.
    (JOB, "availability: ON_DEMAND", "availability: SPOT_WITH_FALLBACK", "the driver must be on demand"),
    (JOB, "availability: ON_DEMAND", "availability: SOMETIMES", "SOMETIMES"),
    (JOB, AUTOSHUTDOWN, f"OTHER: dapi{'0' * 32}", "looks like a secret"),
    (JOB, PINS, f"- whl: ../dist/*.whl\n            {PINS}", "pinned libraries come before the wheel"),
    (JOB, READERS, f"service_principal_name: risk\n          {READERS}", "exactly one principal"),
]

# The same where the fault comes to light in another place: its file, and what the line there begins with.
ELSEWHERE = [
    (POLICY, '"value": "job"},', '"value": "job"}', "is not JSON", POLICY, "      definition:"),
    (
        JOB,
        "driver_node_type_id:",
        "instance_pool_id:",
        "the policy wants driver_n",
        JOB,
        "          new_cluster:",
    ),
    (VOLUME, "volume_type: MANAGED", "storage_location: none", "volume_type: missing", VOLUME, "    files:"),
    (
        TOP,
        f"    default: {RUNTIME_KEY}\n",
        "",
        "has no value in target dev",
        JOB,
        "            spark_version:",
    ),
    (PINNED, "optuna==5.0.0", "", "optuna is missing", PINNED, ""),
    (PIPELINE, "BUNDLE_VAR_service_principal", "PRINCIPAL", "no pipeline sets", TOP, "  staging:"),
    (JOB, "var.catalog=${var.catalog} ", "", "does not pass var.catalog", JOB, "          notebook_task:"),
    (
        JOB,
        "- var.experiment=${var.experiment}",
        "- x",
        "pass var.experiment",
        JOB,
        "          python_wheel_task:",
    ),
    (JOB, "aws_attributes:", "azure_attributes:", "availability is missing", JOB, "          new_cluster:"),
    (TOP, "databricks_cli_version:", "uuid:", "databricks_cli_version is missing", TOP, "bundle:"),
    (
        TOP,
        "deployment: ${workspace.current_user.short_name}",
        "deployment: own",
        "the same for",
        TOP,
        "# Deployed",
    ),
    (TOP, "environment: staging", "environment: stage", "reads conf/stage.yml", TOP, "# Deployed"),
    (TOP, "root_path:", "file_path:", "is not in the folder of", TOP, "  dev:"),
    (
        TOP,
        "level: CAN_MANAGE",
        "level: CAN_MANAGE\n      - {service_principal_name: other, level: CAN_MANAGE}",
        "must name",
        TOP,
        "    permissions:",
    ),
]


@pytest.fixture
def copied(defaults: Path, tmp_path: Path) -> Path:
    """Return a folder with the parts of a project that the checks read."""
    return copied_bundle(defaults, tmp_path / "project")


@pytest.mark.parametrize(("file", "old", "new", "fault"), FAULTS)
def test_a_planted_fault_is_found_with_its_file_and_line(
    file: str, old: str, new: str, fault: str, copied: Path
) -> None:
    line = planted(copied / file, old, new)
    assert_found(copied, file, line, fault)


@pytest.mark.parametrize(("file", "old", "new", "fault", "there", "begins"), ELSEWHERE)
def test_a_planted_fault_is_found_where_it_comes_to_light(
    file: str, old: str, new: str, fault: str, there: str, begins: str, copied: Path
) -> None:
    planted(copied / file, old, new)
    assert_found(copied, there, line_that_begins(copied / there, begins), fault)


def test_a_key_that_is_there_twice_is_refused_with_its_line(copied: Path) -> None:
    line = planted(
        copied / JOB, "max_concurrent_runs: 1", "max_concurrent_runs: 1\n      max_concurrent_runs: 2"
    )
    with pytest.raises(ValueError, match=f"^{JOB}:{line + 1}: max_concurrent_runs is there twice$"):
        bundle.problems(copied)


def test_a_file_without_anything_in_it_is_refused(copied: Path) -> None:
    (copied / EXPERIMENT).write_text("# nothing\n", encoding="utf-8")
    with pytest.raises(ValueError, match=f"^{EXPERIMENT}:1: the file is empty$"):
        bundle.problems(copied)


def test_the_test_that_a_project_receives_names_files_that_are_missing(copied: Path) -> None:
    assert faults(copied) == []
    planted(copied / JOB, "04_end_to_end_pipeline.py", "04_end_to_end.py")
    planted(copied / TOP, "  - resources/*.yml", "  - resources/*.yml\n  - jobs/*.yml")
    pattern, notebook = faults(copied)
    assert pattern == "databricks.yml includes jobs/*.yml, but no file matches."
    assert notebook.endswith(" names ../notebooks/04_end_to_end.py, which does not exist.")


def test_a_project_in_which_nothing_is_planted_has_no_fault(copied: Path) -> None:
    assert bundle.problems(copied) == []
