"""Cells of many rows as JSON texts, without a loop over rows."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc


def objects(names: Sequence[str], columns: Sequence[pa.Array], empty: bool = True) -> pa.Array:
    """Return one JSON object a row: names in the order given, all values text.

    Args:
        names: of the keys.
        columns: of texts, all of one length, at least one.
        empty: whether an empty text is kept, or its key left out.
    """
    parts = []
    for name, column in zip(_apart(names), columns, strict=True):
        head = json.dumps(name, ensure_ascii=False) + ': "'
        pair = pc.binary_join_element_wise(head, _escaped(column), '", ', "")
        parts.append(pair if empty else pc.if_else(pc.equal(column, ""), "", pair))
    if not parts:
        raise ValueError("no columns")
    inner = pc.replace_substring_regex(pc.binary_join_element_wise(*parts, ""), ", $", "")
    return pc.binary_join_element_wise("{", inner, "}", "")


def _apart(names: Sequence[str]) -> list[str]:
    """Return names of which a second one of the same letters has a number."""
    seen: dict[str, int] = {}
    apart = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        apart.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return apart


def _escaped(column: pa.Array) -> pa.Array:
    found = pc.replace_substring(pc.replace_substring(column, "\\", "\\\\"), '"', '\\"')
    if not pc.any(pc.match_substring_regex(found, r"[\x00-\x1f]")).as_py():
        return found
    for code in range(0x20):
        found = pc.replace_substring(found, chr(code), json.dumps(chr(code))[1:-1])
    return found
