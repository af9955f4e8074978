"""Which project the command works on, and which versions of project and engine these are."""

from __future__ import annotations

import platform
from pathlib import Path

from acceleray.errors import PortfolioError
from acceleray.runtime.code_identity import engine_version
from acceleray.runtime.project import Project


def find_project(given: Path | None) -> Path:
    """Return the project folder: the given one, or the first from here upwards with a conf/base.yml.

    Raises:
        PortfolioError: there is none.
    """
    here = (given or Path.cwd()).resolve()
    for folder in (here,) if given else (here, *here.parents):
        if (folder / "conf" / "base.yml").is_file():
            return folder
    where = "has no conf/base.yml" if given else "and the folders above it have no conf/base.yml"
    raise PortfolioError(f"{here} {where}; go to a project folder, or name one with --project DIR.")


def version_line(of: Project) -> str:
    """Return name and version of the distribution this project runs from, of its engine, and of Python."""
    installed = _installed(of.folder.parent) if of.folder else None
    engine = f"engine {engine_version()}"
    return f"{installed or 'portfolio from source'}, {engine} (Python {platform.python_version()})"


def _installed(folder: Path) -> str | None:
    from importlib import metadata

    # Of all distributions in the folder, the one with the command; asking which package is whose takes long.
    for one in metadata.distributions(path=[str(folder)]):
        if "portfolio.__main__" in (one.read_text("entry_points.txt") or ""):
            return f"{one.metadata['Name']} {one.version}"
    return None
