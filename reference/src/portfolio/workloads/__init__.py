"""The workloads of this project: every module in this folder is one; listing the folder is the registry."""

from __future__ import annotations

import difflib
import importlib
import pkgutil

from portfolio.errors import PortfolioError
from portfolio.workload import Workload


def names() -> list[str]:
    """Return the names of all workloads, sorted."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def find(name: str) -> Workload:
    """Return a workload by name.

    Raises:
        PortfolioError: there is none of that name.
    """
    if name not in names():
        close = difflib.get_close_matches(name, names(), n=1)
        hint = f"did you mean {close[0]}?" if close else f"this project has: {', '.join(names())}."
        raise PortfolioError(f"Unknown workload '{name}'; {hint}")
    workload = importlib.import_module(f"{__name__}.{name}").WORKLOAD
    assert isinstance(workload, Workload)
    return workload
