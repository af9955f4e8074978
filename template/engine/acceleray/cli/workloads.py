"""`portfolio workloads`: what this project can run, read from recipes without importing what they need."""

from __future__ import annotations

import ast

import typer

from acceleray.cli.text import grid, tell
from acceleray.runtime.project import Modules, Project

# Listed attributes of a workload, in the order of its declaration.
_LISTED = ("name", "title", "engine")


def workloads(context: typer.Context) -> int:
    """List the workloads of this project."""
    of: Project = context.obj.project
    names = ("workload", "what it does", "engine")
    tell(grid(names, [listed(of, name) for name in of.workload_names()]))
    return 0


def listed(of: Project, name: str) -> tuple[str, ...]:
    """Return name, title and engine of a workload.

    A recipe imports Spark and Ray; one that writes these three as plain text is only read.
    """
    if of.workloads is not None and (written := _written(of.workloads, name)):
        return written
    found = of.workload(name)
    return found.name, found.title, found.engine


def _written(modules: Modules, name: str) -> tuple[str, ...] | None:
    try:
        module = ast.parse((modules.folder / f"{name}.py").read_bytes())
    except (OSError, SyntaxError, ValueError):
        return None
    for statement in module.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=target)], value=ast.Call() as call):
                if target == modules.holding:
                    return _texts(call)
    return None


def _texts(call: ast.Call) -> tuple[str, ...] | None:
    given = dict(zip(_LISTED, call.args, strict=False))
    given |= {one.arg: one.value for one in call.keywords if one.arg}
    found = [given.get(name) for name in _LISTED]
    texts = [one.value for one in found if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return tuple(texts) if len(texts) == len(_LISTED) else None
