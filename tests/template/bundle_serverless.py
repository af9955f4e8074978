"""Rules of tasks on serverless compute: what they install, where Spark is, and that nothing is repeated."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import bundle_libraries
from bundle_node import Node, load, plain

# The first environment whose client is that of Spark 4.1; its Python is 3.12, as the pinned libraries ask.
OLDEST = 5
ADDED = "engine/libraries/serverless.txt"
_FILES = "${workspace.file_path}/"
_KEYS = ("job_cluster_key", "existing_cluster_id", "new_cluster")


def serverless(task: Node) -> bool:
    """Return whether a task has no cluster, which is how a bundle asks for serverless compute."""
    return not any(key in task for key in _KEYS)


def broken(project: Path, path: str, job: Node, known: Mapping[str, str]) -> Iterator[str]:
    """Yield one line for each broken rule of a job, with file and line.

    Args:
        project: the folder of the bundle.
        path: how findings call the job.
        job: as one target has it.
        known: variables of that target by `var.name`.
    """
    tasks = [task for task in job["tasks"].items() if "task_key" in task] if "tasks" in job else []
    listed = job["environments"].items() if "environments" in job else []
    there = {one["environment_key"].value: one for one in listed if "environment_key" in one}
    profile = _profile(project, known)
    for task in tasks:
        if serverless(task):
            yield from _task(path, task, there)
        if profile is not None:
            yield from _place(path, task, profile)
    for one in there.values():
        yield from _environment(project, path, one)
    used = {
        task[key].value for task in tasks for key in ("job_cluster_key", "environment_key") if key in task
    }
    clusters = job["job_clusters"].items() if "job_clusters" in job else []
    for one in (*listed, *clusters):
        for key in ("job_cluster_key", "environment_key"):
            if key in one and one[key].value not in used:
                yield f"{one[key].where}: {path}: no task uses {one[key].value}"


def libraries(project: Path) -> Iterator[str]:
    """Yield where what serverless tasks install beside the pinned libraries does not fit these."""
    runtime = dict(bundle_libraries.named(project, bundle_libraries.RUNTIME))
    engine = dict(bundle_libraries.named(project, "engine/libraries/cpu.txt"))
    for name, (requirement, where) in bundle_libraries.named(project, ADDED):
        versions = [one.version for one in requirement.specifier if one.operator == "=="]
        if name in engine:
            yield f"{where}: {name} is pinned in engine/libraries/cpu.txt already"
        elif (
            len(versions) != 1 or name not in runtime or not runtime[name][0].specifier.contains(versions[0])
        ):
            yield f"{where}: {requirement} is no exact version within {bundle_libraries.RUNTIME}"


def _task(path: str, task: Node, there: Mapping[str, Node]) -> Iterator[str]:
    key = task.get("environment_key")
    if key is None:
        yield f"{task.where}: {path}: a task without a cluster needs an environment_key"
    elif key.value not in there:
        yield f"{key.where}: {path}: no environment of this job is called {key.value}"
    if "libraries" in task:
        place = task["libraries"].where
        yield f"{place}: {path}: serverless compute takes no libraries of a task; its environment lists them"
    once = task.get("disable_auto_optimization", task["task_key"])
    if once.value is not True:
        yield f"{once.where}: {path}: serverless repeats failed tasks without disable_auto_optimization"


def _place(path: str, task: Node, profile: Node) -> Iterator[str]:
    """Yield where a task and the profile that it runs with do not belong together."""
    given = _parameters(task)
    own = given[given.index("--profile") + 1 :][:1] if "--profile" in given else []
    chosen, place = (own[0], task["python_wheel_task"].where) if own else (profile.value, profile.where)
    if serverless(task) and chosen != "connect":
        yield f"{place}: {path}: profile {chosen} needs a Spark context, and serverless compute has none"
    elif serverless(task) and own and "spark.remote=databricks" not in given:
        yield f"{place}: {path}: the task does not say spark.remote=databricks, where its Spark is"
    elif not serverless(task) and chosen == "connect":
        yield f"{place}: {path}: profile connect leaves the workers of a cluster idle; take databricks"


def _environment(project: Path, path: str, environment: Node) -> Iterator[str]:
    if "spec" not in environment:
        yield f"{environment.where}: {path}: the environment has no spec"
        return
    spec = environment["spec"]
    version = spec.get("environment_version")
    if version is None or not re.fullmatch(r"[0-9]+", str(version.value)) or int(version.value) < OLDEST:
        place = version.where if version else spec.where
        yield f"{place}: {path}: environment_version must be {OLDEST} or newer, for Spark 4.1 and Python 3.12"
    listed = spec["dependencies"].items() if "dependencies" in spec else []
    wanted = {f"-r {_FILES}{name}" for name in (bundle_libraries.OWN, "engine/libraries/cpu.txt", ADDED)}
    wanted.add("../dist/*.whl")
    place = spec["dependencies"].where if "dependencies" in spec else spec.where
    for line in sorted(wanted - {one.value for one in listed}):
        yield f"{place}: {path}: the environment does not install {line}"
    for one in listed:
        text = str(one.value)
        if text.startswith(f"-r {_FILES}"):
            file = text.removeprefix(f"-r {_FILES}")
            if not (project / file).is_file():
                yield f"{one.where}: {path}: there is no file {file}"
        elif text not in wanted:
            yield from _package(path, one)


def _package(path: str, line: Node) -> Iterator[str]:
    text = str(line.value)
    if re.match(r"[A-Za-z0-9]", text) and canonicalize_name(Requirement(text).name) in (
        *bundle_libraries.FORBIDDEN,
        "databricks-connect",
    ):
        yield f"{line.where}: {path}: {text} would replace the Spark of serverless compute"
    else:
        yield f"{line.where}: {path}: {text} is in no file of pinned libraries"


def _profile(project: Path, known: Mapping[str, str]) -> Node | None:
    name = f"conf/{known.get('var.environment')}.yml"
    if not (project / name).is_file():
        return None
    found: Node | None = load(project / name, name).get("profile")
    return found


def _parameters(task: Node) -> list[str]:
    if "python_wheel_task" not in task or "parameters" not in task["python_wheel_task"]:
        return []
    found: list[str] = plain(task["python_wheel_task"]["parameters"])
    return found
