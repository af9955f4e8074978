"""Check a Databricks bundle without a workspace: shape against databricks-sdk, references against itself."""

from __future__ import annotations

import dataclasses
import enum
import inspect
import re
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from databricks.sdk.service import catalog, jobs

REFERENCE = re.compile(r"\$\{([^}]*)\}")
# Bundle resources by what the SDK creates them from: a class of settings, or the arguments of a call.
SHAPES: dict[str, Any] = {"jobs": jobs.JobSettings, "schemas": catalog.SchemasAPI.create}
# Fields that the bundle adds to the request.
ADDED = {"permissions", "grants", "lifecycle"}
# Places the Databricks CLI fills in by itself.
GIVEN = {"bundle.name", "bundle.target", "workspace.file_path", "workspace.current_user.userName"}


def read(project: Path) -> dict[str, Any]:
    """Return databricks.yml with the resources of every included file merged in."""
    bundle: dict[str, Any] = yaml.safe_load((project / "databricks.yml").read_text(encoding="utf-8"))
    resources: dict[str, dict[str, Any]] = {}
    for pattern in bundle["include"]:
        for path in sorted(project.glob(pattern)):
            for kind, named in yaml.safe_load(path.read_text(encoding="utf-8"))["resources"].items():
                resources.setdefault(kind, {}).update(named)
    return {**bundle, "resources": resources}


def problems(bundle: dict[str, Any]) -> list[str]:
    """Return one line for each field, value or reference that Databricks would not understand."""
    found: list[str] = []
    for kind, named in bundle["resources"].items():
        if kind not in SHAPES:
            found.append(f"resources.{kind}: not a kind that is checked")
            continue
        for name, resource in named.items():
            kept = {key: value for key, value in resource.items() if key not in ADDED}
            found += _mismatches(SHAPES[kind], kept, f"resources.{kind}.{name}")
    found += [
        f"${{{name}}}: nothing has this name" for name in _references(bundle) if not _exists(name, bundle)
    ]
    return found


def clusters(bundle: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every job cluster of every job."""
    for job in bundle["resources"]["jobs"].values():
        for cluster in job["job_clusters"]:
            yield cluster["new_cluster"]


def _mismatches(expected: Any, value: Any, where: str) -> list[str]:
    origin = typing.get_origin(expected)
    if isinstance(value, str) and REFERENCE.search(value):
        return []
    if origin in (typing.Union, types.UnionType):
        inner = [option for option in typing.get_args(expected) if option is not type(None)]
        return _mismatches(inner[0], value, where)
    if origin is list:
        if not isinstance(value, list):
            return [f"{where}: a list is expected"]
        (item,) = typing.get_args(expected)
        return [
            line
            for index, entry in enumerate(value)
            for line in _mismatches(item, entry, f"{where}[{index}]")
        ]
    if origin is dict:
        if not isinstance(value, dict):
            return [f"{where}: names with values are expected"]
        _, item = typing.get_args(expected)
        return [line for key, entry in value.items() for line in _mismatches(item, entry, f"{where}.{key}")]
    if dataclasses.is_dataclass(expected) or inspect.isfunction(expected):
        return _mismatched_fields(expected, value, where)
    if isinstance(expected, type) and issubclass(expected, enum.Enum):
        names = [option.value for option in expected]
        return [] if value in names else [f"{where}: {value!r} is none of {', '.join(names)}"]
    if expected in (str, int, float, bool) and type(value) is not expected:
        return [f"{where}: {value!r} is not of type {expected.__name__}"]
    return []


def _mismatched_fields(expected: Any, value: Any, where: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{where}: {expected.__name__} is expected"]
    hints = typing.get_type_hints(expected)
    required = {
        argument.name: argument.default is inspect.Parameter.empty
        for argument in inspect.signature(expected).parameters.values()
        if argument.name != "self"
    }
    found = [
        f"{where}.{name}: {expected.__name__} has no such field" for name in value.keys() - required.keys()
    ]
    for name, needed in required.items():
        if name in value:
            found += _mismatches(hints[name], value[name], f"{where}.{name}")
        elif needed:
            found.append(f"{where}.{name}: missing")
    return found


def _references(node: Any) -> set[str]:
    if isinstance(node, dict):
        return set().union(*(_references(value) for value in node.values()), set())
    if isinstance(node, list):
        return set().union(*(_references(value) for value in node), set())
    return set(REFERENCE.findall(node)) if isinstance(node, str) else set()


def _exists(name: str, bundle: dict[str, Any]) -> bool:
    first, *rest = name.split(".")
    if first == "var":
        return rest[0] in bundle["variables"]
    if first == "resources":
        return len(rest) > 1 and rest[1] in bundle["resources"].get(rest[0], {})
    return name in GIVEN
