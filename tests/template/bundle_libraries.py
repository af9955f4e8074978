"""Rules of the libraries that jobs install: exact versions, and nothing that the runtime brings."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from bundle_node import Node

# Spark and Delta belong to the runtime, whatever a project's files say.
FORBIDDEN = {"pyspark", "delta-spark"}
CPU_BUILD = "xgboost-cpu"
OWN, RUNTIME = "libraries/requirements.txt", "engine/libraries/runtime.txt"
# Jobs run on Linux with the Python of both runtimes.
MARKERS = {"sys_platform": "linux", "platform_machine": "x86_64", "python_version": "3.12"}


def task(project: Path, path: str, node: Node) -> Iterator[str]:
    """Yield what is wrong with the libraries of a task, with file and line."""
    listed = node["libraries"].items() if "libraries" in node else []
    files = [library["requirements"] for library in listed if "requirements" in library]
    wheels = [index for index, library in enumerate(listed) if "whl" in library]
    place = node["libraries"].where if "libraries" in node else node.where
    if not files:
        yield f"{place}: {path}: libraries are not pinned; a requirements file is missing"
    elif wheels and "requirements" not in listed[0]:
        yield f"{listed[0].where}: {path}: pinned libraries come before the wheel"
    for file in files:
        # The CLI takes it as relative to the file it stands in.
        folder = (project / file.where.rsplit(":", 1)[0]).parent
        if not (folder / file.value).is_file():
            yield f"{file.where}: {path}: there is no file {file.value}"


def without_gpu(project: Path) -> Iterator[str]:
    """Yield where a library is pinned that cannot use the GPU it is installed beside."""
    pinned = dict(named(project, f"engine/libraries/{_used(project)}.txt"))
    if CPU_BUILD in pinned:
        yield f"{pinned[CPU_BUILD][1]}: {CPU_BUILD} knows no GPU, and jobs run on machines that have one"


def files(project: Path) -> Iterator[str]:
    """Yield where pinned libraries, the runtime's and those that engine and project declare do not agree."""
    runtime, used = dict(named(project, RUNTIME)), _used(project)
    engine = dict(named(project, f"engine/libraries/{used}.txt"))
    own = dict(named(project, OWN))
    for name, (requirement, where) in (*engine.items(), *own.items()):
        if not re.fullmatch(r"==[0-9][0-9a-z.]*", str(requirement.specifier)):
            yield f"{where}: {name} is not pinned exactly"
        if name in FORBIDDEN or name in runtime:
            yield f"{where}: {name} belongs to the runtime"
    for name in own.keys() & engine.keys():
        yield f"{own[name][1]}: {name} is the engine's, which pins it already"
    pinned = engine | own
    if {CPU_BUILD, "xgboost"} <= pinned.keys():
        yield f"{pinned[CPU_BUILD][1]}: {CPU_BUILD} and xgboost overwrite each other's files"
    declared = [
        *((text, f"engine/libraries/{used}.txt") for text in _declared(project / "engine", used)),
        *((text, OWN) for text in _declared(project, used)),
    ]
    for text, listed in declared:
        wanted = Requirement(text)
        name = canonicalize_name(wanted.name)
        if wanted.marker and not wanted.marker.evaluate(MARKERS):
            continue
        if name not in pinned and name not in runtime:
            yield f"{listed}:1: {name} is missing; run `make lock`"
            continue
        found, where = pinned.get(name) or runtime[name]
        for one in found.specifier:
            if one.operator == "==" and not wanted.specifier.contains(one.version):
                yield f"{where}: {name} {one.version} is not what the wheel asks for: {wanted.specifier}"


def _used(project: Path) -> str:
    """Return which of the engine's lists the jobs install: cpu or gpu."""
    jobs = "".join(path.read_text(encoding="utf-8") for path in (project / "resources").glob("*.job.yml"))
    found = set(re.findall(r"engine/libraries/(cpu|gpu)\.txt", jobs))
    return "gpu" if found == {"gpu"} else "cpu"


def _declared(folder: Path, extra: str) -> list[str]:
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [*project["dependencies"], *project.get("optional-dependencies", {}).get(extra, ())]


def named(project: Path, name: str) -> Iterator[tuple[str, tuple[Requirement, str]]]:
    """Yield each library of a list by its name, with the file and line where it stands."""
    lines = (project / name).read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, start=1):
        if text := line.split("#")[0].strip():
            requirement = Requirement(text)
            yield canonicalize_name(requirement.name), (requirement, f"{name}:{number}")
