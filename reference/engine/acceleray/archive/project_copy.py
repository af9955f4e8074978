"""The code and settings of a project as an archive keeps them: engine, `src`, `conf`, locks, libraries."""

from __future__ import annotations

import platform
import re
import shutil
from importlib import metadata
from pathlib import Path

from acceleray.errors import PortfolioError
from acceleray.runtime.code_identity import ENGINE
from acceleray.runtime.project import Project

# Around the package where the engine is source; a wheel has the package alone.
_AROUND = (
    *("VERSION", "HASHES", "LICENSE", "NOTICE", "README.md", "pyproject.toml", "requirements.lock"),
    *("requirements-java.lock", "docs/methodology.md", "scripts/prepare.sh", "scripts/lock.sh"),
)
_OF_PROJECT = ("pyproject.toml", "requirements.lock")
# Settings files. Nothing else of conf/ is kept: a password file has no place in an archive.
_CONF = (".yml", ".csv")
LOCKS = ("engine/requirements.lock", "requirements.lock")
"""The locks of an archived project, those that it needs not have included."""
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


def copy_project(of: Project, project_dir: Path, target: Path) -> None:
    """Copy the engine that is imported, the project's package and its settings into an empty folder."""
    _package(ENGINE, target / "engine" / ENGINE.name)
    around = ENGINE.parent if (ENGINE.parent / "VERSION").is_file() else project_dir / "engine"
    for name in _AROUND:
        _file(around / name, target / "engine" / name)
    if of.folder is not None:
        _package(of.folder, target / "src" / of.folder.name)
    for name in _OF_PROJECT:
        _file(project_dir / name, target / name)
    for path in sorted((project_dir / "conf").iterdir()):
        if path.suffix in _CONF and not path.name.startswith("."):
            _file(path, target / "conf" / path.name)


def libraries() -> dict[str, str]:
    """Return the version of every installed distribution, by its normalised name."""
    found: dict[str, str] = {}
    for one in metadata.distributions():
        if name := one.metadata["Name"]:
            found.setdefault(normalised(name), one.version)
    return dict(sorted(found.items()))


def python_version() -> str:
    """Return the version of Python that decides bits, such as 3.12."""
    return ".".join(platform.python_version_tuple()[:2])


def pins(project: Path) -> dict[str, str]:
    """Return what the locks of an archived project pin: versions by normalised name."""
    found: dict[str, str] = {}
    for name in LOCKS:
        if (path := project / name).is_file():
            found |= {normalised(n): v for n, v in _PIN.findall(path.read_text(encoding="utf-8"))}
    return found


def normalised(name: str) -> str:
    """Return the name of a distribution as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def copy_document(source: Path, target: Path) -> None:
    """Copy a file, or a folder with all that is in it."""
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        _file(source, target)


def _package(source: Path, target: Path) -> None:
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")
    try:
        shutil.copytree(source, target, ignore=ignored)
    except shutil.Error as error:
        raise PortfolioError(f"{source} cannot be copied: {error.args[0][0][2]}.") from None


def _file(source: Path, target: Path) -> None:
    if source.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
