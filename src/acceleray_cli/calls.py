"""Adapt a call to the arguments that a function takes today."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any

from acceleray_cli.spans import Edit, Source

COMMA = re.compile(rb"[ \t]*,[ \t]*")


def adapted(node: ast.Call, rule: Mapping[str, Any], source: Source) -> list[Edit] | None:
    """Return the edits of a call that a rule of the table asks for, or None if they are not certain."""
    edits = []
    by_place = "add" in rule or "gone_at" in rule
    if by_place and (node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args)):
        return None
    if "gone_at" in rule and len(node.args) == rule["of"]:
        start = source.span(node.args[rule["gone_at"] - 1])[0]
        end = source.span(node.args[rule["gone_at"]])[0]
        if b"#" in source.content[start:end]:
            return None
        edits.append(Edit(start, end, b""))
    if "add" in rule:
        if len(node.args) < rule["after"]:
            return None
        if len(node.args) == rule["after"]:
            end = source.span(node.args[-1])[1]
            edits.append(Edit(end, end, f", {rule['add']}".encode()))
    for keyword in node.keywords:
        if keyword.arg is None and "gone" in rule:
            return None
        if keyword.arg in rule.get("gone", ()):
            start, end = source.span(keyword)
            if b"#" in source.content[start:end]:
                return None
            if comma := COMMA.match(source.content, end):
                end = comma.end()
            edits.append(Edit(start, end, b""))
    return edits
