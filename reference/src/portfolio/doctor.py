"""What this machine is missing, in plain lines, found without starting Spark or Ray."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from portfolio.engines import jars, java, lock
from portfolio.errors import PortfolioError
from portfolio.settings import Settings

PYTHONS = ((3, 11), (3, 14))
# Tables, models and Ray's spilled objects of a full run with room to spare.
DISK_MB = 2_000
# A Ray worker with NumPy, SciPy and XGBoost loaded; the driver with Spark's Python side and MLflow.
WORKER_MB = 350
DRIVER_MB = 700


@dataclass(frozen=True)
class Finding:
    """One thing looked at: `ok`, `note` (works, but know it) or `missing` (do this first)."""

    status: Literal["ok", "note", "missing"]
    subject: str
    detail: str


def examine(read_settings: Callable[[], Settings]) -> Iterator[Finding]:
    """Yield a finding for everything a run needs; `read_settings` may raise PortfolioError."""
    yield _python()
    try:
        settings = read_settings()
    except PortfolioError as error:
        yield Finding("missing", "Settings", str(error))
        return
    yield Finding("ok", "Settings", f"{settings.project_dir / 'conf'}, environment {settings.environment}")
    yield from _libraries(settings)
    if settings.profile == "databricks":
        yield Finding("ok", "Java and Delta", "the Databricks runtime brings them")
    else:
        yield _java(settings)
        yield _delta(settings)
    yield _state_folder(settings)
    yield _lock(settings)
    yield _disk(settings)
    yield _temporary_folder()
    yield _plan(settings)


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    first, beyond = PYTHONS
    if first <= sys.version_info[:2] < beyond:
        return Finding("ok", "Python", version)
    return Finding("missing", "Python", f"{version} here; install Python 3.11, 3.12 or 3.13")


def _libraries(settings: Settings) -> Iterator[Finding]:
    """Compare what is installed with what pyproject.toml asks for."""
    path = settings.project_dir / "pyproject.toml"
    try:
        project = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError):
        yield Finding("missing", "Libraries", f"{path} cannot be read, so versions cannot be compared")
        return
    wanted = list(project.get("dependencies", ()))
    if settings.profile != "databricks":
        wanted += project.get("optional-dependencies", {}).get("local", ())
    wrong, right = [], 0
    for line in wanted:
        problem = _mismatch(line)
        if problem:
            wrong.append(Finding("missing", "Library", problem))
        else:
            right += 1
    yield from wrong
    if right:
        yield Finding("ok", "Libraries", f"{right} of {len(wanted)} as pyproject.toml asks")


def _mismatch(line: str) -> str | None:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        wanted = Requirement(line)
    except InvalidRequirement:
        return f"pyproject.toml asks for '{line}', which is not a requirement"
    if wanted.marker is not None and not wanted.marker.evaluate():
        return None
    remedy = "run `make run` once, or `pip install --require-hashes -r` the project's lock"
    try:
        version = metadata.version(wanted.name)
    except metadata.PackageNotFoundError:
        return f"{wanted.name} is not installed; {remedy}"
    if wanted.specifier.contains(version, prereleases=True):
        return None
    return f"{wanted.name} {version} is installed, {wanted.specifier} is wanted; {remedy}"


def _java(settings: Settings) -> Finding:
    if found := java.installed():
        return Finding("ok", "Java", f"{java.version(found)} at {found}")
    other = shutil.which("java")
    here = f"{other} is version {java.version(Path(other)) or 'unknown'}" if other else "none here"
    if java.version(java.fallback_program(settings.cache_dir)) in java.SUPPORTED:
        return Finding("ok", "Java", f"{here}; the runtime from PyPI in {settings.cache_dir} is used")
    if (settings.project_dir / java.FALLBACK_JAVA_LOCK).is_file():
        return Finding("note", "Java", f"{here}; a runtime (33 MB) is fetched from PyPI on the first run")
    return Finding("missing", "Java", f"{here}; install a JDK 17 or 21, or set JAVA_HOME to one")


def _delta(settings: Settings) -> Finding:
    folder = settings.cache_dir / "jars"
    absent = [name for name in jars.ARTIFACTS if not jars.jar_path(name, folder).is_file()]
    if not absent:
        return Finding("ok", "Delta jars", f"{jars.DELTA_VERSION} in {folder}")
    return Finding("note", "Delta jars", f"{' and '.join(absent)} fetched on the first run (9 MB)")


def _state_folder(settings: Settings) -> Finding:
    folder = settings.state_dir
    there = existing(folder)
    if os.access(there, os.W_OK | os.X_OK) and (there == folder or not folder.exists()):
        return Finding("ok", "State folder", f"{folder} can be written")
    return Finding("missing", "State folder", f"{folder} cannot be written; choose another with paths.state")


def _lock(settings: Settings) -> Finding:
    try:
        who = lock.holder(settings.state_dir)
    except OSError as error:
        path = settings.state_dir / lock.LOCK_NAME
        return Finding("missing", "Lock", f"{path} cannot be read: {error.strerror}")
    if who is None:
        return Finding("ok", "Lock", "no other run is at work")
    return Finding("missing", "Lock", f"{who} is at work in {settings.state_dir}; wait or stop it")


def _disk(settings: Settings) -> Finding:
    folder = existing(settings.state_dir)
    free = shutil.disk_usage(folder).free // 1_000_000
    if free >= DISK_MB:
        return Finding("ok", "Disk", f"{free:,} MB free")
    return Finding("missing", "Disk", f"{free:,} MB free at {folder}; {DISK_MB:,} MB are wanted")


def _temporary_folder() -> Finding:
    """Look whether other users could replace the folders that Spark and Ray make for themselves."""
    folder = Path(tempfile.gettempdir())
    subject = "Temporary folder"
    mode = folder.stat().st_mode
    shared = mode & (stat.S_IWGRP | stat.S_IWOTH)
    if not os.access(folder, os.W_OK | os.X_OK):
        return Finding("missing", subject, f"{folder} cannot be written; set TMPDIR to one that can")
    if shared and not mode & stat.S_ISVTX:
        return Finding("missing", subject, f"others can replace files in {folder}; chmod +t {folder}")
    return Finding("ok", subject, f"{folder}; what a run keeps there only this user can read")


def _plan(settings: Settings) -> Finding:
    """Compare the memory a run takes with what is free."""
    workers = settings.ray.workers or os.cpu_count() or 1
    driver = settings.spark.driver_memory
    heap = int(driver[:-1]) * (1024 if driver.endswith("g") else 1)
    wanted = DRIVER_MB + heap + settings.ray.object_store_mb + workers * WORKER_MB
    plan = f"{workers} Ray worker{'' if workers == 1 else 's'} and Spark want about {wanted:,} MB"
    free = available_mb()
    if free is None:
        return Finding("note", "Memory", f"{plan}; how much is free is not known here")
    if free >= wanted:
        return Finding("ok", "Memory", f"{plan}, {free:,} MB are free")
    return Finding("missing", "Memory", f"{plan}, only {free:,} MB are free; lower ray.workers")


def available_mb() -> int | None:
    """Return the memory this process may still take, in MB, within its container; None if unknown."""
    try:
        import psutil
    except ImportError:
        return None
    free = int(psutil.virtual_memory().available)
    group = Path("/sys/fs/cgroup")
    try:
        limit = int((group / "memory.max").read_text(encoding="ascii"))
        free = min(free, limit - int((group / "memory.current").read_text(encoding="ascii")))
    except (OSError, ValueError):
        pass  # no container, or one without a limit
    return free // 1_000_000


def existing(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that exists."""
    return next((place for place in (folder, *folder.parents) if place.is_dir()), Path("/"))
