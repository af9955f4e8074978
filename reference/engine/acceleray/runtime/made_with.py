"""The code, libraries and processor that compute a result, and no other code."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import platform
import sys
from collections.abc import Callable, Iterable
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

from acceleray.engines.ray.processors import processors

# Values of settings are part of what decides a result, and messages decide none.
_NO_CODE = ("acceleray.settings", "acceleray.errors", "acceleray.tables")
# Of what code may compute with: a package, and the packages below it that decide bits as well.
_LIBRARIES = {
    "numpy": ("numpy",),
    "scipy": ("numpy", "scipy"),
    "numba": ("numba", "llvmlite"),
    "arch": ("arch", "numpy", "scipy"),
    "xgboost": ("xgboost", "numpy"),
    "pandas": ("pandas", "numpy"),
    "pyarrow": ("pyarrow",),
    "pyspark": ("pyspark",),
    "statsmodels": ("statsmodels", "numpy", "scipy"),
}


def made_with(function: Callable[..., Any], local: bool = True) -> str:
    """Return a digest of whatever else decides what a function returns, given its arguments.

    That is the source of its module and of every module of the engine or of its project that this one
    imports, at any depth; the versions of Python and of the computing libraries among their imports; and the
    types of the processors at work.

    Args:
        function: a module-level function.
        local: whether it runs on this machine only.
    """
    code, libraries = code_of(function.__module__)
    digest = hashlib.sha256()
    for part in (code, *libraries, *processors(local)):
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()


@lru_cache
def code_of(module: str) -> tuple[str, tuple[str, ...]]:
    """Return the digest of the source that a module needs, and the versions of the libraries it uses."""
    root = module.partition(".")[0]
    roots, found, packages = {"acceleray", root}, dict[str, bytes](), set[str]()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in found or name.startswith(_NO_CODE):
            continue
        source = _source(name)
        if source is None:
            continue
        found[name] = source
        for imported in _imports(ast.parse(source)):
            top = imported.partition(".")[0]
            if top in roots:
                waiting.append(imported)
            elif top in _LIBRARIES:
                packages.update(_LIBRARIES[top])
    digest = hashlib.sha256()
    for name in sorted(found):
        digest.update(name.encode() + b"\0" + found[name] + b"\0")
    python = f"python {sys.version_info.major}.{sys.version_info.minor}"
    return digest.hexdigest(), (python, platform.machine(), *_versions(sorted(packages)))


def _source(name: str) -> bytes | None:
    """Return the source of a module; None for what is none, as a name that is imported from one may be."""
    try:
        found = importlib.util.find_spec(name)
    except (ImportError, AttributeError, ValueError):
        return None
    if found is None or found.origin is None or not found.origin.endswith(".py"):
        return None
    return Path(found.origin).read_bytes()


def _imports(tree: ast.Module) -> Iterable[str]:
    for node in _nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _nodes(tree: ast.AST) -> Iterable[ast.AST]:
    """Yield all nodes but those that only a type checker sees."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        yield node
        yield from _nodes(node)


def _versions(packages: Iterable[str]) -> Iterable[str]:
    for package in packages:
        try:
            yield f"{package} {metadata.version(package)}"
        except metadata.PackageNotFoundError:
            yield f"{package} missing"
