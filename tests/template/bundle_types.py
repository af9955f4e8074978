"""The shape of a bundle: every field and value against the types of databricks-sdk."""

from __future__ import annotations

import dataclasses
import enum
import inspect
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from databricks.sdk.service import catalog, compute, dashboards, iam, jobs, ml, sql

from bundle_node import Node


@dataclass
class Grant:
    """Privileges of a principal, as the bundle writes them."""

    principal: str
    privileges: list[catalog.Privilege]


@dataclass
class JobPermission:
    """Who may do what with a job."""

    level: jobs.JobPermissionLevel
    group_name: str | None = None
    service_principal_name: str | None = None
    user_name: str | None = None


@dataclass
class ExperimentPermission:
    """Who may do what with an experiment."""

    level: ml.ExperimentPermissionLevel
    group_name: str | None = None
    service_principal_name: str | None = None
    user_name: str | None = None


@dataclass
class PolicyPermission:
    """Who may make clusters with a policy."""

    level: compute.ClusterPolicyPermissionLevel
    group_name: str | None = None
    service_principal_name: str | None = None
    user_name: str | None = None


@dataclass
class ObjectPermission:
    """Who may do what with a dashboard or an alert."""

    level: iam.PermissionLevel
    group_name: str | None = None
    service_principal_name: str | None = None
    user_name: str | None = None


@dataclass
class Dashboard(dashboards.Dashboard):
    """A dashboard as the SDK creates it, with defaults of its datasets and the file that holds it."""

    file_path: str | None = None
    dataset_catalog: str | None = None
    dataset_schema: str | None = None


class BundleLevel(enum.Enum):
    """What somebody may do with the whole bundle."""

    CAN_MANAGE = "CAN_MANAGE"
    CAN_VIEW = "CAN_VIEW"
    CAN_RUN = "CAN_RUN"


@dataclass
class BundlePermission:
    """Who may do what with the folder and all resources of a target."""

    level: BundleLevel
    group_name: str | None = None
    service_principal_name: str | None = None
    user_name: str | None = None


class Mode(enum.Enum):
    """What the CLI makes of a target."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


@dataclass
class Presets:
    """Those of the target's presets that this template uses."""

    trigger_pause_status: jobs.PauseStatus | None = None


@dataclass
class Variable:
    """A variable of the bundle."""

    description: str
    default: Any = None
    lookup: dict[str, str] | None = None


@dataclass
class Target:
    """One environment to deploy to."""

    default: bool | None = None
    mode: Mode | None = None
    presets: Presets | None = None
    workspace: dict[str, str] | None = None
    run_as: jobs.JobRunAs | None = None
    permissions: list[BundlePermission] | None = None
    variables: dict[str, Any] | None = None
    resources: dict[str, Any] | None = None


@dataclass
class Top:
    """databricks.yml, as far as this template uses it; no type of the SDK says this part."""

    bundle: dict[str, str]
    include: list[str]
    artifacts: dict[str, dict[str, str]]
    sync: dict[str, list[str]]
    variables: dict[str, Variable]
    targets: dict[str, Target]
    resources: dict[str, Any] | None = None


# Resources by what the SDK creates them from (a class of settings, or the arguments of a call), and what the
# bundle adds to it.
SHAPES: dict[str, tuple[Any, dict[str, Any]]] = {
    "jobs": (jobs.JobSettings, {"permissions": list[JobPermission]}),
    "schemas": (catalog.SchemasAPI.create, {"grants": list[Grant]}),
    "volumes": (catalog.VolumesAPI.create, {"grants": list[Grant]}),
    "registered_models": (catalog.RegisteredModelsAPI.create, {"grants": list[Grant]}),
    "experiments": (ml.ExperimentsAPI.create_experiment, {"permissions": list[ExperimentPermission]}),
    "dashboards": (Dashboard, {"permissions": list[ObjectPermission]}),
    "alerts": (sql.AlertV2, {"permissions": list[ObjectPermission]}),
    "cluster_policies": (compute.ClusterPoliciesAPI.create, {"permissions": list[PolicyPermission]}),
}


def top_level(root: Node) -> Iterator[str]:
    """Yield what is wrong with databricks.yml outside of its resources."""
    yield from _mismatches(Top, root, "databricks.yml")


def resources(kinds: Node) -> Iterator[str]:
    """Yield what is wrong with the fields and values of all resources."""
    for kind, named in kinds.value.items():
        if kind not in SHAPES:
            yield f"{named.where}: resources.{kind}: not a kind that is checked"
            continue
        shape, added = SHAPES[kind]
        for name, resource in named.value.items():
            path = f"resources.{kind}.{name}"
            kept = {key: node for key, node in resource.value.items() if key not in added}
            yield from _mismatches(shape, Node(kept, resource.where), path)
            for key, expected in added.items():
                if key in resource:
                    yield from _mismatches(expected, resource[key], f"{path}.{key}")


def _mismatches(expected: Any, node: Node, path: str) -> Iterator[str]:
    origin, value = typing.get_origin(expected), node.value
    if expected is Any or (isinstance(value, str) and "${" in value):
        return
    if origin in (typing.Union, types.UnionType):
        inner = [option for option in typing.get_args(expected) if option is not type(None)]
        yield from _mismatches(inner[0], node, path)
    elif origin is list:
        if not isinstance(value, list):
            yield f"{node.where}: {path}: a list is expected"
            return
        (item,) = typing.get_args(expected)
        for index, entry in enumerate(value):
            yield from _mismatches(item, entry, f"{path}[{index}]")
    elif origin is dict:
        if not isinstance(value, dict):
            yield f"{node.where}: {path}: names with values are expected"
            return
        _, item = typing.get_args(expected)
        for key, entry in value.items():
            yield from _mismatches(item, entry, f"{path}.{key}")
    elif dataclasses.is_dataclass(expected) or inspect.isfunction(expected):
        yield from _mismatched_fields(expected, node, path)
    elif isinstance(expected, type) and issubclass(expected, enum.Enum):
        names = [option.value for option in expected]
        if value not in names:
            yield f"{node.where}: {path}: {value!r} is none of {', '.join(names)}"
    elif expected in (str, int, float, bool) and type(value) is not expected:
        yield f"{node.where}: {path}: {value!r} is not of type {expected.__name__}"


def _mismatched_fields(expected: Any, node: Node, path: str) -> Iterator[str]:
    if not isinstance(node.value, dict):
        yield f"{node.where}: {path}: {expected.__name__} is expected"
        return
    hints, required = _fields(expected)
    for name, child in node.value.items():
        if name in required:
            yield from _mismatches(hints[name], child, f"{path}.{name}")
        else:
            yield f"{child.where}: {path}.{name}: {expected.__name__} has no such field"
    for name, needed in required.items():
        if needed and name not in node:
            yield f"{node.where}: {path}.{name}: missing"


@cache
def _fields(expected: Any) -> tuple[dict[str, Any], dict[str, bool]]:
    """Return the type of each field of a class or argument of a call, and whether it must be given."""
    required = {
        argument.name: argument.default is inspect.Parameter.empty
        for argument in inspect.signature(expected).parameters.values()
        if argument.name != "self"
    }
    return typing.get_type_hints(expected), required
