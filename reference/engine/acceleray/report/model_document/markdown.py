"""A model document as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable

from acceleray.report.model_document.narrative import OWNER, closing, marked, notice
from acceleray.report.model_document.tree import (
    Document,
    Facts,
    Grid,
    Judgement,
    Part,
    Picture,
    Section,
    Words,
)

# What would begin or end markup; a low line does so at the end of a word only.
_MARKS = re.compile(r"[\\`*<>|\[\]$~#]|(?<![^\W_])_|_(?![^\W_])")


def markdown(document: Document) -> str:
    """Return the document as Markdown; the same document gives the same text."""
    lines = [f"# {_safe(document.title)}", "", f"**{_safe(_sentence(document))}**", ""]
    lines += [_safe(document.who), "", _said(notice(document)), ""]
    lines += _facts(Facts(document.identity))
    lines += ["", *(f"{n}. {_safe(each.title)}" for n, each in enumerate(document.sections, start=1)), ""]
    for number, section in enumerate(document.sections, start=1):
        lines += _section(number, section)
    return "\n".join([*lines, "---", "", _said(closing(document)), ""])


def _sentence(document: Document) -> str:
    return f"{document.decision[0].upper()}{document.decision[1:]}: {document.reason}."


def _section(number: int, section: Section) -> Iterable[str]:
    yield f"## {number}. {_safe(section.title)}"
    yield ""
    for part in section.parts:
        yield from _part(part)
        yield ""


def _part(part: Part) -> Iterable[str]:
    if isinstance(part, Words):
        return [_said(part.text)]
    if isinstance(part, Judgement):
        return [f"> **{OWNER}** {_said(part.asks)}"]
    if isinstance(part, Facts):
        return _facts(part)
    if isinstance(part, Grid):
        return _grid(part)
    assert isinstance(part, Picture)
    return [f"*Figure, in the HTML page: {_safe(part.caption)}*"]


def _facts(part: Facts) -> list[str]:
    rows = [f"| {_safe(f.what)} | {_safe(f.value)} | {_code(f.source)} |" for f in part.rows]
    return ["| What | Value | From |", "|---|---|---|", *rows]


def _grid(part: Grid) -> list[str]:
    heads = [_safe(head.what) for head in part.heads]
    rule = ["---:" if head.number else "---" for head in part.heads]
    kinds = [_code if head.names else _safe for head in part.heads]
    rows = [[kind(cell) for kind, cell in zip(kinds, row, strict=True)] for row in part.rows]
    for row, address in zip(rows, part.addresses, strict=False):
        if address:
            row[-1] = f"[{row[-1]}]({address})"
    lines = [f"**{_safe(part.caption)}**", ""] if part.caption else []
    lines += [f"| {' | '.join(cells)} |" for cells in (heads, rule, *rows)]
    named = [f"{head.what}: {_code(head.source)}" for head in part.heads if head.source]
    return [*lines, "", f"From: {'; '.join(named)}."] if named else lines


def _said(text: str) -> str:
    """Return a sentence of ours: what stands between backticks stays code."""
    return "".join(f"`{piece}`" if code else _safe(piece, False) for piece, code in marked(text))


def _code(text: str) -> str:
    return f"`{text.replace('|', chr(92) + '|')}`" if text else ""


def _safe(text: str, ends: bool = True) -> str:
    """Return text as Markdown shows it and nothing else, without blanks at its ends if they are its own."""
    line = " ".join(text.split()) if ends else re.sub(r"\s+", " ", text)
    return _MARKS.sub(lambda found: f"\\{found[0]}", line)
