"""Rules of a bundle about who can change what runs, and what one deployment's names tell from another's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from bundle_node import Node, plain

# Every user of a workspace may write here.
_SHARED = re.compile(r"^(/Workspace)?/Shared(/|$)")
# What conf/*.yml learn from a deployment.
NAMES = ("catalog", "schema_prefix", "experiment")
# Kinds of resources that a workspace has under one name only, and where that name stands.
_NAMED = {"schemas": "name", "cluster_policies": "name", "experiments": "name"}
_NAMED |= {"dashboards": "display_name", "alerts": "display_name"}
_ON_DEMAND = re.compile(r"ON_DEMAND(_AZURE|_GCP)?")


def broken(deployed: Node, known: Mapping[str, str], cloud: str) -> Iterator[str]:
    """Yield one line for each broken rule, with file and line.

    Args:
        deployed: the bundle as one target has it.
        known: variables of that target by `var.name`.
        cloud: of the workspace.
    """
    target = deployed["targets"][known["bundle.target"]]
    yield from _folder(deployed, target)
    yield from _own_names(deployed["resources"], known)
    for name, job in deployed["resources"]["jobs"].value.items():
        path = f"resources.jobs.{name}"
        for task in job["tasks"].items() if "tasks" in job else []:
            yield from _told(path, task)
        for cluster in job["job_clusters"].items() if "job_clusters" in job else []:
            if "new_cluster" in cluster:
                yield from _machines(path, cluster["new_cluster"], cloud)
    bundle = deployed["bundle"]
    if "databricks_cli_version" not in bundle:
        yield f"{bundle.where}: databricks_cli_version is missing: older CLIs leave out what is new"


def _folder(deployed: Node, target: Node) -> Iterator[str]:
    for level in (deployed, target):
        workspace = level.get("workspace")
        host = workspace.get("host") if workspace else None
        if host is not None and "${" in str(host.value):
            yield f"{host.where}: the CLI takes no variable for workspace.host; set DATABRICKS_HOST"
    workspace = target.get("workspace")
    root = workspace.get("root_path") if workspace else None
    if root is not None and _SHARED.match(str(root.value)):
        yield f"{root.where}: every user of the workspace can change what lies in {root.value}"
    runner = target["run_as"].get("service_principal_name") if "run_as" in target else None
    if runner is None:
        return
    if root is None or not str(root.value).startswith(f"/Workspace/Users/{runner.value}/"):
        place = root.where if root else target.where
        yield f"{place}: root_path is not in the folder of {runner.value}, which runs the jobs"
    allowed = [
        entry.get("service_principal_name")
        for entry in (target["permissions"].items() if "permissions" in target else [])
    ]
    if [node.value for node in allowed if node] != [runner.value]:
        place = target["permissions"].where if "permissions" in target else target.where
        yield f"{place}: permissions must name {runner.value} alone, as others could change what it runs"


def _own_names(kinds: Node, known: Mapping[str, str]) -> Iterator[str]:
    """Yield names that another deployment of the same workspace would have too."""
    for kind, key in _NAMED.items():
        for name, resource in kinds[kind].value.items() if kind in kinds else []:
            text = str(resource[key].value)
            if _SHARED.match(text):
                yield f"{resource[key].where}: every user of the workspace can change what lies in {text}"
            if not {"${var.schema_prefix}", "${var.deployment}", "${var.experiment}"} & set(
                re.findall(r"\$\{[^}]*\}", text)
            ):
                yield f"{resource[key].where}: {kind}.{name}: other deployments have the name {text}"
    own = known.get("var.deployment", "")
    if known["bundle.target"] == "personal" and "current_user" not in own:
        yield f"databricks.yml:1: variable deployment of target personal is {own}, the same for everybody"


def _told(path: str, task: Node) -> Iterator[str]:
    """Yield names that a task does not pass on to its settings."""
    if "notebook_task" in task:
        at = task["notebook_task"]
    elif "python_wheel_task" in task:
        at = task["python_wheel_task"]
    else:
        return
    text = str(plain(at))
    for name in NAMES:
        if f"var.{name}=${{var.{name}}}" not in text:
            yield f"{at.where}: {path}: the task does not pass var.{name}, so conf/ cannot know it"


def _machines(path: str, cluster: Node, cloud: str) -> Iterator[str]:
    attributes = cluster.get(f"{cloud}_attributes")
    kind = attributes.get("availability") if attributes else None
    if attributes is None or kind is None:
        yield f"{cluster.where}: {path}: {cloud}_attributes.availability is missing: the default may be spot"
    elif not _ON_DEMAND.fullmatch(kind.value):
        first = attributes.get("first_on_demand")
        if first is None or int(first.value) < 1:
            yield f"{kind.where}: {path}: with spot machines the driver must be on demand (first_on_demand 1)"
