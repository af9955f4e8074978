"""Tables of workloads that this project added; listing the folder is the registry."""

from __future__ import annotations

import importlib
import pkgutil

from portfolio.tables.contract import Table


def own_tables() -> tuple[Table, ...]:
    """Return the tables that the modules of this folder declare as TABLES, in order of the modules' names."""
    modules = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return tuple(table for name in modules for table in importlib.import_module(f"{__name__}.{name}").TABLES)
