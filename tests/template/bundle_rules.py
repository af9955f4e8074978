"""Rules of a bundle that no type can say, each of them a mistake that only a deployment would show."""

from __future__ import annotations

import json
import re
import tomllib
import zoneinfo
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import bundle_board
import bundle_libraries
import bundle_safety
import bundle_serverless
from bundle_node import Node, plain

# What names of node types look like, by cloud.
NODE_TYPES = {
    "aws": r"[a-z][a-z0-9-]*\.[a-z0-9-]+",
    "azure": r"Standard_\w+",
    "gcp": r"[a-z][a-z0-9]*-[a-z]+-[a-z0-9-]+",
}
# And of those that have GPUs.
GPU_NODE_TYPES = {
    "aws": r"(g[4-9]|p[3-9])[a-z0-9-]*\..*",
    "azure": r"Standard_N[CDV].*",
    "gcp": r"(g|a)[2-9]-.*",
}
# Privileges of the SDK's one list that each kind of securable takes; other ones the workspace refuses.
PRIVILEGES = {
    "schemas": {
        *("ALL_PRIVILEGES", "APPLY_TAG", "BROWSE", "CREATE_FUNCTION", "CREATE_MATERIALIZED_VIEW"),
        *("CREATE_MODEL", "CREATE_TABLE", "CREATE_VOLUME", "EXECUTE", "EXTERNAL_USE_SCHEMA", "MANAGE"),
        *("MODIFY", "READ_VOLUME", "REFRESH", "SELECT", "USE_SCHEMA", "WRITE_VOLUME"),
    },
    "volumes": {"ALL_PRIVILEGES", "APPLY_TAG", "MANAGE", "READ_VOLUME", "WRITE_VOLUME"},
    "registered_models": {"ALL_PRIVILEGES", "APPLY_TAG", "EXECUTE", "MANAGE"},
}
_SECRET_NAME = re.compile(r"(?i)token|password|secret|client_key|api_key")
_SECRET_VALUE = re.compile(r"dapi[0-9a-f]{16,}|dose[0-9a-f]{16,}|-----BEGIN")
_ADDRESS = re.compile(r"[\w.+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


def broken(project: Path, deployed: Node, known: Mapping[str, str], cloud: str) -> Iterator[str]:
    """Yield one line for each broken rule, with file and line.

    Args:
        project: the folder of the bundle.
        deployed: the bundle as one target has it.
        known: variables of that target by `var.name`.
        cloud: of the workspace.
    """
    kinds = deployed["resources"]
    for name, job in kinds["jobs"].value.items():
        yield from _job(project, f"resources.jobs.{name}", job, known, cloud)
        yield from _policy(f"resources.jobs.{name}", job, kinds, known)
    yield from _principals(kinds)
    yield from _secrets(deployed)
    yield from bundle_safety.broken(deployed, known, cloud)
    yield from bundle_board.broken(project, kinds)
    run_as = [target["run_as"] for target in deployed["targets"].value.values() if "run_as" in target]
    for identity in run_as:
        for leaf in identity.leaves():
            if "@" in str(leaf.value) or "user_name" in identity:
                yield f"{leaf.where}: run_as is a person; use a service principal"


def _job(project: Path, path: str, job: Node, known: Mapping[str, str], cloud: str) -> Iterator[str]:
    tasks = [task for task in job["tasks"].items() if "task_key" in task] if "tasks" in job else []
    keys = {task["task_key"].value for task in tasks}
    clusters = {
        cluster["job_cluster_key"].value: cluster["new_cluster"]
        for cluster in (job["job_clusters"].items() if "job_clusters" in job else [])
        if "job_cluster_key" in cluster and "new_cluster" in cluster
    }
    for task in tasks:
        yield from _task(project, path, task, keys, set(clusters))
        if not bundle_serverless.serverless(task):
            yield from bundle_libraries.task(project, path, task)
    yield from bundle_serverless.broken(project, path, job, known)
    waited_for = {
        other["task_key"].value
        for task in tasks
        for other in (task["depends_on"].items() if "depends_on" in task else [])
        if "task_key" in other
    }
    # Databricks judges a run of a job by its last tasks.
    for task in tasks:
        last = task["task_key"].value not in waited_for
        if last and "run_if" in task and task["run_if"].value != "ALL_SUCCESS":
            yield f"{task['run_if'].where}: {path}: a last task that runs after failures makes them a success"
    for cluster in clusters.values():
        yield from _cluster(path, cluster, known, cloud)
        yield from _accelerator(project, path, cluster, known, cloud)
    if "schedule" in job:
        yield from _schedule(path, job["schedule"])
    if "email_notifications" in job:
        for leaf in job["email_notifications"].leaves():
            if isinstance(leaf.value, str) and not _ADDRESS.fullmatch(leaf.value):
                yield f"{leaf.where}: {path}: {leaf.value!r} is no e-mail address"


def _task(project: Path, path: str, task: Node, keys: set[str], clusters: set[str]) -> Iterator[str]:
    if "notebook_task" in task:
        notebook = task["notebook_task"]["notebook_path"]
        # The CLI takes it as relative to the file it stands in.
        folder = (project / notebook.where.rsplit(":", 1)[0]).parent
        if not (folder / notebook.value).is_file():
            yield f"{notebook.where}: {path}: there is no notebook {notebook.value}"
    if "python_wheel_task" in task:
        yield from _wheel(project, path, task["python_wheel_task"])
    for other in task["depends_on"].items() if "depends_on" in task else []:
        if "task_key" in other and other["task_key"].value not in keys:
            wanted = other["task_key"]
            yield f"{wanted.where}: {path}: no task of this job is called {wanted.value}"
    if "job_cluster_key" in task and task["job_cluster_key"].value not in clusters:
        wanted = task["job_cluster_key"]
        yield f"{wanted.where}: {path}: no cluster of this job is called {wanted.value}"


def _wheel(project: Path, path: str, task: Node) -> Iterator[str]:
    declared = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    package, entry = task["package_name"], task["entry_point"]
    if package.value != declared["name"]:
        yield f"{package.where}: {path}: the wheel is called {declared['name']}, not {package.value}"
    # The console script would run as well, but its exit code is seen by nobody.
    if entry.value not in declared.get("entry-points", {}).get("packages", {}):
        yield f"{entry.where}: {path}: the wheel has no entry point {entry.value} for tasks"


def _cluster(path: str, cluster: Node, known: Mapping[str, str], cloud: str) -> Iterator[str]:
    mode = cluster.get("data_security_mode")
    if mode is None or mode.value != "SINGLE_USER":
        place = mode.where if mode else cluster.where
        yield f"{place}: {path}: Ray on Spark needs dedicated access mode (data_security_mode SINGLE_USER)"
    if "autoscale" in cluster:
        yield f"{cluster['autoscale'].where}: {path}: Ray holds its slots, so the cluster must not autoscale"
    for key in ("node_type_id", "driver_node_type_id"):
        if key in cluster:
            name = resolved(cluster[key].value, known)
            if not re.fullmatch(NODE_TYPES[cloud], name):
                yield f"{cluster[key].where}: {path}: {key} {name} is no machine of {cloud}"
    if "spark_version" in cluster:
        runtime = resolved(cluster["spark_version"].value, known)
        if "-ml-" not in runtime:
            yield f"{cluster['spark_version'].where}: {path}: runtime {runtime} is no ML runtime"


def _accelerator(
    project: Path, path: str, cluster: Node, known: Mapping[str, str], cloud: str
) -> Iterator[str]:
    """Yield where runtime, machines, Spark and libraries do not agree on whether there are GPUs."""
    if "spark_version" not in cluster:
        return
    runtime = cluster["spark_version"]
    gpu = "-gpu-" in resolved(runtime.value, known)
    has, kind = ("no GPU", "a GPU") if gpu else ("a GPU", "a CPU")
    for key in ("node_type_id", "driver_node_type_id"):
        name = resolved(cluster[key].value, known) if key in cluster else ""
        if name and gpu != bool(re.fullmatch(GPU_NODE_TYPES[cloud], name)):
            # Either of the two may be the wrong one.
            for place in (cluster[key], runtime):
                yield f"{place.where}: {path}: {key} {name} has {has}, and the runtime is {kind} runtime"
    conf = cluster.get("spark_conf")
    amount = conf.get(SPARK_GPUS) if conf else None
    if gpu and (amount is None or str(amount.value) != "0"):
        where = (amount or conf or cluster).where
        yield f"{where}: {path}: Ray holds the GPUs, so {SPARK_GPUS} must be 0, or every query would hang"
    if gpu:
        yield from bundle_libraries.without_gpu(project)


# Databricks sets it to 1 on GPU clusters.
SPARK_GPUS = "spark.task.resource.gpu.amount"


def _schedule(path: str, schedule: Node) -> Iterator[str]:
    if "quartz_cron_expression" in schedule:
        cron = schedule["quartz_cron_expression"]
        fields = str(cron.value).split()
        if len(fields) not in (6, 7) or (fields[3] == "?") == (fields[5] == "?"):
            yield f"{cron.where}: {path}: {cron.value!r} is no Quartz expression"
    if "timezone_id" in schedule:
        zone = schedule["timezone_id"]
        if zone.value not in zoneinfo.available_timezones():
            yield f"{zone.where}: {path}: {zone.value!r} is no time zone"


def _policy(path: str, job: Node, kinds: Node, known: Mapping[str, str]) -> Iterator[str]:
    """Yield what a job cluster has that its own policy would refuse."""
    if "cluster_policies" not in kinds or "job_clusters" not in job:
        return
    for name, policy in kinds["cluster_policies"].value.items():
        definition = policy["definition"]
        try:
            rules: dict[str, dict[str, Any]] = json.loads(resolved(definition.value, known))
        except json.JSONDecodeError as error:
            yield f"{definition.where}: the definition of policy {name} is not JSON: {error}"
            continue
        for cluster in job["job_clusters"].items():
            spec = cluster.get("new_cluster", cluster)
            if "policy_id" not in spec or f".{name}." not in str(spec["policy_id"].value):
                continue
            for key, rule in rules.items():
                yield from _refused(path, key, rule, spec, known)


def _refused(
    path: str, key: str, rule: dict[str, Any], spec: Node, known: Mapping[str, str]
) -> Iterator[str]:
    node = spec
    for part in key.split("."):
        if part not in node:
            if key != "cluster_type":
                yield f"{spec.where}: {path}: the policy wants {key}"
            return
        node = node[part]
    value = resolved(str(plain(node)), known)
    if rule["type"] == "fixed" and value != str(rule["value"]):
        yield f"{node.where}: {path}: the policy wants {key} to be {rule['value']}, not {value}"
    if rule["type"] == "allowlist" and value not in rule["values"]:
        yield f"{node.where}: {path}: the policy wants {key} to be one of {rule['values']}, not {value}"
    if rule["type"] == "range" and not rule["minValue"] <= int(value) <= rule["maxValue"]:
        yield f"{node.where}: {path}: the policy does not allow {key} to be {value}"


def _principals(kinds: Node) -> Iterator[str]:
    for kind, named in kinds.value.items():
        for name, resource in named.value.items():
            path = f"resources.{kind}.{name}"
            for block in ("grants", "permissions"):
                seen = set()
                for entry in resource[block].items() if block in resource else []:
                    who = [entry[key] for key in _WHO if key in entry]
                    if "user_name" in entry or any("@" in str(node.value) for node in who):
                        yield f"{entry.where}: {path}.{block}: a person is no principal; use a group"
                    elif len(who) != 1:
                        yield f"{entry.where}: {path}.{block}: exactly one principal is expected"
                    elif who[0].value in seen:
                        yield f"{entry.where}: {path}.{block}: {who[0].value} is there twice"
                    seen |= {node.value for node in who}
                    yield from _wrong_privileges(path, kind, entry)


_WHO = ("principal", "group_name", "service_principal_name", "user_name")


def _wrong_privileges(path: str, kind: str, entry: Node) -> Iterator[str]:
    for privilege in entry["privileges"].items() if "privileges" in entry else []:
        if privilege.value not in PRIVILEGES.get(kind, ()):
            yield f"{privilege.where}: {path}.grants: {kind} have no privilege {privilege.value}"


def _secrets(node: Node, name: str = "") -> Iterator[str]:
    if isinstance(node.value, dict):
        for key, child in node.value.items():
            yield from _secrets(child, key)
    elif isinstance(node.value, list):
        for child in node.value:
            yield from _secrets(child, name)
    elif isinstance(node.value, str):
        text = node.value
        named = _SECRET_NAME.search(name) and "{{secrets/" not in text and not text.startswith("${")
        if named or _SECRET_VALUE.search(text):
            yield f"{node.where}: {name} looks like a secret; refer to a secret scope instead"


def resolved(text: Any, known: Mapping[str, str]) -> str:
    """Return a text with the variables of a target put in."""
    return re.sub(r"\$\{([^}]*)\}", lambda found: known.get(found[1], found[0]), str(text))
