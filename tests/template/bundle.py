"""Check a Databricks bundle without a workspace, each finding with the file and line it stands in.

Three things are looked at: every field against the types of databricks-sdk (`bundle_types`), every reference
against what the bundle declares, and rules that no type can say (`bundle_rules`). It is done for each target,
with what the target adds or changes merged in as the Databricks CLI does it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

import bundle_libraries
import bundle_rules
import bundle_serverless
import bundle_surroundings
import bundle_types
from bundle_node import Node, load, merged, plain

REFERENCE = re.compile(r"\$\{([^}]*)\}")
# Places the Databricks CLI fills in by itself.
GIVEN = {"bundle.name", "bundle.target", "workspace.file_path"}
GIVEN |= {f"workspace.current_user.{name}" for name in ("userName", "short_name")}
# What whoever deploys gives with --var where the project does not hold it.
AT_DEPLOYMENT = {"service_principal"}


@dataclass(frozen=True)
class Bundle:
    """databricks.yml with the resources of every included file, and where each value stands."""

    project: Path
    root: Node

    @property
    def targets(self) -> list[str]:
        """Return the names of the targets, in order."""
        return list(self.root["targets"].value)

    def of(self, target: str) -> Node:
        """Return the bundle as it is deployed to one target."""
        own = self.root["targets"][target]
        resources = self.root["resources"]
        if "resources" in own:
            resources = merged(resources, own["resources"])
        return Node({**self.root.value, "resources": resources}, self.root.where)


def read(project: Path) -> Bundle:
    """Return the bundle of a generated project."""
    root = load(project / "databricks.yml", "databricks.yml")
    resources = Node({}, root.where)
    for pattern in plain(root["include"]):
        for path in sorted(project.glob(pattern)):
            name = path.relative_to(project).as_posix()
            resources = merged(resources, load(path, name)["resources"])
    return Bundle(project, Node({**root.value, "resources": resources}, root.where))


def data(project: Path) -> dict[str, Any]:
    """Return the bundle as plain values."""
    loaded: dict[str, Any] = plain(read(project).root)
    return loaded


def problems(project: Path) -> list[str]:
    """Return one line for each field, value or reference that is unknown, and each broken rule."""
    bundle = read(project)
    answers = yaml.safe_load((project / ".copier-answers.yml").read_text(encoding="utf-8"))
    found = [*bundle_types.top_level(bundle.root), *bundle_libraries.files(project)]
    found += bundle_serverless.libraries(project)
    for target in bundle.targets:
        deployed = bundle.of(target)
        found += bundle_types.resources(deployed["resources"])
        found += _unresolved(deployed, target)
        found += bundle_rules.broken(project, deployed, values(deployed, target), answers.get("cloud", "aws"))
        own, used = deployed["targets"][target], variables(deployed, target)
        known = values(deployed, target)
        files = deployed["resources"]["volumes"]["files"]["name"].value
        volume = f"/Volumes/{known.get('var.catalog')}/{known.get('var.schema_prefix')}_bronze/{files}"
        found += bundle_surroundings.settings(project, known, volume)
        found += bundle_surroundings.pipeline(project, own, used, AT_DEPLOYMENT)
    return list(dict.fromkeys(found))


def values(deployed: Node, target: str) -> dict[str, str]:
    """Return what each variable is in a target, as text."""
    own = deployed["targets"][target]
    given = own["variables"].value if "variables" in own else {}
    known = {"bundle.target": target, "bundle.name": str(deployed["bundle"]["name"].value)}
    for name, variable in deployed["variables"].value.items():
        if name in given:
            known[f"var.{name}"] = str(given[name].value)
        elif "default" in variable:
            known[f"var.{name}"] = str(variable["default"].value)
        elif "lookup" in variable:
            known[f"var.{name}"] = "whatever the workspace says"
    # A variable may hold others.
    return {name: REFERENCE.sub(lambda at: known.get(at[1], at[0]), text) for name, text in known.items()}


def references(node: Node) -> Iterator[tuple[str, str]]:
    """Yield every name in ${...} below a node, with its place."""
    for leaf in node.leaves():
        if isinstance(leaf.value, str):
            yield from ((name, leaf.where) for name in REFERENCE.findall(leaf.value))


def variables(deployed: Node, target: str) -> list[str]:
    """Return the variables that what is deployed to a target refers to."""
    names = (name for name, _ in references(_looked_at(deployed, target)))
    return sorted({name.removeprefix("var.") for name in names if name.startswith("var.")})


def clusters(loaded: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every job cluster of every job."""
    for job in loaded["resources"]["jobs"].values():
        for cluster in job.get("job_clusters", ()):
            yield cluster["new_cluster"]


def _unresolved(deployed: Node, target: str) -> Iterator[str]:
    known = values(deployed, target)
    for name, where in references(_looked_at(deployed, target)):
        first, *rest = name.split(".")
        if first == "var":
            if rest[0] not in deployed["variables"]:
                yield f"{where}: ${{{name}}}: no variable has this name"
            elif name not in known and rest[0] not in AT_DEPLOYMENT:
                yield f"{where}: ${{{name}}}: has no value in target {target}"
        elif first == "resources":
            kinds = deployed["resources"]
            if len(rest) < 2 or rest[0] not in kinds or rest[1] not in kinds[rest[0]]:
                yield f"{where}: ${{{name}}}: no resource has this name"
        elif name not in GIVEN:
            yield f"{where}: ${{{name}}}: nothing has this name"


def _looked_at(deployed: Node, target: str) -> Node:
    """Return the bundle without the other targets: what only they refer to is looked at with them."""
    own = {name: node for name, node in deployed.value.items() if name != "targets"}
    return Node({**own, "target": deployed["targets"][target]}, deployed.where)
