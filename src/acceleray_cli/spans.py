"""Places in a Python file by bytes, edits of them, and imports put back into order."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Edit:
    """Bytes from `start` up to `end` become `text`."""

    start: int
    end: int
    text: bytes


class Source:
    """A Python file, with the place of each node of its tree.

    Raises:
        SyntaxError, ValueError: it is no Python in UTF-8.
    """

    def __init__(self, content: bytes) -> None:
        content.decode("utf-8")
        self.content = content
        self.tree = ast.parse(content)
        # Python breaks lines at these alone; a file with others is not touched.
        if b"\r" in content.replace(b"\r\n", b"") or b"\f" in content:
            raise ValueError("it has line breaks of another kind")
        self._starts = [0]
        for line in content.split(b"\n"):
            self._starts.append(self._starts[-1] + len(line) + 1)

    def place(self, line: int, column: int) -> int:
        """Return the place of a column, in bytes, of a line, which are counted from 1."""
        return self._starts[line - 1] + column

    def span(self, node: ast.stmt | ast.expr | ast.keyword) -> tuple[int, int]:
        """Return where a node begins and ends."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self.place(node.lineno, node.col_offset), self.place(node.end_lineno, node.end_col_offset)

    def joined(self, node: ast.stmt, lines: Sequence[str]) -> bytes:
        """Return the text of statements that take the place of one: a line for each, if it had its own."""
        before = self.content[self.place(node.lineno, 0) : self.span(node)[0]]
        separator = "; " if before.strip() else "\n" + before.decode()
        return separator.join(lines).encode()

    def edited(self, edits: Sequence[Edit]) -> bytes:
        """Return the content after edits that do not overlap; an emptied line goes."""
        content = self.content
        for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
            start, end = edit.start, edit.end
            if not edit.text:
                line = content.rfind(b"\n", 0, start) + 1
                after = content.find(b"\n", end)
                after = len(content) if after < 0 else after + 1
                if not content[line:start].strip() and not content[end:after].strip():
                    start, end = line, after
            content = content[:start] + edit.text + content[end:]
        return content


def sorted_imports(before: bytes, after: bytes) -> bytes:
    """Return `after` with its blocks of imports in order of modules, if those of `before` were."""
    if any(block != sorted(block, key=_key) for block in _blocks(before)):
        return after
    lines = after.split(b"\n")
    for block in _blocks(after):
        texts = [lines[node.lineno - 1 : node.end_lineno] for node in sorted(block, key=_key)]
        lines[block[0].lineno - 1 : block[-1].end_lineno] = [line for text in texts for line in text]
    return b"\n".join(lines)


_Import = ast.Import | ast.ImportFrom


def _blocks(content: bytes) -> list[list[_Import]]:
    """Return the imports at the top level that follow each other line by line."""
    blocks: list[list[_Import]] = []
    for node in ast.parse(content).body:
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        if blocks and blocks[-1][-1].end_lineno == node.lineno - 1:
            blocks[-1].append(node)
        else:
            blocks.append([node])
    return blocks


def _key(node: _Import) -> tuple[bool, str]:
    if isinstance(node, ast.Import):
        return False, node.names[0].name.lower()
    return True, "." * node.level + (node.module or "").lower()
