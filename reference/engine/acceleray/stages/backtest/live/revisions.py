"""Rows that are only ever added: what is new, what has changed, and nothing that is there already."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]


def newest(rows: Iterable[Row], key: Sequence[str]) -> dict[tuple[Any, ...], Row]:
    """Return the row with the highest revision for each key."""
    found: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        at = tuple(row[name] for name in key)
        if at not in found or row["revision"] > found[at]["revision"]:
            found[at] = row
    return found


def revised(
    rows: Iterable[Row],
    there: Iterable[Row],
    key: Sequence[str],
    numbers: Sequence[str],
    reason: Callable[[Row, Row], str] = lambda new, old: "",
) -> list[dict[str, Any]]:
    """Return the rows to add: those without one of their key, and those whose numbers differ from the newest.

    Args:
        rows: as they are now.
        there: rows with their revisions.
        key: columns that identify a row, but for its revision.
        numbers: columns that are compared, bit for bit.
        reason: why a row differs from the newest one there.
    """
    before = newest(there, key)
    found = []
    for row in rows:
        old = before.get(tuple(row[name] for name in key))
        if old is None:
            found.append({**row, "revision": 1, "reason": ""})
        elif any(row[name] != old[name] for name in numbers):
            found.append({**row, "revision": old["revision"] + 1, "reason": reason(row, old)})
    return found
