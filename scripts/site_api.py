"""Pages of the engine's functions, read from the source without importing it."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

from render import ROOT
from site_reference import escaped

ENGINE = ROOT / "template/engine"
# What a project builds on, and what a validator reads; the rest of the engine may change with any release.
GROUPS = (
    (
        "What a project declares and calls",
        (
            "extend.py",
            "errors.py",
            "tables/contract.py",
            "runtime/run.py",
            "runtime/workload.py",
            "runtime/evidence.py",
            "stages/*/stage.py",
            "stages/what_if/session.py",
        ),
    ),
    ("Risk mathematics, on NumPy alone", ("quant/*.py",)),
    ("Settings as Python sees them", ("settings/*.py",)),
    (
        "Spark, Ray and the hand-off",
        ("engines/*.py", "engines/spark/*.py", "engines/ray/*.py", "engines/handoff/*.py"),
    ),
)
SECTION = re.compile(r"^(Args|Arguments|Returns|Raises|Attributes|Yields):\s*$")


def pages(linked: set[str]) -> dict[str, str]:
    """Return the pages by name: one per module of the groups or linked by a page, and an index."""
    found: dict[str, str] = {}
    index = ["# Engine API", "", "Read from the docstrings. Arrays, units and sources are named there.", ""]
    for title, patterns in (*GROUPS, ("What other pages link to", tuple(sorted(linked)))):
        modules = sorted({path for pattern in patterns for path in (ENGINE / "acceleray").glob(pattern)})
        names = []
        for path in modules:
            name = _dotted(path)
            if name not in found and (text := _module(path)):
                found[name] = text
                names.append(name)
        index += [f"## {title}", "", "```{toctree}", ":maxdepth: 1", "", *names, "```", ""]
    found["index"] = "\n".join(index)
    return found


def _dotted(path: Path) -> str:
    return ".".join(path.relative_to(ENGINE).with_suffix("").parts).removesuffix(".__init__")


def kept(name: str) -> str:
    """Return the file of a module from the root of this repository."""
    return f"template/engine/{name.replace('.', '/')}.py"


def _module(path: Path) -> str:
    """Return the page of a module, or nothing if it has no public name."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    entries = [line for node in tree.body for line in _entry(node, "")]
    if not entries:
        return ""
    name = _dotted(path)
    head = [f"# {name}", "", _prose(ast.get_docstring(tree) or ""), ""]
    return "\n".join([*head, f"```{{py:currentmodule}} {name}\n```", "", *entries])


def _entry(node: ast.stmt, inside: str) -> Iterator[str]:
    if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name.startswith("_"):
        return
    said = ast.get_docstring(node)
    if not said:
        return
    fence = ":::" if inside else "::::"
    kind = "class" if isinstance(node, ast.ClassDef) else "method" if inside else "function"
    signature = node.name + ("" if isinstance(node, ast.ClassDef) else _signature(node, bool(inside)))
    yield f"{fence}{{py:{kind}}} {signature}"
    yield ""
    yield _prose(said)
    if isinstance(node, ast.ClassDef):
        for member in node.body:
            yield ""
            yield from _entry(member, node.name)
    yield fence
    yield ""


def _signature(node: ast.FunctionDef, method: bool) -> str:
    arguments = ast.parse(f"def f({ast.unparse(node.args)}): ...").body[0].args  # type: ignore[attr-defined]
    if method and arguments.args and arguments.args[0].arg in ("self", "cls"):
        arguments.args = arguments.args[1:]
    gives = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"({ast.unparse(arguments)}){gives}"


def _prose(text: str) -> str:
    """Return a docstring as Markdown: its parts as lists, indented text as code."""
    lines, found, inside = text.splitlines(), [], False
    index = 0
    while index < len(lines):
        line = lines[index]
        if section := SECTION.match(line):
            body = []
            index += 1
            while index < len(lines) and (not lines[index].strip() or lines[index].startswith(" ")):
                body.append(lines[index])
                index += 1
            found += ["", f"**{section[1]}**", "", *_items(textwrap.dedent("\n".join(body)))]
            continue
        indented = line.startswith("    ")
        if indented != inside and line.strip():
            found += ["```text"] if indented else ["```"]
            inside = indented
        found.append(line if inside else _escaped(line))
        index += 1
    return "\n".join([*found, "```"] if inside else found)


def _items(text: str) -> Iterator[str]:
    """Yield the entries of Args, Attributes and so on; an indented line continues the one before."""
    for line in text.strip().splitlines():
        if line.startswith(" "):
            yield f"  {_escaped(line.strip())}"
        elif found := re.match(r"([\w*, .]+): (.*)", line):
            yield f"- `{found[1]}`: {_escaped(found[2])}"
        else:
            yield f"- {_escaped(line)}" if line.strip() else ""


def _escaped(line: str) -> str:
    """Return a line in which only code is Markdown; a line that looks like a list stays one."""
    mark = re.match(r"\s*([-*]|\d+\.) ", line)
    head = mark[0] if mark else ""
    text = escaped(line.removeprefix(head).replace("``", "`"))
    # Emphasis stays: a star right before a word and one right after it.
    text = re.sub(r"\\\*(\w[^*\\]*?\w)\\\*", r"*\1*", text)
    return head + re.sub(r"^([#+=-])", r"\\\1", text)
