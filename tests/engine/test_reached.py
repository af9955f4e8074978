"""The engine has no module that neither a recipe, the command, a project's tests nor the bench reaches."""

from __future__ import annotations

import ast
from pathlib import Path

import grimp

from rendered import ENGINE, TEMPLATE

# Named in a text that another program reads: Ray on Spark imports the one and starts the other.
BY_NAME = {"acceleray.engines.ray.start_hook", "acceleray.engines.ray.loopback"}


def imported(folder: Path) -> set[str]:
    """Return every dotted name that the Python files below a folder import."""
    found: set[str] = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def test_every_module_of_the_engine_is_reached() -> None:
    graph = grimp.build_graph("acceleray")
    modules = graph.modules
    folders = (TEMPLATE / "src", TEMPLATE / "notebooks", TEMPLATE / "tests", ENGINE / "benchmarks")
    reached = {name for folder in folders for name in imported(folder)} & modules
    # What `portfolio new-workload` writes and what docs/extending.md shows import these.
    reached |= {"acceleray.cli", "acceleray.extend"} | BY_NAME
    for name in list(reached):
        reached |= graph.find_upstream_modules(name)
    packages = {name for name in modules if graph.find_children(name)}
    assert sorted(modules - packages - reached) == []
