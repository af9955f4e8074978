"""What each file of a project needs beside it, found without running anything.

A need is an import, a template that another one includes, or a name in prose, a comment, a job or a Makefile:
of a file, of a command of make or of `portfolio`, of a workload. A need without a file in a project dangles.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

ROOTS = ("src", "tests", "engine")
TEXT = (".py", ".j2", ".css", ".md", ".yml", ".toml", ".sh", "Makefile")
PATH = re.compile(
    r"(?<![\w./-])(?:\.\./|\./)?[\w-]+(?:/[\w.-]+)*\.(?:py|yml|md|j2|css|sh|lock|toml|properties)\b"
)
MODULE = re.compile(r"(?<![\w./-])(?:acceleray|portfolio)(?:\.[a-z_]\w*)+")
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
MAKE = re.compile(r"(?:^|[`(\"'])make ([a-z][a-z_-]*)", re.MULTILINE)
TEMPLATE = re.compile(r"""\{%-?\s*(?:extends|include|import|from)\s+["']([\w./]+)["']""")
ENGINE = "engine/"
TEMPLATES = "engine/acceleray/report/templates/"


@dataclass(frozen=True, order=True)
class Need:
    """One file, `by`, cannot do without another, `what`."""

    by: str
    what: str
    why: str


class Whole:
    """A whole project, against which parts of it are judged: what is not in the whole is nobody's need."""

    def __init__(self, files: dict[str, bytes]) -> None:
        """Find the needs of every file of a whole project."""
        self.files = files
        self.modules = {name: path for path in files for name in module_names(path)}
        self.workloads = {
            PurePosixPath(path).stem: path
            for path in files
            if re.fullmatch(r"src/portfolio/workloads/[a-z]\w*\.py", path)
        }
        own = {path: content for path, content in files.items() if not path.startswith(ENGINE)}
        self.needs = {path: self.of(path, content) for path, content in own.items()}

    def of(self, path: str, content: bytes) -> frozenset[Need]:
        """Return what a file with this content needs at this place."""
        if not path.endswith(TEXT):
            return frozenset()
        text = content.decode("utf-8")
        found = [*self._in_words(path, text)]
        if path.endswith(".py"):
            found += self._imported(path, ast.parse(text, path), guarded="find_spec" in text)
        return frozenset(Need(path, what, why) for what, why in found if what != path)

    def dangling(self, part: dict[str, bytes]) -> list[Need]:
        """Return the needs of a part of the project that have no file in it.

        Needs of a file that is the same in the whole are known; others are looked up. The engine is
        the same in every project: where it names a recipe, it asks the project whether there is one.
        """
        needs: set[Need] = set()
        for path, content in part.items():
            if path.startswith(ENGINE):
                continue
            same = self.files.get(path) == content
            needs |= self.needs[path] if same else self.of(path, content)
        return sorted(need for need in needs if need.what not in part)

    def _in_words(self, path: str, text: str) -> Iterator[tuple[str, str]]:
        for word in PATH.findall(text):
            if named := self._named(path, word):
                yield named, f"names {word}"
        for name in TEMPLATE.findall(text):
            yield TEMPLATES + name, f"includes {name}"
        for name in re.findall(r"[a-z]+(?:_[a-z]+)+", text):
            if name in self.workloads:
                yield self.workloads[name], f"names {name}"
        if path.endswith(".md"):
            for target in LINK.findall(text):
                yield _joined(path, target), f"links to {target}"

    def _named(self, path: str, word: str) -> str | None:
        """Return the file that a path-like word names: from the project's folder, or from the file's own."""
        for candidate in (_joined("", word), _joined(path, word), TEMPLATES + word):
            if candidate in self.files:
                return candidate
        return None

    def _imported(self, path: str, tree: ast.Module, guarded: bool) -> Iterator[tuple[str, str]]:
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield from self._module(alias.name)
            elif isinstance(node, ast.ImportFrom):
                base = _absolute(path, node)
                for alias in node.names:
                    yield from self._module(f"{base}.{alias.name}")
            elif isinstance(node, ast.Constant) and not guarded and MODULE.fullmatch(str(node.value)):
                yield from self._module(str(node.value))

    def _module(self, dotted: str) -> Iterator[tuple[str, str]]:
        """Yield the file of every module along a dotted name, whose end may be a name in a module."""
        parts = dotted.split(".")
        for count in range(1, len(parts) + 1):
            if found := self.modules.get(".".join(parts[:count])):
                yield found, f"imports {dotted}"


def commands_of(makefile: str) -> set[str]:
    """Return the targets of a Makefile."""
    return set(re.findall(r"^([a-z][a-z_-]*):(?!=)", makefile, re.MULTILINE))


def unknown_commands(part: dict[str, bytes]) -> list[str]:
    """Return each `make NAME` in a project's words that its Makefile does not know."""
    known = commands_of(part["Makefile"].decode("utf-8"))
    return sorted(
        f"{path}: make {name}"
        for path, content in part.items()
        if path.endswith(TEXT) and path != "Makefile" and not path.startswith(ENGINE)
        for name in set(MAKE.findall(content.decode("utf-8"))) - known
    )


def module_names(path: str) -> Iterable[str]:
    """Return the dotted name under which a file is imported, if it is."""
    parts = PurePosixPath(path).parts
    if parts[0] not in ROOTS or not path.endswith(".py"):
        return ()
    inner = parts[1:-1] if parts[-1] == "__init__.py" else (*parts[1:-1], parts[-1].removesuffix(".py"))
    return (".".join(inner),) if inner else ()


def _absolute(path: str, node: ast.ImportFrom) -> str:
    if not node.level:
        return str(node.module)
    package = PurePosixPath(path).parts[1 : -node.level]
    return ".".join((*package, *([node.module] if node.module else [])))


def _joined(path: str, target: str) -> str:
    """Return a relative target from a file's folder as a path in the project."""
    parts: list[str] = list(PurePosixPath(path).parent.parts) if path else []
    for part in PurePosixPath(target).parts:
        if part == "..":
            parts = parts[:-1]
        elif part != ".":
            parts.append(part)
    return "/".join(parts)
