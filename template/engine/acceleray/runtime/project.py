"""The project's additions to the engine: recipes, tables, signals; one object, passed in from above.

The engine imports nothing of a project by itself. `portfolio.PROJECT` is made by the project's own package,
and goes from `portfolio.__main__`, a notebook, a job's task or a test to whatever needs it.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
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
    from acceleray.extend import GateRule, PriceSource, Section, Signal
    from acceleray.runtime.workload import Workload
    from acceleray.settings import Settings
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
class Listed:
    """A list in one module of a project, such as SIGNALS; without the module, an empty one.

    Attributes:
        module: dotted name, such as `portfolio.signals`.
        name: of the list.
    """

    module: str
    name: str

    @property
    def where(self) -> str:
        """Return the module's file, as messages name it."""
        return f"src/{self.module.replace('.', '/')}.py"

    def all(self) -> tuple[Any, ...]:
        """Return what is listed; the module is imported when this is asked, and not before.

        Raises:
            PortfolioError: the module cannot be imported, or has no such list.
        """
        if importlib.util.find_spec(self.module) is None:
            return ()
        try:
            found = getattr(importlib.import_module(self.module), self.name, None)
        except Exception as error:
            line = (str(error).splitlines() or [""])[0]
            raise PortfolioError(
                f"{self.where} cannot be imported: {type(error).__name__}: {line}."
            ) from error
        if not isinstance(found, tuple | list):
            raise PortfolioError(f"{self.where} has no list {self.name}; an empty one is {self.name} = ().")
        return tuple(found)


@dataclass(frozen=True)
class Project:
    """The additions of one project to the engine; without arguments, none.

    Attributes:
        folder: of the project's package, whose source decides the identity of a run.
        workloads: its recipes, each a module with a WORKLOAD.
        tables: its own tables, each a module with TABLES.
        signals: its own signals, which join those of the engine.
        sources: its own price sources.
        gates: its own rules of the gates after calibration and training.
        sections: its own sections of reports.
    """

    folder: Path | None = None
    workloads: Modules | None = None
    tables: Modules | None = None
    signals: Listed | None = None
    sources: Listed | None = None
    gates: Listed | None = None
    sections: Listed | None = None

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
        """Return the tables of the engine, gold.features with the project's signals, then its own tables."""
        from acceleray.tables import ALL, FEATURES

        features = self.features_table()
        engine = (features if table is FEATURES else table for table in ALL)
        return (*engine, *self.own_tables())

    def own_signals(self) -> tuple[Signal, ...]:
        """Return the project's own signals, in the order in which it lists them.

        Raises:
            PortfolioError: the declaration of one cannot be used; the message names it.
        """
        if self.signals is None:
            return ()
        from acceleray.runtime import extensions

        return extensions.signals(self.signals.all(), self.signals.where)

    def own_source(self, name: str) -> PriceSource | None:
        """Return the project's own price source of a name, or None if it is one of the engine's.

        Raises:
            PortfolioError: there is none of that name, or one that is declared cannot be used.
        """
        from acceleray.runtime import extensions
        from acceleray.settings.sections import PRICE_SOURCES

        own = {}
        if self.sources is not None:
            listed = extensions.sources(self.sources.all(), self.sources.where)
            own = {source.name: source for source in listed}
        if name in PRICE_SOURCES:
            return None
        if name not in own:
            known = ", ".join((*PRICE_SOURCES, *own))
            raise PortfolioError(f"There is no price source '{name}'; market_data.source can be {known}.")
        return own[name]

    def own_gate_rules(self, gate: str) -> tuple[GateRule, ...]:
        """Return the project's own rules of a gate, `calibration` or `training`.

        Raises:
            PortfolioError: the declaration of one cannot be used; the message names it.
        """
        if self.gates is None:
            return ()
        from acceleray.runtime import extensions

        rules = extensions.gate_rules(self.gates.all(), self.gates.where)
        return tuple(rule for rule in rules if rule.gate == gate)

    def own_sections(self, workload: str) -> tuple[Section, ...]:
        """Return the sections that the project adds to the report of a workload, in the order of its list.

        Raises:
            PortfolioError: the declaration of one cannot be used; the message names it.
        """
        if self.sections is None:
            return ()
        from acceleray.runtime import extensions

        where = self.sections.where
        sections = extensions.sections(self.sections.all(), where, self.workload_names())
        return tuple(section for section in sections if workload in section.workloads)

    def refuse_unusable(self, settings: Settings) -> None:
        """Refuse, before any engine has started, what the project adds and cannot be used.

        Raises:
            PortfolioError: the message names the one, its file, and what is wrong with it; or there is no
                price source of the name that is set.
        """
        self.own_gate_rules("calibration")
        self.own_sections("")
        self.own_source(settings.market_data.source)
        if signals := self.own_signals():
            from acceleray.runtime.look_ahead import refuse_look_ahead

            refuse_look_ahead(signals)

    def features_table(self) -> Table:
        """Return the declaration of gold.features: the engine's signals, then the project's own."""
        from acceleray.tables.market import features_with

        return features_with(self.own_signals())

    def feature_names(self) -> tuple[str, ...]:
        """Return the names of all signals, in the order of the columns, which is the order a model knows."""
        from acceleray.tables.market import feature_names

        return feature_names(self.features_table())

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
