"""Rewrite what a project's own Python imports where modules moved, and name what is not certain."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from acceleray_cli.calls import adapted
from acceleray_cli.modules import OBJECT, PACKAGE, PROJECT, Modules
from acceleray_cli.spans import Edit, Source, sorted_imports

MODULE_OF = re.compile(rb"\A(from\s+)([.\w]+)(\s+import\b)")
MENTION = re.compile(rf"(?<![\w./-]){PACKAGE}(?:\.\w+)+")


@dataclass(frozen=True, order=True)
class Remark:
    """A line that somebody has to look at: the name in it, and what it is now ("" when it is gone)."""

    line: int
    old: str
    new: str

    def __str__(self) -> str:
        """Return what people read after the name of the file."""
        return f"{self.line}: {self.old} {f'is now {self.new}' if self.new else 'is gone'}"


@dataclass
class _Work:
    """One file: its edits so far, and names that it imports, by what they are called in it."""

    source: Source
    where: Modules
    package: str
    edits: list[Edit] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    called: dict[str, str] = field(default_factory=dict)
    needs_project: bool = False


def rewritten(content: bytes, where: Modules, package: str) -> tuple[bytes, list[Remark]]:
    """Return a Python file with today's imports, and what is left to do by hand.

    Args:
        content: the file; one that is no Python, such as one with conflicts, comes back as it is.
        where: where modules are now.
        package: dotted name of the package that the file is in, "" for none; relative imports start there.
    """
    try:
        source = Source(content)
    except (SyntaxError, ValueError):
        return content, mentions(content, where)
    work = _Work(source, where, package)
    statements = [node for node in ast.walk(source.tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    for node in statements:
        _names_of(node, work)
    taken = _stored(source.tree)
    doubtful = {name for name in work.called if name in taken}
    if PROJECT in taken:
        doubtful |= set(work.called)
    uses = list(_uses(work, doubtful))
    for node in statements:
        if isinstance(node, ast.ImportFrom):
            _from(node, work, doubtful)
        else:
            _import(node, work)
    work.edits += uses
    if work.needs_project and not _has_project(source.tree):
        _import_project(work, statements)
    if not work.edits:
        return content, sorted({*work.remarks, *mentions(content, where)})
    new = source.edited(work.edits)
    new = sorted_imports(content, new)
    said = {remark.old for remark in work.remarks}
    left = [remark for remark in mentions(new, where) if remark.old not in said]
    return new, sorted({*_moved_along(work.remarks, content, new), *left})


def _moved_along(remarks: list[Remark], before: bytes, after: bytes) -> list[Remark]:
    """Return remarks with the lines that theirs became: edits above may have added or taken some."""
    old, new = before.split(b"\n"), after.split(b"\n")
    found = []
    for remark in remarks:
        same = [number for number, line in enumerate(new, 1) if line == old[remark.line - 1]]
        line = min(same, key=lambda number: abs(number - remark.line), default=remark.line)
        found.append(Remark(line, remark.old, remark.new))
    return found


def mentions(content: bytes, where: Modules) -> list[Remark]:
    """Return every line of a text that names a module which moved."""
    found = set()
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
        for match in MENTION.finditer(line):
            if moved := where.mentioned(match.group()):
                found.add(Remark(number, *moved))
    return sorted(found)


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    kept = parts[: len(parts) - node.level + 1]
    return ".".join([*kept, *([node.module] if node.module else [])])


def _names_of(node: ast.Import | ast.ImportFrom, work: _Work) -> None:
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            work.called[alias.asname or alias.name] = f"{_absolute(node, work.package)}.{alias.name}"
        elif alias.asname:
            work.called[alias.asname] = alias.name


def _uses(work: _Work, doubtful: set[str]) -> Iterator[Edit]:
    """Yield the edits of names that became methods of PROJECT, and of calls that take other arguments."""
    for node in ast.walk(work.source.tree):
        name, dotted = _dotted(node, work.called)
        new = work.where.name(dotted) if dotted else None
        if new and new.startswith(OBJECT) and isinstance(node, ast.expr):
            if name in doubtful:
                work.remarks.append(Remark(node.lineno, dotted, new))
                continue
            work.needs_project = True
            yield Edit(*work.source.span(node), new.removeprefix(f"{PACKAGE}.").encode())
        if isinstance(node, ast.Call):
            name, dotted = _dotted(node.func, work.called)
            rule = work.where.table.calls.get(dotted)
            if rule is None:
                continue
            edits = None if name in doubtful else adapted(node, rule, work.source)
            if edits is None:
                change = f"{work.where.imported(*dotted.rsplit('.', 1))}, with other arguments"
                work.remarks.append(Remark(node.lineno, dotted, change))
                continue
            work.needs_project |= any(PROJECT.encode() in edit.text for edit in edits)
            yield from edits


def _dotted(node: ast.AST, called: dict[str, str]) -> tuple[str, str]:
    """Return the name at the front of an expression and what it stands for, or two empty texts."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        return node.id, called.get(node.id, "")
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in called:
        return node.value.id, f"{called[node.value.id]}.{node.attr}"
    return "", ""


