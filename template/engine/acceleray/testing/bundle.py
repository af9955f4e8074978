"""Bundle errors that need no workspace to find: jobs that name missing files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

# Built by `databricks bundle deploy`.
_BUILT = "../dist/"


def jobs(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the jobs of a project's bundle by name."""
    return {name: job for _, name, job in _jobs(folder)}


def faults(folder: Path) -> list[str]:
    """Return a line for every file that the bundle names and that is not there, none if all are."""
    bundle = yaml.safe_load((folder / "databricks.yml").read_text(encoding="utf-8"))
    missing = [
        f"databricks.yml includes {pattern}, but no file matches."
        for pattern in bundle.get("include", [])
        if not list(folder.glob(pattern))
    ]
    for path, name, job in _jobs(folder):
        for named in sorted(_named(job)):
            if not (path.parent / named).is_file():
                missing.append(f"{path.name}: job {name} names {named}, which does not exist.")
    return missing


def _jobs(folder: Path) -> Iterator[tuple[Path, str, dict[str, Any]]]:
    for path in sorted((folder / "resources").glob("*.yml")):
        found = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        for name, job in found.get("resources", {}).get("jobs", {}).items():
            yield path, name, job


def _named(job: dict[str, Any]) -> set[str]:
    """Return the paths that a job's tasks name: notebooks, requirements, wheels that nobody builds."""
    paths = set()
    for task in job["tasks"]:
        if "notebook_task" in task:
            paths.add(task["notebook_task"]["notebook_path"])
        libraries = task.get("libraries", [])
        paths |= {str(path) for library in libraries for path in library.values() if isinstance(path, str)}
    return {path for path in paths if not path.startswith(_BUILT)}
