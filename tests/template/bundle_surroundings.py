"""Rules of what a bundle meets outside of its own files."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from bundle_node import Node, load

_PIPELINES = (".github/workflows/deploy-target.yml", "azure-pipelines.yml", ".gitlab-ci.yml")
_EXPORTED = re.compile(r"^\s*BUNDLE_VAR_(\w+):", re.MULTILINE)


def exported(project: Path) -> dict[str, str]:
    """Return the variables of the bundle that the project's pipeline sets, each with its first place."""
    found: dict[str, str] = {}
    for name in _PIPELINES:
        if (project / name).is_file():
            text = (project / name).read_text(encoding="utf-8")
            for match in _EXPORTED.finditer(text):
                line = text[: match.start(1)].count("\n") + 1
                found.setdefault(match[1], f"{name}:{line}")
    return found


def pipeline(
    project: Path, target: Node, used: Collection[str], given_later: Collection[str]
) -> Iterator[str]:
    """Yield where a pipeline sets a value that the target has already, or leaves out one that it lacks.

    Args:
        project: the folder of the bundle.
        target: one entry of `targets`.
        used: variables that anything in this target refers to.
        given_later: variables that may be without a value until somebody deploys.
    """
    exports = exported(project)
    values = target["variables"].value if "variables" in target else {}
    for name in used:
        if name in values and name in exports:
            yield f"{values[name].where}: BUNDLE_VAR_{name} beats this value; it is set in {exports[name]}"
        elif name in given_later and name not in values and name not in exports:
            yield f"{target.where}: no pipeline sets {name}, and the target has no value for it"


def settings(project: Path, known: Mapping[str, str], volume: str) -> Iterator[str]:
    """Yield where the settings of a target differ from the bundle, or keep something in a wrong place.

    Args:
        project: the folder of the bundle.
        known: variables of the target by `var.name`; `var.environment` names the settings.
        volume: the path of the bundle's volume.
    """
    name = f"conf/{known.get('var.environment')}.yml"
    if not (project / name).is_file():
        yield f"databricks.yml:1: target {known['bundle.target']} reads {name}, and there is none"
        return
    conf = load(project / name, name)
    prefix = known.get("var.schema_prefix")
    named = {at: f"{prefix}_{at}" for at in ("bronze", "silver", "gold")} | {"name": known.get("var.catalog")}
    for key, expected in named.items():
        called = conf["catalog"][key]
        if _resolved(called.value, known) != expected:
            yield f"{called.where}: catalog.{key} {called.value} is not what the bundle calls it, {expected}"
    experiment = conf["project"]["experiment"]
    if _resolved(experiment.value, known) != known.get("var.experiment"):
        yield f"{experiment.where}: project.experiment is not ${{var.experiment}}"
    paths = conf["paths"]
    for key, wanted in (("state", True), ("stage", True), ("machine", False)):
        found = paths.get(key)
        place, given = (found.where, _resolved(found.value, known)) if found else (paths.where, "")
        if not given.startswith("/"):
            # Also `stage`, which would be below `state`: said here, it stays where it is if that is moved.
            yield f"{place}: paths.{key} is below the bundle's files, which the next deployment replaces"
        elif given.startswith(f"{volume}/") != wanted:
            fits = f"in the volume {volume}, which all machines see" if wanted else "outside of the volume"
            yield f"{place}: paths.{key} {given} must be {fits}"


def _resolved(text: object, known: Mapping[str, str]) -> str:
    return re.sub(r"\$\{([^}]*)\}", lambda found: known.get(found[1], found[0]), str(text))
