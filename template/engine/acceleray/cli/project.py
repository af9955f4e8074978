"""Which project the command works on, and which version of the package it is."""

from __future__ import annotations

import platform
from importlib import metadata
from pathlib import Path

from acceleray.errors import PortfolioError


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


def version_line() -> str:
    """Return the name and version of the installed distribution, and of Python."""
    names = metadata.packages_distributions().get("portfolio", [])
    installed = f"{names[0]} {metadata.version(names[0])}" if names else "portfolio, not installed"
    return f"{installed} (Python {platform.python_version()})"
