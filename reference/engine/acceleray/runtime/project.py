"""What a project adds to the engine: its recipes, its tables, its signals; one object, handed in from above.

The engine imports nothing of a project by itself. `portfolio.PROJECT` is made by the project's own package,
and goes from `portfolio.__main__`, a notebook, a job's task or a test to whatever needs it.
"""

from __future__ import annotations

import difflib
import importlib
import os
import pkgutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import acceleray
from acceleray.errors import PortfolioError
from acceleray.runtime.code_identity import engine_digest, source_digest

if TYPE_CHECKING:
    from acceleray.runtime.workload import Workload
    from acceleray.tables import Table


@dataclass(frozen=True)
class Modules:
    """The modules of one package of a project; each is imported when it is asked for, and not before.

    Attributes:
        package: dotted name, such as `portfolio.workloads`.
        folder: where its modules are.
        holding: name that each of them defines, such as WORKLOAD.
    """

    package: str
    folder: Path
    holding: str

    def names(self) -> tuple[str, ...]:
        """Return the names of the modules, sorted."""
        return tuple(sorted(module.name for module in pkgutil.iter_modules([str(self.folder)])))

    def get(self, name: str) -> Any:
        """Return what the module of this name defines."""
        return getattr(importlib.import_module(f"{self.package}.{name}"), self.holding)


@dataclass(frozen=True)
class Project:
    """What one project adds to the engine; without arguments, nothing.

    Attributes:
        folder: of the project's package, whose source decides the identity of a run.
        workloads: its recipes, each a module with a WORKLOAD.
        tables: its own tables, each a module with TABLES.
    """

    folder: Path | None = None
    workloads: Modules | None = None
    tables: Modules | None = None

    def workload(self, name: str) -> Workload:
        """Return a recipe by name.

        Raises:
            PortfolioError: there is none of that name.
        """
        names = self.workload_names()
        if self.workloads is None or name not in names:
            close = difflib.get_close_matches(name, names, n=1)
            hint = f"did you mean {close[0]}?" if close else f"this project has: {', '.join(names)}."
            raise PortfolioError(f"Unknown workload '{name}'; {hint}")
        found: Workload = self.workloads.get(name)
        return found

    def workload_names(self) -> tuple[str, ...]:
        """Return the names of all recipes, sorted."""
        return self.workloads.names() if self.workloads else ()

    def own_tables(self) -> tuple[Table, ...]:
        """Return the project's own tables, in the order of the modules that declare them."""
        if self.tables is None:
            return ()
        return tuple(table for name in self.tables.names() for table in self.tables.get(name))

    def all_tables(self) -> tuple[Table, ...]:
        """Return the tables of the engine, then those of the project."""
        from acceleray.tables import ALL

        return (*ALL, *self.own_tables())

    def code_version(self) -> str:
        """Return what identifies the code: a digest of the engine, a hyphen, a digest of the project."""
        return f"{engine_digest()}-{source_digest(self.folder)}"

    @contextmanager
    def importable(self) -> Iterator[None]:
        """Let every process started in the block import the engine and the project as this one does."""
        before = os.environ.get("PYTHONPATH")
        roots = [str(Path(acceleray.__file__).parents[1])]
        if self.folder is not None:
            roots.append(str(self.folder.parent))
        given = [] if before is None else before.split(os.pathsep)
        os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys([*roots, *filter(None, given)]))
        try:
            yield
        finally:
            if before is None:
                del os.environ["PYTHONPATH"]
            else:
                os.environ["PYTHONPATH"] = before


NOTHING_ADDED = Project()
"""The engine alone."""
