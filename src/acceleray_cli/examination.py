"""Requirements that a machine lacks for a project, before there is one: one line each, with its remedy.

A project's own `doctor` knows its settings and asks more. The front end is installed without the engine, so
the module that asks the operating system (`allowance.py`) is the engine's, copied; a test holds both equal.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from acceleray_cli import allowance, git, source
from acceleray_cli.refusals import RefusedError

PYTHONS = ((3, 11), (3, 14))
# A project's environment with its libraries, the caches of pip, Delta jars and Java, tables of a first run.
DISK_MB = 8_000
# A first run with one Ray worker: Spark's driver, Ray, Python.
MEMORY_MB = 4_000
CERTIFICATES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "PIP_CERT")
PROXIES = ("https_proxy", "http_proxy", "all_proxy")


@dataclass(frozen=True)
class Finding:
    """One thing looked at: `ok`, `note` (works, but know it) or `missing` (do this first)."""

    status: Literal["ok", "note", "missing"]
    subject: str
    detail: str

    def __str__(self) -> str:
        """Return the line that people read."""
        return f"{self.status:<8} {self.subject}: {self.detail}"


def examine(template: str | None, environ: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """Yield what is looked at; no file stays, and only Git asks the network, for the template."""
    yield _python()
    yield _git(template)
    yield _make()
    yield _home()
    yield _temporary_folder()
    yield _processors()
    yield from _memory()
    yield _disk()
    yield from _network(environ)


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if PYTHONS[0] <= sys.version_info[:2] < PYTHONS[1]:
        return Finding("ok", "Python", version)
    return Finding("missing", "Python", f"{version} here; a project needs Python 3.11, 3.12 or 3.13")


def _git(template: str | None) -> Finding:
    found = (template, None) if template else source.origin()
    try:
        with tempfile.TemporaryDirectory(prefix="acceleray-") as name:
            version = git.read(Path(name), "version")
        if found is None:
            return Finding("note", "Git", f"{version}; name the template with --template to check access")
        with source.opened(found[0]) as there:
            newest = there.shown(there.newest()) if there.versioned else "no Git repository"
    except RefusedError as refusal:
        return Finding("missing", "Git", "; ".join(refusal.lines))
    return Finding("ok", "Git", f"{version} reaches {there.location}, newest release {newest}")


def _make() -> Finding:
    if sys.platform == "win32":
        return Finding(
            "missing", "System", "Windows runs no engines; use the Windows Subsystem for Linux (WSL)"
        )
    if found := shutil.which("make"):
        return Finding("ok", "Make", found)
    return Finding("missing", "Make", "not on the search path; install make, which runs and tests a project")


def _home() -> Finding:
    try:
        cache = Path("~/.cache/portfolio").expanduser()
        folder = next(parent for parent in (cache, *cache.parents) if parent.exists())
        with tempfile.NamedTemporaryFile(prefix=".writable-", dir=folder):
            pass
    except (OSError, RuntimeError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        advice = "set paths.cache in conf/base.yml of the project to a writable folder"
        return Finding("missing", "Cache", f"~/.cache/portfolio cannot be written ({why}); {advice}")
    if allowance.runs_programs(folder):
        return Finding("ok", "Cache", f"{folder} can be written")
    advice = "set paths.cache in conf/base.yml of the project to a folder on another file system"
    return Finding("missing", "Cache", f"{folder} is mounted noexec; {advice}")


def _temporary_folder() -> Finding:
    folder = allowance.temporary_folder()
    if allowance.runs_programs(folder):
        return Finding("ok", "Temporary folder", f"{folder}, from which programs run")
    advice = "set TMPDIR to a folder with a short path on another file system"
    return Finding("missing", "Temporary folder", f"{folder} is mounted noexec; {advice}")


def _processors() -> Finding:
    there, allowed = os.cpu_count() or 1, allowance.processors()
    if allowed >= there:
        return Finding("ok", "Processors", f"{there}")
    return Finding(
        "ok", "Processors", f"{allowed} of {there} allowed, by affinity or the quota of a container"
    )


def _memory() -> Iterator[Finding]:
    left = allowance.memory_left()
    if left is None:
        return
    text = f"{left // 1_000_000:,} MB left by the limit of the container"
    if left >= MEMORY_MB * 1_000_000:
        yield Finding("ok", "Memory", text)
    else:
        advice = (
            "raise its limit, or lower ray.workers and spark.driver_memory in the project's conf/base.yml"
        )
        yield Finding("note", "Memory", f"{text}, {MEMORY_MB:,} MB are recommended; {advice}")


def _disk() -> Finding:
    free = shutil.disk_usage(Path.cwd()).free // 1_000_000
    if free >= DISK_MB:
        return Finding("ok", "Disk", f"{free:,} MB free here")
    return Finding(
        "note", "Disk", f"{free:,} MB free here; a project with its libraries takes {DISK_MB:,} MB"
    )


def _network(environ: Mapping[str, str]) -> Iterator[Finding]:
    named = {name.lower(): value for name, value in environ.items() if value}
    for name in (name for name in PROXIES if name in named):
        yield Finding("ok", "Proxy", f"{named[name]} by {name.upper()}")
        break
    for name in (name for name in CERTIFICATES if environ.get(name)):
        if os.path.exists(environ[name]):
            yield Finding("ok", "Certificates", f"{environ[name]} by {name}")
        else:
            detail = (
                f"{name} is {environ[name]}, which does not exist; set it to the certificates of your company"
            )
            yield Finding("missing", "Certificates", detail)
    if index := environ.get("PIP_INDEX_URL"):
        yield Finding("ok", "Package mirror", f"{index} by PIP_INDEX_URL")
