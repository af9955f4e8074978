"""Notices at the top of a report: input that the run left out of its numbers or took otherwise than given."""

from __future__ import annotations

from dataclasses import dataclass

from acceleray.report.formats import printable
from acceleray.report.rows import Read
from acceleray.tables import RUN_NOTICES

SHOWN = 12
"""Notices that a page shows; the others are counted."""


@dataclass(frozen=True)
class Notices:
    """Notices of a run in the order in which its console told them; `more` are not shown."""

    lines: tuple[str, ...] = ()
    more: int = 0


def gather(read: Read) -> Notices:
    """Return the notices of the run whose rows `read` gives; none of a run of an older release."""
    rows = sorted(read(RUN_NOTICES).to_pylist(), key=lambda row: row["place"])
    lines = tuple(sentence(row["text"]) for row in rows[:SHOWN])
    return Notices(lines, max(0, len(rows) - SHOWN))


def sentence(text: str) -> str:
    """Return a line of the console as a sentence: its first letter large, a full stop at the end."""
    said = printable(text)
    return f"{said[:1].upper()}{said[1:]}{'' if said.endswith('.') else '.'}"