def _from(node: ast.ImportFrom, work: _Work, doubtful: set[str]) -> None:
    module = _absolute(node, work.package)
    groups: dict[str, list[str]] = {}
    changed = renamed = False
    for alias in node.names:
        new = work.where.imported(module, alias.name)
        called = alias.asname or alias.name
        if new and new.startswith(OBJECT) and called not in doubtful:
            changed = renamed = True
            continue
        if new == "" or (new and new.startswith(OBJECT)):
            work.remarks.append(Remark(node.lineno, f"{module}.{alias.name}", new))
        if not new or new.startswith(OBJECT):
            # As it stands: it did not move, or somebody has to look at it.
            parent, leaf = "." * node.level + (node.module or ""), alias.name
        else:
            changed = True
            parent, leaf = new.rsplit(".", 1)
            renamed |= leaf != alias.name
        groups.setdefault(parent, []).append(leaf if called == leaf else f"{leaf} as {called}")
    if not changed:
        return
    start, end = work.source.span(node)
    text = work.source.content[start:end]
    if len(groups) == 1 and not renamed:
        # Only the name of the module, so that everything else stays as it was written.
        new_text = MODULE_OF.sub(rb"\g<1>" + next(iter(groups)).encode() + rb"\g<3>", text)
    elif b"#" in text:
        for alias in node.names:
            if new := work.where.imported(module, alias.name):
                work.remarks.append(Remark(node.lineno, f"{module}.{alias.name}", new))
        return
    else:
        lines = [f"from {parent} import {', '.join(names)}" for parent, names in sorted(groups.items())]
        new_text = work.source.joined(node, lines)
    work.edits.append(Edit(start, end, new_text))


def _import(node: ast.Import, work: _Work) -> None:
    for alias in node.names:
        new = work.where.module(alias.name)
        if new is None:
            continue
        if not new or alias.asname is None or len(node.names) > 1:
            work.remarks.append(Remark(node.lineno, alias.name, new))
            continue
        work.edits.append(Edit(*work.source.span(node), f"import {new} as {alias.asname}".encode()))


def _import_project(work: _Work, statements: list[ast.Import | ast.ImportFrom]) -> None:
    """Add the import of PROJECT before the first import of the package, or in the place of an empty one."""
    line = f"from {PACKAGE} import {PROJECT}"
    for node in statements:
        if isinstance(node, ast.ImportFrom) and _absolute(node, work.package).split(".")[0] == PACKAGE:
            start, end = work.source.span(node)
            before = [edit for edit in work.edits if (edit.start, edit.end) == (start, end)]
            text = before[0].text if before else work.source.content[start:end]
            work.edits = [edit for edit in work.edits if edit not in before]
            lines = [line, *([text.decode()] if text else [])]
            work.edits.append(Edit(start, end, work.source.joined(node, lines)))
            return


def _has_project(tree: ast.Module) -> bool:
    return any(
        isinstance(node, ast.ImportFrom)
        and node.module == PACKAGE
        and any(alias.name == PROJECT and alias.asname is None for alias in node.names)
        for node in ast.walk(tree)
    )


def _stored(tree: ast.Module) -> set[str]:
    """Return the names that a file gives to something else than what it imports."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
    return found
